"""Who walks, and how fast."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

from walkshed import _engine


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A kind of walker; speeds are metres per second along the horizontal.

    Attributes:
        name: as it stands in tables.
        flat_mps: speed on level ground, 0.05..10.
        stairs_up_mps: speed up stairs; None when stairs cannot be used.
        stairs_down_mps: speed down stairs; None when stairs cannot be used.
        escalator_mps: speed on a moving stair; None when it cannot be used.
        lift_s: seconds to wait for a lift and ride it, 0..3600.

    Example:
        >>> Profile(name="hiker", flat_mps=1.5, stairs_up_mps=0.6, stairs_down_mps=0.7).escalator_mps is None
        True

    """

    name: str
    flat_mps: float
    stairs_up_mps: float | None = None
    stairs_down_mps: float | None = None
    escalator_mps: float | None = None
    lift_s: float = 90.0


def profile(name: str) -> Profile:
    """Give a profile by name: adult, senior, child, stroller or wheelchair.

    Raises:
        ValueError: no profile has this name.

    Source:
        `datasets/profiles.toml`, where every number has its provenance.

    Example:
        >>> profile("senior").flat_mps
        0.9

    """
    known = {entry["name"]: entry for entry in json.loads(_engine.profiles())}
    if name not in known:
        raise ValueError(f'profile "{name}": unknown; known: {", ".join(known)}, or make one with Profile(...)')
    return Profile(**known[name])


def to_json(who: str | Profile) -> str:
    """Give the engine a profile by name or by value."""
    if not isinstance(who, (str, Profile)):
        raise TypeError(f"profile: a {type(who).__name__} is no profile; give a name or a walkshed.Profile")
    values = asdict(profile(who) if isinstance(who, str) else who)
    for key, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"profile {values['name']}, {key} {value}: use a finite number")
    return json.dumps(values)
