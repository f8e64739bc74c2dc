"""The nightly refresh: the same numbers as the main line, only what changed, gates, history, rollback, verification."""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import polars as pl
import pytest
from nights import EVENTS, KEYS, PATIENT, City, close_some, content, open_one, people_move, streets_close
from polars.testing import assert_frame_equal

import walkshed as ws
from walkshed import _engine, cli
from walkshed.tables import GATES


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ws.synth(tmp_path_factory.mktemp("nights") / "city", nodes=1000, seed=5, progress=False).folder


@pytest.fixture
def city(template: Path, tmp_path: Path) -> City:
    return City(tmp_path / "city", template, PATIENT)


def test_the_first_release_is_what_the_main_line_computes(city: City, tmp_path: Path) -> None:
    result = city.refresh()
    assert (result.status, result.release) == ("published", 0)
    run = ws.run(city.study, tmp_path / "out", progress=False)
    tables = result.tables
    assert_frame_equal(
        tables.read("coverage").drop("tile").sort(KEYS["coverage"]), run.table("coverage").sort(KEYS["coverage"])
    )
    times = run.table("times").rename({"origin_id": "cell"}).with_columns(pl.col("cell").cast(pl.Int64))
    times = times.with_columns(pl.col("facility_id").cast(pl.String)).select(tables.read("times").drop("tile").columns)
    assert_frame_equal(tables.read("times").drop("tile").sort(KEYS["times"]), times.sort(KEYS["times"]))
    assert tables.read("cells")["people"].sum() == pytest.approx(run.table("cells")["people"].sum(), rel=1e-12)
    everybody = run.total().filter(pl.col("group") == "all").select(tables.total().columns)
    assert_frame_equal(tables.total(), everybody)


def test_nothing_changed_is_no_release(city: City) -> None:
    city.refresh()
    before = sorted(path for path in city.tables.rglob("*") if "reports" not in path.parts)
    again = city.refresh()
    assert (again.status, again.release, again.report["why"]) == ("unchanged", 0, [])
    assert sorted(path for path in city.tables.rglob("*") if "reports" not in path.parts) == before
    # Written anew, the same bytes: what counts is what files hold.
    ledger = (city.folder / "facilities.parquet").read_bytes()
    (city.folder / "facilities.parquet").write_bytes(ledger)
    assert city.refresh().status == "unchanged"


def test_all_again_gives_the_same_files(city: City) -> None:
    first = city.refresh()
    whole = city.refresh(full=True)
    assert (whole.status, whole.release) == ("unchanged", 0)
    assert whole.made()["computed"].sum() == first.made()["computed"].sum() > 0
    assert whole.made()["changed"].sum() == 0


@pytest.mark.parametrize("seed", range(4))
def test_night_after_night_is_a_whole_recompute_to_the_bit(template: Path, tmp_path: Path, seed: int) -> None:
    """Ten nights of a city to which anything happens; each against somebody who begins with that night."""
    chance = random.Random(seed)
    city = City(tmp_path / "city", template, PATIENT)
    city.refresh()
    spared = 0
    for night in range(10):
        for event in chance.choices(EVENTS, k=chance.randint(1, 2)):
            event(city, chance)
        result = city.refresh(override={"older_input": "a test that turns back"})
        whole = city.afresh(tmp_path / f"afresh{night}")
        assert content(result.tables) == content(whole), f"seed {seed}, night {night}"
        made = result.made()
        spared += int(made["parts"].sum() - made["computed"].sum()) if made.height else 0
        shutil.rmtree(whole.folder)
    assert spared > 0
    assert result.tables.verify(progress=False).height == 0


def test_only_what_a_change_touches_is_computed(city: City) -> None:
    times = city.refresh().tables.read("times").drop_nulls("time_s")
    nearest = times.group_by("class", "facility_id").agg(pl.col("time_s").min(), pl.len()).sort("len", "facility_id")
    one, closed = nearest.row(-1)[:2]
    ledger = city.table("facilities")
    city.write("facilities", ledger.filter((pl.col("class") != one) | (pl.col("id").cast(pl.String) != closed)))
    result = city.refresh()
    made = {row["table"]: row for row in result.made().to_dicts()}
    assert made["coverage"]["classes"] == one
    assert 0 < made["coverage"]["computed"] < made["coverage"]["parts"]
    assert made["cells"]["changed"] == 0 and made["areas"]["changed"] == 0
    assert result.report["why"] == [{"what": "changed", "of": str(city.folder / "facilities.parquet")}]


def test_a_dry_run_tells_and_writes_nothing(city: City) -> None:
    first = city.refresh(dry_run=True)
    assert first.status == "dry_run" and not city.tables.exists()
    with pytest.raises(FileNotFoundError, match="no release here"):
        _ = first.tables
    city.refresh()
    close_some(city, random.Random(1))
    before = sorted(city.tables.rglob("*"))
    told = city.refresh(dry_run=True)
    assert sorted(city.tables.rglob("*")) == before
    assert told.made().drop("table").equals(city.refresh().made().drop("table"))


def test_a_day_is_an_input(city: City) -> None:
    ledger = city.table("facilities")
    opens = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("2026-07-01")).otherwise(None)
    city.write("facilities", ledger.with_columns(opened_on=opens))
    city.refresh()
    later = city.refresh(as_of=dt.date(2026, 8, 1))
    assert (later.status, later.report["why"]) == ("published", [{"what": "day", "of": "2026-06-01 → 2026-08-01"}])
    assert later.tables.diff().facilities()["state"].to_list() == ["changed"]
    assert city.refresh(as_of="2026-08-01").status == "unchanged"
    with pytest.raises(ws.InputError, match="2026-03-01"):
        city.refresh(as_of="soon")


def released(city: City) -> int:
    return int(ws.Tables(city.tables).releases()["release"].max() or 0)


def refused(city: City, gate: str, match: str) -> None:
    """A gate stays shut, yesterday stays, and a reason opens it and is recorded."""
    last = released(city)
    with pytest.raises(ws.InputError, match=match) as found:
        city.refresh()
    assert {problem["reason"] for problem in found.value.problems} == {gate}  # type: ignore[attr-defined]
    assert all("--override" in problem["message_zh"] for problem in found.value.problems)  # type: ignore[attr-defined]
    assert released(city) == last and not list((city.tables / "staging").iterdir())
    report = json.loads((city.tables / "reports" / "last.json").read_text())
    assert report["status"] == "refused"
    passed = city.refresh(override={gate: "looked at, it is so"})  # type: ignore[dict-item]
    assert passed.release == last + 1
    assert passed.tables.history[-1]["overridden"] == {gate: "looked at, it is so"}
    assert "it is so" in passed.tables.releases()["overridden"][-1]


class TestGates:
    """What is odd is not published."""

    def test_fewer_rows(self, template: Path, tmp_path: Path) -> None:
        city = City(tmp_path / "city", template, "[refresh.gates]\ncoverage_move_share = 1")
        city.refresh()
        city.write("facilities", city.table("facilities").gather_every(2))
        refused(city, "rows_shrink", "rows after")

    def test_more_that_no_street_is_near(self, template: Path, tmp_path: Path) -> None:
        city = City(tmp_path / "city", template, "[refresh.gates]\ncoverage_move_share = 1")
        city.refresh()
        ledger = city.table("facilities")
        north = ledger["lat"].max()
        far = pl.when(pl.int_range(pl.len()) % 10 == 0).then(pl.lit(north) + 0.01).otherwise(pl.col("lat"))
        city.write("facilities", ledger.with_columns(lat=far))
        refused(city, "unjoined_rise", "near no street")

    def test_far_fewer_people(self, template: Path, tmp_path: Path) -> None:
        city = City(tmp_path / "city", template, "[refresh.gates]\ncoverage_move_share = 1")
        city.refresh()
        city.write("population_cells", city.table("population_cells").with_columns(pl.col("people") // 2))
        refused(city, "people_move", "people after")

    def test_coverage_that_moves_far(self, template: Path, tmp_path: Path) -> None:
        city = City(tmp_path / "city", template, "[refresh.gates]\nrows_shrink_share = 1")
        city.refresh()
        ledger = city.table("facilities")
        one = "dining"
        city.write(
            "facilities", pl.concat([ledger.filter(pl.col("class") != one), ledger.filter(pl.col("class") == one)[:1]])
        )
        refused(city, "coverage_move", "min")

    def test_a_file_of_before_yesterday(self, city: City) -> None:
        city.refresh()
        first = (city.folder / "facilities.parquet").read_bytes()
        close_some(city, random.Random(1))
        city.refresh()
        (city.folder / "facilities.parquet").write_bytes(first)
        refused(city, "older_input", "release 0 again")

    def test_a_file_written_before_the_one_that_it_replaces(self, city: City) -> None:
        import os

        city.refresh()
        close_some(city, random.Random(1))
        os.utime(city.folder / "facilities.parquet", (1_000_000_000, 1_000_000_000))
        refused(city, "older_input", "before the one")

    def test_a_gate_that_nobody_knows_and_no_reason(self, city: City) -> None:
        with pytest.raises(ws.InputError, match=", ".join(GATES)):
            city.refresh(override={"rows": "x"})
        with pytest.raises(ws.InputError, match="reason"):
            city.refresh(override={"rows_shrink": " "})


class TestHistory:
    """Releases, by number and by day, and what differs between them."""

    @pytest.fixture
    def nights(self, city: City) -> City:
        city.refresh()
        open_one(city, random.Random(2))
        city.refresh()
        people_move(city, random.Random(3))
        city.refresh()
        return city

    def test_any_release_is_read_by_number_and_by_day(self, nights: City) -> None:
        tables = ws.Tables(nights.study)
        releases = tables.releases()
        assert releases["release"].to_list() == [0, 1, 2] and releases["kept"].all()
        assert tables.read("facilities", 0).height + 1 == tables.read("facilities", 1).height
        today = releases["published_at"].dt.date()[-1]
        assert tables.release(today) == 2 and tables.release(str(today)) == 2 and tables.release(-3) == 0
        assert tables.release(releases["published_at"][1]) == 1
        with pytest.raises(LookupError, match="first release is of"):
            tables.release("2020-01-01")
        with pytest.raises(LookupError, match="there are 0 to 2"):
            tables.read("coverage", 3)
        with pytest.raises(LookupError, match="coverage"):
            tables.read("covrage")

    def test_a_difference_is_that_of_the_whole_tables(self, nights: City) -> None:
        tables = ws.Tables(nights.tables)
        found = tables.diff(0, 2).coverage()
        keys = KEYS["coverage"]
        both = tables.read("coverage", 0).join(tables.read("coverage", 2), on=keys, how="inner", suffix="_after")
        assert both.height == tables.read("coverage").height
        differs = (pl.col("people") != pl.col("people_after")) | (
            pl.col("people_covered") != pl.col("people_covered_after")
        )
        slow = both.filter(differs).sort(keys)
        assert 0 < found.height == slow.height
        assert_frame_equal(found.select(keys), slow.select(keys))
        change = slow["people_covered_after"] - slow["people_covered"]
        assert found["change"].to_list() == change.to_list()
        assert tables.diff(1, 2).facilities().height == 0 and tables.diff(0, 1).facilities()["state"].to_list() == [
            "new"
        ]
        moved = tables.diff(1, 2).cells()
        assert (moved["people_after"] - moved["people_before"]).round(9).unique().to_list() == [7.0]
        assert tables.diff(2, 2).coverage().height == 0
        assert "1 new" in tables.diff(0, 1).summary() and "设施新增 1" in tables.diff(0, 1).summary(chinese=True)

    def test_a_rollback_is_a_release_with_the_old_files(self, nights: City) -> None:
        tables = ws.Tables(nights.tables)
        old = content(tables, 0)
        assert tables.roll_back(0, "the new ledger is wrong", progress=False) == 3
        assert content(tables) == old and tables.history[-1]["cause"] == "rollback"
        assert "the new ledger is wrong" in tables.history[-1]["reason"]
        assert tables.verify(progress=False).height == 0
        with pytest.raises(ws.InputError, match="reason"):
            tables.roll_back(1, " ")
        # What was rolled back does not come again by itself: somebody has to say so, or deliver something new.
        with pytest.raises(ws.InputError, match="that of release 2 again"):
            nights.refresh()
        people_move(nights, random.Random(9))
        open_one(nights, random.Random(9))
        assert nights.refresh().release == 4

    def test_a_flipped_bit_is_found_wherever_it_is(self, nights: City) -> None:
        tables = ws.Tables(nights.tables)
        chance = random.Random(7)
        folders = [nights.tables / name for name in ("coverage", "times", "cells", "releases", "files")]
        files = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix)
        for path in chance.sample(files, 25):
            whole = path.read_bytes()
            broken = bytearray(whole)
            broken[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
            path.write_bytes(broken)
            assert tables.verify(progress=False).height > 0, path
            path.write_bytes(whole)
        assert tables.verify(progress=False).height == 0


def test_what_no_release_needs_is_let_go(template: Path, tmp_path: Path) -> None:
    city = City(
        tmp_path / "city",
        template,
        PATIENT.replace("[refresh.gates]", "keep_releases = 3\nkeep_days = 7\n[refresh.gates]"),
    )
    day_ms, began_ms = 86_400_000, 1_800_000_000_000
    chance = random.Random(4)
    for night in range(12):
        open_one(city, chance)
        told = at(city, began_ms + night * day_ms)
        assert told["status"] == "published"
    tables = ws.Tables(city.tables)
    kept = tables.releases().filter("kept")["release"].to_list()
    assert kept == list(range(4, 12)), "the last eight nights are seven days"
    assert tables.read("coverage", 4).height > 0
    with pytest.raises(LookupError, match="no longer kept"):
        tables.read("coverage", 3)
    assert tables.total(0).height > 0, "what was covered stays in the history"
    assert tables.verify(progress=False).height == 0
    held = {Path(file) for number in kept for name in tables.names for file in tables.files(name, number)}
    assert {path for name in tables.names for path in (city.tables / name).rglob("*.parquet")} == held


def at(city: City, now_ms: int) -> dict[str, object]:
    """A refresh on a machine whose clock says so."""
    options = {
        "study": str(city.study),
        "tables": None,
        "full": False,
        "dry_run": False,
        "as_of": None,
        "overrides": {},
        "any_file_system": False,
        "memory_limit": None,
        "now_ms": now_ms,
    }
    told: dict[str, object] = json.loads(_engine.refresh(options, [], []))
    return told


@pytest.mark.parametrize("back_ms", [3_600_000, 86_400_000, 1_800_000_000_000])
def test_a_clock_that_goes_back_loses_nothing(city: City, back_ms: int) -> None:
    """Daylight saving, a day, and 1970."""
    now_ms = 1_800_000_000_000
    at(city, now_ms)
    open_one(city, random.Random(1))
    told = at(city, now_ms - back_ms)
    assert (told["status"], told["release"]) == ("published", 1) and "clock" in str(told["warnings"])
    history = ws.Tables(city.tables).history
    assert history[1]["published_at_ms"] == now_ms + 1
    assert len({record["published_at_ms"] for record in history}) == 2


def test_another_process_is_told_at_once(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    city.refresh()
    with (city.tables / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        began = time.perf_counter()
        with pytest.raises(ws.BusyError, match="process"):
            city.refresh()
        assert time.perf_counter() - began < 1
        assert cli.main(["refresh", str(city.study), "--quiet"]) == 75
        assert "正被" in capsys.readouterr().err
        assert ws.Tables(city.tables).read("coverage").height > 0, "readers need no lock"
    assert city.refresh().status == "unchanged"


def test_a_folder_of_somebody_else_is_never_touched(city: City) -> None:
    city.tables.mkdir()
    (city.tables / "photo.jpg").write_text("x")
    with pytest.raises(ws.InputError):
        city.refresh()
    assert [path.name for path in city.tables.iterdir()] == ["photo.jpg"]


def test_scorecards_projects_and_requests_are_tables_too(template: Path, tmp_path: Path) -> None:
    more = (
        'standard = "mohurd_2020"\nlevel = "community"\nprojects = "projects.parquet"\nrequests = "requests.parquet"\n'
    )
    city = City(tmp_path / "city", template, more + PATIENT)
    tables = city.refresh().tables
    assert {"scorecards", "scorecard_points", "projects", "requests"} <= set(tables.names)
    run = ws.run(city.study, tmp_path / "out", progress=False)
    card = ws.score_run(run.folder, tmp_path / "card", standard="mohurd_2020", level="community", progress=False)
    totals = tables.read("scorecards").drop("tile").sort("area_id")
    assert_frame_equal(totals, card.totals.sort("area_id").select(totals.columns), check_dtypes=False)
    assert tables.read("projects").height > 0 and tables.read("requests").height > 0
    assert tables.diff(0, 0).scorecards().height == 0


def test_answers_that_name_nothing_are_told(template: Path, tmp_path: Path) -> None:
    more = 'standard = "mohurd_2020"\nlevel = "community"\nsurvey = "answers.csv"\n'
    city = City(tmp_path / "city", template, more + PATIENT)
    (city.folder / "answers.csv").write_text("community_id,key,value\nnowhere,nothing,1\n", "utf-8")
    rejected = city.refresh().tables.read("rejected")
    assert rejected.filter(pl.col("file") == "answers.csv").height >= 1


def test_an_input_that_changes_while_it_is_read_is_not_published(city: City) -> None:
    city.refresh()
    path, stop = city.folder / "population_cells.parquet", threading.Event()
    people = city.table("population_cells")

    def deliver() -> None:
        for number in range(1_000_000):
            if stop.is_set():
                return
            people.with_columns(pl.col("people") + number).write_parquet(path.with_suffix(".new"))
            path.with_suffix(".new").replace(path)

    delivery = threading.Thread(target=deliver)
    delivery.start()
    try:
        with pytest.raises(ws.InputError, match="changed while it was read"):
            city.refresh()
    finally:
        stop.set()
        delivery.join()
    assert released(city) == 0 and not list((city.tables / "staging").iterdir())


def test_a_dry_run_tells_the_gates_that_would_stay_shut(template: Path, tmp_path: Path) -> None:
    city = City(tmp_path / "city", template, "[refresh.gates]\ncoverage_move_share = 1")
    city.refresh()
    city.write("facilities", city.table("facilities").gather_every(2))
    told = city.refresh(dry_run=True).report["warnings"]
    assert any("rows_shrink" in line and "行" in line for line in told)


def test_the_commands(city: City, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, tables = str(city.study), str(city.tables)
    assert cli.main(["history", tables]) == 1 and "no release here" in capsys.readouterr().err
    assert cli.main(["refresh", study, "--quiet"]) == 0 and "published 已发布" in capsys.readouterr().out
    assert cli.main(["refresh", study, "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "unchanged"
    open_one(city, random.Random(1))
    assert cli.main(["refresh", study, "--quiet", "--dry-run"]) == 0 and "试运行" in capsys.readouterr().out
    assert cli.main(["refresh", study, "--quiet"]) == 0
    assert cli.main(["history", study]) == 0 and "refresh" in capsys.readouterr().out
    assert cli.main(["diff", "--tables", study, "--out", str(tmp_path / "diff")]) == 0
    assert "release 0 → 1" in capsys.readouterr().out
    assert pl.read_parquet(tmp_path / "diff" / "coverage_0_1.parquet").height > 0
    assert cli.main(["diff", "0", "7", "--tables", tables]) == 1 and "0 to 1" in capsys.readouterr().err
    assert cli.main(["rollback", "0", "--tables", tables, "--reason", "a test"]) == 0
    assert cli.main(["verify", tables]) == 0 and "完好" in capsys.readouterr().out
    next((city.tables / "coverage").rglob("*.parquet")).write_bytes(b"no")
    assert cli.main(["verify", tables]) == 1 and "已损坏" in capsys.readouterr().out
    with pytest.raises(SystemExit) as usage:
        cli.main(["refresh", study, "--override", "rows_shrink"])
    assert usage.value.code == 2


def test_a_stop_by_sigterm_leaves_nothing(city: City) -> None:
    import signal

    city.refresh()
    streets_close(city, random.Random(1))
    command = [sys.executable, "-m", "walkshed", "refresh", str(city.study), "--full", "--quiet"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()  # it has begun
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=20)
    assert code in (143, 0)
    assert released(city) == (1 if code == 0 else 0)
    assert not list((city.tables / "staging").iterdir())
