"""The directive `faults`: every text that the engine can say of an input, read out of the engine's own sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

MODEL = Path(__file__).resolve().parents[2] / "engine/src/model"

# Each file tells of one kind of input; the order is that of the page.
KINDS = {
    "problem.rs": "Files, tables and values",
    "facility_fault.rs": "Facilities and their ledger",
    "population_fault.rs": "People",
    "area_fault.rs": "Areas",
    "edit_fault.rs": "Edits of scenarios",
    "siting_fault.rs": "Choices of sites",
    "gate.rs": "Gates of the nightly refresh",
}

# A name of a fault, the arrow after it, a text of Rust, or where the next function begins.
TOKEN = re.compile(r'Self::(?P<name>[A-Z]\w+)|(?P<arrow>=>)|"(?P<text>(?:[^"\\]|\\.)*)"', re.DOTALL)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
LATIN = re.compile(r"[A-Za-z]")


@dataclass
class Fault:
    """One fault: its code, what is wrong and what to do, each in several wordings of two languages."""

    code: str
    what: list[str] = field(default_factory=list)
    fix: list[str] = field(default_factory=list)


def faults(file: str) -> list[Fault]:
    """Every fault of a file of `engine/src/model`, in the order of its codes."""
    source = (MODEL / file).read_text("utf-8")
    gates = re.search(r"const GATES:.*?=\s*\[(.*?)\];", source, re.DOTALL)
    found: dict[str, Fault] = {}
    for name, texts in arms(source, "gate" if gates else "code"):
        if texts:
            found[name] = Fault(texts[0])
    if gates:
        names = re.findall(r'"(\w+)"', gates[1])
        for name, number in re.findall(r"Self::(\w+) \{ \.\. \}[^,]*?=> GATES\[(\d)\]", source):
            found[name] = Fault(names[int(number)])
        found.setdefault("OlderInput", Fault(names[-1]))
    for name, texts in arms(source, "what"):
        if name in found:
            found[name].what += texts
    for name, texts in arms(source, "fix"):
        if name in found:
            found[name].fix += texts
    for fault in found.values():
        if not any(map(is_chinese, fault.what)):  # a function of its own makes the text
            fault.what = texts_of(source, fault.code)
        fault.fix = fault.fix or (texts_of(source, "fix") if gates else [])  # one way out for all gates
    return list(found.values())


def texts_of(source: str, function: str) -> list[str]:
    """Every text in a function."""
    body = re.search(rf"fn {function}\(.*?\n( *)}}\n", source, re.DOTALL)
    return [plain(token["text"]) for token in TOKEN.finditer(body[0] if body else "") if token["text"]]


def arms(source: str, function: str) -> Iterator[tuple[str, list[str]]]:
    """Of every arm of a function's `match`: each name that it is of, and the texts that it gives."""
    body = re.search(rf"fn {function}\(.*?\n    }}\n", source, re.DOTALL)
    names: list[str] = []
    texts: list[str] = []
    begun = False  # whether an arrow was seen since the last name
    for token in TOKEN.finditer(body[0] if body else ""):
        if token["name"]:
            if begun:
                yield from ((name, texts) for name in names)
                names, texts, begun = [], [], False
            names.append(token["name"])
        elif token["arrow"]:
            begun = True
        elif token["text"] and begun:
            texts.append(plain(token["text"]))
    yield from ((name, texts) for name in names)


def plain(text: str) -> str:
    """A text of Rust as it is read: lines joined, and `…` where a value stands."""
    text = re.sub(r"\\\n\s*", "", text).replace('\\"', '"')
    return re.sub(r"\{[^}]*\}", "…", text)


def wordings(texts: list[str], *, chinese: bool) -> list[str]:
    """The sentences among the texts, in one language; what only fills a gap of one is left out."""
    return [text for text in texts if is_chinese(text) == chinese and len(text) > (2 if chinese else 5)]


def is_chinese(text: str) -> bool:
    """Whether a text is Chinese; each language may quote words of the other."""
    first = re.search(r"[A-Za-z\u4e00-\u9fff]", text)
    begins = first is not None and bool(CHINESE.match(first[0]))
    return begins or len(CHINESE.findall(text)) > len(LATIN.findall(text))


class Faults(SphinxDirective):
    """One section for each kind of input, one entry for each fault."""

    def run(self) -> list[nodes.Node]:
        """Build the sections."""
        return [self.section(file, title) for file, title in KINDS.items()]

    def section(self, file: str, title: str) -> nodes.section:
        """The faults of one file."""
        self.env.note_dependency(str(MODEL / file))
        section = nodes.section(ids=[nodes.make_id(title)], names=[title.lower()])
        section += nodes.title(text=title)
        for fault in faults(file):
            section += entry(fault)
        return section


def entry(fault: Fault) -> nodes.definition_list:
    """A fault as a term with its texts."""
    item = nodes.definition_list_item()
    item += nodes.term("", "", nodes.literal(text=fault.code), ids=[f"fault-{fault.code.replace('_', '-')}"])
    meaning = nodes.definition()
    for chinese in (False, True):
        what, fix = (wordings(texts, chinese=chinese) for texts in (fault.what, fault.fix))
        if what:
            meaning += nodes.paragraph("", "", nodes.strong(text=" / ".join(what)), nodes.Text(told(fix, chinese)))
    item += meaning
    return nodes.definition_list("", item, classes=["fault"])


def told(fix: list[str], chinese: bool) -> str:
    """What to do, after what is wrong."""
    if not fix:
        return ""
    return ("。" if chinese else ". ") + " / ".join(fix)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make the directive known."""
    app.add_directive("faults", Faults)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
