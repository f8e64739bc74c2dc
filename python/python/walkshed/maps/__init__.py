"""Maps as pictures, drawn without any map service; every result draws itself with `.plot()`.

Modules here are imported by others before the package is whole, so what they need of it they import where they need it.
"""

from walkshed.maps.minutes import minutes_map
from walkshed.maps.sheet import save

__all__ = ["minutes_map", "save"]
