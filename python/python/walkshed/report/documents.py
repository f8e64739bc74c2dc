"""`report`: every document that is asked for, whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, TimeoutError
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeAlias

from walkshed.language import Language, language_of
from walkshed.progress import Progress, Report, reporting
from walkshed.report.city import city_report
from walkshed.report.content import Bullets, Document, Figure, tables_of
from walkshed.report.excel import excel
from walkshed.report.facts import City
from walkshed.report.outputs import Outputs, SheetFormat, published
from walkshed.report.pdf import Typesetter, missing_letters, pdf, told_rows, typesetter
from walkshed.report.raw_tables import raw_tables
from walkshed.report.sheets import made_sheets
from walkshed.report.word import word
from walkshed.report.words import say
from walkshed.same_city import input_of, refuse_other_scenarios
from walkshed.score import Scorecard
from walkshed.study import RunResult, ScenariosResult

if TYPE_CHECKING:
    from walkshed.maps.base_map import BaseMap

PathLike: TypeAlias = "str | os.PathLike[str]"
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
    inputs: Sequence[PathLike] = (),
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
        inputs: files that the table of inputs names beside those of the run and of its scenarios, such as the survey
            and the standard of the scorecard.
        progress: None or True shows a bar after a second, False nothing, a function is called with the state.

    Returns:
        What was written: all of it, or, where any of it cannot be made or put in place, nothing.

    Raises:
        ImportError: a library is not installed: `pip install walkshed[report]`.
        ValueError: nothing is asked for, a folder for a file is missing, two paths are the same, a language or format
            that cannot be, scenarios of another study or of other files, or a scorecard of other areas than the run's.
        FileExistsError: something else than a folder of sheets stands where sheets are to go.
        KeyboardInterrupt: stopped by the user, within half a second; nothing was written.

    """
    files = {name: Path(path) for name, path in (("xlsx", xlsx), ("docx", docx), ("pdf", pdf)) if path is not None}
    outputs = Outputs(files, None if sheets is None else Path(sheets), sheets_format)
    outputs.refuse()
    read = [input_of(Path(path)) for path in inputs]
    city = City(result, language_of(language), scorecard, scenarios, base, read)
    refuse_strange(city)
    with reporting(progress) as tell:
        write(city, outputs, tell)
    return Documents(files.get("xlsx"), files.get("docx"), files.get("pdf"), outputs.sheets)


def write(city: City, outputs: Outputs, tell: Report | None, html: bytes | None = None) -> None:
    """Write documents, and a page beside them.

    Args:
        city: the run with what goes with it.
        outputs: what is asked for; it has been looked at.
        tell: is told of progress; what it raises stops the work.
        html: the page, where one is asked for.

    Raises:
        OSError: something cannot be written; all is as it was before.
        KeyboardInterrupt: stopped; the same.

    """
    documents = [name for name in outputs.files if name != "html"]
    setter = typesetter() if outputs.sheets or {"docx", "pdf"} & set(documents) else None
    made = _files(city, documents, setter, tell)
    if html is not None:
        made["html"] = html
    with ExitStack() as open_:
        put_sheets = None
        if outputs.sheets is not None:
            sheets = made_sheets(city, outputs.sheets, formats=outputs.sheets_format, tell=tell)
            put_sheets = open_.enter_context(sheets)
        with published({outputs.files[name]: contents for name, contents in made.items()}):
            if put_sheets is not None:
                put_sheets()


def refuse_strange(city: City) -> None:
    """Keep apart what does not belong together.

    Args:
        city: a run with what goes with it.

    Raises:
        ValueError: scenarios of another study or of other files, or a scorecard of other areas.

    """
    if city.scenarios is not None:
        refuse_other_scenarios(city.result, city.scenarios)
    if city.scorecard is not None:
        _refuse_other_areas(city, city.scorecard)


def _refuse_other_areas(city: City, card: Scorecard) -> None:
    known = set(city.areas["area_id"])
    other = [area_id for area_id in card.totals["area_id"] if area_id not in known]
    if other:
        raise ValueError(
            f"scorecard: the area {other[0]!r} is not one of the run's; score the same run (walkshed score)"
        )


def _files(city: City, files: Sequence[str], setter: Typesetter | None, tell: Report | None) -> dict[str, bytes]:
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
