"""What a network is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from walkshed import cards

SOURCES = ("unknown", "sampled", "interpolated", "tagged", "usual")
"""Where heights come from: nowhere; the terrain model; straight between the ends of a bridge, tunnel or roofed way;
tags; the usual steepness of stairs whose rise nothing tells."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a network is made of and how it was made.

    Attributes:
        kinds: one row per kind of way: `kind`, `ways` (of the source), `edges`, `length_km`, `climb_m` (metres up plus
            metres down), `residents_km` (only for those who live there), and the shares of its length whose heights
            come from each source: `sampled_share`, `interpolated_share`, `tagged_share`, `usual_share`,
            `unknown_share`.
        heights: the same shares for the whole network.
        pieces: how many pieces hang together, directions ignored.
        island_km: kilometres on small pieces, which places are not joined to; `Network.islands` lists them.
        gates: how private ways and gates were read.
        voids_found: pixels of the terrain model without a height.
        voids_filled: those of them that were filled from their neighbours.
        tags_not_believed: heights and steepness in tags that contradict the terrain or themselves.
        lifts_to_nowhere: lifts that fewer than two ways come to.
        lift_nodes_left_out: lifts at nodes that are private, closed or out of order.
        left_out: ways of the extract that people may not walk on: `kind`, `reason` (the tag), `ways`.

    """

    kinds: pl.DataFrame
    heights: dict[str, float]
    pieces: int
    island_km: float
    gates: str
    voids_found: int
    voids_filled: int
    tags_not_believed: int
    lifts_to_nowhere: int
    lift_nodes_left_out: int
    left_out: pl.DataFrame

    def __str__(self) -> str:
        """Tell everything in a few lines."""
        shares = ", ".join(f"{name} {share:.0%}" for name, share in self.heights.items() if share > 0)
        filled = f"; {self.voids_filled} of {self.voids_found} void pixels filled" if self.voids_found else ""
        with pl.Config(
            tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200, float_precision=2,
            tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True,
        ):  # fmt: skip
            return (
                f"{self.kinds}\nheights: {shares}{filled}\n"
                f"pieces: {self.pieces}, islands {self.island_km:.1f} km; gates: {self.gates}; "
                f"ways left out: {self.left_out['ways'].sum()}\n"
                f"lifts to nowhere: {self.lifts_to_nowhere}, lifts left out: {self.lift_nodes_left_out}, "
                f"tags not believed: {self.tags_not_believed}"
            )

    @property
    def length_km(self) -> float:
        """Kilometres of ways; the many walks across a square are none."""
        return float(self.kinds.filter(pl.col("kind") != "square")["length_km"].sum())

    def notes(self) -> list[str]:
        """What to know before one trusts the network, in Chinese and English."""
        unknown, left = self.heights["unknown"], int(self.left_out["ways"].sum())
        island_km, lifts, tags = self.island_km, self.lifts_to_nowhere, self.tags_not_believed
        told = [
            (unknown > 0.005, f"{unknown:.0%} 的长度没有高程，按平地计 of the length has no height: taken for flat"),
            (island_km >= 0.05, f"{island_km:,.1f} 公里为孤立路网 km on islands: places are not joined to them"),
            (left > 0, f"{left:,} 条道路不可步行，未采用 ways that people may not walk on were left out"),
            (lifts > 0, f"{lifts:,} 部电梯未接通 lifts lead nowhere"),
            (tags > 0, f"{tags:,} 处高程或坡度标注未采信 tags of heights are not believed"),
        ]
        return [note for holds, note in told if holds]

    def _repr_html_(self) -> str:
        columns = ["kind", "ways", "edges", "length_km", "climb_m", "residents_km"]
        return cards.card(
            "步行网络构成 What the network is made of",
            facts=[
                ("长度（公里） Length (km)", self.length_km),
                ("连通片 Pieces", self.pieces),
                ("门禁 Gates", self.gates),
                *((f"高程来源 Heights {name}", f"{share:.0%}") for name, share in self.heights.items() if share > 0),
            ],
            tables=[
                cards.table(self.kinds, columns, most=20),
                cards.table(
                    self.left_out.sort("ways", descending=True), ["kind", "reason", "ways"], title="未采用 Left out"
                ),
            ],
            notes=self.notes(),
        )


def of(found: dict[str, Any]) -> Summary:
    """Make a summary of what the engine says."""
    origin, whole = found["origin"], found["connectedness"]
    rows = [
        (kind, reason, ways) for kind, reasons in origin["left_out"]["ways"].items() for reason, ways in reasons.items()
    ]
    lengths = [sum(kind["height_km"][at] for kind in found["kinds"]) for at in range(len(SOURCES))]
    total = sum(lengths)
    return Summary(
        kinds=_kinds(found["kinds"]),
        heights={name: length / total if total else 0.0 for name, length in zip(SOURCES, lengths, strict=True)},
        pieces=whole["pieces"],
        island_km=whole["island_km"],
        gates=origin["gates"],
        voids_found=origin["voids"][0],
        voids_filled=origin["voids"][1],
        tags_not_believed=origin["tags_not_believed"],
        lifts_to_nowhere=origin["lifts_to_nowhere"],
        lift_nodes_left_out=origin["left_out"]["lift_nodes"],
        left_out=pl.DataFrame(rows, schema={"kind": pl.String, "reason": pl.String, "ways": pl.Int64}, orient="row"),
    )


def _kinds(kinds: list[dict[str, Any]]) -> pl.DataFrame:
    """Give one row per kind of way."""
    shares = [
        {
            f"{name}_share": kind["height_km"][at] / kind["length_km"] if kind["length_km"] else None
            for at, name in enumerate(SOURCES)
        }
        for kind in kinds
    ]
    columns = ("kind", "ways", "edges", "length_km", "climb_m", "residents_km")
    schema = {
        "kind": pl.String, "ways": pl.Int64, "edges": pl.Int64,
        "length_km": pl.Float64, "climb_m": pl.Float64, "residents_km": pl.Float64,
    } | {f"{name}_share": pl.Float64 for name in SOURCES}  # fmt: skip
    return pl.DataFrame(
        [{name: kind[name] for name in columns} | share for kind, share in zip(kinds, shares, strict=True)],
        schema=schema,
    )
