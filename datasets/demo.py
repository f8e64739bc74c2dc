"""The demonstration: a study of the centre of Helsinki, or of a synthetic city where its extract cannot be downloaded.

python datasets/demo.py demo
"""

from __future__ import annotations

import sys
from pathlib import Path

import download

from walkshed import cli

NODES = 20_000


def main() -> int:
    """Run the demonstration into the folder named on the command line."""
    if len(sys.argv) != 2:
        print("usage: python datasets/demo.py FOLDER", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    found = download.download(folder / "data")
    if found == download.UNREACHABLE:
        return _synthetic(folder)
    if found != 0:
        return found
    study = Path(__file__).parent / "helsinki_centre.toml"
    return _run(study, folder / "helsinki_centre", folder / "helsinki_centre.png")


def _synthetic(folder: Path) -> int:
    print(
        "The extract of Helsinki cannot be downloaded; the demonstration runs on a SYNTHETIC city instead: nothing in "
        "it is real.\n无法下载赫尔辛基数据；改用合成城市演示：其中一切均为虚构。",
        file=sys.stderr,
    )
    made = cli.main(["synth", str(folder / "synthetic"), "--nodes", str(NODES)])
    if made != 0:
        return made
    return _run(folder / "synthetic" / "STUDY.toml", folder / "synthetic_run", folder / "synthetic.png")


def _run(study: Path, out: Path, picture: Path) -> int:
    return cli.main(["run", str(study), "--out", str(out), "--map", str(picture)])


if __name__ == "__main__":
    sys.exit(main())
