"""Whether a study, a run of it and scenarios over it are of one city: the same settings over the same files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from walkshed import _engine, formats

if TYPE_CHECKING:
    from walkshed.study import RunResult, ScenariosResult

#: Sections that results follow from; [refresh] only says when and where tables are kept.
_SECTIONS = ("study", "streets", "facilities", "population", "areas", "coverage")
#: Settings that name files; a study's own name is passed over too. Files are known by their contents.
_FILES = {
    "streets": ("osm", "overture", "connectors", "elevation"),
    "facilities": ("path", "catalogue", "classes"),
    "population": ("path", "rasters"),
    "areas": ("path",),
}
_BLOCK = 1 << 20


def refuse_other_scenarios(run: RunResult, scenarios: ScenariosResult) -> None:
    """Keep scenarios of another city away from a run.

    Args:
        run: a run.
        scenarios: what are to be scenarios over it.

    Raises:
        ValueError: they have other settings, or were computed from other files.

    """
    read = {(file["bytes"], file["sha256"]) for file in scenarios.report["inputs"]}
    same = all((file["bytes"], file["sha256"]) in read for file in run.report["inputs"])
    if not same or _settings(run.report["study"]) != _settings(scenarios.report["study"]):
        raise ValueError(
            f"scenarios {scenarios.folder}: they are not of the study and the files that {run.folder} was computed "
            "from; run both on the same files 情景方案与运行结果不属于同一研究"
        )


def refuse_other_study(study: str | os.PathLike[str], run: RunResult) -> None:
    """Keep a run away from a study that it was not computed from.

    Args:
        study: path of a `STUDY.toml`.
        run: what is to be a run of it.

    Raises:
        InputError: the study cannot be read.
        ValueError: the study has other settings than the run, or a file of it is not what the run has read.

    """
    path, told = Path(study), json.loads(_engine.read_study(os.fspath(study)))
    asked, ran = _settings(told), _settings(run.report["study"])
    for name in dict.fromkeys((*asked, *ran)):
        if asked.get(name) != ran.get(name):
            raise _other(path, run, f"{name} is {asked.get(name)} in the study and was {ran.get(name)} in the run")
    _refuse_other_files(path, told, run)


def input_of(path: Path) -> dict[str, Any]:
    """What is told of a file that was read.

    Args:
        path: the file.

    Returns:
        `path`, `bytes`, `sha256`, as in `run.json`.

    Raises:
        OSError: it cannot be read.

    """
    found, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
            size += len(block)
    return {"path": os.fspath(path), "bytes": size, "sha256": found.hexdigest()}


def _settings(study: Mapping[str, Any]) -> dict[str, Any]:
    """What results follow from, by section and key."""
    found: dict[str, Any] = {}
    for section in _SECTIONS:
        settings: dict[str, Any] = study[section] or {}
        unnamed = ("name", *_FILES.get(section, ()))
        found |= {f"[{section}] {name}": value for name, value in settings.items() if name not in unnamed}
    for profile in study["profile"]:
        found |= {f"[profile] {profile['name']}.{name}": value for name, value in profile.items()}
    return {name: value for name, value in found.items() if value is not None}


def _refuse_other_files(path: Path, study: Mapping[str, Any], run: RunResult) -> None:
    """Every file that the run has read is one that the study names, or a part of one, and is what it was."""
    near = [Path(formats.local(name)) for name in _named(study) if not formats.is_remote(name)]
    read = [file for file in run.report["inputs"] if not formats.is_remote(str(file["path"]))]
    names = {_name(file["path"]) for file in read}
    for file in near:
        if file.name not in names:
            raise _other(path, run, f"the study names {file.name}, which the run has not read")
    for file in read:
        name = _name(file["path"])
        parts = [each.with_name(name) for each in near if each.stem == PurePath(name).stem]
        if not parts:
            raise _other(path, run, f"the run has read {name}, which the study does not name")
        if not any(_is(each, file) for each in parts):
            raise _other(path, run, f"{name} is not what it was when the run read it")


def _named(study: Mapping[str, Any]) -> Iterator[str]:
    """The files that a study names: one, a list, or a table of them under a key."""
    for section, keys in _FILES.items():
        settings: dict[str, Any] = study.get(section) or {}
        for key in keys:
            value: Any = settings.get(key)
            if isinstance(value, str):
                yield value
            elif value:
                yield from value.values() if key == "rasters" else value


def _name(path: str) -> str:
    return PurePath(path.replace("\\", "/")).name


def _is(path: Path, file: Mapping[str, Any]) -> bool:
    return path.is_file() and path.stat().st_size == file["bytes"] and input_of(path)["sha256"] == file["sha256"]


def _other(study: Path, run: RunResult, why: str) -> ValueError:
    return ValueError(
        f"{study}: {run.folder} is no run of this study: {why}; run the study again, or leave --run out "
        "运行结果与该研究不符"
    )
