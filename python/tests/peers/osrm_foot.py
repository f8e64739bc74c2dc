"""OSRM with its foot profile, as it comes or without delays and slow surfaces."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import osrm
from extract import Extract, Place, Way
from walk import SAME_POINT_M, Walk

PROFILES = Path(osrm.__file__).parent / "share" / "profiles"

# What is no matter of length: two seconds at signals and at turning round, slow surfaces. The rest is the foot profile.
LEVEL = """
package.path = "{profiles}/?.lua;" .. package.path
local foot = require("foot")
local setup = foot.setup
foot.setup = function()
  local profile = setup()
  profile.properties.traffic_signal_penalty = 0
  profile.properties.u_turn_penalty = 0
  profile.surface_speeds = {{}}
  return profile
end
return foot
"""


class Osrm:
    def __init__(self, extract: Extract, folder: Path, *, level: bool) -> None:
        """Prepare the extract in a new folder; a second or ten."""
        self.name = "OSRM foot, level" if level else "OSRM foot"
        self.extract = extract
        folder.mkdir(parents=True)
        source = Path(shutil.copyfile(extract.path, folder / "streets.osm.pbf"))
        profile = PROFILES / "foot.lua"
        if level:
            profile = folder / "level.lua"
            profile.write_text(LEVEL.format(profiles=PROFILES))
        prepared = folder / "streets.osrm"
        for step in (["extract", "-p", str(profile), str(source)], ["contract", str(prepared)]):
            subprocess.run([sys.executable, "-m", "osrm", *step], check=True, stdout=subprocess.DEVNULL)
        self.engine = osrm.OSRM(str(prepared))

    def ways_at(self, place: Place) -> set[int]:
        nearest = self._nearest(place)[0]
        return self._ways(nearest) if nearest["distance"] < SAME_POINT_M else set()

    def walk(self, origin: Place, destination: Place) -> Walk | None:
        question = osrm.RouteParameters(
            coordinates=[origin, destination], annotations=["nodes", "distance"], steps=False
        )
        try:
            found = self.engine.Route(question)
        except RuntimeError:
            return None
        if any(end["distance"] > SAME_POINT_M for end in found["waypoints"]):
            return None
        route = found["routes"][0]
        noted = route["legs"][0]["annotation"]
        metres_of_way: dict[int, float] = defaultdict(float)
        for (a, b), metres in zip(pairwise(noted["nodes"]), noted["distance"], strict=True):
            metres_of_way[self._way(int(a), int(b))] += metres
        return Walk(route["duration"], metres_of_way)

    def knows(self, way: Way) -> bool:
        place, ends = self.extract.middle(way)
        return any(frozenset(map(int, found["nodes"])) == ends for found in self._nearest(place, 8))

    def _nearest(self, place: Place, results: int = 1) -> Any:
        question = osrm.NearestParameters(coordinates=[place])
        question.number_of_results = results
        return self.engine.Nearest(question)["waypoints"]

    def _ways(self, nearest: Any) -> set[int]:
        return self.extract.ways_of_pair.get(frozenset(map(int, nearest["nodes"])), set())

    def _way(self, a: int, b: int) -> int:
        """The way between two nodes; where several run together, one that is for people before an outline."""
        ways = self.extract.ways_of_pair[frozenset((a, b))]
        return min(ways, key=lambda id: ("highway" not in self.extract.ways[id].tags, id), default=0)
