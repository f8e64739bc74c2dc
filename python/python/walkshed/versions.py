"""What a report of a fault begins with: versions, and the machine without its name or paths.

>>> list(versions())[:4]
['walkshed', 'engine', 'python', 'system']
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
from importlib import metadata
from pathlib import Path

from walkshed import _engine

_NONE = "not installed"

#: Libraries whose tables walkshed takes and gives, and what its bars are drawn with, without an extra that brings them.
_BESIDE = ("pyarrow", "pandas", "geopandas", "duckdb", "h3", "lonboard", "ipywidgets")


def versions() -> dict[str, str]:
    """Give the versions of walkshed, of what it stands on and of what it can use, and the size of the machine.

    Returns:
        By name: `walkshed`, `engine` (the first digits of the SHA-256 of the compiled part: two that differ are not the
        same build), `python`, `system`, `cores`, `memory`, then packages with their version, or "not installed" and
        what brings them.

    """
    told = {
        "walkshed": _engine.__version__,
        "engine": _engine_digest(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.platform(),
        "cores": str(_cores()),
        "memory": _memory(),
    }
    for name, extra in {**_required(), **dict.fromkeys(_BESIDE, "")}.items():
        told.setdefault(name, _version(name, extra))
    return told


def show_versions() -> None:
    """Print `versions`, one a line, ready to be pasted into a report of a fault."""
    told = versions()
    width = max(map(len, told))
    for name, version in told.items():
        print(f"{name:<{width}}  {version}")


def _engine_digest() -> str:
    return hashlib.sha256(Path(_engine.__file__).read_bytes()).hexdigest()[:16]


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory() -> str:
    try:
        bytes_ = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows does not say
        return "unknown"
    return f"{bytes_ / 2**30:.1f} GiB"


def _required() -> dict[str, str]:
    """Packages that walkshed names, each with the extra that brings it; "" for what always comes."""
    found: dict[str, str] = {}
    for line in metadata.requires("walkshed") or []:
        name, extra = re.match(r"[\w.-]+", line), re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        if name is not None:
            found.setdefault(name.group(), "" if extra is None else extra.group(1))
    return found


def _version(name: str, extra: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{_NONE}: pip install {f'walkshed[{extra}]' if extra else name}"
