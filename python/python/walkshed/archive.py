"""Shapefiles in a .zip: looked through before anything is read, never unpacked to disk."""

from __future__ import annotations

import io
import posixpath
import stat
import zipfile
import zlib
from dataclasses import dataclass

from walkshed.refused import Refused

MOST_MEMBERS = 1000
MOST_BYTES = 2 << 30
MOST_RATIO = 100
SMALL_BYTES = 1 << 20
"""An archive that unpacks to less harms nobody, whatever its ratio: tables of blanks pack well."""

_NESTED = (".zip", ".7z", ".rar", ".gz", ".tgz", ".bz2", ".xz", ".tar", ".zst")
_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


@dataclass(frozen=True)
class Shapefile:
    """The files of one shapefile, by their endings without the dot."""

    parts: dict[str, bytes]

    def archive(self) -> bytes:
        """Give them as an archive of nothing else, for a library that opens archives itself."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for ending, contents in self.parts.items():
                archive.writestr(f"table.{ending}", contents)
        return packed.getvalue()


def check(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse an archive that could do harm, by its list of members alone.

    Raises:
        Refused: too many members, too large, leading outside, links, encrypted, nested.

    """
    members = archive.infolist()
    unpacked, packed = sum(member.file_size for member in members), sum(member.compress_size for member in members)
    if len(members) > MOST_MEMBERS:
        raise _unsafe(name, "many_members")
    if unpacked > MOST_BYTES or (unpacked > SMALL_BYTES and unpacked > MOST_RATIO * packed):
        raise _unsafe(name, "bomb")
    for member in members:
        path = member.filename.replace("\\", "/")
        if path.startswith("/") or ":" in path or ".." in path.split("/") or stat.S_ISLNK(member.external_attr >> 16):
            raise _unsafe(name, "outside", member.filename)
        if member.flag_bits & 0x1:
            raise _unsafe(name, "encrypted", member.filename)


def shapefile(path: str, name: str, layer: str | None) -> Shapefile:
    """Take one shapefile out of an archive, into memory.

    Raises:
        Refused: the archive is none, could do harm, or holds none or several and `layer` names none of them.

    """
    try:
        with zipfile.ZipFile(path) as archive:
            check(archive, name)
            return _take(archive, name, layer)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise Refused.because(name, "unreadable", detail=str(error)) from error


def _take(archive: zipfile.ZipFile, name: str, layer: str | None) -> Shapefile:
    files = [member for member in archive.infolist() if not member.is_dir()]
    nested = next((member.filename for member in files if member.filename.lower().endswith(_NESTED)), None)
    if nested is not None:
        raise _unsafe(name, "nested", nested)
    stems = [posixpath.splitext(_name(member))[0] for member in files if _name(member).lower().endswith(".shp")]
    if not stems:
        raise _unsafe(name, "no_table")
    layers = {posixpath.basename(stem): stem for stem in stems}
    if layer is None and len(stems) == 1:
        stem = stems[0]
    elif layer in layers:
        stem = layers[layer]
    else:
        raise Refused.because(name, "unknown_name", known=sorted(layers), column="layer", value=layer or "")
    parts: dict[str, bytes] = {}
    for member in files:
        base, ending = posixpath.splitext(_name(member))
        if base == stem and ending.lower() in _PARTS:
            parts[ending.lower()[1:]] = archive.read(member)
    for ending in ("shx", "dbf"):
        if ending not in parts:
            raise Refused.because(name, "missing_part", detail=f"{posixpath.basename(stem)}.{ending}")
    return Shapefile(parts)


def _name(member: zipfile.ZipInfo) -> str:
    """Give the name of a member; what is not marked as UTF-8 is GBK where it can be, as Chinese programs write it."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return member.filename


def _unsafe(name: str, risk: str, member: str | None = None) -> Refused:
    return Refused.because(name, "unsafe_archive", detail=risk, value=member)
