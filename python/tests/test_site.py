"""The site of documentation: whole, without a warning, without the network, and true."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import polars as pl
import pytest
from docs_site import DOCS, ROOT, Page, Site

import walkshed as ws
from walkshed import cli
from walkshed.console import BUSY, DONE, FAILED, REFUSED, STOPPED, TERMINATED

TYPES = {
    "text": pl.String,
    "f64": pl.Float64,
    "u64": pl.UInt64,
    "u32": pl.UInt32,
    "i64": pl.Int64,
    "bool": pl.Boolean,
    "date": pl.Date,
}
GUIDES = ("own_network", "mountain", "coordinates", "migration")


def test_the_site_builds_without_a_warning(site: Site) -> None:
    assert site.returncode == 0, site.told[-5000:]
    assert not re.search(r"\b(WARNING|ERROR):", site.told), site.told[-5000:]


def test_nothing_is_fetched(site: Site) -> None:
    """The site works from a folder, on a machine without the internet."""
    assert len(site.pages()) > 60
    remote = [
        f"{path.relative_to(site.folder)}: {load[:120]}"
        for path in site.pages()
        for load in Page.read(path).loads
        if urlsplit(load).scheme not in ("", "data") or load.startswith("//")
    ]
    assert remote == []
    styles = "".join(path.read_text("utf-8") for path in site.folder.rglob("*.css"))
    assert re.findall(r"""(?:@import|url\()\s*["']?(?:https?:)?//[^)]*""", styles) == []


def test_links_lead_somewhere(site: Site) -> None:
    pages = {path: Page.read(path) for path in site.pages()}
    lost: list[str] = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or not (parts.path or parts.fragment):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            there = target.exists() and (not anchor or target not in pages or anchor in pages[target].anchors)
            lost += [] if there else [f"{path.relative_to(site.folder)}: {link}"]
    assert lost == []


def test_every_chapter_can_be_searched_for(site: Site) -> None:
    index = (site.folder / "searchindex.js").read_text("utf-8")
    assert index.startswith("Search.setIndex(")
    for word in ("shapley", "gcj", "wheelchair", "hilbert"):
        assert f'"{word}"' in index or f"{word}:" in index, word


def names() -> Iterator[str]:
    """Every public name of the package, and every public method and property of its classes."""
    for name in ws.__all__:
        thing = getattr(ws, name)
        if name == "__version__" or inspect.ismodule(thing):
            continue
        yield f"walkshed.{name}"
        if inspect.isclass(thing):
            for method, value in vars(thing).items():
                explained = callable(getattr(thing, method, None)) or isinstance(value, property)
                if not method.startswith("_") and explained and inspect.getdoc(value):
                    yield f"walkshed.{name}.{method}"


def test_every_public_name_has_an_entry(site: Site) -> None:
    sites = [name for name in vars(ws.siting) if name in ("p_median", "maximal_covering", "set_covering", "p_center")]
    assert len(sites) == 4
    wanted = {*names(), *(f"walkshed.siting.{name}" for name in sites)}
    assert len(wanted) > 150
    assert wanted - site.entries() == set(), "add them to a page of docs/reference"


def commands() -> list[str]:
    """Every command of `walkshed`."""
    told = subprocess.run(
        [sys.executable, "-m", "walkshed", "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    found = re.findall(r"^    (\w+) ", told.stdout, re.MULTILINE)
    assert {"run", "validate", "score", "scenario", "site", "refresh", "evaluate", "verify"} <= set(found)
    return found


def test_every_command_has_a_section(site: Site) -> None:
    anchors = Page.read(site.folder / "docs/reference/command_line.html").anchors
    assert [command for command in commands() if f"walkshed-{command}" not in anchors] == []


def test_the_chinese_page_has_every_command() -> None:
    listed = [text for cells in rows(section(page("zh/index"), "## 常用命令")) for text in quoted(cells[0])]
    assert sorted(listed) == sorted(f"walkshed {command}" for command in commands())


def command_lines() -> Iterator[str]:
    """Every command line that a page gives to be typed; what only tells the form, with brackets or …, is left out."""
    for path in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]:
        for block in re.findall(r"^```sh\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            for line in re.findall(r"^(?:\$ )?(walkshed .*)$", block, re.MULTILINE):
                yield from (part.strip() for part in line.split("#")[0].split(";") if not re.search(r"[\[…]", part))


@pytest.mark.parametrize("line", sorted(set(command_lines()) - {"walkshed --version"}))
def test_the_command_line_is_understood(line: str) -> None:
    assert callable(cli._parser().parse_args(shlex.split(line)[1:]).command)


def test_every_message_is_told_in_both_languages(site: Site) -> None:
    """The page of messages is read out of the engine's sources; none may fall through the reading."""
    faults = [path.read_text("utf-8") for path in sorted((ROOT / "engine/src/model").glob("*fault.rs"))]
    faults.append((ROOT / "engine/src/model/problem.rs").read_text("utf-8"))
    codes = [code for text in faults for code in re.findall(r'Self::\w+[^=\n]*=> "(\w+)",\n', function("code", text))]
    gates = (ROOT / "engine/src/model/gate.rs").read_text("utf-8")
    codes += re.findall(r'"(\w+)"', gates.split("pub const GATES")[1].split("];")[0])
    assert len(codes) > 100
    page = (site.folder / "docs/reference/messages.html").read_text("utf-8")
    parts = re.split(r'<dt id="fault-([\w-]+)">', page)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert {code.replace("_", "-") for code in codes} <= set(told)
    for code, text in told.items():
        paragraphs = re.findall(r"<p>(.*?)</p>", text.split("</dl>")[0], re.DOTALL)
        assert len(paragraphs) == 2, code
        english, chinese = (re.sub(r"<[^>]*>", "", paragraph) for paragraph in paragraphs)
        assert re.search(r"[a-z]{3}", english) and re.search(r"[\u4e00-\u9fff]{2}", chinese), code
        assert ". " in english and "。" in chinese, f"{code}: no way out"


def function(name: str, source: str) -> str:
    found = re.search(rf"fn {name}\(.*?\n    }}\n", source, re.DOTALL)
    return found[0] if found else ""


def section(page: str, heading: str) -> str:
    """A part of a page, from its heading to the next of its rank or above."""
    rank = heading.split(" ")[0]
    return re.split(rf"^#{{1,{len(rank)}}} ", page.split(f"{heading}\n", 1)[1], flags=re.MULTILINE)[0]


@cache
def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text("utf-8")


def rows(text: str) -> Iterator[list[str]]:
    """The rows of the tables in a text, without their headings."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and not set(line) <= set("|-: "):
            yield cells


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


SECTIONS = {
    "[study]": ("study", "General"),
    "[streets]": ("study", "StreetSource"),
    "[facilities]": ("study", "FacilitySource"),
    "[population]": ("study", "PopulationSource"),
    "[areas]": ("study", "AreaSource"),
    "[coverage]": ("study", "CoverageSettings"),
    "[[profile]]": ("profile", "Profile"),
    "[refresh]": ("study", "RefreshSettings"),
}


@pytest.mark.parametrize("name", SECTIONS)
def test_the_keys_of_a_study_are_those_that_are_read(name: str) -> None:
    module, struct = SECTIONS[name]
    source = (ROOT / f"engine/src/model/{module}.rs").read_text("utf-8")
    body = source.split(f"pub struct {struct} {{", 1)[1].split("\n}", 1)[0]
    keys = re.findall(r"^    pub (\w+):", body, re.MULTILINE)
    told = [key for cells in rows(section(page("reference/study_toml"), f"## `{name}`")) for key in quoted(cells[0])]
    assert sorted(told) == sorted(keys)


Column = tuple[str, bool]
"""Type, and whether it is never null."""


def dictionary() -> dict[str, dict[str, Column]]:
    """The data dictionary: of each table its columns."""
    tables: dict[str, dict[str, Column]] = {}
    for part in re.split(r"^### ", page("reference/tables"), flags=re.MULTILINE)[1:]:
        heading = part.splitlines()[0]
        if heading.startswith("`"):
            told = [cells for cells in rows(part.split("\n## ")[0]) if cells[0].startswith("`")]
            tables[heading.strip("`")] = {
                name: (kind, null == "never") for cells, kind, null, _ in told for name in quoted(cells)
            }
    return tables


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """Every table that a whole study writes, by its name in the dictionary."""
    folder = tmp_path_factory.mktemp("dictionary")
    city = ws.synth(folder / "city", nodes=3000, seed=1, progress=False)
    run = ws.run(city.study, folder / "run", progress=False)
    home = run.table("cells").sort("people", descending=True).row(0, named=True)
    canteen = ws.OpenFacility("new-1", "community_canteen", (home["lon"], home["lat"]))
    plan = folder / "plan.toml"
    plan.write_text(
        '[scenario]\nname = "one"\n[[edit]]\ndo = "open_facility"\nid = "new-1"\n'
        f'class = "{canteen.class_}"\nplace = [{home["lon"]}, {home["lat"]}]\n'
    )
    sites = folder / "sites.toml"
    sites.write_text('[site]\nrun = "run"\nproblem = "maximal_covering"\nclass = "kindergarten"\nk = 2\nminutes = 5\n')
    nights = folder / "city/NIGHTS.toml"
    ledgers = '[refresh]\nstandard = "mohurd_2020"\nprojects = "projects.parquet"\nrequests = "requests.parquet"\n'
    nights.write_text(city.study.read_text("utf-8") + ledgers)
    ws.run_scenarios(city.study, [plan], folder / "scenario", progress=False)
    ws.score_run(folder / "run", folder / "card", standard="mohurd_2020", level="community", progress=False)
    ws.site_run(sites, folder / "site", progress=False)
    ws.validate(city.study, out=folder / "check", progress=False)
    ws.refresh(nights, progress=False)
    tables = {
        f"{name}/{path.name}": pl.read_parquet(path)
        for name in ("run", "scenario", "card", "site", "check")
        for path in sorted((folder / name).glob("*.parquet"))
    }
    lake = ws.Tables(folder / "city/tables")
    return tables | {f"tables/{name}": lake.read(name) for name in lake.names}


def test_the_dictionary_has_every_table_that_is_written(written: dict[str, pl.DataFrame]) -> None:
    assert len(written) == 31
    assert sorted(dictionary()) == sorted(written)


@pytest.mark.parametrize("table", dictionary())
def test_the_dictionary_is_that_of_the_tables(table: str, written: dict[str, pl.DataFrame]) -> None:
    told, found = dictionary()[table], written[table]
    groups = set(ws.age_groups()["group"]) - {"all"} if "<group>" in told else set()
    assert set(found.columns) - groups == set(told) - {"<group>"}
    for name, column in ((name, found[name]) for name in found.columns):
        kind, never_null = told["<group>" if name in groups else name]
        assert column.dtype == TYPES[kind] if kind != "wkb" else "geoarrow" in str(column.dtype).lower(), name
        assert not never_null or column.null_count() == 0, f"{name} has nulls"


@cache
def said() -> frozenset[str]:
    """Every text in the engine's model and in the package, with `…` where a value stands."""
    texts: set[str] = set()
    for path in (ROOT / "engine/src/model").glob("*.rs"):
        code = re.sub(r"^\s*//.*$", "", path.read_text("utf-8"), flags=re.MULTILINE)
        for text in re.findall(r'"((?:[^"\\]|\\.)*)"', code, re.DOTALL):
            joined = re.sub(r"\\\n\s*", "", text).replace('\\"', '"')
            texts.add(re.sub(r"\{[^}]*\}", "…", joined))
    for path in (ROOT / "python/python/walkshed").rglob("*.py"):
        texts |= {spoken(node) for node in ast.walk(ast.parse(path.read_text("utf-8")))}
    return frozenset(texts)


def spoken(node: ast.AST) -> str:
    """The text of a node of Python's, where it is one."""
    if isinstance(node, ast.JoinedStr):
        return "".join(spoken(part) or "…" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def messages() -> list[str]:
    """Every message that the pages quote, with its Chinese where it has one."""
    found: list[str] = []
    for heading, below in re.findall(r"^### `(.+)`\n\n(.*)$", page("troubleshooting"), re.MULTILINE):
        found.append(heading)
        if " · `" in below:
            chinese, code = below.rsplit(" · ", 1)
            found += [chinese, code.strip("`")]
    hints = section(page("zh/index"), "## 常见提示")
    return found + [text for cells in rows(hints) for text in quoted(cells[0])]


@pytest.mark.parametrize(("name", "heading"), [("reference/command_line", "## Exit codes"), ("zh/index", "## 退出码")])
def test_every_exit_code_is_told(name: str, heading: str) -> None:
    told = [int(cells[0]) for cells in rows(section(page(name), heading)) if cells[0].isdigit()]
    wrong_usage = 2  # of argparse
    assert told == sorted({DONE, REFUSED, wrong_usage, FAILED, BUSY, STOPPED, TERMINATED})


def test_there_are_messages() -> None:
    assert len(messages()) > 120


@pytest.mark.parametrize("message", messages())
def test_the_message_is_one_of_ours(message: str) -> None:
    assert message in said()


def linked(text: str, base: Path) -> str:
    """What the files say that a text links to, and that it names in backticks."""
    paths = [(base / link).resolve() for link in re.findall(r"\]\(([^)#]+)", text)]
    paths += [ROOT / name for name in quoted(text) if "/" in name and (ROOT / name).is_file()]
    return "\n".join(path.read_text("utf-8") for path in paths)


NUMBER = re.compile(r"(?<![\w.,])(\d+(?:,\d{3})*(?:\.\d+)?(?:e-\d+)?)(?![\w]|[.,]\d)")


def missing(text: str, base: Path) -> list[str]:
    """Figures that none of the linked files states; small whole numbers are words, not figures."""
    plain = re.sub(r"\]\([^)]*\)|`[^`]*`", "", text)
    said = set(NUMBER.findall(linked(text, base)))
    return [number for number in NUMBER.findall(plain) if len(number) > 2 and number not in said]


def test_figures_of_performance_stand_in_the_runs() -> None:
    parts = re.split(r"^## ", page("performance"), flags=re.MULTILINE)[1:]
    assert len(parts) >= 6
    for part in parts[:-1]:
        assert linked(part, DOCS), part.splitlines()[0]
        assert missing(part, DOCS) == [], part.splitlines()[0]


def test_figures_of_validation_stand_where_they_are_said_to() -> None:
    table = page("validation").split("## What nobody has checked")[0]
    checked = [row for row in table.splitlines() if row.startswith("| ") and not row.startswith("| what ")]
    assert len(checked) >= 14
    for row in checked:
        assert missing(row, DOCS) == [], row


@pytest.mark.parametrize("name", GUIDES)
def test_the_code_of_the_guide_runs(name: str, tmp_path: Path) -> None:
    """Blocks marked `python` run one after the other; those of other libraries are marked `py`."""
    code = "\n".join(blocks(name, "python"))
    assert code.count("\n") > 8
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def blocks(name: str, language: str) -> list[str]:
    """The blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL)


def test_the_guide_gives_both_libraries_the_same_rings() -> None:
    """E2SFCA of the block of PySAL, worked out by hand with the rings that it names, is that of our block."""
    theirs = ast.literal_eval(re.findall(r"step_fn\(({.*?})\)", "".join(blocks("migration", "py")))[0])
    (catchment_min,) = re.findall(r"ws\.e2sfca\(.*catchment_min=(\d+)\)", "".join(blocks("migration", "python")))
    minutes = [[5, 6, 16], [10, 4, 15], [11, 15, 10]]  # homes × places; on both sides of every edge, and on it
    people, places = [100, 200, 400], [10, 20, 40]
    weight = [[next((theirs[edge] for edge in sorted(theirs) if way <= edge), 0) for way in row] for row in minutes]
    come = [sum(people[home] * weight[home][place] for home in range(3)) for place in range(3)]
    access = [sum(places[place] / come[place] * weight[home][place] for place in range(3)) for home in range(3)]
    pairs = [(home, place, 60.0 * minutes[home][place]) for home in range(3) for place in range(3)]
    found = ws.e2sfca(
        pl.DataFrame(pairs, schema=["origin_id", "facility_id", "time_s"], orient="row"),
        pl.DataFrame({"origin_id": range(3), "people": people}),
        pl.DataFrame({"facility_id": range(3), "capacity": places}),
        catchment_min=float(catchment_min),
    )
    assert found["access"].to_list() == pytest.approx(access, rel=1e-9)


def test_the_measured_walker_of_a_study_is_that_of_python(tmp_path: Path) -> None:
    """A table of a study begins anew, where `dataclasses.replace` keeps what is not named: both must say everything."""
    scope: dict[str, object] = {}
    exec(blocks("mountain", "python")[0], scope)  # the page is ours
    (table,) = blocks("mountain", "toml")
    city = ws.synth(tmp_path / "city", nodes=1000, seed=1, progress=False)
    city.study.write_text(city.study.read_text("utf-8") + table)
    run = ws.run(city.study, tmp_path / "run", progress=False)
    measured = scope["measured"]
    assert isinstance(measured, ws.Profile)
    assert run.report["study"]["profile"] == [asdict(measured)]
    homes, shops = run.table("cells"), ws.read_table(tmp_path / "city/facilities.parquet")
    by_study = run.table("times").filter(profile="senior").select("origin_id", "class", "time_s")
    net = ws.Network.from_osm(
        tmp_path / "city/streets.osm.pbf", elevation=tmp_path / "city/terrain.tif", progress=False
    )
    by_python = net.nearest(homes, shops, profile=measured, max_minutes=15, progress=False).select(by_study.columns)
    assert by_study.drop_nulls().height > 100
    assert by_study.sort("origin_id", "class").equals(by_python.sort("origin_id", "class"))
