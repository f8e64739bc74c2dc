"""Maps as pictures."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import polars as pl
import pytest

import walkshed as ws
from walkshed import maps

matplotlib.use("Agg")


def test_each_panel_says_what_share_is_covered(helsinki_run: ws.RunResult) -> None:
    figure = maps.minutes_map(helsinki_run, ["pharmacy", "supermarket"])
    total = helsinki_run.total().filter(
        (pl.col("class") == "pharmacy") & (pl.col("group") == "all") & (pl.col("profile") == "adult")
    )
    shares = [f"{share:.0%} in {minutes:g}" for share, minutes in total.select("share", "minutes").iter_rows()]
    title = figure.axes[0].get_title(loc="left")
    assert title.startswith("Pharmacy") or "药店" in title
    assert all(share in title for share in shares)


def test_cells_are_coloured_by_their_minutes(helsinki_run: ws.RunResult) -> None:
    figure = maps.minutes_map(helsinki_run, ["pharmacy"])
    times = helsinki_run.table("times").filter((pl.col("class") == "pharmacy") & (pl.col("profile") == "adult"))
    (cells, *_) = figure.axes[0].collections
    near = (cells.get_facecolor() == matplotlib.colors.to_rgba("#2b6cb0")).all(axis=1).sum()
    grey = (cells.get_facecolor() == matplotlib.colors.to_rgba("#d9d9d9")).all(axis=1).sum()
    assert near == times.filter(pl.col("time_s") <= 300).height > 0
    assert grey == times["time_s"].null_count()


def test_the_picture_is_a_png_and_replaces_an_earlier_one(helsinki_run: ws.RunResult, tmp_path: Path) -> None:
    path = tmp_path / "map.png"
    path.write_text("an earlier picture")
    maps.save(maps.minutes_map(helsinki_run), path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_class_is_refused(helsinki_run: ws.RunResult) -> None:
    with pytest.raises(ValueError, match="no times for spaceport; classes: activity_ground"):
        maps.minutes_map(helsinki_run, ["spaceport"])
