"""Valhalla's pedestrian costing, as it comes or as the shortest walk."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import valhalla
from extract import Extract, Place, Way, metres
from mend import mend, real_id
from valhalla.midgard.utils import decode_polyline
from walk import LEVEL_MPS, SAME_POINT_M, Walk

BUILD = Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles"


class Valhalla:
    def __init__(self, extract: Extract, folder: Path, *, level: bool) -> None:
        """Prepare the extract in a new folder; a second.

        Level is the shortest walk, on the ways that OSRM and we take from the extract (mend.py). Squares are walked
        around: with `pedestrian_areas` the build of this extract did not end within nine minutes (3.9.1).
        """
        self.name = "Valhalla pedestrian, level" if level else "Valhalla pedestrian"
        self.extract = extract
        self.level = level
        (folder / "tiles").mkdir(parents=True)
        config = valhalla.get_config(tile_dir=folder / "tiles", tile_extract="")
        config["mjolnir"]["include_platforms"] = level
        (folder / "valhalla.json").write_text(json.dumps(config))
        streets = mend(extract, folder / "streets.osm.pbf") if level else extract.path
        command = [str(BUILD), "-c", str(folder / "valhalla.json"), str(streets)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.actor = valhalla.Actor(config)

    def ways_at(self, place: Place) -> set[int]:
        found = self._located(place)
        # Any of the edges at the same point may become the start, so all of them count.
        return {real_id(edge["edge_info"]["way_id"]) for edge in found if edge["distance"] < SAME_POINT_M}

    def walk(self, origin: Place, destination: Place) -> Walk | None:
        try:
            trip = self.actor.route(self._question(origin, destination))["trip"]
            leg = trip["legs"][0]
            shape = decode_polyline(leg["shape"])
            if any(metres(*ends) > SAME_POINT_M for ends in ((origin, shape[0]), (destination, shape[-1]))):
                return None
            edges = self.actor.trace_attributes(self._trace(leg["shape"]))["edges"]
        except RuntimeError:
            return None
        metres_of_way: dict[int, float] = defaultdict(float)
        for edge in edges:
            metres_of_way[real_id(edge["way_id"])] += edge["length"] * 1000
        # Level: seconds at crossings and gates cannot be turned off, but the length is theirs.
        return Walk(
            trip["summary"]["length"] * 1000 / LEVEL_MPS if self.level else trip["summary"]["time"], metres_of_way
        )

    def knows(self, way: Way) -> bool:
        place, _ = self.extract.middle(way)
        return any(real_id(edge["edge_info"]["way_id"]) == way.id for edge in self._located(place, radius_m=5))

    def _costing(self) -> dict[str, Any]:
        options: dict[str, Any] = {"walking_speed": LEVEL_MPS * 3.6}
        if self.level:
            # Its shortest walk would still go metres round stairs and lifts, as many as their penalty has seconds.
            options |= {"shortest": True, "step_penalty": 0, "elevator_penalty": 0}
        return {"costing": "pedestrian", "costing_options": {"pedestrian": options}, "units": "kilometers"}

    def _question(self, *places: Place, radius_m: float = 0) -> dict[str, Any]:
        locations = [{"lon": lon, "lat": lat, "radius": radius_m} for lon, lat in places]
        return self._costing() | {"locations": locations}

    def _trace(self, shape: str) -> dict[str, Any]:
        attributes = {"attributes": ["edge.way_id", "edge.length"], "action": "include"}
        return self._costing() | {"encoded_polyline": shape, "shape_match": "walk_or_snap", "filters": attributes}

    def _located(self, place: Place, radius_m: float = 0) -> list[Any]:
        return self.actor.locate(self._question(place, radius_m=radius_m) | {"verbose": True})[0]["edges"] or []
