"""How much of a city's people can walk to its community facilities, and in what time.

>>> import walkshed as ws
>>> ws.profile("adult").flat_mps
1.33
"""

from walkshed import siting
from walkshed._engine import InputError, InternalError, __version__
from walkshed.access import closest, cumulative, e2sfca, gravity, two_step_fca
from walkshed.areas import check_areas
from walkshed.arrow import in_crs
from walkshed.bands import coverage_bands
from walkshed.coverage import capacity_per_group, coverage, coverage_gap, roll_up, uncovered
from walkshed.decay import Decay
from walkshed.equity import Poverty, Theil, concentration_index, equity, fgt, gini, lorenz, palma, theil
from walkshed.facilities import classify, duplicates, facility_classes, merge_duplicates
from walkshed.formats import EncodingWarning, read_table
from walkshed.geotable import GeoTable
from walkshed.levels import coverage_by_level, levels
from walkshed.network import Network
from walkshed.planted import plant_faults
from walkshed.population import age_groups
from walkshed.profile import Profile, profile
from walkshed.ranking import Ranking, rank_areas
from walkshed.rejected import RejectedRowsWarning
from walkshed.route import Route
from walkshed.score import Scorecard, requirements, score, score_run, standards
from walkshed.site_plan import SiteResult, site_run
from walkshed.siting import Siting, StoppedWarning
from walkshed.straight import detour, straight_line
from walkshed.study import RunResult, run
from walkshed.summary import Summary
from walkshed.synthetic import SyntheticCity, synth
from walkshed.validation import Validation, validate

__all__ = [
    "Decay",
    "EncodingWarning",
    "GeoTable",
    "InputError",
    "InternalError",
    "Network",
    "Poverty",
    "Profile",
    "Ranking",
    "RejectedRowsWarning",
    "Route",
    "RunResult",
    "Scorecard",
    "SiteResult",
    "Siting",
    "StoppedWarning",
    "Summary",
    "SyntheticCity",
    "Theil",
    "Validation",
    "__version__",
    "age_groups",
    "capacity_per_group",
    "check_areas",
    "classify",
    "closest",
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
    "rank_areas",
    "read_table",
    "requirements",
    "roll_up",
    "run",
    "score",
    "score_run",
    "site_run",
    "siting",
    "standards",
    "straight_line",
    "synth",
    "theil",
    "two_step_fca",
    "uncovered",
    "validate",
]
