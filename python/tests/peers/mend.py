"""The extract as Valhalla needs it to see the ways that OSRM and we see; written anew, for its comparison only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import osmium
from extract import Extract
from osmium.osm import mutable

# The second and later pieces of a way that is cut get ids beyond all real ones of 2026, still within 32 bits.
PIECE = 2_000_000_000


def mend(extract: Extract, path: Path) -> Path:
    """Cut ways where the extract lacks a node, take areas for their outlines and platforms of trains for platforms.

    Valhalla leaves out a way that lacks any node, every walkable area, and `railway=platform`.
    """
    pieces: list[mutable.Way] = []
    with osmium.SimpleWriter(str(path)) as writer:
        for thing in osmium.FileProcessor(str(extract.path)):
            if thing.is_way():
                tags = _tags(dict(thing.tags))
                runs = _runs(extract, [node.ref for node in thing.nodes])
                cut = [mutable.Way(id=thing.id + n * PIECE, nodes=nodes, tags=tags) for n, nodes in enumerate(runs)]
                pieces += cut[1:]
                for way in cut[:1]:
                    writer.add_way(way)
                continue
            # Valhalla wants ids in order, and ways before relations.
            if thing.is_relation() and pieces:
                _add_sorted(writer, pieces)
            writer.add(thing)
        _add_sorted(writer, pieces)
    return path


def real_id(id: int) -> int:
    """The way that a piece was cut from."""
    return id % PIECE


def _add_sorted(writer: osmium.SimpleWriter, pieces: list[mutable.Way]) -> None:
    for way in sorted(pieces, key=lambda way: way.id):
        writer.add_way(way)
    pieces.clear()


def _runs(extract: Extract, nodes: list[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for node in [*nodes, 0]:
        if node in extract.places:
            run.append(node)
            continue
        if len(run) > 1:
            yield run
        run = []


def _tags(tags: dict[str, str]) -> dict[str, str]:
    if tags.get("railway") == "platform":
        tags = {key: value for key, value in tags.items() if key != "railway"} | {"highway": "platform"}
    if "highway" in tags:
        tags.pop("area", None)
    return tags
