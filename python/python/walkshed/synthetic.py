"""Synthetic mountain cities: made up from a number, labelled as such, in the formats that users bring."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from walkshed import _engine, cards
from walkshed.progress import Progress, reporting

# The engine tells what numbers it takes; what is beyond its integers is beyond its ranges too.
_MOST = 2**63 - 1


@dataclass(frozen=True)
class SyntheticCity:
    """A folder with a synthetic city.

    Attributes:
        folder: where it is.
        report: what stands in `synthetic.json`: counts, sizes and hashes of its files.

    """

    folder: Path
    report: dict[str, Any]

    @property
    def study(self) -> Path:
        """The `STUDY.toml` that runs on it."""
        return self.folder / "STUDY.toml"

    def __repr__(self) -> str:
        """Size and folder."""
        return f"SyntheticCity({self.report['junctions']:,} junctions, synthetic 合成, in {self.folder})"

    def _repr_html_(self) -> str:
        rows = pl.DataFrame(list(self.report["rows"].items()), schema=["file", "rows"], orient="row")
        return cards.card(
            "合成城市 SYNTHETIC city 合成数据",
            facts=[
                ("路口 Junctions", self.report["junctions"]),
                ("人口 People", self.report["people"]),
                ("种子 Seed", self.report["seed"]),
                ("文件夹 Folder", cards.where(self.folder)),
            ],
            tables=[cards.table(rows, {"file": "文件 File", "rows": "行 Rows"}, most=20)],
            notes=[self.report["notice"]],
        )


def synth(
    folder: str | os.PathLike[str], *, nodes: int = 10_000, seed: int = 1, progress: Progress = None
) -> SyntheticCity:
    """Make a synthetic mountain city: terrain, streets, stairs, lifts, estates, people, communities, facilities.

    Everything in it is made up and says so. The same numbers make the same bytes.

    Args:
        folder: where to put it; it appears whole or not at all, and replaces an earlier synthetic city only.
        nodes: about how many junctions, 1,000 to 5,000,000.
        seed: which city, 0 to 4,294,967,295.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        The folder and what it holds.

    Raises:
        InputError: a number outside its range, or something else stands at the folder.
        KeyboardInterrupt: stopped by the user; nothing was written.

    """
    nodes, seed = (max(-_MOST, min(int(number), _MOST)) for number in (nodes, seed))
    with reporting(progress) as report:
        text = _engine.synth(os.fspath(folder), nodes, seed, report=report)
    return SyntheticCity(Path(folder), json.loads(text))
