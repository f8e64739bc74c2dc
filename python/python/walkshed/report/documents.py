"""`report`: every document that is asked for, whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Literal, TypeAlias

from walkshed.language import Language, language_of
from walkshed.progress import Progress, Report, reporting
from walkshed.report.city import city_report
from walkshed.report.content import Bullets, Document, Figure, tables_of
from walkshed.report.excel import excel
from walkshed.report.facts import City
from walkshed.report.pdf import Typesetter, missing_letters, pdf, told_rows, typesetter
from walkshed.report.raw_tables import raw_tables
from walkshed.report.sheets import refuse_strangers, write_sheets
from walkshed.report.word import word
from walkshed.report.words import say
from walkshed.score import Scorecard
from walkshed.study import RunResult, ScenariosResult

if TYPE_CHECKING:
    from walkshed.maps.base_map import BaseMap

PathLike: TypeAlias = "str | os.PathLike[str]"
SheetFormat: TypeAlias = Literal["pdf", "docx"]
#: So often it is looked whether Ctrl-C was pressed.
_LOOK_S = 0.1


@dataclass(frozen=True)
class Documents:
    """What has been written; None for what was not asked for.

    Attributes:
        xlsx: the workbook.
        docx: the report for Word.
        pdf: the report as PDF.
        sheets: the folder of sheets, one for each community.

    """

    xlsx: Path | None = None
    docx: Path | None = None
    pdf: Path | None = None
    sheets: Path | None = None


def report(
    result: RunResult,
    *,
    scenarios: ScenariosResult | None = None,
    scorecard: Scorecard | None = None,
    base: BaseMap | None = None,
    language: Language = "zh",
    xlsx: PathLike | None = None,
    docx: PathLike | None = None,
    pdf: PathLike | None = None,
    sheets: PathLike | None = None,
    sheets_format: tuple[SheetFormat, ...] = ("pdf",),
    progress: Progress = None,
) -> Documents:
    """Write the documents of a run.

    The same inputs give the same bytes: no clock stands in any of the files.

    Args:
        result: the run.
        scenarios: scenarios of the same study, for a chapter about them.
        scorecard: of its communities, for the chapters about it.
        base: streets and water of maps, as of `walkshed.maps.base_map.of_run`; None draws none.
        language: "zh" or "en".
        xlsx: where a workbook with all tables goes.
        docx: where the city report goes, for Word.
        pdf: where the same goes as PDF.
        sheets: folder for a sheet of each community and an index of them; an earlier folder of sheets is replaced, any
            other is refused.
        sheets_format: "pdf", "docx" or both, for each sheet.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        What was written. Each file appears whole or not at all, and none of them where one cannot be made.

    Raises:
        ImportError: a library is not installed: `pip install walkshed[report]`.
        ValueError: nothing is asked for, a folder for a file is missing, two paths are the same, a language or format
            that cannot be, or a scorecard of other areas than the run's.
        FileExistsError: something else than a folder of sheets stands where sheets are to go.
        KeyboardInterrupt: stopped by the user, within half a second; nothing was written.

    """
    files = {name: Path(path) for name, path in (("xlsx", xlsx), ("docx", docx), ("pdf", pdf)) if path is not None}
    folder = None if sheets is None else Path(sheets)
    city = City(result, language_of(language), scorecard, scenarios, base)
    _refuse(city, files, folder, sheets_format)
    setter = typesetter() if folder or {"docx", "pdf"} & set(files) else None
    with reporting(progress) as tell:
        made = _files(city, files, setter, tell)
        if folder is not None:
            write_sheets(city, folder, formats=sheets_format, tell=tell)
        _publish(made, files)
    return Documents(files.get("xlsx"), files.get("docx"), files.get("pdf"), folder)


def _refuse(city: City, files: dict[str, Path], folder: Path | None, formats: tuple[SheetFormat, ...]) -> None:
    """Tell what is wrong before anything is computed."""
    targets = [*files.values(), *([] if folder is None else [folder])]
    if not targets:
        raise ValueError("nothing to write: give xlsx, docx, pdf or sheets")
    if len({path.resolve() for path in targets}) < len(targets):
        raise ValueError(f"two documents at one path: {', '.join(map(str, targets))}; give each its own")
    for path in targets:
        if not path.resolve().parent.is_dir():
            raise ValueError(f"{path}: the folder {path.parent} is not there; make it first")
    for path in files.values():
        if path.is_dir():
            raise ValueError(f"{path}: is a folder; give the path of a file")
    if not formats or set(formats) - {"pdf", "docx"}:
        raise ValueError(f'sheets_format {formats}: use ("pdf",), ("docx",) or both')
    if folder is not None:
        refuse_strangers(folder)
    if city.scorecard is not None:
        _refuse_other_areas(city, city.scorecard)


def _refuse_other_areas(city: City, card: Scorecard) -> None:
    known = set(city.areas["area_id"])
    other = [area_id for area_id in card.totals["area_id"] if area_id not in known]
    if other:
        raise ValueError(
            f"scorecard: the area {other[0]!r} is not one of the run's; score the same run (walkshed score)"
        )


def _files(city: City, files: dict[str, Path], setter: Typesetter | None, tell: Report | None) -> dict[str, bytes]:
    """All files in memory, in the order of their names."""
    if not files:
        return {}
    document = city_report(city)
    made: dict[str, bytes] = {}
    for place, name in enumerate(files):
        _told(tell, f"report {name}", place, len(files))
        if name == "xlsx":
            made[name] = excel(document, raw_tables(city), step=_step(tell, place, len(files)))
        elif setter is not None:
            made[name] = word(document, setter) if name == "docx" else _aside(pdf, _with_missing(document), setter)
    return made


def _aside(work: Callable[[Document, Typesetter], bytes], document: Document, setter: Typesetter) -> bytes:
    """Do long work of a library that hears no Ctrl-C on a thread, which is left to itself when one comes."""
    done: Future[bytes] = Future()

    def run() -> None:
        try:
            done.set_result(work(document, setter))
        except BaseException as error:
            done.set_exception(error)

    Thread(target=run, daemon=True, name="walkshed-report").start()
    while True:
        with contextlib.suppress(TimeoutError):
            return done.result(timeout=_LOOK_S)


def _told(tell: Report | None, stage: str, done: int, total: int) -> None:
    if tell is not None:
        tell(stage, done, total)


def _step(tell: Report | None, done: int, total: int) -> Callable[[], object]:
    return lambda: _told(tell, "report xlsx", done, total)


def _with_missing(document: Document) -> Document:
    """The document with a note of the characters that the bundled font lacks, where there are any."""
    lacking = missing_letters(_texts(document))
    if not lacking:
        return document
    codes = ", ".join(f"U+{ord(letter):04X}" for letter in lacking)
    note = Bullets([say(document.language, "limit_missing_glyphs", codes=codes)])
    return replace(document, blocks=(*document.blocks, note))


def _texts(document: Document) -> list[str]:
    """Texts that come from data."""
    texts = [document.title, document.subtitle, *(value for _, value in document.facts)]
    texts += [block.caption for block in document.blocks if isinstance(block, Figure)]
    for table in tables_of(document):
        texts += [cell for row in told_rows(table) for cell in row]
    return texts


def _publish(made: dict[str, bytes], files: dict[str, Path]) -> None:
    """Put all files in place: written beside first, so that a full disk leaves none of them."""
    beside = {name: path.with_name(f".{path.name}.partial") for name, path in files.items()}
    try:
        for name, contents in made.items():
            beside[name].write_bytes(contents)
        for name in made:
            os.replace(beside[name], files[name])
    finally:
        for path in beside.values():
            path.unlink(missing_ok=True)
