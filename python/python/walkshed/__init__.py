"""How much of a city's people can walk to its community facilities, and in what time.

>>> import walkshed as ws
>>> ws.profile("adult").flat_mps
1.33
"""

from walkshed import siting
from walkshed._engine import BusyError, InputError, InternalError, __version__
from walkshed.access import closest, cumulative, e2sfca, gravity, two_step_fca
from walkshed.areas import check_areas
from walkshed.arrow import in_crs
from walkshed.bands import coverage_bands
from walkshed.baseline import Answer, Baseline, TouchedPairs, compare, compare_scorecards
from walkshed.build_order import BuildOrder, best_links, build_order, project_scenarios
from walkshed.coverage import capacity_per_group, coverage, coverage_gap, roll_up, uncovered
from walkshed.decay import Decay
from walkshed.effects import City, ExpectedEffect, RealisedEffect, expected_effect, realised_effect
from walkshed.equity import Poverty, Theil, concentration_index, equity, fgt, gini, lorenz, palma, theil
from walkshed.evaluation import Evaluation, city_of, evaluate
from walkshed.executors import WorkerError
from walkshed.facilities import classify, duplicates, facility_classes, merge_duplicates
from walkshed.formats import EncodingWarning, read_table
from walkshed.geotable import GeoTable
from walkshed.levels import coverage_by_level, levels
from walkshed.network import Network
from walkshed.plan_share import PlanShare
from walkshed.planted import plant_faults
from walkshed.population import age_groups
from walkshed.profile import Profile, profile
from walkshed.project_rules import project_rules
from walkshed.projects import Projects, read_projects
from walkshed.ranking import Ranking, rank_areas
from walkshed.refresh import RefreshResult, refresh
from walkshed.rejected import RejectedRowsWarning
from walkshed.requests import RequestDensity, Requests, read_requests, request_density, request_walks
from walkshed.route import Route
from walkshed.scenario import (
    AddLink,
    CloseFacility,
    CloseLink,
    MoveFacility,
    NewHomes,
    OpenFacility,
    OpenLink,
    ResizeFacility,
    RetimeLink,
    Scenario,
    SetArea,
)
from walkshed.score import AreaCard, Scorecard, StandardNames, requirements, score, score_run, standards
from walkshed.site_plan import SiteResult, site_run
from walkshed.siting import Siting, StoppedWarning
from walkshed.straight import detour, straight_line
from walkshed.study import RunResult, ScenariosResult, run, run_scenarios
from walkshed.summary import Summary
from walkshed.synthetic import SyntheticCity, synth
from walkshed.tables import Diff, Tables
from walkshed.validation import Validation, validate
from walkshed.versions import show_versions, versions

__all__ = [
    "AddLink",
    "Answer",
    "AreaCard",
    "Baseline",
    "BuildOrder",
    "BusyError",
    "City",
    "CloseFacility",
    "CloseLink",
    "Decay",
    "Diff",
    "EncodingWarning",
    "Evaluation",
    "ExpectedEffect",
    "GeoTable",
    "InputError",
    "InternalError",
    "MoveFacility",
    "Network",
    "NewHomes",
    "OpenFacility",
    "OpenLink",
    "PlanShare",
    "Poverty",
    "Profile",
    "Projects",
    "Ranking",
    "RealisedEffect",
    "RefreshResult",
    "RejectedRowsWarning",
    "RequestDensity",
    "Requests",
    "ResizeFacility",
    "RetimeLink",
    "Route",
    "RunResult",
    "Scenario",
    "ScenariosResult",
    "Scorecard",
    "SetArea",
    "SiteResult",
    "Siting",
    "StandardNames",
    "StoppedWarning",
    "Summary",
    "SyntheticCity",
    "Tables",
    "Theil",
    "TouchedPairs",
    "Validation",
    "WorkerError",
    "__version__",
    "age_groups",
    "best_links",
    "build_order",
    "capacity_per_group",
    "check_areas",
    "city_of",
    "classify",
    "closest",
    "compare",
    "compare_scorecards",
    "concentration_index",
    "coverage",
    "coverage_bands",
    "coverage_by_level",
    "coverage_gap",
    "cumulative",
    "detour",
    "duplicates",
    "e2sfca",
    "equity",
    "evaluate",
    "expected_effect",
    "facility_classes",
    "fgt",
    "gini",
    "gravity",
    "in_crs",
    "levels",
    "lorenz",
    "merge_duplicates",
    "palma",
    "plant_faults",
    "profile",
    "project_rules",
    "project_scenarios",
    "rank_areas",
    "read_projects",
    "read_requests",
    "read_table",
    "realised_effect",
    "refresh",
    "request_density",
    "request_walks",
    "requirements",
    "roll_up",
    "run",
    "run_scenarios",
    "score",
    "score_run",
    "show_versions",
    "site_run",
    "siting",
    "standards",
    "straight_line",
    "synth",
    "theil",
    "two_step_fca",
    "uncovered",
    "validate",
    "versions",
]
