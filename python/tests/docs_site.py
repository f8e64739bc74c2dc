"""The site of documentation, built once for all tests that look at it."""

from __future__ import annotations

import subprocess
import sys
import zlib
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


@dataclass(frozen=True)
class Site:
    """A built site.

    Attributes:
        folder: its pages.
        notebooks: the notebooks as they ran, with their outputs.
        returncode: what the builder ended with.
        told: what it said; nothing when all is well.

    """

    folder: Path
    notebooks: Path
    returncode: int
    told: str

    def pages(self) -> list[Path]:
        """Every page."""
        return sorted(self.folder.rglob("*.html"))

    def entries(self) -> set[str]:
        """Every name of Python that has an entry in the reference."""
        inventory = (self.folder / "objects.inv").read_bytes().split(b"\n", 4)[4]
        lines = (line.split() for line in zlib.decompress(inventory).decode("utf-8").splitlines())
        return {line[0] for line in lines if line[1].startswith("py:")}


def build(folder: Path) -> Site:
    """Build the site as `make docs` does: notebooks run, a warning is a failure."""
    arguments = ["-q", "-W", "--keep-going", "-c", str(DOCS), "-b", "html", str(ROOT), str(folder / "html")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    notebooks = folder / "jupyter_execute" / "notebooks"
    return Site(folder / "html", notebooks, done.returncode, done.stdout + done.stderr)


@dataclass
class Page(HTMLParser):
    """What a page names: links, what it loads, and where links may lead to."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin."""
        super().__init__()

    @classmethod
    def read(cls, path: Path) -> Page:
        """A page of the site."""
        page = cls()
        page.feed(path.read_text("utf-8"))
        return page

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note what the element names."""
        given = {name: value or "" for name, value in attributes}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a":
            self.links += [given["href"]] if "href" in given else []
        elif tag == "link":
            # Only these are fetched; the others say where a page belongs.
            fetched = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "shortcut"}
            self.loads += [given["href"]] if fetched & set(given.get("rel", "").split()) else []
        else:
            self.loads += [given[name] for name in ("src", "data", "poster", "srcset") if name in given]
