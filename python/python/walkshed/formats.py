"""Files that the engine does not read by itself: shapefiles, GeoPackage, FlatGeobuf, workbooks, files in the network.

Each becomes columns under the file's own name, which the engine checks like any other table. Why these libraries, and
the caps: docs/design/2026-11-formats.md.
"""

from __future__ import annotations

import codecs
import hashlib
import importlib
import os
import tempfile
import urllib.parse
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from walkshed import _engine, archive, workbook
from walkshed.refused import Refused

VECTOR = (".shp", ".gpkg", ".fgb")
WORKBOOK = (".xlsx", ".xlsm")
ENDINGS = (*VECTOR, *WORKBOOK, ".zip")
"""Endings of the files that are read here."""

_STEP = 1 << 20


class EncodingWarning(UserWarning):
    """Nothing states the encoding of a file's text; it was read in the one that its bytes point to."""


def read_table(
    path: str | os.PathLike[str], *, layer: str | None = None, encoding: str | None = None
) -> _engine.FileTable:
    """Read one table of a file, where a path alone does not say which, or how.

    Every function that takes a table also takes a path; this is for files that hold several tables, and for text whose
    encoding you know better than the file.

    Args:
        path: any format that walkshed reads: Parquet, GeoParquet, CSV, GeoJSON; with `walkshed[formats]` shapefiles
            (also in a .zip, which is never unpacked to disk), GeoPackage, FlatGeobuf and workbooks (.xlsx). Addresses
            (`file://`, `s3://`) are fetched through pyarrow or fsspec.
        layer: layer of a GeoPackage, sheet of a workbook, name of a shapefile in an archive; None for the only one.
        encoding: of the attribute table of a shapefile, such as "GB18030"; None for what its .cpg states, else what the
            bytes can only be.

    Returns:
        A table for every function that takes one.

    Raises:
        ValueError: an encoding for a file that states its own.
        InputError: the file is missing, something else, damaged, or holds several tables and `layer` names none.

    Warns:
        EncodingWarning: nothing states the encoding of its text.

    """
    try:
        table = read(os.fspath(path), layer, encoding)
    except Refused as refused:
        raise refused.error() from refused
    for note, _ in table.notes():
        warnings.warn(note, EncodingWarning, stacklevel=2)
    return table


def is_foreign(path: str) -> bool:
    """Whether a path is read here and not by the engine."""
    return is_remote(path) or local(path).lower().endswith(ENDINGS)


def is_remote(path: str) -> bool:
    """Whether a path is an address in the network."""
    return "://" in path and not path.startswith("file://")


def local(path: str) -> str:
    """Give the path that a `file://` address means; any other as it is."""
    if not path.startswith("file://"):
        return path
    return urllib.parse.unquote(path.removeprefix("file://").removeprefix("localhost"))


def read(path: str, layer: str | None = None, encoding: str | None = None) -> _engine.FileTable:
    """Read a table, wherever the file lies.

    Raises:
        Refused: why not.

    """
    if is_remote(path):
        with fetched(path) as copy:
            return _read_local(copy, path.rsplit("/", 1)[-1], layer, encoding)
    return _read_local(local(path), os.path.basename(local(path)), layer, encoding)


def _read_local(path: str, name: str, layer: str | None, encoding: str | None) -> _engine.FileTable:
    if not os.path.isfile(path):
        raise Refused.because(path, "not_found")
    ending = os.path.splitext(path)[1].lower()
    if ending == ".zip":
        contents = archive.shapefile(path, name, layer)
        return _vector(contents.archive(), name, None, _attributes(contents.parts, name, encoding), contents.parts)
    if ending == ".shp":
        parts = _parts(Path(path), name)
        return _vector(path, name, layer, _attributes(parts, name, encoding), parts)
    if encoding is not None:
        raise ValueError(f"encoding {encoding}: {name} states its own; only a shapefile may need to be told")
    if ending in WORKBOOK:
        return workbook.read(path, name, layer)
    if ending in VECTOR:
        return _vector(path, name, layer, (None, None), {})
    if layer is not None:
        raise Refused.because(name, "unknown_name", known=[], column="layer", value=layer)
    try:
        return _engine.read_file(path, name)
    except _engine.InputError as error:
        raise Refused.from_error(error) from error


def _vector(
    source: str | bytes, name: str, layer: str | None, encodings: tuple[str | None, str | None], parts: dict[str, bytes]
) -> _engine.FileTable:
    """Read features through GDAL; `encodings` are the one to read in, and the one that was guessed."""
    try:
        pyogrio: Any = importlib.import_module("pyogrio")  # has no types of its own
    except ImportError as error:
        raise Refused.because(name, "missing_library", detail="pip install walkshed[formats]") from error
    encoding, guessed = encodings
    try:
        if isinstance(source, str):
            layer = _layer(pyogrio, source, name, layer)
        with pyogrio.open_arrow(source, layer=layer, encoding=encoding, use_pyarrow=False) as (meta, stream):
            stated = meta["crs"] is not None and ("prj" in parts or not parts)
            return _engine.file_table(stream, name, crs_known=stated, encoding=guessed)
    except _engine.InputError as error:
        raise Refused.from_error(error) from error
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, RuntimeError, UnicodeError) as error:
        raise Refused.because(name, "unreadable", detail=str(error)) from error


def _layer(pyogrio: Any, path: str, name: str, wanted: str | None) -> str:
    """Choose the layer: the one named, or the only one."""
    known = [str(layer) for layer, _ in pyogrio.list_layers(path)]
    if wanted in known:
        return str(wanted)
    if wanted is None and len(known) == 1:
        return known[0]
    raise Refused.because(name, "unknown_name", known=known, column="layer", value=wanted or "")


def _parts(path: Path, name: str) -> dict[str, bytes]:
    """Read the small files beside a shapefile, and its attribute table, by their endings."""
    beside = {entry.suffix.lower(): entry for entry in path.parent.iterdir() if entry.stem == path.stem}
    for ending in (".shx", ".dbf"):
        if ending not in beside:
            raise Refused.because(name, "missing_part", detail=f"{path.stem}{ending}")
    return {ending[1:]: beside[ending].read_bytes() for ending in (".dbf", ".prj", ".cpg") if ending in beside}


def _attributes(parts: dict[str, bytes], name: str, wanted: str | None) -> tuple[str | None, str | None]:
    """Find the encoding of an attribute table: to read in, and guessed.

    What the user says, else what the .cpg states, if the bytes can be that; else what the bytes can only be; else the
    code page in the header. Esri's programs write the code of "the page of this computer" there (0x57), which says
    nothing.
    """
    stated = wanted or parts.get("cpg", b"").decode("ascii", "replace").strip() or None
    text = _text_of(parts["dbf"])
    if stated is not None:
        codec = _codec(stated)
        if codec is None or _can_be(text, codec):
            return stated, None
        raise Refused.because(name, "unknown_encoding", column=".cpg", value=stated)
    if text.isascii():
        return None, None
    if _can_be(text, "utf-8"):
        return "UTF-8", "UTF-8"
    if parts["dbf"][29] not in (0x00, 0x57):
        return None, None
    if _engine.is_gb(text):
        return "GB18030", "GB18030"
    raise Refused.because(name, "unknown_encoding")


def _text_of(table: bytes) -> bytes:
    """Give the bytes of all records: byte 8 of a dBASE header says where they begin."""
    return table[int.from_bytes(table[8:10], "little") :]


def _codec(name: str) -> str | None:
    """Give Python's name of an encoding; a bare number is a Windows code page. None when Python does not know it."""
    plain = name.lower().removeprefix("ansi ").strip()
    plain = {"936": "gb18030", "54936": "gb18030", "gbk": "gb18030", "gb2312": "gb18030"}.get(plain, plain)
    try:
        return codecs.lookup(f"cp{plain}" if plain.isdigit() else plain).name
    except LookupError:
        return None


def _can_be(text: bytes, codec: str) -> bool:
    """Whether the bytes are text of a codec; a field may end in the middle of a character, cut by its width."""
    letters = sum(byte > 0x7F for byte in text)
    return text.decode(codec, "replace").count("\ufffd") * 10 <= letters


@contextmanager
def fetched(address: str) -> Generator[str, None, None]:
    """Copy a file of the network to a temporary one, for as long as it is read.

    Raises:
        Refused: no library reads such addresses, or the other side refuses.

    """
    with tempfile.TemporaryDirectory(prefix="walkshed-") as folder:
        copy = os.path.join(folder, address.rsplit("/", 1)[-1] or "file")
        try:
            with _open_remote(address) as source, open(copy, "wb") as target:
                while block := source.read(_STEP):
                    target.write(block)
        except (OSError, ValueError, NotImplementedError) as error:
            raise Refused.because(address, "unreadable", detail=str(error)) from error
        yield copy


def _open_remote(address: str) -> Any:
    """Open an address through pyarrow, else through fsspec."""
    try:
        fs: Any = importlib.import_module("pyarrow.fs")
    except ImportError:
        pass
    else:
        try:
            system, path = fs.FileSystem.from_uri(address)
        except (ValueError, NotImplementedError):  # a scheme that pyarrow does not know
            pass
        else:
            return system.open_input_stream(path)
    try:
        fsspec: Any = importlib.import_module("fsspec")
    except ImportError as error:
        raise Refused.because(address, "missing_library", detail="pip install pyarrow (s3, gs), or fsspec") from error
    try:
        return fsspec.open(address, "rb").open()
    except ImportError as error:
        raise Refused.because(address, "missing_library", detail=str(error)) from error


def for_study(study: str) -> list[dict[str, Any]]:
    """Read the tables of a study that the engine cannot read, each with its faults.

    Raises:
        InputError: the study itself is wrong.

    """
    files = [(os.fspath(path), layer) for path, layer in _engine.study_files(study)]
    return [given(path, layer) for path, layer in files if is_foreign(path)]


def given(path: str, layer: str | None) -> dict[str, Any]:
    """Read a table to hand to the engine under its path; what is wrong with it goes along."""
    given: dict[str, Any] = {"path": path, "layer": layer, "table": None, "refusals": [], "fetched": None}
    try:
        if is_remote(path):
            with fetched(path) as copy:
                given["fetched"] = _identity(copy)
                given["table"] = _read_local(copy, path.rsplit("/", 1)[-1], layer, None)
        else:
            given["table"] = read(path, layer)
    except Refused as refused:
        given["refusals"] = refused.refusals
    return given


def _identity(path: str) -> tuple[int, str]:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_STEP):
            digest.update(block)
    return os.path.getsize(path), digest.hexdigest()
