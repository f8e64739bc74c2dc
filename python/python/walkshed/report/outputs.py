"""Where documents go: looked at before anything is computed, and put in place together or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

from walkshed.report.sheets import refuse_strangers

SheetFormat: TypeAlias = Literal["pdf", "docx"]

#: What each output is made with: the module, and what it is called where it is installed from.
_MADE_WITH = {
    "html": [],
    "xlsx": [("xlsxwriter", "XlsxWriter")],
    "docx": [("docx", "python-docx"), ("typst", "typst")],
    "pdf": [("typst", "typst")],
    "sheets": [("typst", "typst"), ("xlsxwriter", "XlsxWriter")],
}


@dataclass(frozen=True)
class Outputs:
    """What is asked for.

    Attributes:
        files: paths by what is written there: html, xlsx, docx, pdf.
        sheets: folder for sheets; None for none.
        sheets_format: of each sheet.

    """

    files: Mapping[str, Path]
    sheets: Path | None = None
    sheets_format: Sequence[SheetFormat] = ("pdf",)

    def refuse(self) -> None:
        """Tell what is wrong with them before anything is computed.

        Raises:
            ImportError: a library that writes one of them is not installed.
            ValueError: there are none, a folder is missing or stands where a file is to go, two are at one path, or a
                format that cannot be.
            FileExistsError: something else than sheets stands where sheets are to go.

        """
        folders = {} if self.sheets is None else {"sheets": self.sheets}
        targets = {**self.files, **folders}
        if not targets:
            raise ValueError("nothing to write: give xlsx, docx, pdf or sheets")
        _refuse_same(targets)
        for path in targets.values():
            if not path.resolve().parent.is_dir():
                raise ValueError(f"{path}: the folder {path.parent} is not there; make it first")
        for path in self.files.values():
            if path.is_dir():
                raise ValueError(f"{path}: is a folder; give the path of a file")
        if not self.sheets_format or set(self.sheets_format) - {"pdf", "docx"}:
            raise ValueError(f'sheets_format {self.sheets_format}: use ("pdf",), ("docx",) or both')
        if self.sheets is not None:
            refuse_strangers(self.sheets)
        _refuse_missing([*targets, *(self.sheets_format if self.sheets is not None else ())])


def _refuse_same(targets: Mapping[str, Path]) -> None:
    """Two paths are the same where a file system would say so that tells no case apart, as that of Windows."""
    seen: dict[str, Path] = {}
    for path in targets.values():
        other = seen.setdefault(str(path.resolve()).casefold(), path)
        if other is not path:
            raise ValueError(f"two documents at one path: {other}, {path}; give each its own")


def _refuse_missing(kinds: Sequence[str]) -> None:
    for kind in kinds:
        for module, package in _MADE_WITH[kind]:
            if find_spec(module) is None:
                raise ImportError(f"{kind} needs {package}, which is not installed: pip install walkshed[report]")


@contextmanager
def published(made: Mapping[Path, bytes]) -> Generator[None]:
    """Put files in place, written beside first; what stood there comes back where anything fails before the end.

    Args:
        made: contents by path.

    Yields:
        With all of them in place.

    Raises:
        OSError: one cannot be written; none of them was.

    """
    partial = {path: path.with_name(f".{path.name}.partial") for path in made}
    earlier = {path: path.with_name(f".{path.name}.earlier") for path in made if path.exists()}
    placed: list[Path] = []
    try:
        for path, contents in made.items():
            partial[path].write_bytes(contents)
        for path, kept in earlier.items():
            shutil.copy2(path, kept)
        for path in made:
            os.replace(partial[path], path)
            placed.append(path)
        yield
    except BaseException:
        for path in placed:
            # What cannot be put back stays beside.
            if path in earlier:
                os.replace(earlier.pop(path), path)
            else:
                path.unlink()
        raise
    finally:
        for path in (*partial.values(), *earlier.values()):
            path.unlink(missing_ok=True)
