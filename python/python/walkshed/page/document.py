"""The one file: its parts put together, and a policy that lets nothing else run or load."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from walkshed.language import Language
from walkshed.page.block import packed_text

HERE = Path(__file__).parent
DECK, H3 = "deck.gl-9.4.0.min.js", "h3-js-4.5.0.umd.js"
_APP = (
    "words.js",
    "read.js",
    "plane.js",
    "draw.js",
    "gestures.js",
    "search.js",
    "frame.js",
    "city.js",
    "paint.js",
    "evidence.js",
    "city_page.js",
    "table_page.js",
    "start.js",
)


def document(blocks: Mapping[str, str], *, title: str, credit: str, language: Language, version: str) -> str:
    """Put the page together.

    Args:
        blocks: id → text of each block of data.
        title: of the page, as it is; it is escaped here.
        credit: line about the sources, as it is; it is escaped here.
        language: that the page opens in.
        version: of walkshed.

    Returns:
        HTML.

    """
    script, style = _script(), _read("app/app.css")
    libraries = {"library-h3": _packed(H3), "library-deck": _packed(DECK)}
    parts = {
        "version": html.escape(version),
        "lang": "zh-CN" if language == "zh" else "en",
        "policy": _policy([script, _read(f"vendor/{H3}"), _read(f"vendor/{DECK}")], style),
        "title": html.escape(title),
        "credit": html.escape(credit),
        "style": style,
        "script": script,
        "blocks": "\n".join(
            f'<script type="application/octet-stream" id="{name}">{text}</script>'
            for name, text in {**libraries, **blocks}.items()
        ),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _read("page.html"))


def words() -> dict[str, list[str]]:
    """Every word of the page, Chinese and English."""
    read: dict[str, list[str]] = json.loads(_read("words.json"))
    return read


def licences() -> list[dict[str, str]]:
    """Names and texts of the licences of the libraries inside."""
    apache = _read("vendor/h3-js-NOTICE.txt") + "\n\n" + _read("vendor/h3-js-LICENSE.txt")
    return [
        {"name": "deck.gl 9.4.0 (MIT)", "text": _read("vendor/deck.gl-LICENSE.txt")},
        {"name": "h3-js 4.5.0 (Apache-2.0)", "text": apache},
    ]


def _policy(scripts: list[str], style: str) -> str:
    """Nothing is fetched; of scripts and styles those run whose hashes stand here, wherever they come from."""
    allowed = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


@lru_cache
def _read(name: str) -> str:
    return (HERE / name).read_bytes().decode("utf-8")


@lru_cache
def _script() -> str:
    return '"use strict";\n' + "\n".join(_read(f"app/{name}") for name in _APP)


@lru_cache
def _packed(library: str) -> str:
    return packed_text(_read(f"vendor/{library}").encode("utf-8"))
