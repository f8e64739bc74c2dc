"""Who works on the tiles of a study: this process, a pool of processes, any executor of `concurrent.futures`.

Keys of tiles go out and receipts come back; the tiles themselves lie in a folder that every worker sees. A job may be
done twice, and its worker may die at any moment: only what has a receipt counts.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Protocol, TypeAlias

from walkshed import _engine
from walkshed.progress import Report

_log = logging.getLogger("walkshed.executors")

#: How long is waited before progress is told again.
LOOK_S = 0.05

#: How often a tile may be in work when a worker is lost, before the worker counts as lost to the tile.
MOST_LOSSES = 3

Look: TypeAlias = "Callable[[int], object]"
"""Called many times a second with how many tiles are done; an exception from it stops the work."""


class WorkerError(RuntimeError):
    """Workers ended before their tiles were done. What is done is kept, and the same call goes on with it.

    Attributes:
        tiles: keys (H3 cells as text) of the tiles that were being worked on, where that is known.

    """

    def __init__(self, message: str, tiles: Sequence[str] = ()) -> None:
        """Say what happened, and in which tiles."""
        super().__init__(message)
        self.tiles = list(tiles)


class TileRefusal(NamedTuple):
    """Why the engine refused a tile, as JSON.

    It is a value and no exception: an `InputError` does not pickle whole, and Spark would try it four times.
    """

    told: str

    @classmethod
    def of(cls, error: _engine.InputError) -> TileRefusal:
        """Keep what users are told."""
        return cls(json.dumps({"text": str(error), "problems": getattr(error, "problems", [])}))

    def error(self) -> _engine.InputError:
        """Give the exception back."""
        told = json.loads(self.told)
        error = _engine.InputError(told["text"])
        error.problems = told["problems"]
        return error


Outcome: TypeAlias = "bytes | TileRefusal"
"""What became of a job: its receipt, or why there is none."""


class Job(Protocol):
    """The work on one tile; it is pickled, so it is a function of a module, or holds nothing but text."""

    def __call__(self, key: str, threads: int, report: Report | None = None) -> Outcome:
        """Work on a tile with so many threads."""
        ...


class Workers(Protocol):
    """Whoever works on tiles."""

    @property
    def parallel(self) -> int:
        """How many tiles share the memory of one machine at once."""
        ...

    def receipts(self, job: Job, keys: Sequence[str], look: Look) -> Generator[bytes, None, None]:
        """Do a job for every key.

        Args:
            job: what is done.
            keys: of the tiles, those that take longest first.
            look: whom progress is told.

        Returns:
            The receipts as they come.

        Raises:
            InputError: the first tile, by the order of keys, that is refused; later ones are not begun any more.
            WorkerError: workers ended again and again.

        """
        ...


def cores() -> int:
    """Count the cores that this process may use, which a scheduler may have limited."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@dataclass(frozen=True)
class Threads:
    """This process, one tile after the other, each with all cores."""

    parallel: int = 1

    def receipts(self, job: Job, keys: Sequence[str], look: Look) -> Generator[bytes, None, None]:
        """See `Workers`."""
        for done, key in enumerate(keys):
            look(done)
            outcome = job(key, cores(), _reports(look, done))
            if isinstance(outcome, TileRefusal):
                raise outcome.error()
            yield outcome


def _reports(look: Look, done: int) -> Report:
    """Tell how many tiles are done, whatever a tile tells of itself."""
    return lambda stage, pieces, total: look(done)


@dataclass(frozen=True)
class Processes:
    """A pool of processes on this machine, which share its cores and memory."""

    workers: int

    def __post_init__(self) -> None:
        """Refuse what is no number of workers."""
        if self.workers < 1:
            raise ValueError(f"{self.workers} workers: use 1 or more")

    @property
    def parallel(self) -> int:
        """As many as there are workers."""
        return self.workers

    def receipts(self, job: Job, keys: Sequence[str], look: Look) -> Generator[bytes, None, None]:
        """See `Workers`. A worker that is killed takes the whole pool along: another is opened for what is missing.

        The tiles that were in work then come last, one at a time: none is delayed by one that kills its worker, and it
        is certain which one does.
        """
        done, losses = set[str](), Counter[str]()
        while missing := sorted((key for key in keys if key not in done), key=losses.__getitem__):
            together = [key for key in missing if not losses[key]]
            at_once = min(self.workers, len(together)) or 1
            with _pool(at_once) as pool:
                handed = _Handed(pool, job, max(1, cores() // (self.workers if together else 1)), len(done))
                for key, receipt in handed.receipts(together or missing, at_once, look):
                    done.add(key)
                    yield receipt
            losses.update(handed.lost)
            if hopeless := [key for key in handed.lost if losses[key] >= MOST_LOSSES]:
                raise WorkerError(_killed_again(hopeless), hopeless)
            if handed.lost:
                _log.warning("a worker was ended in the midst of tile(s) %s; they are begun again", handed.lost)


@dataclass(frozen=True)
class Given:
    """An executor of the user's, who also closes it. Its workers may be on other machines."""

    executor: Executor
    parallel: int = 1

    def receipts(self, job: Job, keys: Sequence[str], look: Look) -> Generator[bytes, None, None]:
        """See `Workers`. How many workers there are nobody knows, so all tiles are handed out at once."""
        handed = _Handed(self.executor, job, 1)
        for _, receipt in handed.receipts(keys, len(keys), look):
            yield receipt
        if handed.lost:
            raise WorkerError(
                f"the executor broke, for a worker of it was ended in the midst of tile(s) {', '.join(handed.lost)}. "
                "What is done is kept, the same call with a new executor goes on. "
                "执行器的工作进程被终止；已完成的部分保留，请换用新的执行器重新运行",
                handed.lost,
            )


@dataclass
class _Handed:
    """Tiles handed to an executor of `concurrent.futures`.

    Attributes:
        lost: tiles that were in work when the executor broke.

    """

    executor: Executor
    job: Job
    threads: int
    done: int = 0
    lost: list[str] = field(default_factory=list[str])
    _in_work: dict[Future[Outcome], tuple[int, str]] = field(default_factory=dict[Future[Outcome], tuple[int, str]])
    _ended: SimpleQueue[Future[Outcome]] = field(default_factory=SimpleQueue[Future[Outcome]])
    _refusals: dict[int, TileRefusal] = field(default_factory=dict[int, TileRefusal])

    def receipts(self, keys: Sequence[str], at_once: int, look: Look) -> Iterator[tuple[str, bytes]]:
        """Give keys with their receipts as they come.

        No more than `at_once` are handed out at a time; where that is the number of workers, all that were handed out
        are in work.

        Raises:
            InputError: the first that is refused, once those before it have ended.

        """
        waiting = iter(enumerate(keys))
        try:
            while True:
                while len(self._in_work) < at_once and not self._stops() and (tile := next(waiting, None)):
                    self._hand_out(*tile)
                if not self._awaited():
                    break
                look(self.done)
                try:
                    future = self._ended.get(timeout=LOOK_S)
                except Empty:
                    continue
                key, receipt = self._take_back(future)
                if receipt is not None:
                    self.done += 1
                    yield key, receipt
        finally:
            for future in self._in_work:
                future.cancel()
        if self._refusals:
            raise self._refusals[min(self._refusals)].error()

    def _stops(self) -> bool:
        return bool(self.lost or self._refusals)

    def _awaited(self) -> bool:
        """Whether anything is in work of which the end matters: after a refusal only what came before it."""
        end = min(self._refusals, default=None)
        return any(end is None or place < end for place, _ in self._in_work.values())

    def _hand_out(self, place: int, key: str) -> None:
        try:
            future = self.executor.submit(self.job, key, self.threads)
        except BrokenExecutor:
            self.lost.append(key)
            return
        self._in_work[future] = place, key
        future.add_done_callback(self._ended.put)

    def _take_back(self, future: Future[Outcome]) -> tuple[str, bytes | None]:
        """The receipt of a job; None where it was refused, or lost with its worker."""
        place, key = self._in_work.pop(future)
        try:
            outcome = future.result()
        except BrokenExecutor:
            self.lost.append(key)
            return key, None
        if isinstance(outcome, TileRefusal):
            self._refusals[place] = outcome
            return key, None
        return key, outcome


@contextmanager
def _pool(workers: int) -> Generator[ProcessPoolExecutor, None, None]:
    """Processes that end with this one, and at once when the work is stopped.

    They are spawned, not forked: a fork would hold locks of threads that it does not have. Each stage has a pool of its
    own, so that no worker holds memory while this process does its part.

    Raises:
        WorkerError: no worker starts.

    """
    context = get_context("spawn")
    # Nothing is ever sent: a worker whose other end closes knows that it is not needed any more.
    lifeline, held = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, context, _begin, (lifeline,))
    try:
        with _ctrl_c_waits():
            started = [pool.submit(os.getpid) for _ in range(workers)]
        try:
            for start in started:
                start.result()
        except BrokenExecutor as error:
            raise WorkerError(_no_start()) from error
        yield pool
    except BaseException:
        held.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        held.close()
        lifeline.close()


@contextmanager
def _ctrl_c_waits() -> Generator[None, None, None]:
    """Hear Ctrl-C only afterwards. Processes that are begun here never do, where the system hands the mask down."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(lifeline: Any) -> None:
    """Make a worker leave Ctrl-C to its parent, and end when the parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Any) -> None:
    connection.wait([lifeline])
    os._exit(1)


def _no_start() -> str:
    return (
        "no worker process starts; what it said stands above. In a script, call run() under "
        '`if __name__ == "__main__":` 工作进程无法启动；脚本中请在 `if __name__ == "__main__":` 之下调用 run()'
    )


def _killed_again(keys: Sequence[str]) -> str:
    names = ", ".join(keys)
    return (
        f"tile(s) {names}: a worker was ended {MOST_LOSSES} times in the midst of them, most likely by the system, for "
        "want of memory. Take smaller tiles (--tile-resolution, one finer) or fewer workers (--workers); what is done "
        f"is kept. 图块 {names}：工作进程 {MOST_LOSSES} 次被终止，多半因内存不足。"
        "请用更小的图块（--tile-resolution 加 1）或更少的进程（--workers）；已完成的部分保留"
    )
