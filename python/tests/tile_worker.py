"""A job on tiles that needs no engine, for tests of who works on them; other processes import it.

What happens to a tile stands in a file of its name beside: "slow 20" takes as many hundredths of a second, "refuse",
"slowrefuse 20", "fail", "kill 2" ends the worker the first two times, "executor 1" what stands above it on Spark. Every
beginning leaves a file, so that a test sees what was done.
"""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import walkshed as ws
from walkshed.executors import Outcome, TileRefusal
from walkshed.progress import Report


@dataclass(frozen=True)
class FakeJob:
    """Writes the key of a tile into a new file."""

    work: str

    def __call__(self, key: str, threads: int, report: Report | None = None) -> Outcome:
        folder = Path(self.work)
        begun = len(list(folder.glob(f"begun-{key}-*")))
        (folder / f"begun-{key}-{uuid.uuid4()}").write_text(str(os.getpid()))
        fate = folder / f"fate-{key}"
        what, *times = fate.read_text().split() if fate.exists() else [""]
        if what == "kill" and begun < int(times[0]):
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "executor" and begun < int(times[0]):
            os.kill(parent(os.getppid()), signal.SIGKILL)  # above is pyspark.daemon, then the JVM of the executor
            time.sleep(60)
        if what == "fail":
            raise OSError(28, "no space left", key)
        for _ in range(int(times[0]) if what in ("slow", "slowrefuse") else 1):
            if report is not None:
                report("in a tile", 0, 1)
            time.sleep(0.01)
        if what in ("refuse", "slowrefuse"):
            error = ws.InputError(f"{key}: refused")
            error.problems = [{"file": key, "reason": "memory"}]
            return TileRefusal.of(error)
        name = f"done-{key}-{uuid.uuid4()}"
        (folder / name).write_text(key)
        return json.dumps({"key": key, "file": name, "threads": threads}).encode()


@dataclass(frozen=True)
class Work:
    """A folder with tiles and their fates."""

    folder: Path

    @property
    def job(self) -> FakeJob:
        return FakeJob(str(self.folder))

    def fate(self, **fates: str) -> Work:
        for key, fate in fates.items():
            (self.folder / f"fate-{key}").write_text(fate)
        return self

    def begun(self, key: str) -> int:
        return len(list(self.folder.glob(f"begun-{key}-*")))

    def workers(self) -> set[int]:
        """Ids of the processes that began tiles."""
        return {int(path.read_text()) for path in self.folder.glob("begun-*")}


def parent(process: int) -> int:
    """The id of a process's parent."""
    return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])


def keys_of(receipts: list[bytes]) -> list[str]:
    return [json.loads(receipt)["key"] for receipt in receipts]


def alive(process: int) -> bool:
    """Whether a process goes on; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
