"""Measures of access beside published tables, other programs' answers, and a street by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from towns import main_street, places

import walkshed as ws

Data = Callable[[str], Path]

#: The five cells of the tests of the R package `accessibility` (MIT), whose tables these are, to their printed digits.
CELLS = ["89a88cdb57bffff", "89a88cdb597ffff", "89a88cdb5b3ffff", "89a88cdb5cfffff", "89a88cd909bffff"]


@pytest.fixture(scope="module")
def land_use(data: Data) -> pl.DataFrame:
    return pl.read_csv(data("belo_horizonte") / "land_use.csv")


@pytest.fixture(scope="module")
def pairs(data: Data) -> pl.DataFrame:
    """Minutes between all cells of Belo Horizonte, by public transport."""
    matrix = pl.read_parquet(data("belo_horizonte") / "travel_matrix.parquet")
    return matrix.select(origin_id="from_id", facility_id="to_id", time_s=pl.col("travel_time") * 60.0)


def rounded(column: pl.Series, digits: int) -> list[float]:
    return [round(value, digits) for value in column]


class TestBeloHorizonte:
    @pytest.fixture
    def between_five(self, pairs: pl.DataFrame) -> pl.DataFrame:
        return pairs.filter(pl.col("origin_id").is_in(CELLS) & pl.col("facility_id").is_in(CELLS))

    @pytest.fixture
    def five(self, land_use: pl.DataFrame) -> pl.DataFrame:
        return pl.DataFrame({"id": CELLS}).join(land_use, on="id", maintain_order="left")

    @pytest.mark.parametrize(
        ("variant", "published"),
        [("2sfca", [0.0152, 0.1491, 0.1491, 0.1068, 0.0]), ("bfca", [0.0094, 0.1993, 0.1993, 0.1147, 0.0])],
    )
    def test_floating_catchments(
        self, between_five: pl.DataFrame, five: pl.DataFrame, variant: str, published: list[float]
    ) -> None:
        demand = five.select(origin_id="id", people="population")
        supply = five.select(facility_id="id", capacity="jobs")
        access = ws.two_step_fca(between_five, demand, supply, variant=variant, catchment_min=45)
        assert access["origin_id"].to_list() == CELLS
        assert rounded(access["access"], 4) == published

    def test_spatial_availability(self, between_five: pl.DataFrame, five: pl.DataFrame) -> None:
        demand = five.select(origin_id="id", people="population")
        supply = five.select(facility_id="id", capacity="jobs")
        always = ws.Decay.step(1e6)
        places = ws.two_step_fca(between_five, demand, supply, variant="spatial_availability", decay=always)
        assert rounded(places["access"], 0) == [94, 44, 218, 243, 0]

    def test_cumulative_opportunities(self, between_five: pl.DataFrame, five: pl.DataFrame) -> None:
        within = ws.cumulative(between_five, five, minutes=[30], capacity="jobs", origins=five)
        assert within["capacity"].to_list() == [82, 408, 408, 109, 0]
        gravity = ws.gravity(between_five, five, decay=ws.Decay.step(30), capacity="jobs", origins=five)
        assert gravity["access"].to_list() == [82, 408, 408, 109, 0]

    def test_the_closest(self, between_five: pl.DataFrame, five: pl.DataFrame) -> None:
        schools = five.filter(pl.col("schools") > 0)
        nearest = ws.closest(between_five, schools, origins=five)
        assert rounded(nearest["time_s"] / 60, 1) == [47.0, 5.8, 13.0, 43.0, 70.0]


def test_spatial_availability_of_the_paper() -> None:
    """Three places and three centres of Soukhov and others 2023, as the R package prints them."""
    minutes = [15, 30, 100, 30, 15, 100, 100, 100, 15]
    pairs = pl.DataFrame(
        {
            "origin_id": [home for home in "ABC" for _ in range(3)],
            "facility_id": ["1", "2", "3"] * 3,
            "time_s": [60.0 * each for each in minutes],
        }
    )
    demand = pl.DataFrame({"origin_id": list("ABC"), "people": [50_000, 150_000, 10_000]})
    supply = pl.DataFrame({"facility_id": ["1", "2", "3"], "capacity": [100_000, 100_000, 10_000]})
    decay = ws.Decay.exponential(per_min=0.1)
    found = ws.two_step_fca(pairs, demand, supply, variant="spatial_availability", decay=decay)
    assert rounded(found["access"], 0) == [66_833, 133_203, 9_963]


def as_pairs(cost: dict[tuple[int, int], float]) -> pl.DataFrame:
    rows = [(origin, facility, 60.0 * minutes) for (origin, facility), minutes in cost.items()]
    return pl.DataFrame(rows, schema=["origin_id", "facility_id", "time_s"], orient="row")


#: Doctors for each person at three places, by PySAL access 1.1.10.post3, weights 1/minutes below 61 minutes. Ways in,
#: out and across of each scenario; ways in and out differ, so that costs are not symmetric.
HOSPITALS = [
    ((40, 40, 80), [0.3314441169802766, 0.5798281320669381, 7.286418169862544]),
    ((20, 40, 80), [0.4353402208763805, 0.683724235963042, 5.727976611420986]),
    ((40, 20, 80), [0.3310719131614654, 0.5778577857785778, 7.299991939492457]),
    ((20, 20, 40), [0.4425683953985841, 0.6667582799658271, 5.7405246461850234]),
]
HOSPITALS_3SFCA = [0.17480214807981356, 0.42403550855652616, 9.631800976419234]


def hospitals(ways: tuple[int, int, int]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    inward, outward, across = ways
    cost = {(place, place): 1.0 for place in (1, 2, 3)}
    cost |= {(1, 3): inward, (2, 3): inward, (3, 1): outward, (3, 2): outward, (1, 2): across, (2, 1): across}
    pairs = as_pairs(cost).filter(pl.col("time_s") < 61 * 60)
    demand = pl.DataFrame({"origin_id": [1, 2, 3], "people": [100, 50, 10]})
    return pairs, demand, pl.DataFrame({"facility_id": [1, 2, 3], "capacity": [15, 20, 100]})


@pytest.mark.parametrize(("ways", "pysal"), HOSPITALS)
def test_three_hospitals_as_pysal(ways: tuple[int, int, int], pysal: list[float]) -> None:
    found = ws.two_step_fca(*hospitals(ways), decay=ws.Decay.power(1))
    assert found["access"].to_list() == pytest.approx(pysal, rel=1e-9)


def test_three_hospitals_by_three_steps_as_pysal() -> None:
    """Where every way is within the limit; beyond it PySAL chooses among places that it then does not count."""
    found = ws.two_step_fca(*hospitals((20, 20, 40)), variant="3sfca", decay=ws.Decay.power(1))
    assert found["access"].to_list() == pytest.approx(HOSPITALS_3SFCA, rel=1e-9)


#: A number that is missing.
UNKNOWN = pl.Series([None], dtype=pl.Float64)

PEOPLE = [945, 628, 687, 898, 582, 777, 835, 232]
DOCTORS = [3, 15, 14, 43, 45]
MINUTES = [
    [1, 15, 24, 4, 24],
    [4, 14, 24, 9, 10],
    [9, 21, 8, 29, 13],
    [14, 15, 17, 17, 15],
    [29, 24, 23, 21, 19],
    [10, 29, 14, 7, 25],
    [5, 25, 18, 4, 2],
    [13, 2, 5, 15, 29],
]
#: By PySAL access 1.1.10.post3; what it leaves undefined, reaching nothing, is 0 here.
PYSAL = {
    "2sfca": (
        {"catchment_min": 15},
        "0.018733287795974315 0.03349706732353337 0.023618256604652745 0.020912929190668283 0 0.021438615209958777 "
        "0.027947677756385757 0.026988004777106393",
    ),
    "e2sfca": (
        {"catchment_min": 15},
        "0.02050797871899034 0.03456725742349695 0.017646094134103365 0.010581621082509488 0 0.014592079202263646 "
        "0.044190787665899095 0.03900520174651259",
    ),
    "gaussian": (
        {"decay": ws.Decay.gaussian(sigma_min=10)},
        "0.01971709653014054 0.02920576191035988 0.01868988892985557 0.017256215514902896 0.006681767213371172 "
        "0.016287712211601614 0.038571540199803786 0.025597039218469706",
    ),
    "3sfca": (
        {"decay": ws.Decay.steps([(10, 0.962), (20, 0.704), (30, 0.377), (60, 0.042)])},
        "0.01946558497682618 0.027985818927103386 0.017624812544245277 0.021159018324762097 0.018874484872673354 "
        "0.01862842132974942 0.027272108956240364 0.02021309779988602",
    ),
}


@pytest.mark.parametrize("variant", PYSAL)
def test_eight_homes_as_pysal(variant: str) -> None:
    pairs = as_pairs({(home, at): minutes for home, row in enumerate(MINUTES) for at, minutes in enumerate(row)})
    demand = pl.DataFrame({"origin_id": range(8), "people": PEOPLE})
    supply = pl.DataFrame({"facility_id": range(5), "capacity": DOCTORS})
    weights, pysal = PYSAL[variant]
    found = ws.two_step_fca(pairs, demand, supply, variant=variant, **weights)
    assert found["access"].to_list() == pytest.approx([float(value) for value in pysal.split()], rel=1e-9)


def test_three_consumers_as_sdc_catchment() -> None:
    """The example of its README: 0.065179, 0.069641, 0.065179."""
    pairs = as_pairs({(0, 0): 0, (0, 1): 2, (1, 0): 1, (1, 1): 1, (2, 0): 2, (2, 1): 0})
    demand = pl.DataFrame({"origin_id": [0, 1, 2], "people": [100, 100, 100]})
    supply = pl.DataFrame({"facility_id": [0, 1], "capacity": [10, 10]})
    found = ws.two_step_fca(pairs, demand, supply, decay=ws.Decay.gaussian(sigma_min=1))
    assert rounded(found["access"], 6) == [0.065179, 0.069641, 0.065179]


def test_pairs_of_the_network_give_what_the_network_counts() -> None:
    net = main_street().network()
    homes = places({"w": (0, 0), "m": (133, 0)}, people=[100, 300])
    shops = places({"near": (133, 0), "far": (266, 0)}, **{"class": ["shop", "shop"], "places": [3.0, 5.0]})
    pairs = net.reach(homes, shops, max_minutes=5)
    counted = net.counts(homes, shops, minutes=(2, 4), capacity="places")
    assert ws.cumulative(pairs, shops, minutes=(2, 4), capacity="places", origins=homes).equals(counted)
    few = net.nearest_few(homes, shops, k=2, max_minutes=5)
    assert ws.closest(pairs, shops, k=2, origins=homes).equals(few)
    # Both homes reach both shops within 5 minutes: 8 places for 400 people.
    demand = homes.select(origin_id="id", people="people")
    access = ws.two_step_fca(pairs, demand, shops.select(facility_id="id", capacity="places"), catchment_min=5)
    assert access["access"].to_list() == pytest.approx([8 / 400, 8 / 400])
    assert ws.e2sfca(pairs, demand, shops.select(facility_id="id", capacity="places"), catchment_min=5).height == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"pairs": pl.DataFrame({"origin_id": ["a"], "facility_id": [1], "time_s": UNKNOWN})},
            "row 1, column .*time_s",
        ),
        ({"pairs": pl.DataFrame({"origin_id": ["a"], "facility_id": [1]})}, "time_s"),
        ({"pairs": pl.DataFrame({"origin_id": ["a", "a"], "facility_id": [1, 1], "time_s": [1.0, 2.0]})}, "row 2"),
        ({"pairs": pl.DataFrame({"origin_id": ["z"], "facility_id": [1], "time_s": [1.0]})}, "ids must be the same"),
        ({"demand": pl.DataFrame({"origin_id": ["a"], "people": [-1]})}, "demand, row 1.*people"),
        ({"demand": pl.DataFrame({"origin_id": ["a", "a"], "people": [1, 1]})}, "demand, row 2"),
        ({"supply": pl.DataFrame({"facility_id": [1], "capacity": UNKNOWN})}, "supply, row 1.*capacity"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, pl.DataFrame], told: str) -> None:
    tables = {
        "pairs": pl.DataFrame({"origin_id": ["a"], "facility_id": [1], "time_s": [60.0]}),
        "demand": pl.DataFrame({"origin_id": ["a"], "people": [10]}),
        "supply": pl.DataFrame({"facility_id": [1], "capacity": [5]}),
    }
    with pytest.raises(ws.InputError, match=told):
        ws.two_step_fca(**{**tables, **change}, catchment_min=15)


def test_settings_that_cannot_be_are_told() -> None:
    pairs = pl.DataFrame({"origin_id": ["a"], "facility_id": [1], "time_s": [60.0]})
    ends = pl.DataFrame({"id": [1], "capacity": [5.0]})
    for wrong in (
        lambda: ws.gravity(pairs, ends),
        lambda: ws.gravity(pairs, ends, decay="exponentiel", half_min=5),
        lambda: ws.gravity(pairs, ends, half_min=-5),
        lambda: ws.Decay.step(0),
        lambda: ws.Decay.power(float("nan")),
        lambda: ws.Decay.steps([(10, 0.2), (5, 0.1)]),
        lambda: ws.two_step_fca(pairs, pairs, pairs),
        lambda: ws.cumulative(pairs, ends, minutes=[0]),
        lambda: ws.closest(pairs, ends, k=0),
        lambda: ws.Decay.gaussian(),
    ):
        with pytest.raises(ValueError, match=r"use|give|missing"):
            wrong()
    with pytest.raises(ws.InputError, match=r"row 1.*capacity"):
        ws.gravity(pairs, ends.with_columns(capacity=pl.lit(None, pl.Float64)), half_min=5, capacity="capacity")
