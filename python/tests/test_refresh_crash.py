"""Whatever happens to a refresh, tables are as before or as after: death, refusals, full disks, many writers, readers.

The order of steps against power cuts is tested in the engine (`batch/lake_tests.rs`).
"""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import deltalake
import polars as pl
import pytest
from nights import PATIENT, City, close_some, open_one

import walkshed as ws
from walkshed import _engine
from walkshed.progress import Progress
from walkshed.tables import Gate

KILLS = int(os.environ.get("WALKSHED_KILLS", "200"))
SEED = int(os.environ.get("WALKSHED_KILLS_SEED", "20261127"))
WORKER = Path(__file__).with_name("refresh_worker.py")
Files = dict[str, frozenset[str]]


class TwoStates:
    """A city whose ledger turns between two states, and what the tables of each are."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.city = City(folder / "city", template, PATIENT)
        first = (self.city.folder / "facilities.parquet").read_bytes()
        open_one(self.city, random.Random(1))
        close_some(self.city, random.Random(2))
        self.ledgers = (first, (self.city.folder / "facilities.parquet").read_bytes())
        self.tables = folder / "tables"
        self.files: list[Files] = []
        for state in (0, 1):
            self.turn(state)
            self.files.append(as_readers_see_it(self.city.afresh(folder / f"state{state}").folder))
        assert self.files[0] != self.files[1]

    def turn(self, state: int) -> None:
        (self.city.folder / "facilities.parquet").write_bytes(self.ledgers[state])

    def refresh(self, progress: Progress = False) -> ws.RefreshResult:
        override: dict[Gate, str] = {"older_input": "a test that turns back"}
        return ws.refresh(self.city.study, self.tables, override=override, progress=progress)

    def worker(self, **env: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(WORKER), str(_engine.__file__), str(self.city.study), str(self.tables)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | env
        )

    def check(self, state: int) -> int:
        """Every table is that of one of the two states, and after the next refresh all are that of `state`."""
        seen = as_readers_see_it(self.tables)
        for name, files in seen.items():
            assert files in (self.files[0][name], self.files[1][name]), f"{name} is torn"
        self.turn(state)
        self.refresh()
        assert as_readers_see_it(self.tables) == self.files[state]
        assert not list((self.tables / "staging").iterdir())
        return int(ws.Tables(self.tables).release())


def as_readers_see_it(tables: Path) -> Files:
    """The files of every table as delta-rs finds them, each of which is there."""
    seen = {}
    for log in sorted(tables.glob("*/_delta_log")):
        folder = log.parent
        files = deltalake.DeltaTable(str(folder)).file_uris()
        paths = [Path(file.removeprefix("file://")) for file in files]
        assert all(path.is_file() for path in paths)
        seen[folder.name] = frozenset(str(path.relative_to(folder)) for path in paths)
    return seen


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ws.synth(tmp_path_factory.mktemp("crash") / "city", nodes=1000, seed=5, progress=False).folder


@pytest.fixture
def states(template: Path, tmp_path: Path) -> TwoStates:
    states = TwoStates(tmp_path, template)
    states.turn(0)
    states.refresh()
    return states


def test_kill_at_any_moment(states: TwoStates) -> None:
    """SIGKILL, as the kernel sends it when memory runs out: nobody is asked, nothing is tidied."""
    chance = random.Random(SEED)
    states.turn(1)
    began = time.monotonic()
    assert states.worker().wait() == 0
    whole_s = time.monotonic() - began
    state, killed, decided, published = 1, 0, 0, ws.Tables(states.tables).release()
    for number in range(KILLS):
        state = 1 - state
        states.turn(state)
        with states.worker() as worker:
            time.sleep(chance.uniform(0.2, 1.3) * whole_s)
            at_work = worker.poll() is None
            killed += at_work
            whole_s *= 1.01 if at_work else 0.97  # three of four die at work, however busy the machine is
            worker.send_signal(signal.SIGKILL)
            worker.communicate()
        decided += ws.Tables(states.tables).release() > published
        release = states.check(state)
        assert release - published in (0, 1), f"kill {number}: release {published} became {release}"
        published = release
    tables = ws.Tables(states.tables)
    assert tables.releases()["release"].to_list() == list(range(published + 1))
    assert tables.verify(progress=False).height == 0
    assert killed > KILLS // 4, f"{killed} of {KILLS} were killed at work"
    assert 0 < decided < KILLS, f"{decided} of {KILLS} had published when they died"
    print(f"{killed} of {KILLS} killed at work, {decided} after the deciding step; {published + 1} releases, none torn")


@pytest.mark.parametrize("action", ["abort", "eio", "enospc"])
def test_a_fault_at_every_step(states: TwoStates, action: str) -> None:
    state, step, refused = 0, 0, 0
    while True:
        state, step = 1 - state, step + 1
        states.turn(state)
        with states.worker(WALKSHED_DISK_FAULT=f"{step}:{action}") as worker:
            told, error = worker.communicate()
        if worker.returncode == 0 and "warned" not in told:
            break  # no step is left to be refused
        refused += worker.returncode != 0
        if action != "abort" and worker.returncode != 0:
            assert "os error" in error, error
        states.check(state)
    assert refused > 30, f"{refused} steps can fail"
    print(f"{action}: {refused} of {step} steps refused, none torn")


def test_a_fault_at_every_step_of_the_first_release(template: Path, tmp_path: Path) -> None:
    states = TwoStates(tmp_path, template)
    step = 1
    while True:
        states.turn(0)
        with states.worker(WALKSHED_DISK_FAULT=f"{step}:abort") as worker:
            worker.communicate()
        if worker.returncode == 0:
            break
        for name, files in as_readers_see_it(states.tables).items() if states.tables.exists() else ():
            assert files == states.files[0][name]
        step += 7
    states.check(0)
    assert step > 60


@contextmanager
def mounted(folder: Path, size_bytes: int) -> Iterator[Path]:
    """A disk of so many bytes."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={max(size_bytes, 4096)}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("no small disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(template: Path, tmp_path: Path) -> None:
    """Fifty disks that take 0 to 120 per cent of the files that the next release needs; the system refuses the next."""
    states, disk, full, need = TwoStates(tmp_path, template), tmp_path / "disk", 0, 0
    for number in range(51):
        with mounted(disk, 1 << 30):
            states.tables = disk / "tables"
            states.turn(0)
            states.refresh()
            before = used_files(disk)
            if number:
                remount(disk, f"nr_inodes={before + int(need * 1.2 * (number - 1) / 49)}")
            states.turn(1)
            try:
                states.refresh()
            except OSError as error:
                full += 1
                assert error.errno == errno.ENOSPC, error
                seen = as_readers_see_it(states.tables)
                assert all(files in (states.files[0][name], states.files[1][name]) for name, files in seen.items())
            need = need or used_files(disk) - before + 20  # and what is there for a moment
            remount(disk, "nr_inodes=1000000")
            states.check(1)
            assert ws.Tables(states.tables).verify(progress=False).height == 0
    assert 10 < full < 50, f"{full} of 50 disks were full"
    print(f"{full} of 50 disks were full, the old release readable on each")


def test_a_disk_that_is_too_small_is_refused_before_any_work(template: Path, tmp_path: Path) -> None:
    states, disk = TwoStates(tmp_path, template), tmp_path / "disk"
    with mounted(disk, 1 << 30):
        states.tables = disk / "tables"
        states.turn(0)
        states.refresh()
        about = os.statvfs(disk)
        remount(disk, f"size={(about.f_blocks - about.f_bfree) * about.f_frsize + 65_536}")
        states.turn(1)
        with pytest.raises(ws.InputError, match="MiB of disk"):
            states.refresh()
        assert as_readers_see_it(states.tables) == states.files[0]


def remount(disk: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(disk)], check=True)


def used_files(disk: Path) -> int:
    about = os.statvfs(disk)
    return about.f_files - about.f_ffree


@pytest.mark.parametrize("writers", [2, 8])
def test_many_at_once_make_one_line(template: Path, tmp_path: Path, writers: int) -> None:
    """Each with inputs of its own into the same tables; readers all the while."""
    tables, times = tmp_path / "tables", 12 // writers + 2
    cities = [City(tmp_path / f"city{number}", template, PATIENT) for number in range(writers)]
    for number, city in enumerate(cities):
        close_some(city, random.Random(number))
        open_one(city, random.Random(number))
    ws.refresh(cities[0].study, tables, progress=False)
    stop, reads, faults = threading.Event(), [0], list[str]()
    readers = [threading.Thread(target=read_on, args=(tables, stop, reads, faults)) for _ in range(2)]
    for reader in readers:
        reader.start()
    command = [sys.executable, str(WORKER), str(_engine.__file__)]
    workers = [
        subprocess.Popen([*command, str(city.study), str(tables), str(times)], stdout=subprocess.PIPE, text=True)
        for city in cities
    ]
    lines = [line.split()[:2] for worker in workers for line in worker.communicate()[0].splitlines()]
    stop.set()
    for reader in readers:
        reader.join()
    assert all(worker.returncode == 0 for worker in workers) and not faults, faults[:3]
    published = sorted(int(release) for status, release in lines if status == "published")
    assert published == list(range(1, len(published) + 1)), "every release is somebody's, and nobody's is lost"
    found = ws.Tables(tables)
    assert found.releases()["release"].to_list() == [0, *published] and len(published) > 4
    assert found.verify(progress=False).height == 0
    waits = [float(waited) for status, waited in lines if status == "busy"]
    assert all(waited < 1 for waited in waits)
    print(f"{writers} writers: {len(published)} releases, {len(waits)} times busy, {reads[0]} reads")


def read_on(tables: Path, stop: threading.Event, reads: list[int], faults: list[str]) -> None:
    """Open and read over and over: each time one release, whole."""
    while not stop.is_set():
        try:
            table = deltalake.DeltaTable(str(tables / "coverage"))
            rows = sum(pl.read_parquet(file, columns=["people"]).height for file in table.file_uris())
            record = ws.Tables(tables).record(table.version())
            if rows != record["tables"]["coverage"]["rows"]:
                faults.append(f"version {table.version()}: {rows} rows")
            reads[0] += 1
        except Exception as error:
            faults.append(repr(error))
