"""Groups of people."""

from __future__ import annotations

import polars as pl

from walkshed import _engine


def age_groups() -> pl.DataFrame:
    """Give the catalogue's age groups: group, name_zh, name_en, first_age, last_age, headings.

    A table of people has a group when it has a column of this name or of one of the headings, or columns of ages
    (0岁, 0-4岁, 85岁及以上, age_0_4, …) that fill the group exactly; ages are years, both counted, and last_age is null
    where there is no end. Both ages are null for a group that is not one of ages.

    Source:
        `datasets/facility_classes.toml`, with its provenance.

    Example:
        >>> age_groups().filter(pl.col("group") == "senior_60_plus")["first_age"].item()
        60

    """
    ages, words = pl.Int64, pl.List(pl.String)
    kinds = {"group": pl.String, "name_zh": pl.String, "name_en": pl.String, "first_age": ages, "last_age": ages}
    return pl.DataFrame(_engine.age_groups(), schema={**kinds, "headings": words}, orient="row")
