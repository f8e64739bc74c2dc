"""Checks before anything is computed: every row is accounted for, and the report says what was found."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from conftest import Data
from test_study import broken, walkshed

import walkshed as ws

REPORT = ["findings.parquet", "report.html", "totals.parquet"]


def in_is_accepted_and_rejected(totals: pl.DataFrame) -> bool:
    return bool((totals["rows"] == totals["accepted"] + totals["rejected"]).all())


def test_every_row_of_every_table_is_accepted_or_rejected(helsinki: Path) -> None:
    found = ws.validate(helsinki, progress=False)
    assert found.ready and in_is_accepted_and_rejected(found.totals)
    rows = {row["file"]: (row["rows"], row["accepted"], row["rejected"]) for row in found.totals.to_dicts()}
    assert rows["facilities.csv"] == (4, 1, 3)
    assert rows["population.parquet"] == (92, 92, 0)
    assert rows["areas.geojson"] == (2, 2, 0)
    listed = found.findings.filter((pl.col("file") == "facilities.csv") & (pl.col("level") == "rejected"))
    assert sorted(listed["reason"]) == ["duplicate_id", "not_snapped", "swapped_lon_lat"]
    for column in ("what", "what_zh", "fix", "fix_zh"):
        assert (listed[column].str.len_chars() > 3).all()


def test_the_report_appears_whole_in_both_languages_and_replaces_only_a_report(helsinki: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    for _ in range(2):
        found = ws.validate(helsinki, out=out, progress=False)
        assert sorted(path.name for path in out.iterdir()) == REPORT and list(tmp_path.iterdir()) == [out]
    assert pl.read_parquet(out / "findings.parquet").equals(found.findings)
    assert pl.read_parquet(out / "totals.parquet").equals(found.totals)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page == found.page and "可以运行" in page and "Ready to run" in page and "<script" not in page
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "child.jpg").write_text("x")
    with pytest.raises(ws.InputError, match="photos"):
        ws.validate(helsinki, out=photos, progress=False)
    assert [path.name for path in photos.iterdir()] == ["child.jpg"]


def test_a_refused_study_has_a_report_too(helsinki: Path, tmp_path: Path) -> None:
    study = broken(helsinki, '"areas.geojson"', '"area.geojson"')
    with pytest.raises(ws.InputError, match=r"area\.geojson") as refused:
        ws.validate(study, out=tmp_path / "report", progress=False)
    found = refused.value.validation  # type: ignore[attr-defined]
    assert not found.ready and found.report == {}
    assert found.findings.select("level", "reason").rows() == [("error", "not_found")]
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "不能运行" in page and "Refused" in page and "area.geojson" in page


def test_a_refused_study_tells_of_every_table_and_of_the_rows_before(helsinki: Path) -> None:
    study = broken(helsinki, 'path = "population.parquet"', 'path = "population.parquet"\npeople = "residents"')
    text = study.read_text().replace('path = "areas.geojson"', 'path = "areas.geojson"\nid = "number"')
    study.write_text(text)
    with pytest.raises(ws.InputError, match="number") as refused:
        ws.validate(study, progress=False)
    found = refused.value.validation.findings  # type: ignore[attr-defined]
    # People are read against the areas, and say nothing without them.
    assert found.filter(pl.col("level") == "error").select("file", "column").rows() == [("areas.geojson", "number")]
    both = text.replace('path = "facilities.csv"', 'path = "facilities.csv"\nid = "shop"')
    study.write_text(both)
    with pytest.raises(ws.InputError) as refused:
        ws.validate(study, progress=False)
    assert sorted(problem["column"] for problem in refused.value.problems) == ["number", "shop"]
    study.write_text(text.replace('id = "number"', ""))
    with pytest.raises(ws.InputError, match="residents") as refused:
        ws.validate(study, progress=False)
    found = refused.value.validation.findings  # type: ignore[attr-defined]
    assert found.filter(pl.col("level") == "error")["column"].to_list() == ["residents"]
    left_out = found.filter((pl.col("file") == "facilities.csv") & (pl.col("level") == "rejected"))
    assert sorted(left_out["reason"]) == ["duplicate_id", "swapped_lon_lat"]


def test_a_file_alone_is_looked_at_as_what_its_columns_say(tmp_path: Path) -> None:
    place = {"lon": [106.55, 106.56, 200.0], "lat": [29.56, 29.57, 29.5]}
    tables = {
        "facilities": {"id": [1, 2, 3], "class": ["park", None, "park"], **place},
        "population": {"people": [5.0, -1.0, 2.0], **place},
        "table": {"note": ["a", "b", "c"], **place},
    }
    used = {"facilities": 1, "population": 1, "table": 2}
    for name, columns in tables.items():
        path = tmp_path / f"{name}.csv"
        pl.DataFrame(columns).write_csv(path)
        found = ws.validate(path, progress=False)
        assert found.ready, found.findings
        assert found.totals.row(0) == (name, path.name, "rows", 3, used[name], 3 - used[name])
    found = ws.validate(tmp_path, progress=False)
    assert found.totals.height == 3 and in_is_accepted_and_rejected(found.totals)
    assert (found.findings["reason"] == "unknown_use").sum() == 1


def test_a_damaged_file_in_a_folder_is_an_error_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and nothing more")
    pl.DataFrame({"people": [1.0], "lon": [106.5], "lat": [29.5]}).write_csv(tmp_path / "good.csv")
    found = ws.validate(tmp_path, progress=False)
    assert not found.ready
    assert found.findings.filter(pl.col("level") == "error")["file"].to_list() == ["bad.parquet"]
    assert found.totals["file"].to_list() == ["good.csv"]


def test_the_command_writes_the_report_and_refuses_with_1(helsinki: Path, tmp_path: Path) -> None:
    done = walkshed("validate", helsinki, "--out", tmp_path / "report")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "facilities.csv" in done.stdout and "swapped" in done.stdout and "颠倒" in done.stdout
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == REPORT
    study = broken(helsinki, "osm = true", "osm = true\nosmium = 1")
    done = walkshed("validate", study, "--json")
    assert done.returncode == 1 and "osmium" in done.stderr
    told = json.loads(done.stdout)
    assert told["findings"][0]["level"] == "error" and told["problems"][0]["reason"] == "unreadable"


def test_real_folders_are_accounted_for(data: Data) -> None:
    for name in ("porto_alegre", "helsinki", "belo_horizonte", "chongqing", "spopt_san_francisco"):
        found = ws.validate(data(name), progress=False)
        assert found.ready, (name, found.findings.filter(pl.col("level") == "error"))
        assert found.totals.height > 0 and in_is_accepted_and_rejected(found.totals), name
