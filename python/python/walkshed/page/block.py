"""Blocks of data that a page carries: words as JSON and columns of whole numbers, in one gzip stream as base64.

A block is, after gzip: the length of the header in bytes (u32, little-endian); the header as UTF-8 JSON, `about` and
`columns` (name → `bytes` a number, `count`, `delta`); the columns one after the other. A column holds the lowest bytes
of all its numbers first, then the next ones, for bytes of one weight are alike. With `delta` a number is the
difference to the one before it, modulo the width, small ones of either sign as small numbers: 0, -1, 1, -2, 2, …
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
from array import array
from collections.abc import Iterable
from typing import Literal

import polars as pl

Width = Literal[1, 2, 4]

_TYPES: dict[Width, str] = {1: "B", 2: "H", 4: "I"}
_LEVEL = 6
"""Of gzip; 9 takes three times as long for a hundredth less."""


class Block:
    """Words and columns that become one script block of a page."""

    def __init__(self) -> None:
        """Begin without anything."""
        self._columns: dict[str, dict[str, int | bool]] = {}
        self._bytes: list[bytes] = []

    def add(self, name: str, values: pl.Series | Iterable[int], width: Width, *, delta: bool = False) -> None:
        """Add a column.

        Args:
            name: what the page asks for.
            values: whole numbers that fit the width; negative ones are kept modulo the width.
            width: bytes of a number.
            delta: whether to store differences, for numbers that are near the one before.

        """
        numbers = values if isinstance(values, pl.Series) else pl.Series(values, dtype=pl.Int64)
        whole = numbers.cast(pl.Int64)
        stored = _steps(whole, 1 << 8 * width) if delta else whole % (1 << 8 * width)
        packed = array(_TYPES[width], stored.to_list())
        if sys.byteorder == "big":
            packed.byteswap()
        raw = packed.tobytes()
        self._columns[name] = {"bytes": width, "count": len(whole), "delta": delta}
        self._bytes.extend(raw[weight::width] for weight in range(width))

    def encode(self, about: object) -> str:
        """Give the block as text that holds no character with a meaning in HTML.

        Args:
            about: what the page reads beside the columns; becomes JSON.

        Returns:
            Base64; the same for the same input.

        """
        header = json.dumps({"about": about, "columns": self._columns}, ensure_ascii=False, allow_nan=False)
        encoded = header.encode("utf-8")
        return packed_text(len(encoded).to_bytes(4, "little") + encoded + b"".join(self._bytes))


def _steps(numbers: pl.Series, modulus: int) -> pl.Series:
    """Differences, the first to 0, as numbers that are not negative and small where the differences are."""
    half = modulus // 2
    step = pl.Series([0], dtype=pl.Int64).append(numbers).diff(null_behavior="drop")
    signed = (step + half) % modulus - half
    return pl.select(pl.when(signed >= 0).then(2 * signed).otherwise(-2 * signed - 1)).to_series()


def packed_text(raw: bytes) -> str:
    """Bytes as gzip and base64; the same for the same input."""
    return base64.b64encode(gzip.compress(raw, _LEVEL, mtime=0)).decode("ascii")


def narrowest(most: int) -> Width:
    """The fewest bytes that hold numbers up to `most`."""
    return 1 if most < 1 << 8 else 2 if most < 1 << 16 else 4
