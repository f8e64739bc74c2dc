"""A folder of sheets, one for each community: made side by side, put in place whole."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event, local
from typing import Any

from walkshed.progress import Report
from walkshed.report.community import Sheets
from walkshed.report.content import Column, Document, Table, Value
from walkshed.report.excel import excel
from walkshed.report.facts import City
from walkshed.report.pdf import Typesetter, pdf, typesetter
from walkshed.report.word import word
from walkshed.report.words import say

MARK = "sheets.json"
"""Stands in a folder of sheets, so that it is known as one and may be replaced."""
_INDEX = "index.xlsx"
#: Names that Windows keeps for devices, whatever their ending.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))}
_FORBIDDEN = '<>:"/\\|?*'
_LONGEST_BYTES = 120
#: Sheets that wait for a worker: enough that none is idle, few enough that memory stays small.
_AHEAD = 8
_LOOK_S = 0.1


def refuse_strangers(folder: Path) -> None:
    """Keep what is not ours.

    Raises:
        FileExistsError: something else than a folder of sheets, or than an empty folder, stands there.

    """
    if not folder.exists() or (folder.is_dir() and ((folder / MARK).is_file() or not any(folder.iterdir()))):
        return
    raise FileExistsError(
        f"{folder}: is no folder of sheets (no {MARK} in it), and is not replaced; give another path 该文件夹不是体检表"
    )


@contextmanager
def made_sheets(
    city: City, folder: Path, *, formats: Sequence[str] = ("pdf",), tell: Report | None = None
) -> Generator[Callable[[], None]]:
    """Make a sheet for each community, and an index, beside where they go.

    Args:
        city: the run with what goes with it.
        folder: where they go; an earlier folder of sheets is replaced in one step.
        formats: "pdf", "docx" or both.
        tell: is told of progress; what it raises stops the work.

    Yields:
        What puts them in place; they are gone at the end where it is not called.

    Raises:
        FileExistsError: as of `refuse_strangers`.
        KeyboardInterrupt: stopped; the folder is as it was before.

    """
    refuse_strangers(folder)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.resolve().parent))
    try:
        rows = _write_all(city, beside, formats, tell)
        (beside / _INDEX).write_bytes(excel(_index(city, rows, formats), []))
        mark = {"walkshed": city.result.report["walkshed"], "study": city.name, "sheets": len(rows)}
        (beside / MARK).write_text(json.dumps(mark, ensure_ascii=False, indent=1) + "\n", "utf-8")
        beside.chmod(0o755)
        yield partial(_replace, folder, beside)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _replace(folder: Path, beside: Path) -> None:
    """Give a finished folder its name; the earlier one stays until then."""
    if not folder.exists():
        beside.rename(folder)
        return
    refuse_strangers(folder)
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".old", dir=folder.resolve().parent))
    os.replace(folder, old / folder.name)
    try:
        beside.rename(folder)
    except BaseException:
        os.replace(old / folder.name, folder)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _write_all(
    city: City, folder: Path, formats: Sequence[str], tell: Report | None
) -> list[tuple[dict[str, Any], str]]:
    """Lay out each sheet here, set it on the workers; returns areas with the stem of their files."""
    stop, names, rows = Event(), Names(), list[tuple[dict[str, Any], str]]()
    work = _worker(folder, formats, stop)
    total = city.communities.height
    pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="walkshed-sheets")
    waiting: set[Future[None]] = set()
    try:
        for area, document in Sheets(city).documents():
            stem = names.of(area["area_id"], area["name"])
            rows.append((area, stem))
            waiting.add(pool.submit(work, document, stem))
            waiting = _let_finish(waiting, _AHEAD, tell, len(rows), total)
        _let_finish(waiting, 0, tell, total, total)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
    return rows


def _worker(folder: Path, formats: Sequence[str], stop: Event) -> Callable[[Document, str], None]:
    """What a worker does with a sheet; each has a typesetter of its own, and typst lets the others run meanwhile."""
    own = local()

    def work(document: Document, stem: str) -> None:
        if stop.is_set():
            return
        if not hasattr(own, "setter"):
            own.setter = typesetter()
        setter: Typesetter = own.setter
        for ending in formats:
            made = pdf(document, setter) if ending == "pdf" else word(document, setter)
            (folder / f"{stem}.{ending}").write_bytes(made)

    return work


def _let_finish(waiting: set[Future[None]], most: int, tell: Report | None, done: int, total: int) -> set[Future[None]]:
    """Wait until no more than so many are at work, looking up ten times a second so that Ctrl-C is heard."""
    while len(waiting) > most:
        finished, waiting = wait(waiting, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
        for each in finished:
            each.result()
        if tell is not None:
            tell("sheets", done - len(waiting), total)
    return waiting


class Names:
    """Names of files that every system takes, each once whatever its case."""

    def __init__(self) -> None:
        """Begin with no names."""
        self._taken: set[str] = set()

    def of(self, area_id: str, name: str) -> str:
        """The stem for a community: its id and, where it has another, its name.

        >>> names = Names()
        >>> names.of("a/1", "合成:社区"), names.of("A?1", "合成:社区"), names.of("CON", "CON")
        ('a_1 合成_社区', 'A_1 合成_社区 2', 'CON_')
        """
        told = area_id if name == area_id else f"{area_id} {name}"
        safe = "".join("_" if letter in _FORBIDDEN or not letter.isprintable() else letter for letter in told)
        safe = _shortened(safe).strip(" .") or "_"
        if safe.split(".")[0].strip().casefold() in _DEVICES:
            safe = f"{safe}_"
        stem, number = safe, 2
        while stem.casefold() in self._taken:
            stem, number = f"{safe} {number}", number + 1
        self._taken.add(stem.casefold())
        return stem


def _shortened(name: str) -> str:
    """At most so many bytes, cut between letters."""
    return name.encode("utf-8", "replace")[:_LONGEST_BYTES].decode("utf-8", "ignore")


def _index(city: City, rows: Sequence[tuple[dict[str, Any], str]], formats: Sequence[str]) -> Document:
    """Which file is whose."""
    scores = {}
    if city.scorecard is not None:
        scores = {row["area_id"]: row for row in city.scorecard.totals.iter_rows(named=True)}
    means = {row["area_id"]: row for row in city.mean_share.iter_rows(named=True)}
    listed: list[list[Value]] = []
    for area, stem in rows:
        mean, score = means.get(area["area_id"], {}), scores.get(area["area_id"], {})
        files = ", ".join(f"{stem}.{ending}" for ending in formats)
        ends = [score.get(key) for key in ("low", "high", "observed")]
        listed.append([area["area_id"], area["name"], area["people"], mean.get("mean"), *ends, files])
    text = city.language
    columns = [
        Column(say(text, "community_id")),
        Column(say(text, "community"), width=2),
        Column(say(text, "area_people"), "people"),
        Column(say(text, "mean"), "share"),
        *(Column(say(text, key), "score") for key in ("low", "high", "observed")),
        Column(say(text, "pdf"), width=3),
    ]
    title = say(text, "sheets_index")
    table = Table(title, columns, listed, sheet=title, number=1)
    banner = say(text, "banner") if city.is_synthetic else ""
    return Document(title, city.name, text, blocks=[table], banner=banner)
