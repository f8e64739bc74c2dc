"""A refresh in a process of its own that imports nothing but the engine, so that it can be killed many times.

    python refresh_worker.py ENGINE STUDY TABLES [TIMES]

Prints one line for each refresh: its status, its release and whether it warned, or `busy` and how long that took.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time


def engine(path: str) -> object:
    spec = importlib.util.spec_from_file_location("_engine", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(path: str, study: str, tables: str, times: str = "1") -> int:
    module = engine(path)
    options = {
        "study": study,
        "tables": tables,
        "full": False,
        "dry_run": False,
        "as_of": None,
        "overrides": {"older_input": "a test that turns back"},
        "any_file_system": False,
        "memory_limit": None,
        "now_ms": None,
    }
    for _ in range(int(times)):
        for patience in range(1000):
            began = time.monotonic()
            try:
                told = json.loads(module.refresh(options, [], []))  # type: ignore[attr-defined]
            except module.BusyError:  # type: ignore[attr-defined]
                print("busy", round(time.monotonic() - began, 3), flush=True)
                time.sleep(0.01)
                continue
            if told["status"] == "unchanged" and int(times) > 1 and patience < 50:
                time.sleep(0.02)  # nobody else has published since
                continue
            print(told["status"], told["release"], *["warned" for _ in told["warnings"]], flush=True)
            break
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
