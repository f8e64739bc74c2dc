"""The wheel that users install: what is in it, and the first map drawn with nothing else installed.

It is taken from WALKSHED_WHEEL, else built by maturin, which compiles nothing again where `make extension` has run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]
LARGEST = 40 * 2**20

#: Where each must stand, and how large it is at least: an empty file is none.
INSIDE = {
    "walkshed/_engine.abi3.so": 1_000_000,
    "walkshed/_engine.pyi": 1_000,
    "walkshed/py.typed": 0,
    "walkshed/maps/fonts/WalkshedSansSC-Regular.otf": 500_000,
    "walkshed/maps/fonts/OFL.txt": 1_000,
    "walkshed/page/page.html": 500,
    "walkshed/report/document.typ": 500,
    "walkshed/page/vendor/deck.gl-9.4.0.min.js": 1_000_000,
    "walkshed/page/vendor/deck.gl-LICENSE.txt": 500,
    "walkshed/page/vendor/h3-js-4.5.0.umd.js": 100_000,
    "walkshed/page/vendor/h3-js-LICENSE.txt": 500,
}


def run(*command: str | Path, folder: Path = FOLDER, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if given := os.environ.get("WALKSHED_WHEEL"):
        return Path(given).resolve()
    maturin = shutil.which("maturin") or shutil.which("maturin", path=str(Path(sys.executable).parent))
    if maturin is None or shutil.which("cargo") is None:
        pytest.skip("no maturin and cargo to build a wheel; WALKSHED_WHEEL names one that is built")
    out = tmp_path_factory.mktemp("wheel")
    run(maturin, "build", "--release", "--locked", "--out", out)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_all_that_it_needs(wheel: Path) -> None:
    """One wheel for every Python from 3.10 on, with its licences, and nothing that is none of its own."""
    assert re.fullmatch(r"walkshed-[\d.]+-cp310-abi3-\w+\.whl", wheel.name), wheel.name
    print(f"{wheel.name}: {wheel.stat().st_size / 2**20:.1f} MiB")
    assert wheel.stat().st_size <= LARGEST
    with zipfile.ZipFile(wheel) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
        (metadata,) = (name for name in sizes if name.endswith(".dist-info/METADATA"))
        told = Parser().parsestr(archive.read(metadata).decode())
    missing = [name for name, least in INSIDE.items() if sizes.get(name, -1) < least]
    assert missing == []
    assert any("/licenses/" in name for name in sizes), "the licence of walkshed itself"
    sources = {str(path.relative_to(FOLDER / "python")) for path in FOLDER.glob("python/walkshed/**/*.py")}
    assert sources <= set(sizes)
    assert not [name for name in sizes if "__pycache__" in name or name.startswith("tests/")]
    always = [line for line in told.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert {re.split(r"[^\w.-]", line)[0] for line in always} == {"polars", "tqdm", "tomli"}, "what everybody installs"


def test_the_first_map_of_the_readme_in_a_bare_environment(wheel: Path, tmp_path: Path) -> None:
    """From `pip install` to the map: the figure is printed."""
    readme = (FOLDER.parent / "README.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    first = next((block for block in blocks if "ws.synth(" in block and ".plot(" in block), None)
    assert first is not None, "README: a first map of a synthetic city, with ws.synth( and .plot(, ten lines at most"
    assert len(first.strip().splitlines()) <= 10
    began = time.perf_counter()
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", f"walkshed[maps] @ {wheel.as_uri()}")
    installed_s = time.perf_counter() - began
    work = tmp_path / "work"
    work.mkdir()
    run(python, "-c", first, folder=work, MPLBACKEND="Agg", PYTHONPATH="")
    print(f"installed in {installed_s:.0f} s, the first map after {time.perf_counter() - began:.0f} s")
    pictures = [path for path in work.rglob("*.png") if path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"]
    assert pictures and all(path.stat().st_size > 10_000 for path in pictures), "it is kept as a picture"
    told = run(python, "-c", "import walkshed as ws; ws.show_versions()", folder=work, PYTHONPATH="")
    assert "lonboard" in told and "not installed: pip install walkshed[report]" in told
