"""The compiled engine; use the package `walkshed`, whose functions check and explain."""

from collections.abc import Callable
from typing import Any, final, type_check_only

__all__ = [
    "MAX_SNAP_M",
    "Baseline",
    "BusyError",
    "FileTable",
    "InputError",
    "InternalError",
    "Network",
    "Refusal",
    "SitingProgram",
    "SitingSearch",
    "TableInCrs",
    "TiledRun",
    "__version__",
    "age_groups",
    "areas_of_places",
    "build_order",
    "capacity_per_group",
    "catalogue",
    "cells_of_places",
    "check_areas",
    "check_decay",
    "check_edits",
    "check_siting",
    "classify",
    "closest",
    "concentration_index",
    "counts",
    "coverage",
    "cumulative",
    "detect_crs",
    "detour",
    "duplicates",
    "edit_areas",
    "edit_cells",
    "edit_facilities",
    "fgt",
    "file_table",
    "gini",
    "gravity",
    "in_crs",
    "is_gb",
    "isochrone_cells",
    "isochrones",
    "levels",
    "lorenz",
    "matrix",
    "merge_duplicates",
    "nearest",
    "nearest_few",
    "node_times",
    "palma",
    "profiles",
    "publish_siting",
    "reach",
    "reach_batches",
    "read_file",
    "read_scenario",
    "read_study",
    "refresh",
    "refresh_is_due",
    "refresh_sources",
    "refusal",
    "refuse",
    "releases",
    "requirements",
    "roll_back",
    "roll_up",
    "route",
    "run_scenarios",
    "run_study",
    "score",
    "score_run",
    "siting",
    "siting_candidates",
    "standard_names",
    "standards",
    "straight_line",
    "study_files",
    "synth",
    "table_files",
    "theil",
    "tile_job",
    "two_step_fca",
    "uncovered",
    "validate_inputs",
    "verify_tables",
    "with_scenario",
]

__version__: str
MAX_SNAP_M: float

_Report = Callable[[str, int, int], object]

class InputError(ValueError):
    problems: list[dict[str, Any]]

class BusyError(RuntimeError): ...
class InternalError(RuntimeError): ...

@type_check_only
class Table:
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class TableInCrs: ...

@final
class FileTable:
    @property
    def name(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def columns(self) -> list[str]: ...
    def notes(self) -> list[tuple[str, str]]: ...

@final
class Refusal: ...

def file_table(
    columns: Any, name: str, *, crs_known: bool = True, untyped: bool = False, encoding: str | None = None
) -> FileTable: ...
def read_file(path: str, name: str) -> FileTable: ...
def is_gb(bytes: bytes) -> bool: ...
def refusal(
    file: str,
    reason: str,
    *,
    detail: str | None = None,
    known: list[str] = ...,
    column: str | None = None,
    value: str | None = None,
) -> Refusal: ...
def refuse(refusals: list[Refusal]) -> None: ...
def in_crs(table: Any, crs: str) -> TableInCrs: ...

@final
class Network:
    @staticmethod
    def from_osm(
        path: str,
        elevation: list[str],
        elevation_crs: str | None,
        max_snap_m: float,
        gates: str,
        join_islands_m: float,
        open_at: str | None,
        analysis_crs: str,
        report: _Report | None = None,
    ) -> Network: ...
    @staticmethod
    def from_overture(
        segments: object,
        connectors: object | None,
        elevation: list[str],
        elevation_crs: str | None,
        max_snap_m: float,
        gates: str,
        join_islands_m: float,
        open_at: str | None,
        analysis_crs: str,
        report: _Report | None = None,
    ) -> tuple[Network, Table]: ...
    @staticmethod
    def from_tables(nodes: object, edges: object, max_snap_m: float, analysis_crs: str) -> Network: ...
    @staticmethod
    def load(path: str) -> Network: ...
    def save(self, path: str) -> None: ...
    @property
    def node_count(self) -> int: ...
    @property
    def edge_count(self) -> int: ...
    @property
    def max_snap_m(self) -> float: ...
    @property
    def analysis_crs(self) -> str: ...
    @property
    def synthetic(self) -> bool: ...
    def length_km(self) -> list[tuple[str, float]]: ...
    def summary(self) -> str: ...
    def islands(self, profile: str, people: object | None, facilities: object | None) -> tuple[Table, Table]: ...
    def nodes(self) -> Table: ...
    def lines(self) -> Table: ...
    def edges(self, profile: str) -> Table: ...
    def snap(self, places: object, profile: str, public: bool) -> tuple[Table, Table]: ...

@final
class Baseline:
    @staticmethod
    def prepare(network: Network, city: dict[str, object], report: _Report | None = None) -> tuple[Baseline, Table]: ...
    def coverage(self) -> Table: ...
    def answer(self, name: str, edits: str, report: _Report | None = None) -> tuple[Table, Table, Table]: ...
    def reach(
        self, name: str, edits: str, profile: int, catchments: bool, report: _Report | None = None
    ) -> tuple[list[int], Table]: ...

def read_scenario(path: str) -> tuple[str, str, str]: ...
def check_edits(edits: str) -> tuple[str, str]: ...
def with_scenario(network: Network, name: str, edits: str) -> Network: ...
def run_scenarios(
    study: str, plans: list[str], out: str, tables: list[dict[str, Any]], report: _Report | None = None
) -> str: ...
def build_order(
    baseline: Baseline, candidates: str, rule: str, objective: str, report: _Report | None = None
) -> tuple[list[tuple[int, int, float, float]], list[float], bool]: ...
def edit_facilities(edits: str, table: object) -> tuple[Table, Table]: ...
def edit_cells(edits: str, cells: object, groups: list[str] | None = None) -> tuple[Table, Table]: ...
def edit_areas(edits: str, table: object) -> tuple[Table, Table]: ...
def coverage(
    times: object,
    cells: object,
    areas: object | None,
    minutes: list[float],
    groups: list[str] | None,
    together: list[list[str]],
    walkers: dict[str, str] | None,
    profile: str,
    analysis_crs: str,
    report: _Report | None = None,
) -> tuple[Table, Table]: ...
def roll_up(coverage: object, areas: object) -> Table: ...
def uncovered(
    times: object,
    cells: object,
    areas: object,
    class_: str,
    minutes: float,
    group: str | None,
    profile: str,
    analysis_crs: str,
    report: _Report | None = None,
) -> tuple[Table, Table]: ...
def capacity_per_group(
    facilities: object,
    cells: object,
    areas: object,
    capacity: str,
    group: str | None,
    per: float,
    as_of: str | None,
    analysis_crs: str,
    report: _Report | None = None,
) -> tuple[Table, Table]: ...
def straight_line(
    origins: object,
    facilities: object,
    radius_m: float,
    speed_mps: float,
    as_of: str | None,
    report: _Report | None = None,
) -> tuple[Table, Table]: ...
def detour(times: object, origins: object, facilities: object, speed_mps: float) -> Table: ...
def levels() -> list[tuple[str, str, str, float, float, float, float, str]]: ...
def standards() -> list[tuple[str, str, str]]: ...
def standard_names(standard: str) -> tuple[str, list[str], list[str]]: ...
def requirements(standard: str, profile: str) -> Table: ...
def score(
    standard: str,
    tables: dict[str, object],
    how: dict[str, object],
    report: _Report | None = None,
) -> tuple[Table, Table, Table, Table]: ...
def score_run(
    run: str,
    standard: str,
    out: str,
    survey: object | None,
    facilities: object | None,
    how: dict[str, object],
    report: _Report | None = None,
) -> str: ...

@final
class SitingProgram:
    @property
    def site(self) -> list[int]: ...
    @property
    def cost(self) -> list[float]: ...
    @property
    def low(self) -> list[float]: ...
    @property
    def high(self) -> list[float]: ...
    @property
    def first(self) -> list[int]: ...
    @property
    def column(self) -> list[int]: ...
    @property
    def factor(self) -> list[float]: ...
    @property
    def row_low(self) -> list[float]: ...
    @property
    def row_high(self) -> list[float]: ...
    @property
    def offset(self) -> float: ...
    @property
    def cutoff(self) -> float: ...

@final
class SitingSearch:
    @property
    def stopped(self) -> bool: ...
    def program(self, most: int) -> SitingProgram | None: ...
    def hear(self, sites: list[int] | None, bound: float | None, infeasible: bool, cutoff: float) -> None: ...
    def stop(self) -> None: ...
    def answer(self) -> tuple[Table, Table, Table, Table, float, float, float, bool]: ...

def siting(given: dict[str, object], asked: dict[str, object], report: _Report | None = None) -> SitingSearch: ...
def siting_candidates(
    network: Network, around: dict[str, object], report: _Report | None = None
) -> tuple[Table, Table]: ...
def check_siting(out: str) -> None: ...
def publish_siting(out: str, tables: list[tuple[str, object]], report: str) -> None: ...
def check_decay(decay: str) -> None: ...
def cumulative(sides: dict[str, object], minutes: list[float]) -> Table: ...
def gravity(sides: dict[str, object], decay: str) -> Table: ...
def closest(sides: dict[str, object], k: int) -> Table: ...
def two_step_fca(pairs: object, demand: object, supply: object, variant: str, decay: str) -> Table: ...
def lorenz(table: object) -> Table: ...
def gini(table: object) -> float | None: ...
def theil(table: object) -> tuple[float, float, float] | None: ...
def palma(table: object) -> float | None: ...
def concentration_index(table: object, corrected: bool) -> float | None: ...
def fgt(table: object, limit: float, above: bool) -> tuple[float, float, float] | None: ...
def isochrones(
    network: Network,
    points: object,
    minutes: list[float],
    profile: str,
    direction: str,
    buffer_m: float,
    report: _Report | None = None,
) -> tuple[Table, Table]: ...
def isochrone_cells(
    network: Network,
    points: object,
    minutes: list[float],
    profile: str,
    direction: str,
    resolution: int,
    report: _Report | None = None,
) -> tuple[Table, Table]: ...
def detect_crs(network: Network, places: object, report: _Report | None = None) -> tuple[Table, Table]: ...
def route(
    network: Network,
    origin: tuple[float, float],
    destination: tuple[float, float],
    profile: str,
    direction: str,
    crs: str,
) -> tuple[Table, float | None, tuple[str, str | None, float | None] | None]: ...
def profiles() -> str: ...
def study_files(path: str) -> list[tuple[str, str | None]]: ...
def read_study(path: str) -> str: ...
def refresh(
    options: dict[str, Any],
    tables: list[dict[str, Any]],
    extra: list[tuple[str, object]],
    tiles: TiledRun | None = None,
    report: _Report | None = None,
) -> str: ...
def refresh_is_due(options: dict[str, Any], tables: list[dict[str, Any]]) -> bool: ...
def refresh_sources(study: str, as_of: str | None = None) -> tuple[str, str, str | None, str | None, str | None]: ...
def releases(folder: str) -> tuple[str, int]: ...
def table_files(
    folder: str, table: str, release: int
) -> tuple[list[tuple[str, int | None, str, int, int, str]], str | None]: ...
def verify_tables(folder: str, report: _Report | None = None) -> list[tuple[str, str]]: ...
def roll_back(folder: str, to: int, reason: str, report: _Report | None = None) -> str: ...
def tile_job(work: str, stage: str, key: str, threads: int, report: _Report | None = None) -> bytes: ...

@final
class TiledRun:
    def __new__(
        cls,
        study: str,
        work: str,
        tables: list[dict[str, Any]],
        *,
        memory_limit: int | None,
        tile_resolution: int | None,
        parallel: int,
        report: _Report | None = None,
    ) -> TiledRun: ...
    @property
    def summary(self) -> str: ...
    def stage(self) -> tuple[str, list[str]] | None: ...
    def accept(self, stage: str, receipt: bytes) -> None: ...
    def finish(self, out: str) -> str: ...

def run_study(
    path: str,
    out: str,
    tables: list[dict[str, Any]],
    memory_limit: int | None = None,
    report: _Report | None = None,
) -> str: ...
def validate_inputs(
    study: str | None,
    files: list[str],
    tables: list[dict[str, Any]],
    out: str | None,
    title: str,
    report: _Report | None = None,
) -> tuple[str | None, Table, Table, Table, Table, str]: ...
def catalogue() -> list[tuple[str, str, str, str, str, float]]: ...
def classify(table: object, mapping: object | None, column: str) -> tuple[Table, Table]: ...
def duplicates(tables: list[object], same_source: bool) -> tuple[Table, Table]: ...
def merge_duplicates(tables: list[object], same_source: bool) -> tuple[Table, Table]: ...
def synth(out: str, nodes: int, seed: int, report: _Report | None = None) -> str: ...
def age_groups() -> list[tuple[str, str, str, int | None, int | None, list[str]]]: ...
def areas_of_places(areas: object, lon: list[float], lat: list[float]) -> list[str | None]: ...
def cells_of_places(lon: list[float], lat: list[float], resolution: int, analysis_crs: str) -> list[int | None]: ...
def check_areas(areas: object, cells: object | None, report: _Report | None = None) -> Table: ...
def nearest(
    network: Network, question: dict[str, object], max_minutes: float, report: _Report | None = None
) -> tuple[Table, Table]: ...
def reach(
    network: Network, question: dict[str, object], max_minutes: float, report: _Report | None = None
) -> tuple[Table, Table]: ...
def reach_batches(
    network: Network, question: dict[str, object], max_minutes: float, report: _Report | None = None
) -> tuple[Table, Table]: ...
def counts(
    network: Network,
    question: dict[str, object],
    minutes: list[float],
    capacity: str | None,
    report: _Report | None = None,
) -> tuple[Table, Table]: ...
def nearest_few(
    network: Network, question: dict[str, object], k: int, max_minutes: float, report: _Report | None = None
) -> tuple[Table, Table]: ...
def node_times(
    network: Network, question: dict[str, object], max_minutes: float, report: _Report | None = None
) -> tuple[Table, Table]: ...
def matrix(
    network: Network,
    origins: object,
    destinations: object,
    profile: str,
    direction: str,
    memory_limit: int | None,
    report: _Report | None = None,
) -> tuple[Table, Table]: ...
