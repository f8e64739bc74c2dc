"""The font that walkshed brings: what it has, where it loads, and what happens to a character that it lacks."""

from __future__ import annotations

import ast
import io
import sys
import warnings
from pathlib import Path

import matplotlib
import pytest
from conftest import Data
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure

from walkshed.maps import fonts

matplotlib.use("Agg")

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = Path(fonts.__file__).parents[1]
SAMPLE = "步行可达 15 分钟 ≤ 300 m² · 覆盖 80 % ① Ⅳ ★ ± ‰ → 、。《》【】 ￥ 〔2026〕"


def gb2312() -> str:
    """Every character of GB/T 2312-1980 by Python's own codec."""
    codes = (bytes((row, cell)) for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    return "".join(code.decode("gb2312", errors="ignore") for code in codes)


def figure_with(text: str) -> Figure:
    figure = Figure(figsize=(3, 1))
    figure.text(0.1, 0.5, text)
    return figure


def test_the_list_of_characters_is_what_the_font_has() -> None:
    assert {ord(each) for each in fonts.characters()} == set(TTFont(fonts.FONT).getBestCmap())


def test_every_character_of_gb_2312_has_a_glyph_that_is_drawn() -> None:
    hanzi = [each for each in gb2312() if "\u4e00" <= each <= "\u9fff"]
    assert len(hanzi) == 6763
    assert fonts.missing(gb2312()) == ""
    font = TTFont(fonts.FONT)
    names, outlines = font.getBestCmap(), font["CFF "].cff[0].CharStrings
    for each in hanzi[::97]:
        box = outlines[names[ord(each)]].calcBounds(None)
        assert box is not None and box[2] - box[0] > 300, each


def test_place_names_of_the_third_level_of_the_table_of_2013_have_glyphs() -> None:
    # From the table itself: 垟 (Zhejiang), 塆 (Chongqing, Hubei), 硚 (Wuhan), 峃 (Wencheng), 鲃, and two beyond the
    # basic plane.
    assert fonts.missing("垟塆硚峃鲃𫘝𬶨") == ""


def test_every_village_of_chongqing_has_glyphs(data: Data) -> None:
    assert fonts.missing((data("chongqing") / "villages.csv").read_text("utf-8")) == ""


def test_all_that_the_package_prints_has_glyphs() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        told = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        documented = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, _DOCUMENTED)}
        # U+FFFD is only looked for: it stands for bytes that are no text.
        printed = "".join(text for text in told if text not in documented).replace("\ufffd", "")
        assert fonts.missing(printed) == "", path.name


_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@pytest.mark.parametrize("folder", ["datasets", "engine/src/model", "engine/src/metrics", "engine/src/batch"])
def test_what_data_files_and_the_engine_say_in_chinese_has_glyphs(folder: str) -> None:
    if not (REPOSITORY / folder).is_dir():
        pytest.skip("not in a checkout")
    paths = [path for path in (REPOSITORY / folder).rglob("*") if path.suffix in (".toml", ".rs", ".csv")]
    chinese = {each for path in paths for each in path.read_text("utf-8") if each >= "\u2e80"}
    assert len(chinese) > 20
    assert fonts.missing("".join(chinese)) == ""


def test_its_name_and_licence_are_those_that_the_licence_asks_for() -> None:
    names = TTFont(fonts.FONT)["name"]
    assert names.getDebugName(1) == names.getDebugName(4) == fonts.FAMILY == "Walkshed Sans SC"
    assert "Adobe" in names.getDebugName(0)
    assert "SIL Open Font License" in names.getDebugName(13)
    assert "SIL OPEN FONT LICENSE Version 1.1" in (fonts.FOLDER / "OFL.txt").read_text("utf-8")
    assert fonts.FONT.stat().st_size <= 4_000_000


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_matplotlib_draws_it_twice_alike_and_without_a_missing_glyph(kind: str) -> None:
    pictures = []
    for _ in range(2):
        with fonts.chinese(), warnings.catch_warnings():
            warnings.simplefilter("error")
            figure, picture = figure_with(SAMPLE), io.BytesIO()
            undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[kind]
            figure.savefig(picture, format=kind, metadata=undated)
        pictures.append(picture.getvalue())
    assert pictures[0] == pictures[1]
    if kind == "pdf":
        assert b"WalkshedSansSC-Regular" in pictures[0]


def test_chinese_leaves_the_settings_as_they_were() -> None:
    before = dict(matplotlib.rcParams)
    with pytest.raises(ZeroDivisionError), fonts.chinese():
        assert matplotlib.rcParams["font.family"][0] == fonts.FAMILY
        1 / 0  # noqa: B018
    assert dict(matplotlib.rcParams) == before


def test_typst_sets_a_document_in_it(tmp_path: Path) -> None:
    typst = pytest.importorskip("typst")
    source = tmp_path / "sheet.typ"
    source.write_text(f'#set text(font: "{fonts.FAMILY}")\n社区体检表：{SAMPLE.replace("★", "")}', "utf-8")
    told = typst.compile(str(source), font_paths=[str(fonts.FOLDER)], ignore_system_fonts=True)
    assert b"WalkshedSansSC-Regular" in told


def test_missing_names_each_character_once_and_passes_over_line_ends() -> None:
    assert fonts.missing("\U00030edd面\n\U00030edd馆\tA") == "\U00030edd"


def test_a_character_that_no_font_has_is_told_once_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_others", list)
    with fonts.chinese():
        figure = figure_with("\U00030edd\U00030edd面馆")
        with pytest.warns(fonts.GlyphWarning, match="\U00030edd") as told:
            fonts.set_in(figure.texts)
    assert len(told) == 1
    assert str(told[0].message).count("\U00030edd") == 1


def test_another_font_of_the_machine_helps_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_others", lambda: ["Other"])
    monkeypatch.setattr(fonts, "_glyphs", lambda name: frozenset("\U00030edd" if name == "Other" else ""))
    with fonts.chinese(), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = figure_with("\U00030edd面馆")
        fonts.set_in(figure.texts)
    assert figure.texts[0].get_fontfamily() == [fonts.FAMILY, "Other", "DejaVu Sans"]


def test_without_matplotlib_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install walkshed\[maps\]"), fonts.chinese():
        pass
