"""A second, made-up source of a real city's facilities: copies moved and misspelt, and decoys that are no copies."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import polars as pl

FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
"""Full-width forms of ASCII letters and signs (Unicode, Halfwidth and Fullwidth Forms)."""

SPELLINGS = {
    "as it is": lambda name, _: name,
    "full width": lambda name, _: name.upper().translate(FULL_WIDTH),
    "no blanks": lambda name, _: name.replace(" ", "").replace("-", ""),
    "one letter": lambda name, numbers: _typo(name, numbers),
    "branch": lambda name, _: f"{name}（南坪店）",
}
MOVED_M = 40.0


def _typo(name: str, numbers: random.Random) -> str:
    """Another letter in place of one; no digit, because numbers tell facilities apart."""
    letters = [at for at, letter in enumerate(name) if letter.isalpha()]
    at = numbers.choice(letters)
    return f"{name[:at]}{'x' if name[at].lower() != 'x' else 'y'}{name[at + 1 :]}"


@dataclass(frozen=True)
class Planted:
    """A second source of facilities; `of` names the original of a copy and is null for a decoy."""

    table: pl.DataFrame

    @property
    def pairs(self) -> set[tuple[str, str, str]]:
        """Class, id of the original, id of the copy."""
        copies = self.table.filter(pl.col("of").is_not_null())
        return set(copies.select("class", "of", "id").iter_rows())


def second_source(facilities: pl.DataFrame, seed: int) -> Planted:
    """Copy half of the facilities whose names have six letters or more, and plant a decoy for each other one.

    Copies are moved by at most 40 m and written in one of five spellings. Decoys: the name read backwards at the same
    place, and the same name 400 m to the north.
    """
    numbers = random.Random(seed)
    rows = []
    for row in facilities.filter(pl.col("name").str.count_matches(r"\p{L}") >= 6).iter_rows(named=True):
        spelling = numbers.choice(list(SPELLINGS))
        away_m, angle = MOVED_M * math.sqrt(numbers.random()), numbers.random() * math.tau
        kind = numbers.choice(["copy", "copy", "backwards", "far"])
        name, north_m, of = row["name"], away_m * math.cos(angle), row["id"]
        if kind == "copy":
            name = SPELLINGS[spelling](name, numbers)
        elif kind == "backwards":
            name, spelling, of = name[::-1], kind, None
        else:
            north_m, spelling, of = north_m + 400.0, kind, None
        lat = row["lat"] + north_m / 111_400.0
        lon = row["lon"] + away_m * math.sin(angle) / (111_300.0 * math.cos(math.radians(row["lat"])))
        new = {"id": f"p{len(rows)}", "class": row["class"], "name": name, "lon": lon, "lat": lat}
        rows.append(new | {"of": of, "spelling": spelling})
    return Planted(pl.DataFrame(rows))
