"""A progress bar for work that takes longer than a second."""

from __future__ import annotations

import importlib
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeAlias

Report: TypeAlias = "Callable[[str, int, int], object]"
Progress: TypeAlias = "bool | Report | None"

_SHOW_AFTER_S = 1.0


class _Bar:
    """Shown by tqdm in terminals and notebooks; one bar per stage."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._bar: Any = None
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        if time.monotonic() - self._began < _SHOW_AFTER_S or not stage:
            return
        if stage != self._stage:
            self.close()
            self._stage = stage
            self._bar = _tqdm()(total=total or None, desc=stage, leave=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _tqdm() -> Any:
    """The bar that fits: of ipywidgets in a notebook that has them, else of text.

    Without ipywidgets tqdm takes its text by itself, but warns in red of what nobody has to mend.
    """
    tqdm: Any = importlib.import_module("tqdm")  # has no types of its own
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tqdm.TqdmWarning)
        return importlib.import_module("tqdm.auto").tqdm


@contextmanager
def reporting(progress: Progress) -> Generator[Report | None, None, None]:
    """Give the engine somebody to report to.

    `None` and `True` show a bar once the work takes longer than a second, `False` shows nothing, a function is called
    about twenty times a second with stage, pieces done and pieces in all (0 when unknown).
    """
    if progress is False:
        yield None
    elif callable(progress):
        yield progress
    else:
        bar = _Bar()
        try:
            yield bar
        finally:
            bar.close()
