"""How much of a city's people can walk to its community facilities, and in what time.

>>> import walkshed as ws
>>> ws.profile("adult").flat_mps
1.33
"""

from walkshed._engine import InputError, InternalError, __version__
from walkshed.access import closest, cumulative, e2sfca, gravity, two_step_fca
from walkshed.areas import check_areas
from walkshed.arrow import in_crs
from walkshed.coverage import coverage
from walkshed.decay import Decay
from walkshed.equity import Poverty, Theil, concentration_index, equity, fgt, gini, lorenz, palma, theil
from walkshed.facilities import classify, duplicates, facility_classes, merge_duplicates
from walkshed.formats import EncodingWarning, read_table
from walkshed.geotable import GeoTable
from walkshed.network import Network
from walkshed.planted import plant_faults
from walkshed.population import age_groups
from walkshed.profile import Profile, profile
from walkshed.rejected import RejectedRowsWarning
from walkshed.route import Route
from walkshed.score import Scorecard, requirements, score, standards
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
    "RejectedRowsWarning",
    "Route",
    "RunResult",
    "Scorecard",
    "Summary",
    "SyntheticCity",
    "Theil",
    "Validation",
    "__version__",
    "age_groups",
    "check_areas",
    "classify",
    "closest",
    "concentration_index",
    "coverage",
    "cumulative",
    "duplicates",
    "e2sfca",
    "equity",
    "facility_classes",
    "fgt",
    "gini",
    "gravity",
    "in_crs",
    "lorenz",
    "merge_duplicates",
    "palma",
    "plant_faults",
    "profile",
    "read_table",
    "requirements",
    "run",
    "score",
    "standards",
    "synth",
    "theil",
    "two_step_fca",
    "validate",
]
