"""How the weight of a facility falls with the minutes that it is away."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from walkshed import _engine

DecayName: TypeAlias = Literal["linear", "exponential", "gaussian", "power"]


@dataclass(frozen=True)
class Decay:
    """A weight from 1 down to 0 for every number of minutes; make one with the functions below.

    Example:
        >>> Decay.exponential(half_min=5)
        Decay(kind='exponential', numbers={'per_min': 0.13862943611198905})

    """

    kind: str
    numbers: dict[str, float | list[tuple[float, float]]]

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        _engine.check_decay(to_json(self))

    @classmethod
    def step(cls, limit_min: float) -> Decay:
        """1 up to the limit, the limit included, then 0: cumulative opportunities.

        Raises:
            ValueError: a number that is not above 0.

        """
        return cls("step", {"limit_min": limit_min})

    @classmethod
    def steps(cls, steps: Sequence[tuple[float, float]]) -> Decay:
        """A weight for each ring: (outer edge in minutes, weight) from inside out; nothing beyond the last.

        Raises:
            ValueError: rings that do not go outwards, or weights that rise or are not within 0..1.

        Example:
            >>> Decay.steps([(5, 1), (10, 0.5)]).kind
            'steps'

        """
        return cls("steps", {"steps": [(float(edge_min), float(weight)) for edge_min, weight in steps]})

    @classmethod
    def rings(cls, limit_min: float) -> Decay:
        """1, 0.68 and 0.22 in thirds of the way to the limit: Luo and Qi 2009, whose limit is 30 minutes.

        Raises:
            ValueError: a number that is not above 0.

        """
        return cls("rings", {"limit_min": limit_min})

    @classmethod
    def linear(cls, limit_min: float) -> Decay:
        """From 1 straight down to 0 at the limit.

        Raises:
            ValueError: a number that is not above 0.

        """
        return cls("linear", {"limit_min": limit_min})

    @classmethod
    def exponential(cls, *, half_min: float | None = None, per_min: float | None = None) -> Decay:
        """e^(−βc), by the minutes after which half is left, or by β.

        Args:
            half_min: minutes after which half the weight is left.
            per_min: β of the formula; one of the two is given.

        Raises:
            ValueError: not one of the two, or a number that is not above 0.

        """
        return cls("exponential", {"per_min": _one(half_min, per_min, lambda half: math.log(2) / half)})

    @classmethod
    def gaussian(cls, *, half_min: float | None = None, sigma_min: float | None = None) -> Decay:
        """e^(−c²/2σ²), by the minutes at which half is left, or by σ.

        Args:
            half_min: minutes after which half the weight is left.
            sigma_min: σ of the formula; one of the two is given.

        Raises:
            ValueError: not one of the two, or a number that is not above 0.

        """
        sigma = _one(half_min, sigma_min, lambda half: half / math.sqrt(2 * math.log(2)))
        return cls("gaussian", {"sigma_min": sigma})

    @classmethod
    def gaussian_band(cls, limit_min: float) -> Decay:
        """The Gaussian with σ = limit, moved and stretched from 1 down to 0 at the limit (Dai 2010).

        Raises:
            ValueError: a number that is not above 0.

        """
        return cls("gaussian_band", {"limit_min": limit_min})

    @classmethod
    def epanechnikov(cls, limit_min: float) -> Decay:
        """¾(1 − (c/limit)²) up to the limit (Dai and Wang 2011).

        Raises:
            ValueError: a number that is not above 0.

        """
        return cls("epanechnikov", {"limit_min": limit_min})

    @classmethod
    def logistic(cls, limit_min: float, spread_min: float) -> Decay:
        """The survival function of a logistic distribution, scaled to 1 at no distance.

        Args:
            limit_min: where it bends: its mean.
            spread_min: its standard deviation.

        Raises:
            ValueError: a number that is not above 0.

        """
        return cls("logistic", {"limit_min": limit_min, "spread_min": spread_min})

    @classmethod
    def power(cls, exponent: float) -> Decay:
        """c^(−β) with c in minutes, 1 up to one minute.

        Raises:
            ValueError: a number that is not above 0.

        """
        return cls("power", {"exponent": exponent})


def _one(half_min: float | None, own: float | None, from_half: Callable[[float], float]) -> float:
    if own is not None and half_min is None:
        return own
    if half_min is None or own is not None:
        raise ValueError("decay: give half_min or the parameter of the formula, one of the two")
    if not (half_min > 0 and math.isfinite(half_min)):
        raise ValueError(f"half_min {half_min}: use a number above 0")
    return from_half(half_min)


def by_half(decay: DecayName | Decay, half_min: float | None) -> Decay:
    """Make the decay of this name that has half its weight left after so many minutes.

    Raises:
        ValueError: an unknown name, no `half_min` with a name, or one with a `Decay`.

    """
    if isinstance(decay, Decay):
        if half_min is not None:
            raise ValueError("half_min: belongs to a name; the Decay that is given has its own numbers")
        return decay
    made: dict[str, Callable[[float], Decay]] = {
        "linear": lambda half: Decay.linear(_one(half, None, lambda half: 2 * half)),
        "exponential": lambda half: Decay.exponential(half_min=half),
        "gaussian": lambda half: Decay.gaussian(half_min=half),
        "power": _power_by_half,
    }
    if decay not in made:
        raise ValueError(f'decay "{decay}": use {", ".join(made)} with half_min, or a walkshed.Decay')
    if half_min is None:
        raise ValueError(f'decay "{decay}": half_min is missing, the minutes after which half the weight is left')
    return made[decay](half_min)


def _power_by_half(half_min: float) -> Decay:
    if not 1 < half_min < math.inf:
        raise ValueError(f"half_min {half_min}: a power is 1 up to one minute; use more than 1")
    return Decay.power(math.log(2) / math.log(half_min))


def to_json(decay: Decay) -> str:
    """Give the engine a decay."""
    try:
        return json.dumps({"kind": decay.kind, **decay.numbers}, allow_nan=False)
    except ValueError:
        raise ValueError(f"decay {decay.kind} {decay.numbers}: use finite numbers") from None
