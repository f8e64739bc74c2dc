"""Write all documents of a run and keep the figures: `report.py RUN CARD OUT`.

RUN is the folder of `walkshed run` on a synthetic city (`walkshed synth metropolis --nodes 1000000`), CARD that of
`walkshed score RUN --standard mohurd_2020 --level community --out CARD`. OUT gets summary.md. Each document is written
by a process of its own, so that memory is that document's.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import walkshed as ws
from walkshed.maps import base_map
from walkshed.report import report

DOCUMENTS = ("xlsx", "docx", "pdf", "sheets")


def main(run: Path, card: Path, out: Path) -> None:
    """Write every document once, and the figures."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in DOCUMENTS:
            target = Path(folder) / (name if name == "sheets" else f"report.{name}")
            words = [sys.executable, __file__, str(run), str(card), name, str(target)]
            found = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
            files = list(target.iterdir()) if target.is_dir() else [target]
            rows.append((name, len(files), sum(file.stat().st_size for file in files), found))
    out.mkdir(parents=True, exist_ok=True)
    (out / "summary.md").write_text(summary(ws.RunResult.load(run), rows), "utf-8")


def one(run: Path, card: Path, name: str, target: Path) -> None:
    """Write one document, and print its seconds, those of its base map, processor seconds and memory."""
    result = ws.RunResult.load(run)
    scorecard = ws.Scorecard.load(card)
    began = time.monotonic()
    base = base_map.of_run(result)
    drawn = time.monotonic()
    report(result, scorecard=scorecard, base=base, progress=False, **{name: target})
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "base_s": drawn - began,
        "seconds": time.monotonic() - drawn,
        "processor_s": used.ru_utime + used.ru_stime,
        "memory_mb": used.ru_maxrss / 1024,
        "load": os.getloadavg()[0],
    }
    print(json.dumps(told))


def summary(result: ws.RunResult, rows: list[tuple[str, int, int, dict[str, float]]]) -> str:
    """The figures as Markdown."""
    counted = result.report["rows"]
    lines = [
        "# Documents of a metropolis",
        "",
        f"`{result.report['study']['study']['name']}` (SYNTHETIC): {result.report['people']['in_cells']:,.0f} people, "
        f"{counted['cells.parquet']:,} cells, {counted['areas.parquet']:,} areas, "
        f"{counted['coverage.parquet']:,} rows of coverage. {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, walkshed {ws.__version__}.",
        "",
        "| document | files | MB | seconds | base map, s | processor, s | memory, MB | load at its end |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, files, size, found in rows:
        lines.append(
            f"| {name} | {files:,} | {size / 1e6:,.1f} | {found['seconds']:.1f} | {found['base_s']:.1f} "
            f"| {found['processor_s']:.1f} | {found['memory_mb']:,.0f} | {found['load']:.1f} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    if len(sys.argv) == 5:
        one(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
    else:
        main(*(Path(path) for path in sys.argv[1:4]))
