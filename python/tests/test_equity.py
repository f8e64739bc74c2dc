"""Measures of equity beside the tables of the R package `accessibility` (MIT), to their printed digits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import walkshed as ws

Data = Callable[[str], Path]

CELLS = ["89a88cdb57bffff", "89a88cdb597ffff", "89a88cdb5b3ffff", "89a88cdb5cfffff", "89a88cd909bffff"]


@pytest.fixture(scope="module")
def city(data: Data) -> pl.DataFrame:
    """Jobs within 30 minutes of every cell of Belo Horizonte, beside its people and their income."""
    folder = data("belo_horizonte")
    land_use = pl.read_csv(folder / "land_use.csv")
    matrix = pl.read_parquet(folder / "travel_matrix.parquet")
    pairs = matrix.select(origin_id="from_id", facility_id="to_id", time_s=pl.col("travel_time") * 60.0)
    within = ws.cumulative(pairs, land_use, minutes=[30], capacity="jobs", origins=land_use)
    jobs = within.select(id="origin_id", access="capacity")
    return land_use.join(jobs, on="id", maintain_order="left").rename({"income_per_capita": "income"})


def of(city: pl.DataFrame, cells: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"id": cells}).join(city, on="id", maintain_order="left")


def test_gini(city: pl.DataFrame) -> None:
    five, four = of(city, CELLS), of(city, [*CELLS[:3], CELLS[4]])
    assert round(ws.gini(five["access"], five["population"]), 4) == 0.1386
    assert round(ws.gini(four["access"], four["population"]), 4) == 0.1148


def test_theil(city: pl.DataFrame) -> None:
    cells = of(city, ["89a88cd900bffff", *CELLS[:4]])
    found = ws.theil(cells["access"], cells["population"], groups=cells["income_decile"].to_list())
    assert [round(part, 4) for part in found] == [0.0852, 0.0515, 0.0337]


def test_concentration(city: pl.DataFrame) -> None:
    five, four = of(city, CELLS), of(city, [*CELLS[:3], CELLS[4]])
    index = ws.concentration_index
    assert round(index(five["access"], five["income"], five["population"]), 4) == -0.0248
    # There the bounds are those of the cells with people, here too: the fifth cell has none.
    assert round(index(five["access"], five["income"], five["population"], corrected=True), 4) == -0.1314
    assert round(index(four["access"], four["income"], four["population"]), 4) == -0.1148
    assert round(index(four["access"], four["income"], four["population"], corrected=True), 4) == -0.8282


def test_poverty(city: pl.DataFrame) -> None:
    five, four = of(city, CELLS), of(city, [*CELLS[:3], CELLS[4]])
    assert ws.fgt(five["access"], 10_000, five["population"]) == (0, 0, 0)
    found = ws.fgt(five["access"], 100_000, five["population"])
    assert [round(part, 4) for part in found] == [1, 0.5588, 0.3256]
    found = ws.fgt(four["access"], 100_000, four["population"])
    assert [round(part, 4) for part in found] == [1, 0.6367, 0.4129]


def test_palma(city: pl.DataFrame) -> None:
    """The package takes whole cells by the city's quantiles of income, here the cell on the border counts in part."""
    living = city.filter(pl.col("population") > 0).sort("income")
    share = living["population"].cum_sum() / living["population"].sum()
    mean = lambda rows: (rows["access"] * rows["population"]).sum() / rows["population"].sum()  # noqa: E731
    whole_cells = mean(living.filter(share > 0.9)) / mean(living.filter(share <= 0.4))
    ratio = ws.palma(city["access"], city["income"], city["population"])
    assert ratio == pytest.approx(whole_cells, rel=0.005)
    # The two cells of its printed 0.5249: one rich, one poor.
    rich, poor = of(city, [CELLS[0]])["access"][0], of(city, [CELLS[2]])["access"][0]
    assert round(rich / poor, 4) == 0.5249
    assert round(ws.palma([poor] * 4 + [1.0] * 5 + [rich], range(10)), 4) == 0.5249


def test_a_table_is_measured_by_groups() -> None:
    table = pl.DataFrame(
        {
            "class": ["shop", "shop", "park", "park", "park"],
            "share": [0.0, 1.0, 0.5, 0.5, None],
            "people": [50.0, 50.0, 10.0, 30.0, 0.0],
            "income": [1.0, 2.0, 1.0, 2.0, 3.0],
        }
    )
    found = ws.equity(table, "share", by=["class"], income="income", limit=0.8)
    expected = pl.DataFrame(
        {
            "class": ["shop", "park"],
            "people": [100.0, 40.0],
            "mean": [0.5, 0.5],
            "gini": [0.5, 0.0],
            "theil": [0.6931471805599453, 0.0],
            "palma": [None, 1.0],
            "concentration": [0.5, 0.0],
            "short_share": [0.5, 1.0],
            "short_depth": [0.5, 0.375],
            "short_severity": [0.5, 0.140625],
        }
    )
    assert_frame_equal(found, expected)
    assert ws.lorenz(table["share"][:2], table["people"][:2]).rows() == [(0.0, 0.0), (0.5, 0.0), (1.0, 1.0)]


def test_nothing_to_share_is_nothing_to_measure() -> None:
    assert ws.gini([0, 0]) is None
    assert ws.theil([0, 0]) is None
    assert ws.lorenz([0, 0]).height == 0
    assert ws.fgt([1], 1, [0]) is None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: ws.gini([1, None, 2]), "row 2"),
        (lambda: ws.gini([1, float("nan")]), "row 2"),
        (lambda: ws.gini([1, -1]), "row 2.*-1"),
        (lambda: ws.gini([1, 2], [1]), "value has 2, weight has 1"),
        (lambda: ws.palma([1, 2], [1000, None]), "row 2.*income"),
        (lambda: ws.fgt([1], 0), "limit 0"),
    ],
)
def test_values_that_cannot_be_are_told(wrong: Callable[[], object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        wrong()
