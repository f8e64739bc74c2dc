"""Streets and water beneath a map as a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from walkshed.page.block import Block
from walkshed.page.outlines import DEGREE

if TYPE_CHECKING:
    from walkshed.maps.base_map import BaseMap

_NO_WATER = {"polygon": pl.Int64, "ring": pl.Int64, "lon": pl.Float64, "lat": pl.Float64}


def base_block(base: BaseMap | None) -> str:
    """Encode streets by rank, and water; None is a map without either.

    Returns:
        The text of the block.

    """
    block = Block()
    if base is None:
        _add_water(
            block, pl.DataFrame(schema={"polygon": pl.Int64, "ring": pl.Int64, "lon": pl.Float64, "lat": pl.Float64})
        )
        return block.encode({})
    for rank in range(4):
        _add_streets(block, rank, base.streets.filter(pl.col("rank") == rank))
    _add_water(block, base.water)
    return block.encode({})


def _add_streets(block: Block, rank: int, points: pl.DataFrame) -> None:
    if points.is_empty():
        return
    lengths = points.group_by("line", maintain_order=True).len()["len"]
    block.add(f"street_{rank}_corners", lengths, 2)
    _add_places(block, f"street_{rank}", points)


def _add_water(block: Block, points: pl.DataFrame) -> None:
    rings = points.group_by("polygon", "ring", maintain_order=True).len()
    block.add("water_area", rings["polygon"], 4, delta=True)
    block.add("water_hole", rings["ring"] > 0, 1)
    block.add("water_corners", rings["len"], 4)
    _add_places(block, "water", points)


def _add_places(block: Block, name: str, points: pl.DataFrame) -> None:
    for axis in ("lon", "lat"):
        block.add(f"{name}_{axis}", (points[axis] * DEGREE).round(), 4, delta=True)
