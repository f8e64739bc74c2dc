"""What every router, theirs and ours, says about one pair of places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from extract import Place, Way

LEVEL_MPS = 5.0 / 3.6
"""Speed of every walker compared: the default of OSRM's foot profile; Valhalla is told it."""

SAME_POINT_M = 1.0
"""A place counts as lying on a street within this; OSRM and Valhalla keep coordinates to 1e-6 degrees."""


@dataclass(frozen=True)
class Walk:
    time_s: float
    metres_of_way: Mapping[int, float]


class Peer(Protocol):
    """A router that is not ours."""

    name: str

    def ways_at(self, place: Place) -> set[int]:
        """Ids of the ways within `SAME_POINT_M`; empty when the router would go elsewhere from here."""

    def walk(self, origin: Place, destination: Place) -> Walk | None:
        """The walk that it would take; None when there is none, or only one that starts or ends elsewhere."""

    def knows(self, way: Way) -> bool:
        """Whether people may walk on a way in its network."""
