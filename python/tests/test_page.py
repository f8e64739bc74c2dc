"""The one-map page as a file: what stands in it, that it is whole, what is refused. In use: test_page_chromium."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import json
import random
import re
import struct
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hostile_city import NAMES, HostileCity, hostile_city

import walkshed as ws
from walkshed.page import Page, document, page, page_of_table, tables
from walkshed.page.block import Block, Width
from walkshed.page.city_block import REASONS
from walkshed.page.outlines import outlines

VENDOR = Path(document.__file__).parent / "vendor"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> HostileCity:
    return hostile_city(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def made(city: HostileCity) -> Page:
    return page(city.run, scenarios=city.scenarios, scorecard=city.card, title=NAMES[1])


class Blocks(HTMLParser):
    """Reads a page as a browser would: its scripts by id, and its policy."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._open = dict(attrs).get("id") or tag
            self.scripts[self._open] = ""

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.scripts[self._open] += data

    def block(self, name: str) -> tuple[dict[str, Any], dict[str, list[int]]]:
        """A block, read by another reader than the page's: its words, and its columns."""
        raw = gzip.decompress(base64.b64decode(self.scripts[name]))
        (length,) = struct.unpack_from("<I", raw)
        header = json.loads(raw[4 : 4 + length])
        columns, at = {}, 4 + length
        for column, told in header["columns"].items():
            width, count = told["bytes"], told["count"]
            planes = [raw[at + k * count : at + (k + 1) * count] for k in range(width)]
            values = [int.from_bytes(bytes(plane[row] for plane in planes), "little") for row in range(count)]
            columns[column] = _summed(values, 1 << 8 * width) if told["delta"] else values
            at += width * count
        assert at == len(raw)
        return header["about"], columns


def _summed(steps: list[int], modulus: int) -> list[int]:
    last, values = 0, []
    for step in steps:
        last = (last + (step // 2 if step % 2 == 0 else -(step + 1) // 2)) % modulus
        values.append(last)
    return values


def test_libraries_are_as_published() -> None:
    sums = dict(reversed(line.split()) for line in (VENDOR / "SHA256SUMS").read_text("utf-8").splitlines())
    files = {path.name for path in VENDOR.iterdir() if path.suffix in (".js", ".txt")}
    assert set(sums) == files
    for name, digest in sums.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_the_libraries_travel_byte_for_byte(made: Page) -> None:
    blocks = Blocks(made.html)
    for name, file in (("library-deck", document.DECK), ("library-h3", document.H3)):
        assert gzip.decompress(base64.b64decode(blocks.scripts[name])) == (VENDOR / file).read_bytes()


def test_the_policy_lets_run_what_the_page_brought_and_nothing_else(made: Page) -> None:
    blocks = Blocks(made.html)
    policy = next(tag[1]["content"] for tag in blocks.tags if tag[1].get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'" and "connect-src" not in rules
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    scripts = [blocks.scripts["script"]] + [(VENDOR / file).read_text("utf-8") for file in (document.DECK, document.H3)]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts}
    assert set(rules["script-src"].split()) == hashes
    run = [attrs for tag, attrs in blocks.tags if tag == "script" and "type" not in attrs]
    assert run == [{}], "one script, no source"


def test_nothing_in_the_markup_points_anywhere(made: Page) -> None:
    for tag, attributes in Blocks(made.html).tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), f"{tag} {name}"
            assert name != "style"
            if name in ("src", "href", "action", "data"):
                assert value == "data:,"


def test_names_stand_in_the_data_and_nowhere_in_the_markup(made: Page, city: HostileCity) -> None:
    blocks = Blocks(made.html)
    about, _ = blocks.block("data")
    assert about["areas"]["name"] == city.run.table("areas")["name"].to_list()
    assert [plan["name"] for plan in about["plans"]] == NAMES[:2]
    bare = re.sub(r"<script.*?</script>", "", made.html, flags=re.DOTALL)
    assert "hacked" not in bare.replace("&lt;/script&gt;&lt;script&gt;window.hacked=1&lt;/script&gt;", "")


def test_walks_are_exact_to_the_tenth_of_a_second(made: Page, city: HostileCity) -> None:
    about, columns = Blocks(made.html).block("data")
    cells, last = [], 0
    for low, high in zip(columns["cell_low"], columns["cell_high"], strict=True):
        last += low + (high << 32)
        cells.append(last)
    times = city.run.table("times")
    assert cells == sorted(times["origin_id"].unique())
    names = about["facilities"]["id"]
    for c, of in enumerate(about["classes"]):
        for p, who in enumerate(about["profiles"]):
            own = times.filter((pl.col("class") == of["id"]) & (pl.col("profile") == who["id"])).sort("origin_id")
            walks = columns[f"walk_{c}_{p}"]
            ends = iter(columns[f"end_{c}_{p}"])
            for walk, row in zip(walks, own.iter_rows(named=True), strict=True):
                if walk < len(REASONS):
                    assert (row["time_s"], row["reason"]) == (None, REASONS[walk])
                else:
                    assert row["time_s"] == (walk - len(REASONS)) / 10
                    assert row["facility_id"] == names[about["facilities"]["first"][c] + next(ends) - 1]


def test_same_inputs_same_bytes(made: Page, city: HostileCity) -> None:
    again = page(city.run, scenarios=city.scenarios, scorecard=city.card, title=NAMES[1])
    assert again.html == made.html


def test_no_folder_of_this_machine_stands_in_the_page(made: Page, city: HostileCity) -> None:
    about, _ = Blocks(made.html).block("data")
    assert str(city.study.parent.parent) not in json.dumps(about, ensure_ascii=False) + made.html
    assert set(about["inputs"]) >= {"streets.osm.pbf", "facilities.parquet"}


def test_says_that_it_is_synthetic(made: Page) -> None:
    assert "SYNTHETIC 合成数据" in made.html


def test_every_word_is_there_in_both_languages_and_used() -> None:
    words, code = document.words(), document._script() + (document.HERE / "page.html").read_text("utf-8")
    for key, (zh, en) in words.items():
        assert re.findall(r"\{\w+\}", zh) == [] or sorted(re.findall(r"\{\w+\}", zh)) == sorted(
            re.findall(r"\{\w+\}", en)
        )
        assert not re.search("[\u4e00-\u9fff]", en) or key.startswith("language_")
    asked = set(re.findall(r'word\("(\w+)"', code)) | set(re.findall(r'data-(?:word|label|hint)="(\w+)"', code))
    assert asked <= set(words)
    spelled = set(re.findall(r'"(\w+)"', code)) | asked | set(REASONS) | {"nobody_lives_here"}
    made_up = re.compile(r"layer_\w+|left_out_\w+|" + "|".join(ws.score.__globals__["STATUS_ZH"]))
    assert [key for key in words if key not in spelled and not made_up.fullmatch(key)] == []


def test_save_is_whole_or_not_at_all(made: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "map.html"
    path.write_text("what stood")

    def full(self: Path, data: bytes) -> int:
        Path.open(self, "wb").write(data[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken, pytest.raises(OSError, match="No space"):
        broken.setattr(Path, "write_bytes", full)
        made.save(path)
    assert path.read_text() == "what stood"
    assert made.save(path) == path
    assert path.read_text("utf-8") == made.html
    assert list(tmp_path.iterdir()) == [path]


def test_in_a_notebook_and_too_large_for_one(made: Page) -> None:
    shown = Blocks(made._repr_html_()).tags[0]
    assert shown[0] == "iframe" and shown[1]["srcdoc"] == made.html
    large = Page("<p>" + "字" * 4_000_000)
    assert "iframe" not in large._repr_html_() and ".save(" in large._repr_html_()
    assert "12.0 MB" in repr(large)


def test_scenarios_of_another_city_are_refused(city: HostileCity, tmp_path: Path) -> None:
    other = ws.synth(tmp_path / "other", nodes=1000, seed=5, progress=False)
    run = ws.run(other.study, tmp_path / "run", progress=False)
    with pytest.raises(ValueError, match="not of the study and the files"):
        page(run, scenarios=city.scenarios)
    with pytest.raises(ValueError, match="scorecard: it is of"):
        card = dataclasses.replace(city.card, totals=city.card.totals.with_columns(area_id=pl.lit("elsewhere")))
        page(city.run, scorecard=card)
    with pytest.raises(ValueError, match='language "fr"'):
        page(city.run, language="fr")  # type: ignore[arg-type]


def test_what_a_scenario_closes_moves_and_opens_is_where_it_is_then(city: HostileCity, tmp_path: Path) -> None:
    ends = city.run.table("facilities").filter((pl.col("state") == "open") & (pl.col("class") == "kindergarten"))
    closed, again, moved = ends["id"].head(3)
    lon, lat = city.run.table("cells").select(pl.col("lon", "lat").median()).row(0)
    place = f"place = [{lon}, {lat}]"
    edits = [
        f'do = "close_facility"\nid = "{closed}"',
        f'do = "close_facility"\nid = "{again}"',
        f'do = "open_facility"\nid = "{again}"',
        f'do = "move_facility"\nid = "{moved}"\n{place}',
        f'do = "new_homes"\n{place}\npeople = 300',
    ]
    plan = tmp_path / "plan.toml"
    plan.write_text('[scenario]\nname = "all"\n' + "".join(f"[[edit]]\n{edit}\n" for edit in edits), "utf-8")
    scenarios = ws.run_scenarios(city.study, [plan], tmp_path / "scenarios", progress=False)
    about, columns = Blocks(page(city.run, scenarios=scenarios).html).block("data")
    told, made = about["facilities"], about["plans"][0]
    assert [told["id"][at] for at in made["closed"]] == [closed]
    (at,) = [at for at, of in enumerate(told["plan"]) if of == 0]
    assert (told["id"][at], columns["end_lon"][at], columns["end_lat"][at]) == (
        moved,
        round(lon * 1e6),
        round(lat * 1e6),
    )
    assert [edit["do"] for edit in made["drawn"]] == ["move_facility", "new_homes"]
    changed = scenarios.table("cells")
    assert len(columns["plan_0_cell"]) == changed.height
    assert len(columns["cell_low"]) == len(set(city.run.table("cells")["cell"]) | set(changed["cell"]))


def test_what_is_too_large_is_left_out_in_order_and_told(city: HostileCity, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tables.of_run(city.run, city.scenarios)
    walks = whole.cells.height * len(whole.classes) * len(whole.profiles)
    told = {
        walks: [],
        walks - 1: ["left_out_nearest"],
        walks // 2 - 1: ["left_out_nearest", "left_out_profiles"],
        walks // 4 - 1: ["left_out_nearest", "left_out_profiles", "left_out_cells"],
    }
    for most, keys in told.items():
        monkeypatch.setattr(tables, "MOST_VALUES", most)
        kept = tables.within_limits(whole)
        assert kept.left_out == keys
        assert kept.nearest == (not keys)
        assert len(kept.profiles) == (1 if "left_out_profiles" in keys else 2)
        assert kept.cells.is_empty() == ("left_out_cells" in keys)
        about, _ = Blocks(page(city.run, scenarios=city.scenarios).html).block("data")
        assert about["left_out"] == keys and set(keys) <= set(about["words"])
    monkeypatch.setattr(tables, "MOST_VALUES", walks)
    monkeypatch.setattr(tables, "_MOST_COVERAGE", whole.coverage.height - 1)
    kept = tables.within_limits(whole)
    assert kept.left_out == ["left_out_finest"] and "estate" not in kept.areas["level"]
    assert kept.coverage.height < whole.coverage.height and kept.groups == whole.groups


def test_a_table_is_refused_by_name(city: HostileCity) -> None:
    net = ws.Network.from_osm(city.study.parent / "streets.osm.pbf", progress=False)
    point = city.run.table("cells").head(1).select("lon", "lat", id=pl.lit("home"))
    shapes = net.isochrones(point, minutes=(5, 10), progress=False)
    for wrong, told in (({"column": "people"}, 'column "people": the table has'), ({"breaks": [5, 5]}, "breaks")):
        with pytest.raises(ValueError, match=told):
            page_of_table(shapes, **{"column": "minutes", **wrong})
    about, columns = Blocks(shapes.explore("minutes", k=2, language="en").html).block("data")
    assert about["kinds"] == ["≤ 5", "> 5"] and columns["kind"] == [0, 1]


@pytest.mark.parametrize("seed", range(20))
def test_a_block_gives_back_what_it_got(seed: int) -> None:
    chance = random.Random(seed)
    columns: list[tuple[Width, bool, list[int]]] = []
    for _ in range(chance.randrange(4)):
        width: Width = chance.choice([1, 2, 4])
        largest = (1 << 8 * width) - 1
        values = [chance.choice([0, largest, chance.randint(0, largest)]) for _ in range(chance.randrange(50))]
        columns.append((width, chance.random() < 0.5, values))
    text = "".join(chance.choices("a<>&\"'\\ \u2028\u0000字😀", k=30))
    block = Block()
    for number, (width, delta, values) in enumerate(columns):
        block.add(str(number), values, width, delta=delta)
    about, read = Blocks(f'<script id="data">{block.encode({"text": text})}</script>').block("data")
    assert about == {"text": text}
    assert list(read.values()) == [values for _, _, values in columns]


def polygon(*rings: list[tuple[float, float]]) -> bytes:
    parts = [struct.pack("<BII", 1, 3, len(rings))]
    for ring in rings:
        parts.append(struct.pack(f"<I{2 * len(ring)}d", len(ring), *(part for corner in ring for part in corner)))
    return b"".join(parts)


SQUARE = [(0.0, 0.0), (0.02, 0.0), (0.02, 0.02), (0.0, 0.02), (0.0, 0.0)]


def test_outlines_keep_holes_and_parts_and_lose_only_what_is_not_seen() -> None:
    hole = [(0.005, 0.005), (0.005, 0.01), (0.01, 0.01), (0.01, 0.005), (0.005, 0.005)]
    straight = [(0.0, 0.0), (0.01, 0.0), (0.0100000001, 0.0), *SQUARE[1:]]
    drawn = outlines([polygon(straight, hole), None, struct.pack("<BII", 1, 6, 2) + polygon(SQUARE) + polygon(hole)])
    assert (drawn.row, drawn.hole) == ([0, 0, 2, 2], [False, True, False, False])
    assert drawn.rings[0] == [(0, 0), (20000, 0), (20000, 20000), (0, 20000)]
    assert drawn.rings[1] == [(5000, 5000), (5000, 10000), (10000, 10000), (10000, 5000)]


def test_neighbours_keep_one_border_however_much_is_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    from walkshed.page import outlines as module

    monkeypatch.setattr(module, "_MOST_POINTS", 60)
    wavy = [(0.01 + 0.0004 * ((7 * step) % 5), 0.0004 * step) for step in range(51)]
    west = [(0.0, 0.0), *wavy, (0.0, 0.02), (0.0, 0.0)]
    east = [(0.03, 0.02), *reversed(wavy), (0.03, 0.0), (0.03, 0.02)]
    drawn = outlines([polygon(west), polygon(east)])
    assert drawn.grid > module._FINEST
    border = [[(x, y) for x, y in ring if 5000 < x < 25000 and 500 < y < 19500] for ring in drawn.rings]
    assert border[0] == border[1][::-1] and len(border[0]) > 5


def test_lines_are_no_polygons() -> None:
    line = struct.pack("<BII4d", 1, 2, 2, 0.0, 0.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="row 1: its geometry is no polygon"):
        outlines([polygon(SQUARE), line])
