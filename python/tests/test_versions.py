"""What a report of a fault begins with, and what importing walkshed loads."""

from __future__ import annotations

import getpass
import hashlib
import platform
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import walkshed as ws

#: What is loaded when it is used, never by `import walkshed`: it takes long, or is not there.
HEAVY = {
    "docx", "duckdb", "geopandas", "h3", "highspy", "IPython", "lonboard", "matplotlib", "numpy", "openpyxl", "pandas",
    "pyarrow", "pyogrio", "shapely", "tqdm", "typst", "xlsxwriter",
}  # fmt: skip
LIMIT_S = 0.3
"""What importing may take on a quiet machine; a busy one gets five times as long, and the figure is printed."""


def test_versions_are_those_that_are_installed() -> None:
    told = ws.versions()
    engine = Path(ws._engine.__file__).read_bytes()
    assert told["walkshed"] == ws.__version__ and told["polars"] == pl.__version__
    assert told["engine"] == hashlib.sha256(engine).hexdigest()[:16]
    assert told["python"].endswith(platform.python_version()) and int(told["cores"]) >= 1
    assert told["memory"] == "unknown" or float(told["memory"].removesuffix(" GiB")) > 0.1


def test_what_is_missing_names_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def none(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", none)
    told = ws.versions()
    assert told["matplotlib"] == "not installed: pip install walkshed[maps]"
    assert told["highspy"] == "not installed: pip install walkshed[exact]"
    assert told["duckdb"] == "not installed: pip install duckdb"


def test_nothing_tells_whose_machine_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    ws.show_versions()
    told = capsys.readouterr().out
    assert len(told.splitlines()) == len(ws.versions())
    for private in (platform.node(), getpass.getuser(), str(Path.home()), str(Path(ws.__file__).parent), "/"):
        assert len(private) == 0 or private not in told, private


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, time; began = time.perf_counter(); import walkshed\n"
        "print(time.perf_counter() - began, *{name.split('.')[0] for name in sys.modules})"
    )
    fastest_s = float("inf")
    for _ in range(3):
        took_s, *loaded = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
        assert HEAVY.isdisjoint(loaded), HEAVY & set(loaded)
        fastest_s = min(fastest_s, float(took_s))
    print(f"import walkshed: {fastest_s * 1000:.0f} ms")
    assert fastest_s < 5 * LIMIT_S
