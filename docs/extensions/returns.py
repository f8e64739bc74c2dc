"""`Returns:` in our docstrings is prose: napoleon would take what stands before its first colon for a type."""

from __future__ import annotations

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

_BEFORE_NAPOLEON = 400


def as_prose(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Put an empty type before the text."""
    for place, line in enumerate(lines[:-1]):
        if line.strip() == "Returns:":
            text = lines[place + 1]
            indent = len(text) - len(text.lstrip())
            lines[place + 1] = f"{text[:indent]}: {text[indent:]}"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Go before napoleon."""
    app.connect("autodoc-process-docstring", as_prose, priority=_BEFORE_NAPOLEON)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
