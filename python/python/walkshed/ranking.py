"""Which communities come first, and how sure that is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from walkshed import cards
from walkshed.arrow import ArrowStream, frame
from walkshed.score import Scorecard

#: What priority is made of.
_FACTORS = ("gap", "people", "requests")


@dataclass(frozen=True)
class Ranking:
    """Communities by priority.

    Attributes:
        table: one row per community, the first in need first: `rank`, `area_id`, `gap` (share of what is known that
            is missing, 0..1), `people`, `requests`, `priority` (0..1), `type` (the category that loses most), `in_top`
            (whether it is among the first `top`), and how that changes with the weights: `top_share` (of all trials in
            which it is), `rank_best`, `rank_worst`.
        trials: one row per trial of other weights: `weight_gap`, `weight_people`, `weight_requests`, `kept` (how many
            of the first `top` stay), `kept_share`.
        top: how many are chosen.

    """

    table: pl.DataFrame
    trials: pl.DataFrame
    top: int

    def __repr__(self) -> str:
        """How much of the choice stays whatever the weights."""
        sure = self.table.filter(pl.col("in_top") & (pl.col("top_share") == 1.0)).height
        least = min(self.trials["kept"].to_list())
        return f"Ranking(top {self.top}: {sure} stay in every trial, at least {least} in each)"

    def _repr_html_(self) -> str:
        columns = {
            "rank": "名次 Rank",
            "area_id": "分区 Area",
            "gap": "缺口 Gap",
            "people": "人口 People",
            "requests": "诉求 Requests",
            "type": "短板 Weakest",
            "top_share": "入选试算占比 Share of trials chosen",
        }
        sure = self.table.filter(pl.col("in_top") & (pl.col("top_share") == 1.0)).height
        return cards.card(
            f"优先社区 Priority: top {self.top}",
            facts=[
                ("社区 Communities", self.table.height),
                ("任何权重下都入选 Chosen whatever the weights", sure),
                ("试算 Trials", self.trials.height),
            ],
            tables=[cards.table(self.table, columns)],
        )


def rank_areas(
    card: Scorecard,
    areas: ArrowStream,
    *,
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
    top: int = 108,
    trials: Sequence[float] = (0.5, 1.0, 2.0),
) -> Ranking:
    """Rank communities by gap × people × residents' requests, and show whether that hangs on the weights.

    priority = gap^a × people^b × (1 + requests)^c, people and requests each over the greatest, so that every factor is
    0..1; a, b and c are the weights. A weight of 0 leaves a factor out.

    Args:
        card: the scorecard; its gap is 1 − observed / total, of what is known. Communities of which nothing is known
            have no rank.
        areas: `area_id`, `people`, and `requests` where residents' requests were counted.
        weights: of gap, people and requests.
        top: how many communities are chosen; Chongqing's plan of 2024 chose 108.
        trials: each weight is multiplied by each of these, in all combinations.

    Returns:
        The `Ranking`.

    Raises:
        KeyError: a column or a community is missing in `areas`.
        ValueError: weights or `top` that cannot be, or people or requests that are missing or below 0.

    """
    if min(weights) < 0 or top < 1 or not trials or min(trials) <= 0:
        raise ValueError("weights of 0 or more, top of 1 or more, and trials above 0 are needed")
    table = _factors(card, frame(areas))
    base = _priority(table, weights)
    trial_weights = sorted(
        {tuple(w * f for w, f in zip(weights, each, strict=True)) for each in itertools.product(trials, repeat=3)}
    )
    ranks = [_ranks(_priority(table, each)) for each in trial_weights]
    first = _ranks(base) <= top
    tops = [rank <= top for rank in ranks]
    kept = [int((first & each).sum()) for each in tops]
    chosen = int(first.sum())
    every = pl.DataFrame([rank.alias(str(place)) for place, rank in enumerate(ranks)])
    ranked = table.with_columns(
        rank=_ranks(base),
        priority=base,
        in_top=first,
        top_share=pl.DataFrame(
            [each.cast(pl.Float64).alias(str(place)) for place, each in enumerate(tops)]
        ).mean_horizontal(),
        rank_best=every.min_horizontal(),
        rank_worst=every.max_horizontal(),
    ).sort("rank")
    columns = ["rank", "area_id", *_FACTORS, "priority", "type", "in_top", "top_share", "rank_best", "rank_worst"]
    shown = pl.DataFrame(trial_weights, schema=[f"weight_{name}" for name in _FACTORS], orient="row")
    shown = shown.with_columns(kept=pl.Series(kept), kept_share=pl.Series(kept) / chosen)
    return Ranking(ranked.select(columns), shown, top)


def _factors(card: Scorecard, areas: pl.DataFrame) -> pl.DataFrame:
    """Gap, people and requests of each community, and what it lacks most."""
    for column in ("area_id", "people"):
        if column not in areas.columns:
            raise KeyError(f"no column {column!r}; found: {', '.join(areas.columns)}")
    requests = pl.col("requests") if "requests" in areas.columns else pl.lit(0)
    given = areas.select(
        pl.col("area_id").cast(pl.String), people=pl.col("people").cast(pl.Float64), requests=requests.cast(pl.Float64)
    )
    known = card.totals.drop_nulls("observed").select(
        "area_id", gap=(1 - pl.col("observed") / pl.col("total_points")).clip(0, 1), type="weakest"
    )
    table = known.join(given, on="area_id", how="left", maintain_order="left")
    for column in ("people", "requests"):
        wrong = table.filter(pl.col(column).is_null() | ~(pl.col(column) >= 0) | pl.col(column).is_infinite())
        if wrong.height:
            row = wrong.row(0, named=True)
            raise ValueError(f"areas, {column} of {row['area_id']}: {row[column]}; give a number of 0 or more for each")
    return table


def _priority(table: pl.DataFrame, weights: tuple[float, ...]) -> pl.Series:
    people, requests = table["people"], 1 + table["requests"]
    parts = table["gap"], people / (people.max() or 1.0), requests / requests.max()
    made = [part**weight if weight else part * 0 + 1 for part, weight in zip(parts, weights, strict=True)]
    return (made[0] * made[1] * made[2]).alias("priority")


def _ranks(priority: pl.Series) -> pl.Series:
    return priority.rank("ordinal", descending=True).cast(pl.Int64)
