"""Documentation and types: every example runs, every public name is explained, every type is checked."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import walkshed as ws

PACKAGE = Path(ws.__file__).parent
MODULES = sorted(module.name for module in pkgutil.iter_modules([str(PACKAGE)]) if not module.name.startswith("_"))


def public() -> Iterator[tuple[str, Any]]:
    """Every public name, and every public method of the public classes."""
    for name in ws.__all__:
        thing = getattr(ws, name)
        yield name, thing
        if inspect.isclass(thing):
            for method, value in vars(thing).items():
                if not method.startswith("_") and callable(getattr(thing, method)):
                    yield f"{name}.{method}", inspect.unwrap(getattr(value, "__func__", value))


NAMES = dict(public())

MYPY = ["mypy", "python/walkshed", "--strict", "--cache-dir", ".pytest_cache/mypy"]


@pytest.mark.parametrize("module", [*MODULES, "__init__"])
def test_every_example_in_a_docstring_runs(module: str) -> None:
    found = importlib.import_module("walkshed" if module == "__init__" else f"walkshed.{module}")
    assert doctest.testmod(found).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    modules = [ws, *(importlib.import_module(f"walkshed.{name}") for name in MODULES)]
    assert sum(len(finder.find(module)) for module in modules) >= 5


def test_every_public_name_is_named_once() -> None:
    assert len(set(ws.__all__)) == len(ws.__all__)
    assert {"Network", "Profile", "coverage", "run", "validate", "InputError"} <= set(ws.__all__)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "__version__"])
def test_every_public_name_is_explained(name: str) -> None:
    thing = NAMES[name]
    text = inspect.getdoc(thing) or ""
    assert len(text) > 20
    if not inspect.isfunction(thing):
        return
    signature = inspect.signature(thing)
    arguments = [argument for argument in signature.parameters if argument not in ("self", "cls")]
    if len(arguments) > 1:
        assert "Args:" in text and [argument for argument in arguments if f"{argument}:" not in text] == []
        assert "Returns:" in text or signature.return_annotation in ("None", thing.__qualname__.split(".")[0])
    if arguments:
        assert "Raises:" in text


def test_the_package_is_marked_as_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()
    assert (PACKAGE / "_engine.pyi").is_file()


@pytest.mark.parametrize("arguments", [MYPY, ["mypy.stubtest", "walkshed._engine"]])
def test_the_types_are_right(arguments: list[str]) -> None:
    folder = PACKAGE.parents[1]
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Success" in done.stdout
