"""How large the page of a run is, how long it takes to make, and to open: `page.py RUN OUT`.

RUN is the folder of `walkshed run`, as on a synthetic city (`walkshed synth city --nodes 750000` has 51,547 cells).
Chromium is asked without a graphics card, so deck.gl is not in the figures. OUT gets summary.md.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import walkshed as ws
from walkshed.maps import base_map
from walkshed.page import Page, page

REPEAT = 3


def main(folder: Path, out: Path) -> None:
    """Make, weigh, open and write."""
    run = ws.RunResult.load(folder)
    base = base_map.of_run(run)
    seconds, made = min(((*timed(run, base),) for _ in range(REPEAT)), key=lambda one: one[0])
    opened = [open_it(made) for _ in range(REPEAT)]
    out.mkdir(parents=True, exist_ok=True)
    (out / "summary.md").write_text(summary(run, seconds, made, opened), "utf-8")


def timed(run: ws.RunResult, base: base_map.BaseMap) -> tuple[float, Page]:
    """Seconds of making the page, its streets at hand."""
    start = time.perf_counter()
    made = page(run, base=base)
    return time.perf_counter() - start, made


def open_it(made: Page) -> tuple[float, float]:
    """Seconds from navigation to the page with its first picture, and of a picture after the class is changed."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("WALKSHED_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = made.save(Path(folder) / "map.html")
        browser = playwright.chromium.launch(executable_path=path, args=["--disable-quic", "--no-first-run"])
        shown = browser.new_page(viewport={"width": 1440, "height": 900})
        start = time.perf_counter()
        shown.goto(file.as_uri())
        shown.wait_for_selector("body.ready")
        two_frames(shown)
        ready_s = time.perf_counter() - start
        start = time.perf_counter()
        shown.select_option("#class", index=3)
        two_frames(shown)
        browser.close()
        return ready_s, time.perf_counter() - start


def two_frames(shown: Any) -> None:
    """Wait until what was asked for is on the screen."""
    shown.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def summary(run: ws.RunResult, seconds: float, made: Page, opened: list[tuple[float, float]]) -> str:
    """The figures as a page."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    rows, asked = run.report["rows"], run.report["study"]["coverage"]
    parts = re.findall(r'id="((?:data|library)[\w-]*)">([^<]*)<', made.html)
    lines = [
        "# The page of a run",
        "",
        f"`python benches/page.py RUN OUT` at commit {commit.strip()}, {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}; the least of {REPEAT}. Load of the machine at the end: "
        f"{os.getloadavg()[0]:.1f}.",
        "",
        f"{run.report['study']['study']['name']}: {rows['cells.parquet']:,} cells, {rows['times.parquet']:,} walks "
        f"({len(asked['profiles'])} profiles), {rows['coverage.parquet']:,} rows of coverage, "
        f"{rows['facilities.parquet']:,} facilities.",
        "",
        "| what | |",
        "|---|---|",
        f"| page | {len(made.html.encode()) / 1e6:.2f} MB |",
        *(f"| of it `{name}` | {len(text) / 1e6:.2f} MB |" for name, text in parts),
        f"| made in | {seconds:.1f} s |",
        f"| opened, first picture | {min(one[0] for one in opened):.2f} s |",
        f"| another class | {min(one[1] for one in opened):.2f} s |",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
