"""Documents for Word: real headings, tables and captions that an institute edits further."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from walkshed.report.content import (
    Beside,
    Block,
    Bullets,
    Document,
    Figure,
    Formula,
    Heading,
    PageBreak,
    Paragraph,
    Table,
    is_number,
)
from walkshed.report.excel import NO_DAY, clean
from walkshed.report.pdf import Typesetter, caption, note, png, told_rows
from walkshed.report.words import say

#: Faces that every Chinese office has; Latin beside them.
_BODY, _HEADS, _LATIN = "宋体", "黑体", "Times New Roman"
_PAGE_CM = (21.0, 29.7)
_MARGIN_CM, _SMALL_MARGIN_CM = 2.4, 1.5
#: A table of so many rows stays on one page.
_SHORT_ROWS = 16
_QUIET, _WARN, _ACCENT = "5A6570", "A63603", "1B4F72"


def word(document: Document, setter: Typesetter) -> bytes:
    """Write a document for Word.

    Args:
        document: what it says.
        setter: draws the pictures, as of `typesetter`.

    Returns:
        The file; the same for the same document.

    Raises:
        ImportError: python-docx is not installed.

    """
    try:
        docx = import_module("docx")
    except ImportError as error:
        raise ImportError("a Word document needs python-docx: pip install walkshed[report]") from error
    file = docx.Document()
    writing = _Writing(file, document, setter)
    writing.styles()
    writing.page()
    writing.opening()
    for block in document.blocks:
        writing.block(block)
    properties = file.core_properties
    properties.title, properties.subject = clean(document.title), clean(document.subtitle)
    properties.author = properties.last_modified_by = "walkshed"
    properties.created = properties.modified = NO_DAY
    properties.revision = 1
    kept = io.BytesIO()
    file.save(kept)
    return _undated(kept.getvalue())


def _undated(file: bytes) -> bytes:
    """The same archive with the same date for all its parts, whenever it is written."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as read, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as written:
        for name in read.namelist():
            part = zipfile.ZipInfo(name, NO_DAY.timetuple()[:6])
            part.compress_type = zipfile.ZIP_DEFLATED
            written.writestr(part, read.read(name))
    return kept.getvalue()


class _Writing:
    """A document that is being written."""

    def __init__(self, file: Any, document: Document, setter: Typesetter) -> None:
        self._file, self._document, self._setter = file, document, setter
        self._page_ended = False
        self._margin_cm = _MARGIN_CM if document.cover else _SMALL_MARGIN_CM
        self._width_cm = _PAGE_CM[0] - 2 * self._margin_cm

    def styles(self) -> None:
        """Chinese faces for every style that is used: Word asks for them by a name of their own."""
        from docx.oxml.ns import qn
        from docx.shared import Pt, RGBColor

        faces = {
            "Normal": (_BODY, 10.5 if self._document.cover else 9, None),
            "Title": (_HEADS, 24, _ACCENT),
            "Heading 1": (_HEADS, 16, _ACCENT),
            "Heading 2": (_HEADS, 13, _ACCENT),
            "Caption": (_HEADS, 9, "1F2A33"),
            "List Bullet": (_BODY, 10.5, None),
        }
        for name, (face, size, colour) in faces.items():
            style = self._file.styles[name]
            style.font.name, style.font.size = _LATIN, Pt(size)
            fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
            for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
                fonts.attrib.pop(qn(theme), None)
            fonts.set(qn("w:eastAsia"), face)
            style.font.bold = False
            style.font.italic = False
            if colour:
                style.font.color.rgb = RGBColor.from_string(colour)

    def page(self) -> None:
        """Paper, margins, and a footer with the page's number."""
        from docx.shared import Cm

        section = self._file.sections[0]
        section.page_width, section.page_height = Cm(_PAGE_CM[0]), Cm(_PAGE_CM[1])
        section.left_margin = section.right_margin = Cm(self._margin_cm)
        section.top_margin, section.bottom_margin = Cm(self._margin_cm), Cm(2.0)
        if self._document.banner:
            self._run(section.header.paragraphs[0], self._document.banner, size=8, colour=_WARN)
        below = section.footer.paragraphs[0]
        before, between, after = say(self._document.language, "page", page="\0", pages="\0").split("\0")
        self._run(below, f"{self._document.footer}    {before}", size=8, colour=_QUIET)
        _field(below, "PAGE")
        self._run(below, between, size=8, colour=_QUIET)
        _field(below, "NUMPAGES")
        self._run(below, after, size=8, colour=_QUIET)

    def opening(self) -> None:
        """The title page, or the head of a sheet."""
        from docx.shared import Cm

        document = self._document
        title = self._file.add_paragraph(clean(document.title), style="Title")
        if document.cover:
            title.paragraph_format.space_before = Cm(4)
        self._run(self._file.add_paragraph(), document.subtitle, size=16, colour=_QUIET)
        if document.banner:
            self._run(self._file.add_paragraph(), document.banner, colour=_WARN)
        table = self._file.add_table(rows=0, cols=2)
        for label, value in document.facts:
            cells = table.add_row().cells
            cells[0].text, cells[1].text = clean(label), clean(value) or "＿＿＿＿＿＿＿＿"
        if document.cover:
            self._file.add_page_break()
            self._page_ended = True
            self._run(self._file.add_paragraph(), say(document.language, "contents"), size=16, colour=_ACCENT)
            headings = [(block.level, block.text) for block in document.blocks if isinstance(block, Heading)]
            _contents(self._file.add_paragraph(), headings)

    def block(self, block: Block) -> None:
        """Write a block at the end."""
        match block:
            case Heading(text, level):
                heading = self._file.add_heading(clean(text), level)
                heading.paragraph_format.page_break_before = self._page_ended
                self._page_ended = False
            case Paragraph(text, quiet):
                self._run(self._file.add_paragraph(), text, size=9 if quiet else None, colour=_QUIET if quiet else None)
            case Bullets(items):
                for item in items:
                    self._file.add_paragraph(clean(item), style="List Bullet")
            case Formula(text):
                self._run(self._file.add_paragraph(), text)
            case Table():
                self._table(block)
            case Figure():
                self._figure(block)
            case Beside(figure, table):
                self._figure(figure)
                self._table(table)
            case PageBreak():
                self._page_ended = True

    def _run(self, paragraph: Any, text: str, *, size: float | None = None, colour: str | None = None) -> None:
        from docx.shared import Pt, RGBColor

        run = paragraph.add_run(clean(text))
        if size is not None:
            run.font.size = Pt(size)
        if colour is not None:
            run.font.color.rgb = RGBColor.from_string(colour)

    def _caption(self, block: Table | Figure, *, keep: bool) -> None:
        told = caption(block, self._document)
        if told:
            paragraph = self._file.add_paragraph(clean(told), style="Caption")
            paragraph.alignment = 1
            paragraph.paragraph_format.keep_with_next = keep

    def _note(self, told: str) -> None:
        if told:
            self._run(self._file.add_paragraph(), told, size=8, colour=_QUIET)

    def _figure(self, figure: Figure) -> None:
        from docx.shared import Cm

        picture = io.BytesIO(png(figure.svg, self._setter))
        paragraph = self._file.add_paragraph()
        paragraph.alignment = 1
        paragraph.paragraph_format.keep_with_next = True
        shape = paragraph.add_run().add_picture(picture, width=Cm(self._width_cm * figure.width))
        shape._inline.docPr.set("descr", clean(figure.caption))
        self._caption(figure, keep=bool(figure.note))
        self._note(figure.note)

    def _table(self, table: Table) -> None:
        self._caption(table, keep=True)
        self._file.element.body.insert(-1, _table(table, self._width_cm))
        self._note(note(table, self._document))
        if not table.note:
            self._file.add_paragraph()


def _table(table: Table, width_cm: float) -> Any:
    """A table as XML: python-docx takes a second for a thousand cells."""
    from docx.oxml.parser import parse_xml

    total = sum(column.width for column in table.columns)
    widths = [round(width_cm * column.width / total * 567) for column in table.columns]  # twentieths of a point
    sides = ["right" if is_number(column.kind) else "left" for column in table.columns]
    head = "".join(
        _cell(column.heading, width, side, face=_HEADS, fill="EEF3F6")
        for column, width, side in zip(table.columns, widths, sides, strict=True)
    )
    rows = [f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{head}</w:tr>"]
    told = told_rows(table)
    keep = len(told) <= _SHORT_ROWS
    for values in told:
        cells = "".join(_cell(*cell, keep=keep) for cell in zip(values, widths, sides, strict=True))
        rows.append(f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{cells}</w:tr>")
    edges = "".join(
        f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="{colour}"/>'
        for side, size, colour in (("top", 8, _ACCENT), ("bottom", 6, _ACCENT), ("insideH", 4, "C3CAD0"))
    )
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return parse_xml(
        f'<w:tbl xmlns:w="{_W}"><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/>'
        f'<w:tblBorders>{edges}</w:tblBorders><w:tblLayout w:type="fixed"/></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def _cell(text: str, width: int, side: str, *, face: str = _BODY, fill: str = "", keep: bool = True) -> str:
    from xml.sax.saxutils import escape

    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>' if fill else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}<w:vAlign w:val="center"/></w:tcPr>'
        f'<w:p><w:pPr>{"<w:keepNext/>" if keep else ""}<w:spacing w:before="20" w:after="20"/>'
        f'<w:jc w:val="{side}"/></w:pPr><w:r><w:rPr>'
        f'<w:rFonts w:ascii="{_LATIN}" w:hAnsi="{_LATIN}" w:eastAsia="{face}"/><w:sz w:val="17"/></w:rPr>'
        f'<w:t xml:space="preserve">{escape(clean(text))}</w:t></w:r></w:p></w:tc>'
    )


def _field(paragraph: Any, instruction: str) -> None:
    """A field that Word fills, as the number of the page."""
    from docx.oxml.parser import parse_xml

    field = (
        f'<w:fldSimple xmlns:w="{_W}" w:instr="{instruction}"><w:r><w:rPr><w:sz w:val="16"/></w:rPr>'
        f"<w:t>1</w:t></w:r></w:fldSimple>"
    )
    paragraph._p.append(parse_xml(field))


def _contents(paragraph: Any, headings: Sequence[tuple[int, str]]) -> None:
    """A table of contents: headings alone, until Word puts in their pages when it is asked to."""
    from xml.sax.saxutils import escape

    from docx.oxml.parser import parse_xml

    lines = "<w:br/>".join(
        f'<w:t xml:space="preserve">{"　　" * (level - 1)}{escape(clean(text))}</w:t>' for level, text in headings
    )
    field = (
        f'<w:fldSimple xmlns:w="{_W}" w:instr="TOC \\o &quot;1-2&quot; \\h \\z" w:dirty="true">'
        f"<w:r>{lines}</w:r></w:fldSimple>"
    )
    paragraph._p.append(parse_xml(field))
