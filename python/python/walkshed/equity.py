"""How evenly something is spread over people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import polars as pl

from walkshed import _engine
from walkshed.arrow import ArrowStream, frame

if TYPE_CHECKING:
    import numpy as np

Numbers: TypeAlias = "Sequence[float] | pl.Series | np.ndarray[Any, Any]"


class Theil(NamedTuple):
    """The index T of Theil and its parts; `total` is their sum."""

    total: float
    between: float
    within: float


class Poverty(NamedTuple):
    """How many fall short of a limit, how far, and how unevenly: FGT with α = 0, 1 and 2."""

    incidence: float
    depth: float
    severity: float


def lorenz(values: Numbers, weights: Numbers | None = None) -> pl.DataFrame:
    """The Lorenz curve, from those who have least.

    Args:
        values: what each has, 0 or more: places for each person, shares, facilities.
        weights: how many people have it; None counts each as one.

    Returns:
        `people_share`, `value_share` from (0, 0) to (1, 1); no row where there is nothing to share.

    Raises:
        InputError: a value or weight is missing or below 0.

    """
    return frame(_engine.lorenz(_table(values, weights)))


def gini(values: Numbers, weights: Numbers | None = None) -> float | None:
    """The index of Gini: 0 where all have the same, towards 1 where one has all.

    Args:
        values: as for `lorenz`.
        weights: as for `lorenz`.

    Returns:
        The index; None where nobody or nothing is there.

    Raises:
        InputError: a value or weight is missing or below 0.

    Example:
        >>> gini([0, 0, 0, 8])
        0.75

    """
    return _engine.gini(_table(values, weights))


def theil(values: Numbers, weights: Numbers | None = None, *, groups: Sequence[object] | None = None) -> Theil | None:
    """The index T of Theil: Σ p (a/μ) ln(a/μ), with 0 ln 0 = 0, so that those with nothing count.

    Args:
        values: as for `lorenz`.
        weights: as for `lorenz`.
        groups: the group of each, as a district, to see what lies between groups; None for one group.

    Returns:
        `total`, `between` (all have their group's mean) and `within`; None where nobody or nothing is there.

    Raises:
        InputError: a value or weight is missing or below 0.

    Source:
        H. Theil, "Economics and Information Theory", 1967. The R package `accessibility` leaves out those with nothing
        in its total without groups, and so gives another number where there are any.

    """
    found = _engine.theil(_table(values, weights, groups=groups))
    return None if found is None else Theil(*found)


def palma(values: Numbers, incomes: Numbers | None = None, weights: Numbers | None = None) -> float | None:
    """The ratio of Palma: mean value of the richest tenth over that of the poorest four tenths.

    Args:
        values: as for `lorenz`.
        incomes: by what people are ranked, those of one income together (null where the weight is 0);
            None ranks them by the value itself, which is another ratio than Palma's: say so when you publish it.
        weights: as for `lorenz`. Who stands on the border of a tenth counts in part.

    Returns:
        The ratio; None where the poorest have nothing.

    Raises:
        InputError: a value, income or weight is missing, or a value or weight below 0.

    """
    return _engine.palma(_table(values, weights, incomes=incomes))


def concentration_index(
    values: Numbers, incomes: Numbers, weights: Numbers | None = None, *, corrected: bool = False
) -> float | None:
    """Whether those with more income have more: above 0 if they do, below 0 if those with less do.

    Args:
        values: as for `lorenz`.
        incomes: by what people are ranked; those of one income share a rank.
        weights: as for `lorenz`.
        corrected: the form of Erreygers for values with bounds, which are the least and the greatest found.

    Returns:
        The index, −1..1; None where nobody or nothing is there.

    Raises:
        InputError: a value, income or weight is missing, or a value or weight below 0.

    Source:
        Kakwani, Wagstaff and van Doorslaer 1997; G. Erreygers 2009.

    """
    return _engine.concentration_index(_table(values, weights, incomes=incomes), corrected)


def fgt(values: Numbers, limit: float, weights: Numbers | None = None, *, above: bool = False) -> Poverty | None:
    """How many fall short of a limit, how far, and how unevenly.

    Args:
        values: as for `lorenz`.
        limit: what everybody should have, as a standard says.
        weights: as for `lorenz`.
        above: those with more fall short: for minutes and metres.

    Returns:
        `incidence` (share of people beyond the limit), `depth` (mean gap, as a share of the limit) and `severity` (mean
        square of the gap); None where nobody is there.

    Raises:
        InputError: a value or weight is missing or below 0.
        ValueError: a limit that is not above 0.

    Source:
        Foster, Greer and Thorbecke 1984.

    Example:
        >>> fgt([0.25, 0.75, 1.0, 1.0], limit=0.5)
        Poverty(incidence=0.25, depth=0.125, severity=0.0625)

    """
    if not (limit > 0 and math.isfinite(limit)):
        raise ValueError(f"limit {limit}: use a number above 0")
    found = _engine.fgt(_table(values, weights), limit, above)
    return None if found is None else Poverty(*found)


def equity(
    table: ArrowStream,
    value: str,
    *,
    weight: str = "people",
    by: Sequence[str] = (),
    income: str | None = None,
    limit: float | None = None,
    above: bool = False,
) -> pl.DataFrame:
    """All measures of equity of a column, for each area and group.

    Args:
        table: coverage with its `share`, access with people beside it, or any table of yours.
        value: the column that is spread over people.
        weight: the column of people.
        by: columns whose combinations are measured each by itself: `["class", "group", "minutes"]`.
        income: the column by which people are ranked, for Palma and concentration.
        limit: what everybody should have, for poverty.
        above: as for `fgt`.

    Returns:
        One row for each combination of `by`: its columns, `people`, `mean`, `gini`, `theil`; with `income` also `palma`
        and `concentration`; with `limit` `short_share`, `short_depth`, `short_severity`. Rows without a value (nobody
        lives there) are not measured; `people` counts those who are.

    Raises:
        InputError: a value or weight is missing or below 0.
        KeyError: a column that is not there.

    Example:
        >>> shares = pl.DataFrame({"class": ["shop", "shop"], "share": [0.0, 1.0], "people": [50, 50]})
        >>> equity(shares, "share", by=["class"])["gini"].to_list()
        [0.5]

    """
    rows = frame(table)
    missing = [column for column in (value, weight, *by, *filter(None, [income])) if column not in rows.columns]
    if missing:
        raise KeyError(f"no column {missing[0]!r}; found: {', '.join(rows.columns)}")
    rows = rows.drop_nulls(value)
    groups = rows.partition_by(list(by), maintain_order=True) if by else [rows]
    measured = [
        {**part.select(by).row(0, named=True), **_measures(part, value, weight, income, limit, above)}
        for part in groups
        if part.height
    ]
    return pl.DataFrame(measured)


def _measures(
    rows: pl.DataFrame, value: str, weight: str, income: str | None, limit: float | None, above: bool
) -> dict[str, float | None]:
    values, weights = rows[value], rows[weight]
    people = float(weights.sum())
    spread = theil(values, weights)
    found: dict[str, float | None] = {
        "people": people,
        "mean": float((values * weights).sum()) / people if people else None,
        "gini": gini(values, weights),
        "theil": None if spread is None else spread.total,
    }
    if income is not None:
        found["palma"] = palma(values, rows[income], weights)
        found["concentration"] = concentration_index(values, rows[income], weights)
    if limit is not None:
        short = fgt(values, limit, weights, above=above)
        names = ("short_share", "short_depth", "short_severity")
        found.update(zip(names, short or (None, None, None), strict=True))
    return found


def _table(
    values: Numbers,
    weights: Numbers | None,
    *,
    incomes: Numbers | None = None,
    groups: Sequence[object] | None = None,
) -> pl.DataFrame:
    columns: dict[str, object] = {"value": values, "weight": [1.0] * len(values) if weights is None else weights}
    if incomes is not None:
        columns["income"] = incomes
    if groups is not None:
        columns["group"] = [None if group is None else str(group) for group in groups]
    lengths = {name: len(column) for name, column in columns.items()}  # type: ignore[arg-type]
    if len(set(lengths.values())) > 1:
        raise ValueError(f"one number for each: {', '.join(f'{name} has {count}' for name, count in lengths.items())}")
    kinds = {name: pl.Float64() for name in ("value", "weight", "income")}
    return pl.DataFrame(columns, schema_overrides=kinds, nan_to_null=True, strict=False)
