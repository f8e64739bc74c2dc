"""How much of a city's people can walk to its community facilities, and in what time.

>>> import walkshed as ws
>>> ws.profile("adult").flat_mps
1.33
"""

from walkshed._engine import InputError, InternalError, __version__
from walkshed.coverage import coverage
from walkshed.facilities import facility_classes
from walkshed.network import Network
from walkshed.profile import Profile, profile
from walkshed.rejected import RejectedRowsWarning
from walkshed.study import RunResult, Validation, run, validate

__all__ = [
    "InputError",
    "InternalError",
    "Network",
    "Profile",
    "RejectedRowsWarning",
    "RunResult",
    "Validation",
    "__version__",
    "coverage",
    "facility_classes",
    "profile",
    "run",
    "validate",
]
