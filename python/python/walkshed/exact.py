"""Programs solved to the end by HiGHS, where the package `highspy` is installed.

The engine makes the program, as small as what it has proved allows, and judges every answer again: nothing of the
solver is believed but its bound, from which the solver's own tolerance is taken off.
"""

from __future__ import annotations

import importlib.util
import threading
import time
from typing import Any

from walkshed import _engine

#: What is waited for between two looks at signals, and for a solver that was told to end.
_LOOK_S, _GRACE_S = 0.05, 0.3


def installed() -> bool:
    """Whether there is a solver."""
    return importlib.util.find_spec("highspy") is not None


def solve(search: _engine.SitingSearch, most: int, *, nodes: int | None, time_limit_s: float | None) -> None:
    """Solve what is left of a search, program by program, and tell it what was found.

    Programs of more than `most` factors are left, and so is what takes more than so many nodes of a search tree: unlike
    seconds, that gives the same answer on every machine.

    Raises:
        KeyboardInterrupt: stopped by the user; the search holds the best answer so far.

    """
    until = None if time_limit_s is None else time.monotonic() + time_limit_s
    while (program := search.program(most)) is not None:
        left_s = None if until is None else until - time.monotonic()
        if left_s is not None and left_s <= 0:
            search.stop()
            return
        highs = _highs(program, nodes, left_s)
        _run(highs)
        if not _tell(search, highs, program):
            return


def _highs(program: _engine.SitingProgram, nodes: int | None, time_limit_s: float | None) -> Any:
    import highspy
    import numpy as np

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(program.cost), len(program.row_low)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = (
        np.asarray(each) for each in (program.cost, program.low, program.high)
    )
    lp.row_lower_, lp.row_upper_ = np.asarray(program.row_low), np.asarray(program.row_high)
    lp.offset_ = program.offset
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.asarray(program.first, dtype=np.int32)
    lp.a_matrix_.index_ = np.asarray(program.column, dtype=np.int32)
    lp.a_matrix_.value_ = np.asarray(program.factor)
    whole, part = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    lp.integrality_ = [whole] * len(program.site) + [part] * (len(program.cost) - len(program.site))
    make: Any = highspy.Highs  # has no types of its own
    highs = make()
    # One thread and a fixed seed: the same program has the same answer.
    options = {"output_flag": False, "threads": 1, "random_seed": 0, "mip_rel_gap": 0.0, "mip_abs_gap": 1e-7}
    if nodes is not None:
        options["mip_max_nodes"] = nodes
    if time_limit_s is not None:
        options["time_limit"] = float(time_limit_s)
    for name, value in options.items():
        highs.setOptionValue(name, value)
    highs.passModel(lp)
    return highs


def _run(highs: Any) -> None:
    """Let it work beside the thread that hears Ctrl-C."""
    highs.HandleUserInterrupt = True
    worker = threading.Thread(target=highs.run, daemon=True)
    worker.start()
    try:
        while worker.is_alive():
            worker.join(_LOOK_S)
    except KeyboardInterrupt:
        highs.cancelSolve()
        worker.join(_GRACE_S)
        raise


def _tell(search: _engine.SitingSearch, highs: Any, program: _engine.SitingProgram) -> bool:
    """Tell the search what the solver found; whether it said anything that leads on."""
    import highspy
    import numpy as np

    status, info = highs.getModelStatus(), highs.getInfo()
    if status == highspy.HighsModelStatus.kInfeasible:
        search.hear(None, None, True, program.cutoff)
        return True
    if status == highspy.HighsModelStatus.kTimeLimit:
        search.stop()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    values: list[float] = highs.getSolution().col_value if found else []
    sites = [site for site, value in zip(program.site, values, strict=False) if value > 0.5] if found else None
    bound = info.mip_dual_bound if np.isfinite(info.mip_dual_bound) else None
    search.hear(sites, bound, False, program.cutoff)
    return bool(status == highspy.HighsModelStatus.kOptimal)
