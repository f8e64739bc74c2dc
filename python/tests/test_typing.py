"""Types: the package and the cells of every notebook under pyright's strict rules.

basedpyright is pyright with everything in its wheel, also a Node.js: it asks no registry at its first run, which CI
could not be sure of; and it reads notebooks as they are. Its "strict" is pyright's own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import tomli

import walkshed as ws

FOLDER = Path(ws.__file__).parents[2]
NOTEBOOKS = FOLDER.parent / "notebooks"


def test_the_package_and_the_notebooks_are_strictly_typed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads(done.stdout)
    wrong = [
        f"{Path(each['file']).name}:{each['range']['start']['line'] + 1}: {each.get('rule')}: {each['message']}"
        for each in found["generalDiagnostics"]
    ]
    assert wrong == [], "\n".join(wrong)
    sources = len(list(FOLDER.glob("python/walkshed/**/*.py"))) + len(list(NOTEBOOKS.glob("*.ipynb")))
    assert found["summary"]["filesAnalyzed"] >= sources


def test_no_rule_is_switched_off() -> None:
    """Neither for all, nor at a line without saying which."""
    settings = tomli.loads((FOLDER / "pyproject.toml").read_text("utf-8"))["tool"]["pyright"]
    assert settings["typeCheckingMode"] == "strict"
    assert set(settings) == {"include", "typeCheckingMode", "pythonVersion"}
    bare = re.compile(r"#\s*(?:type:\s*ignore(?!\[)|pyright:(?!\s*ignore\[))")
    found = [
        f"{path.name}:{number}"
        for path in FOLDER.glob("python/walkshed/**/*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if bare.search(line)
    ]
    assert found == []
