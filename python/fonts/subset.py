"""Make the font that the package brings: Noto Sans CJK SC Regular, cut down to what reports about places in China say.

The same inputs give the same bytes. README.md says where the inputs come from.

    python python/fonts/subset.py --font NotoSansCJK-Regular.ttc --unihan Unihan_OtherMappings.txt.bz2
"""

from __future__ import annotations

import argparse
import bz2
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection

REPOSITORY = Path(__file__).resolve().parents[2]
OUT = REPOSITORY / "python/python/walkshed/maps/fonts/WalkshedSansSC-Regular.otf"
FAMILY = "Walkshed Sans SC"
POSTSCRIPT = "WalkshedSansSC-Regular"
#: Whatever the package itself prints stands in one of these.
SOURCES = ("python/python/**/*.py", "python/src/**/*.rs", "engine/src/**/*.rs", "datasets/*.toml", "datasets/*.csv")
#: Characters of the names of Chongqing's villages that neither GB 2312 nor the table of 2013 has.
RARE = "峽氽恵"
#: Letters of European names, and the signs that tables, maps and reports use.
RANGES = (
    (0x0020, 0x007E),
    (0x00A0, 0x017F),
    (0x2010, 0x2027),
    (0x2030, 0x203B),
    (0x2070, 0x208E),
    (0x2150, 0x2183),
    (0x2190, 0x2199),
    (0x2460, 0x2473),
    (0x25A0, 0x25FF),
    (0x3001, 0x301F),
    (0xFF01, 0xFF5E),
    (0xFFE0, 0xFFE5),
)
SIGNS = "€№℃™Ω−√∞≈≠≤≥±×÷‰∑□■▲▼●○★☆✓✗✔✘→↑↓←↔·°²³"
#: Substitution and positioning that Chinese and Latin text across the page needs; all others only weigh.
FEATURES = ["kern", "mark", "mkmk", "ccmp", "halt"]


def main() -> None:
    """Write the font and the list of its characters, and say which Noto has no glyph for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--font", type=Path, required=True, help="NotoSansCJK-Regular.ttc")
    parser.add_argument("--unihan", type=Path, required=True, help="Unihan_OtherMappings.txt.bz2")
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    face = chinese_face(asked.font)
    wanted = characters(asked.unihan)
    absent = sorted(wanted - {chr(code) for code in face.getBestCmap()})
    cut(face, wanted)
    rename(face)
    face.save(asked.out, reorderTables=True)
    there = sorted(chr(code) for code in face.getBestCmap())
    asked.out.with_suffix(".txt").write_text("".join(there), "utf-8", newline="")
    print(f"{asked.out}: {len(there):,} characters, {asked.out.stat().st_size / 1e6:.2f} MB")
    print(f"no glyph in Noto for {''.join(absent) or 'none of them'}")


def chinese_face(path: Path) -> Any:
    """The face of mainland China in the collection."""
    faces = TTCollection(path, lazy=False).fonts
    return next(face for face in faces if face["name"].getDebugName(6) == "NotoSansCJKsc-Regular")


def characters(unihan: Path) -> set[str]:
    """All that the font shall have."""
    wanted = set(gb2312()) | set(table_of_2013(unihan)) | set(RARE) | set(SIGNS)
    wanted |= {chr(code) for first, last in RANGES for code in range(first, last + 1)}
    for pattern in SOURCES:
        for source in sorted(REPOSITORY.glob(pattern)):
            wanted |= set(source.read_text("utf-8"))
    return {character for character in wanted if character.isprintable()}


def gb2312() -> Iterator[str]:
    """All of GB/T 2312-1980: 6,763 hanzi and 682 signs."""
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                yield bytes((row, cell)).decode("gb2312")
            except UnicodeDecodeError:
                continue


def table_of_2013(unihan: Path) -> Iterator[str]:
    """The 8,105 hanzi of 通用规范汉字表, the property kTGH of Unihan; its third level is names of places and people."""
    with bz2.open(unihan, "rt", encoding="utf-8") as lines:
        for line in lines:
            if "\tkTGH\t" in line and not line.startswith("#"):
                yield chr(int(line.split("\t")[0][2:], 16))


def cut(face: Any, wanted: set[str]) -> None:
    """Keep the wanted characters; hints and vertical writing go."""
    options = Options()
    options.layout_features = FEATURES
    options.hinting = False
    options.name_IDs = ["*"]
    options.notdef_outline = True
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE"]
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(sorted(wanted)))
    subsetter.subset(face)


def rename(face: Any) -> None:
    """Give it a name of its own, as the licence asks; what says whose it is and under which licence stays."""
    names = face["name"]
    names.names = [record for record in names.names if record.langID == 0x409]
    for number, text in ((1, FAMILY), (2, "Regular"), (3, f"2.004;{POSTSCRIPT}"), (4, FAMILY), (6, POSTSCRIPT)):
        names.setName(text, number, 3, 1, 0x409)
    names.setName("Cut from Noto Sans CJK SC Regular 2.004 for walkshed", 10, 3, 1, 0x409)
    top = face["CFF "].cff
    top.fontNames = [POSTSCRIPT]
    top[0].FamilyName = FAMILY
    top[0].FullName = FAMILY
    face["head"].modified = face["head"].created
    face.recalcTimestamp = False


if __name__ == "__main__":
    main()
