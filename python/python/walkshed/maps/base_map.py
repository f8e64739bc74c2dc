"""Streets and water beneath a map, from the files that a run was made of: no tiles, no network."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from walkshed.maps import sea, wkb
from walkshed.maps.box import Box, line_inside, ring_inside, simplified
from walkshed.maps.wkb import Line, Polygon

if TYPE_CHECKING:
    from walkshed.network import Network
    from walkshed.study import RunResult, ScenariosResult

#: Corners of streets and of water that are kept, so that a page with a metropolis stays small.
MOST_CORNERS, MOST_WATER_CORNERS = 150_000, 50_000
#: What a picture or a screen cannot show of a city: the part of its longer side that corners may move by.
_TOLERANCE = 1 / 4000
#: Around the centres of cells, as a share of their longer side: their outlines reach beyond.
_MARGIN = 0.04

#: The rank of through roads.
_LARGEST = 3
#: How much a street counts, by its class in OpenStreetMap and Overture Maps; what is not here is a small way.
_RANKS = {
    **dict.fromkeys(("motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link"), _LARGEST),
    **dict.fromkeys(("secondary", "tertiary", "secondary_link", "tertiary_link"), 2),
    **dict.fromkeys(("residential", "unclassified", "living_street", "pedestrian", "road"), 1),
}
_INLAND_WATER = "\"natural\" = 'water' OR landuse = 'reservoir' OR other_tags LIKE '%\"waterway\"=>\"riverbank\"%'"
_COASTLINE = 'other_tags LIKE \'%"natural"=>"coastline"%\''

_MADE_UP = "SYNTHETIC 合成数据: everything on this map is made up 图上内容均为虚构"

_STREETS = {"line": pl.UInt32, "rank": pl.Int32, "lon": pl.Float64, "lat": pl.Float64}
_WATER = {"polygon": pl.UInt32, "ring": pl.UInt32, "lon": pl.Float64, "lat": pl.Float64}


@dataclass(frozen=True)
class BaseMap:
    """Streets and water, simplified to what a map of the city can show.

    Attributes:
        streets: corners of lines in their order: `line`, `rank` (3 through road, 2 distributor, 1 street, 0 path or
            service way), `lon`, `lat`.
        water: corners of polygons in their order: `polygon`, `ring` (0 is the outline, others are holes), `lon`, `lat`.
        source: whom the data are by, and what is not shown and why; says SYNTHETIC 合成数据 where it is.

    """

    streets: pl.DataFrame
    water: pl.DataFrame
    source: str


EMPTY = BaseMap(pl.DataFrame(schema=_STREETS), pl.DataFrame(schema=_WATER), "")
"""No streets and no water."""


def of_run(result: RunResult) -> BaseMap:
    """Streets and water around the cells of a run, from the streets that its `run.json` names.

    Args:
        result: a run. Of an analysis in GCJ-02 or BD-09 the streets are moved there, and water is left out.

    Returns:
        The base map; without lines, and the reason in its `source`, where it cannot be made.

    """
    cells = result.table("cells")
    around = Box.around(cells["lon"], cells["lat"])
    return EMPTY if around is None else of_report(result.report, around.grown(around.side * _MARGIN).framed())


def of_report(report: Mapping[str, Any], box: Box) -> BaseMap:
    """Streets and water in a part of the city, from the files that a study names.

    Args:
        report: what `run.json` or `scenarios.json` holds.
        box: the part, in the system of the analysis.

    Returns:
        As `of_run`.

    """
    study = report["study"]
    streets, system, credit = study["streets"], study["study"]["analysis_crs"], _credit(report)
    without = "; 未画水系 without water"
    path = Path(streets["osm"] or streets["overture"])
    try:
        if streets["osm"] is not None and not path.exists():
            raise FileNotFoundError(path)
        if system != "wgs84":
            return _made(_walkable(streets, system), [], box, credit + without)
        if streets["osm"] is None:
            return _made(_overture(streets["overture"]), [], box, credit + without)
        return _made(_osm_lines(streets["osm"], box), _osm_water(streets["osm"], box), box, credit)
    except (ImportError, OSError, RuntimeError, ValueError, pl.exceptions.PolarsError) as error:
        return BaseMap(EMPTY.streets, EMPTY.water, f"{credit}; 无底图 without streets: {_reason(error, path)}")


def of_network(network: Network) -> BaseMap:
    """Streets of a network, in its own system; water is not part of one.

    Args:
        network: any network; it does not know whom its data are by, so `source` says only that a synthetic one is.

    """
    lines = list(_ways(network))
    corners = [corner for _, line in lines for corner in line]
    box = Box.around([corner[0] for corner in corners], [corner[1] for corner in corners])
    return EMPTY if box is None else _made(lines, [], box, credited(network, ""))


def credit_of(result: RunResult | ScenariosResult) -> str:
    """Whom the streets of a run or of scenarios are by, and its facilities where they are from the same map.

    Args:
        result: a run, or scenarios.

    Returns:
        A line to print below a map; a synthetic city says that it is one.

    """
    return _credit(result.report)


def credited(data: Network | RunResult | ScenariosResult, source: str) -> str:
    """A line about data, which says in any case that they are made up where they are.

    Args:
        data: what is drawn.
        source: whom it is by.

    Returns:
        The same line; before it that everything is SYNTHETIC 合成数据, where it is and the line does not say so itself.

    """
    from walkshed.network import Network

    made_up = data.synthetic if isinstance(data, Network) else _is_synthetic(data.report)
    if not made_up or "SYNTHETIC" in source:
        return source
    return f"{_MADE_UP}; {source}" if source else _MADE_UP


def _credit(report: Mapping[str, Any]) -> str:
    if _is_synthetic(report):
        return _MADE_UP
    if report["study"]["streets"]["osm"] is None:
        return "Streets 道路 © OpenStreetMap contributors, Overture Maps Foundation"
    if report["study"]["facilities"]["osm"]:
        return "Streets and facilities 道路与设施 © OpenStreetMap contributors"
    return "Streets 道路 © OpenStreetMap contributors"


def _is_synthetic(report: Mapping[str, Any]) -> bool:
    """Whether a report says so; those of earlier versions do not, but a file lies beside their streets."""
    streets = report["study"]["streets"]["osm"]
    beside = streets is not None and (Path(streets).parent / "synthetic.json").is_file()
    return bool(report.get("synthetic", False)) or beside


def _reason(error: Exception, path: Path) -> str:
    """Why there are no streets, without the folders of this machine: the line is printed on maps that are handed on."""
    if isinstance(error, ImportError):
        return "pip install walkshed[maps]"
    if isinstance(error, FileNotFoundError):
        return f"{path.name} 已不在原处 is not there any more"
    return f"{path.name} 无法读取 cannot be read ({type(error).__name__})"


def _made(streets: Iterable[tuple[int, Line]], water: list[Polygon], box: Box, source: str) -> BaseMap:
    """The base map of what lies in the box.

    Streets come the largest first. Those of the rank that would be too much, and all below, are left out.
    """
    tolerance = box.side * _TOLERANCE
    kept: list[tuple[int, Line]] = []
    corners = 0
    for rank, line in streets:
        parts = [simplified(part, tolerance, box.stretch) for part in line_inside(line, box)]
        kept += [(rank, part) for part in parts]
        corners += sum(map(len, parts))
        if corners > MOST_CORNERS and rank < _LARGEST:
            kept = [street for street in kept if street[0] > rank]
            source += "; 小路未画 small ways are not drawn"
            break
    if not kept:
        source += "; 此处无道路 no streets here"
    return BaseMap(_street_table(kept), _water_table(water, tolerance, box), source)


def _street_table(streets: list[tuple[int, Line]]) -> pl.DataFrame:
    streets.sort(key=lambda street: street[0])
    rows = ((place, rank, *corner) for place, (rank, line) in enumerate(streets) for corner in line)
    return pl.DataFrame(rows, schema=_STREETS, orient="row")


def _water_table(water: list[Polygon], tolerance: float, box: Box) -> pl.DataFrame:
    """Polygons without what is too small to see; of too many the largest."""
    shapes: list[Polygon] = []
    for rings in water:
        drawn = [simplified(ring_inside(ring, box), tolerance, box.stretch) for ring in rings]
        if _is_seen(drawn[0], tolerance):
            shapes.append([drawn[0], *(ring for ring in drawn[1:] if _is_seen(ring, tolerance))])
    shapes.sort(key=lambda rings: len(rings[0]), reverse=True)
    rows: list[tuple[int, int, float, float]] = []
    for polygon, rings in enumerate(shapes):
        if len(rows) + sum(map(len, rings)) <= MOST_WATER_CORNERS:
            rows += [(polygon, ring, *corner) for ring, line in enumerate(rings) for corner in line]
    return pl.DataFrame(rows, schema=_WATER, orient="row")


def _is_seen(ring: Line, tolerance: float) -> bool:
    around = Box.around(*zip(*ring, strict=True)) if len(ring) >= 4 else None
    return around is not None and around.side >= 4 * tolerance


def _ways(network: Network) -> Iterator[tuple[int, Line]]:
    ways = network.lines().filter(pl.col("kind") != "square")
    runs = ways.group_by("edge", maintain_order=True).agg("lon", "lat", rank=pl.first("kind") == "street")
    runs = runs.sort("rank", descending=True, maintain_order=True)
    for lon, lat, rank in runs.select("lon", "lat", "rank").iter_rows():
        yield int(rank), list(zip(lon, lat, strict=True))


def _walkable(streets: dict[str, Any], system: Any) -> Iterator[tuple[int, Line]]:
    """Streets in another system: only the engine moves them."""
    from walkshed.network import Network

    if streets["osm"] is not None:
        return _ways(Network.from_osm(streets["osm"], analysis_crs=system, progress=False))
    both = streets["overture"], streets["connectors"]
    return _ways(Network.from_overture(*both, analysis_crs=system, progress=False))


def _overture(segments: str) -> Iterator[tuple[int, Line]]:
    """Segments of Overture Maps that are roads."""
    path = Path(segments)
    rows = pl.scan_parquet(path / "**/*.parquet" if path.is_dir() else path)
    return _ranked(rows.filter(pl.col("subtype") == "road").select("class", "geometry").collect())


def _osm_lines(path: str, box: Box) -> Iterator[tuple[int, Line]]:
    rows = _layer(path, "lines", ["highway"], "highway IS NOT NULL", box)
    return _ranked(rows.select("geometry", **{"class": "highway"}))


def _ranked(streets: pl.DataFrame) -> Iterator[tuple[int, Line]]:
    """Lines of `class` and `geometry` with their ranks, the largest first."""
    rank = pl.col("class").replace_strict(_RANKS, default=0, return_dtype=pl.Int32)
    rows = streets.select(pl.col("geometry").ext.storage(), rank=rank).sort(
        "rank", descending=True, maintain_order=True
    )
    for geometry, number in rows.iter_rows():
        for line in wkb.lines(geometry):
            yield number, line


def _osm_water(path: str, box: Box) -> list[Polygon]:
    """Lakes, rivers that are drawn with both banks, and the sea to the right of coastlines."""
    inland = _layer(path, "multipolygons", ["natural"], _INLAND_WATER, box)["geometry"]
    coast = _layer(path, "lines", ["other_tags"], _COASTLINE, box)["geometry"]
    lakes = [polygon for geometry in inland for polygon in wkb.polygons(geometry)]
    return [*lakes, *sea.of_coast([line for geometry in coast for line in wkb.lines(geometry)], box)]


def _layer(path: str, layer: str, columns: list[str], where: str, box: Box) -> pl.DataFrame:
    """Rows of an extract in a box, with `geometry` as WKB.

    Raises:
        ImportError: pyogrio is not installed.

    """
    pyogrio: Any = importlib.import_module("pyogrio")  # has no types of its own
    bounds = (box.west, box.south, box.east, box.north)
    asked: dict[str, Any] = {"layer": layer, "columns": columns, "where": where, "bbox": bounds}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rings of the extract that are not closed are no fault of the run
        with pyogrio.open_arrow(path, use_pyarrow=False, **asked) as (about, stream):
            rows = pl.DataFrame(stream)
    return rows.rename({about["geometry_name"] or "wkb_geometry": "geometry"})
