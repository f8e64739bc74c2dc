"""The classes of facilities."""

from __future__ import annotations

import polars as pl

from walkshed import _engine


def facility_classes() -> pl.DataFrame:
    """Give the catalogue: class, major, name_zh, name_en; one row per minor class, in the catalogue's order.

    Source:
        `datasets/facility_classes.toml`: 6 major and 30 minor classes, a proposal with its provenance.

    Example:
        >>> facility_classes().height
        30

    """
    columns = ["class", "major", "name_zh", "name_en"]
    return pl.DataFrame(_engine.catalogue(), schema=columns, orient="row")
