"""Measures of access from pairs: what is within reach, weighted, shared.

Pairs are what `Network.reach` gives, or any table with its columns. They hold one walk in one direction, by default
from home to the facility, and every step of a measure uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import polars as pl

from walkshed import _engine
from walkshed.arrow import TableLike, frame, to_engine
from walkshed.decay import Decay, DecayName, by_half, to_json

Variant: TypeAlias = Literal["2sfca", "e2sfca", "3sfca", "m2sfca", "gaussian", "bfca", "spatial_availability"]


def cumulative(
    pairs: TableLike,
    facilities: TableLike,
    *,
    minutes: Sequence[float] = (5, 10, 15),
    capacity: str | None = None,
    origins: TableLike | None = None,
) -> pl.DataFrame:
    """Cumulative opportunities: how many facilities of each class are within some minutes, and what they hold.

    `Network.counts` gives the same without making the pairs.

    Args:
        pairs: `origin_id`, `facility_id`, `time_s` (and `class` where facilities of several classes share an id).
            Pairs of other origins and facilities than those given are not looked at.
        facilities: `id`, `class` (without it all are of the class "all"), and the column that `capacity` names.
        minutes: the thresholds; a time equal to one counts.
        capacity: a number column of `facilities` to add up; it may be null in a row.
        origins: `id` (or `cell`) of all origins, also of those that reach nothing; None takes those of the pairs.

    Returns:
        One row per origin × class × minutes: `origin_id`, `class`, `minutes`, `count`, and with `capacity` also
        `capacity` (the sum of what is known) and `capacity_unknown` (facilities within reach that do not say).
        Nothing is null: what is not reached counts 0. Origins in their order, classes sorted.

    Raises:
        InputError: a column is missing, a value cannot be, a pair is there twice, or no id is the same on both sides.
        ValueError: minutes that cannot be.

    Example:
        >>> pairs = pl.DataFrame({"origin_id": ["a", "a"], "facility_id": [1, 2], "time_s": [240.0, 600.0]})
        >>> schools = pl.DataFrame({"id": [1, 2], "class": ["school", "school"]})
        >>> cumulative(pairs, schools, minutes=(5, 10))["count"].to_list()
        [1, 2]

    """
    return frame(_engine.cumulative(_sides(pairs, facilities, origins, capacity), [float(limit) for limit in minutes]))


def gravity(
    pairs: TableLike,
    facilities: TableLike,
    *,
    decay: DecayName | Decay = "exponential",
    half_min: float | None = None,
    capacity: str | None = None,
    origins: TableLike | None = None,
) -> pl.DataFrame:
    """Gravity: all facilities of a class, each weighted by how far it is.

    Args:
        pairs: as for `cumulative`. What lies beyond their cut-off weighs nothing, so the cut-off should be one at which
            little weight is left.
        facilities: as for `cumulative`.
        decay: linear, exponential, gaussian or power, with `half_min`; or a `Decay`.
        half_min: minutes after which half the weight is left.
        capacity: the number column of `facilities` to weigh, null nowhere; None counts each facility as 1.
        origins: as for `cumulative`.

    Returns:
        One row per origin × class: `origin_id`, `class`, `access` (facilities, or what `capacity` counts). No nulls; 0
        where nothing is reached. Origins in their order, classes sorted.

    Raises:
        InputError: as for `cumulative`, or a capacity is missing.
        ValueError: a decay that cannot be.

    Source:
        W. G. Hansen, "How accessibility shapes land use", 1959.

    Example:
        >>> pairs = pl.DataFrame({"origin_id": ["a", "a"], "facility_id": [1, 2], "time_s": [300.0, 600.0]})
        >>> gravity(pairs, pl.DataFrame({"id": [1, 2]}), half_min=5)["access"].to_list()
        [0.75]

    """
    weights = to_json(by_half(decay, half_min))
    return frame(_engine.gravity(_sides(pairs, facilities, origins, capacity), weights))


def closest(pairs: TableLike, facilities: TableLike, *, k: int = 1, origins: TableLike | None = None) -> pl.DataFrame:
    """The k nearest facilities of every class, from pairs; `Network.nearest_few` finds them without.

    Args:
        pairs: as for `cumulative`.
        facilities: as for `cumulative`.
        k: how many of each class.
        origins: as for `cumulative`.

    Returns:
        `origin_id`, `class`, `rank` (1 is the nearest), `time_s`, `facility_id`: a row for each that is there, so fewer
        than k where fewer are in reach. No nulls. Of equally near ones those that come first in `facilities`.

    Raises:
        InputError: as for `cumulative`.
        ValueError: k is not above 0.

    """
    return frame(_engine.closest(_sides(pairs, facilities, origins, None), k))


def two_step_fca(
    pairs: TableLike,
    demand: TableLike,
    supply: TableLike,
    *,
    variant: Variant = "2sfca",
    catchment_min: float | None = None,
    decay: Decay | None = None,
) -> pl.DataFrame:
    """Floating catchments: what there is for each person, when all who reach a facility share it.

    With P people, S capacity and f the weight of the walk from home i to facility j:

    - `2sfca`, `e2sfca`, `gaussian`: R_j = S_j / Σ_i P_i f_ij, A_i = Σ_j R_j f_ij. They differ in f: 1 within the
      catchment; 1, 0.68 and 0.22 in thirds of it; a Gaussian from 1 down to 0 at its edge.
    - `3sfca`: the same with G_ij f_ij instead of f_ij, G_ij = f_ij / Σ_j f_ij: nobody is counted at two places.
    - `m2sfca`: A_i = Σ_j R_j f_ij²: supply that is far from everybody is not used up.
    - `bfca`: people are divided over facilities by f_ij / Σ_j f_ij, supply over homes by f_ij / Σ_i f_ij.
    - `spatial_availability`: V_i = Σ_j S_j P_i f_ij / Σ_i P_i f_ij: capacity, not capacity for each person.

    The first sum is over the people who come to a facility, the second over the facilities that a home reaches; both
    use the one time that the pair has.

    Args:
        pairs: `origin_id`, `facility_id`, `time_s`. What lies beyond their cut-off does not count.
        demand: `origin_id`, `people`: everybody who uses the facilities.
        supply: `facility_id`, `capacity`: facilities of one service.
        variant: the method.
        catchment_min: edge of the catchment in minutes, itself included, for the weights that the method comes with.
        decay: other weights than those; then without `catchment_min`.

    Returns:
        One row per row of `demand`, in its order: `origin_id`, `access` (capacity per person; capacity for
        `spatial_availability`). No nulls: 0 where nothing is reached. A facility that nobody reaches counts for nobody.

    Raises:
        InputError: a column or value is missing, people or capacity below 0, an id or a pair is there twice, or no id
            is the same on both sides.
        ValueError: an unknown variant, or not exactly one of `catchment_min` and `decay`.

    Source:
        Luo and Wang 2003; Luo and Qi 2009; Dai 2010; Wan, Zou and Sternberg 2012; Delamater 2013; Páez, Higgins and
        Vivona 2019; Soukhov, Páez, Higgins and Mohamed 2023.

    Example:
        >>> pairs = pl.DataFrame({"origin_id": ["a", "b"], "facility_id": [1, 1], "time_s": [300.0, 600.0]})
        >>> demand = pl.DataFrame({"origin_id": ["a", "b"], "people": [100, 300]})
        >>> supply = pl.DataFrame({"facility_id": [1], "capacity": [20]})
        >>> two_step_fca(pairs, demand, supply, catchment_min=15)["access"].to_list()
        [0.05, 0.05]

    """
    weights = to_json(_weights(variant, catchment_min, decay))
    sides = to_engine(pairs, "pairs"), to_engine(demand, "demand"), to_engine(supply, "supply")
    return frame(_engine.two_step_fca(*sides, variant, weights))


def e2sfca(pairs: TableLike, demand: TableLike, supply: TableLike, *, catchment_min: float = 15) -> pl.DataFrame:
    """The enhanced two-step method: `two_step_fca` with the weights 1, 0.68 and 0.22 in thirds of the catchment.

    Args:
        pairs: as for `two_step_fca`.
        demand: as for `two_step_fca`.
        supply: as for `two_step_fca`.
        catchment_min: edge of the catchment in minutes, itself included.

    Returns:
        `origin_id`, `access`, as `two_step_fca`.

    Raises:
        InputError: as for `two_step_fca`.
        ValueError: a catchment that is not above 0.

    Source:
        W. Luo, Y. Qi, Health & Place 15, 2009.

    """
    return two_step_fca(pairs, demand, supply, variant="e2sfca", catchment_min=catchment_min)


def _weights(variant: str, catchment_min: float | None, decay: Decay | None) -> Decay:
    if decay is not None and catchment_min is None:
        return decay
    if catchment_min is None or decay is not None:
        raise ValueError("give catchment_min for the weights that the method comes with, or decay for others")
    own = {"e2sfca": Decay.rings, "gaussian": Decay.gaussian_band}
    return own.get(variant, Decay.step)(catchment_min)


def _sides(
    pairs: TableLike, facilities: TableLike, origins: TableLike | None, capacity: str | None
) -> dict[str, object]:
    return {
        "pairs": to_engine(pairs, "pairs"),
        "facilities": to_engine(facilities, "facilities"),
        "origins": None if origins is None else to_engine(origins, "origins"),
        "capacity": capacity,
    }
