"""Who walks, and how fast."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from walkshed import _engine

SlopeFunction: TypeAlias = Literal["tobler", "irmischer_clarke", "campbell_p10", "marquez_perez", "level"]
Wheels: TypeAlias = Literal["stroller", "wheelchair"]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A kind of walker; speeds are metres per second along the horizontal.

    Attributes:
        name: as it stands in tables.
        flat_mps: speed on level ground, 0.05..10.
        slope: how speed depends on slope, scaled to `flat_mps`: tobler, irmischer_clarke, campbell_p10,
            marquez_perez, or level (slopes do not count).
        max_slope: steepest slope that can be used, rise over run, up or down; None for no limit. It is looked at over
            30 m of terrain, or as tagged.
        stairs_up_mps: speed up long stairs (15 m of height and more); None when stairs cannot be used.
        stairs_down_mps: speed down long stairs; None when stairs cannot be used.
        short_stairs_up_mps: speed up a flight of one storey (3 m and less), between them by height; None: as long ones.
        short_stairs_down_mps: speed down a flight of one storey; None: as long ones.
        rest_s_per_m: seconds of rest for each metre climbed on stairs, 0..60.
        no_handrail_factor: what is left of the speed on stairs that are tagged to have no handrail, 0.1..1.
        ramp_mps: speed on a ramp beside stairs, for those with `wheels`; None when ramps are of no use.
        wheels: stroller or wheelchair, which decides what `ramp:*` and `wheelchair` tags speak to; None for neither.
        escalator_mps: speed on a moving stair; None when it cannot be used.
        lift_wait_s: seconds to wait for a lift, doors included, 0..3600; None when lifts cannot be used.
        lift_s_per_floor: seconds of a lift's ride for each floor.
        cableway_wait_s: seconds to wait for a cableway; None when it is not used.
        ferry_wait_s: seconds to wait for a ferry; None when it is not used.
        off_street_mps: speed between a place and its street; None: as on level ground.
        max_snap_m: farthest that a place is joined to a street; None: as the network says.

    Example:
        >>> Profile(name="hiker", flat_mps=1.5, stairs_up_mps=0.6, stairs_down_mps=0.7).escalator_mps is None
        True

    """

    name: str
    flat_mps: float
    slope: SlopeFunction = "tobler"
    max_slope: float | None = None
    stairs_up_mps: float | None = None
    stairs_down_mps: float | None = None
    short_stairs_up_mps: float | None = None
    short_stairs_down_mps: float | None = None
    rest_s_per_m: float = 0.0
    no_handrail_factor: float = 1.0
    ramp_mps: float | None = None
    wheels: Wheels | None = None
    escalator_mps: float | None = None
    lift_wait_s: float | None = 45.0
    lift_s_per_floor: float = 4.0
    cableway_wait_s: float | None = None
    ferry_wait_s: float | None = None
    off_street_mps: float | None = None
    max_snap_m: float | None = None


def profile(name: str) -> Profile:
    """Give a profile by name: adult, senior, child, stroller or wheelchair.

    Raises:
        ValueError: no profile has this name.

    Source:
        `datasets/profiles.toml`, where every number has its provenance.

    Example:
        >>> profile("senior").flat_mps
        0.9
        >>> from dataclasses import replace
        >>> replace(profile("adult"), name="no lifts", lift_wait_s=None).lift_wait_s is None
        True

    """
    known = {entry["name"]: entry for entry in json.loads(_engine.profiles())}
    if name not in known:
        raise ValueError(f'profile "{name}": unknown; known: {", ".join(known)}, or make one with Profile(...)')
    return Profile(**known[name])


def to_json(who: str | Profile) -> str:
    """Give the engine a profile by name or by value."""
    if not isinstance(who, (str, Profile)):  # pyright: ignore[reportUnnecessaryIsInstance]  # not every caller checks types
        raise TypeError(f"profile: a {type(who).__name__} is no profile; give a name or a walkshed.Profile")
    values = asdict(profile(who) if isinstance(who, str) else who)
    for key, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"profile {values['name']}, {key} {value}: use a finite number")
    return json.dumps(values)
