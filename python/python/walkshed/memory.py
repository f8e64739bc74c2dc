"""How much memory a job may take."""

from __future__ import annotations

import re
from typing import TypeAlias

MemoryLimit: TypeAlias = "int | str | None"

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


def to_bytes(limit: MemoryLimit) -> int | None:
    """Bytes of a limit such as `8_000_000_000`, `"8 GB"` or `"512MiB"`; None stays None.

    Raises:
        ValueError: it is no size, or not above 0.

    """
    if limit is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?\s*", str(limit).lower())
    size = int(float(found[1]) * _UNITS.get(found[2], 0)) if found else 0
    if size <= 0:
        raise ValueError(f'memory_limit {limit!r}: use bytes, or a text such as "8 GB" or "512 MiB"')
    return size
