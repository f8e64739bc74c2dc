"""The city report: which chapters it has, and what stands on its first pages."""

from __future__ import annotations

from functools import partial

import polars as pl

from walkshed import __version__
from walkshed.language import profile_name, word
from walkshed.report import coverage_chapters, data_chapters, map_chapters, scenario_chapter, score_chapters
from walkshed.report.content import (
    As,
    Block,
    Bullets,
    Column,
    Document,
    Heading,
    Numbering,
    PageBreak,
    Table,
    Value,
    told,
)
from walkshed.report.facts import City
from walkshed.report.words import say

#: Classes that a sentence names.
_NAMED = 5


def city_report(city: City) -> Document:
    """Write the report of a city.

    Args:
        city: a run with what goes with it.

    Returns:
        The document: chapters without anything to tell are left out.

    """
    chapters = (
        _summary,
        coverage_chapters.standards,
        coverage_chapters.coverage,
        coverage_chapters.left_out,
        map_chapters.maps,
        score_chapters.scores,
        score_chapters.gaps,
        scenario_chapter.scenarios,
        data_chapters.data,
        data_chapters.method,
        data_chapters.limits,
        score_chapters.annex,
    )
    pages, number = Numbering(), 0
    for chapter in chapters:
        blocks = chapter(city)
        if blocks:
            number += 1
            pages.add(*_numbered(blocks, number))
    text = partial(say, city.language)
    return Document(
        title=text("title"),
        subtitle=city.name,
        language=city.language,
        facts=_facts(city),
        blocks=tuple(pages.blocks),
        footer=footer(city),
        banner=text("banner") if city.is_synthetic else "",
    )


def footer(city: City) -> str:
    """What stands below every page."""
    return say(city.language, "footer", name=city.name, version=city.result.report["walkshed"])


def _numbered(blocks: list[Block], chapter: int) -> list[Block]:
    """Number the headings of a chapter, `3` and `3.2`."""
    numbered: list[Block] = []
    section = 0
    for block in blocks:
        if isinstance(block, Heading) and block.level == 1:
            block = Heading(f"{chapter} {block.text}", 1)
        elif isinstance(block, Heading):
            section += 1
            block = Heading(f"{chapter}.{section} {block.text}", 2)
        numbered.append(block)
    return numbered


def _facts(city: City) -> list[tuple[str, str]]:
    text = partial(say, city.language)
    return [
        (text("study"), city.name),
        (text("day"), city.as_of or text("no_day")),
        (text("people"), told(city.people, "people")),
        (text("version"), _versions(city)),
        (text("made_by"), ""),
    ]


def _versions(city: City) -> str:
    """The version that computed, and the one that writes where it is another."""
    computed = str(city.result.report["walkshed"])
    return f"walkshed {computed}" if computed == __version__ else f"walkshed {computed}, {__version__}"


def _summary(city: City) -> list[Block]:
    text = partial(say, city.language)
    return [
        PageBreak(),
        Heading(text("summary")),
        Table(
            text("key_figures"),
            [Column(text("indicator"), width=3), Column(text("value"), "number")],
            _key_figures(city),
            sheet=text("key_figures"),
        ),
        Bullets(_findings(city)),
        Heading(text("how_to_read"), 2),
        Bullets(
            [
                text("read_share" if city.is_to_facility else "read_share_from"),
                text("read_minutes", profile=city.who, minutes=f"{city.middle:g}"),
                text("read_unknown"),
                text("read_numbers"),
            ]
        ),
    ]


def _key_figures(city: City) -> list[list[Value]]:
    """Indicators with their values, each of its own kind."""
    text, report = partial(say, city.language), city.result.report
    minutes = f"{city.middle:g}"
    lowest = city.fewest_first[0] if city.fewest_first else None
    rows: list[list[Value]] = [
        [text("people"), As(city.people, "people")],
        [text("key_communities"), As(city.communities.height, "number")],
        [text("key_facilities"), As(sum(report["facilities"].values()), "number")],
        [text("key_classes"), As(len(city.classes), "number")],
        [text("key_streets"), As(sum(report["network"]["length_km"].values()), "km")],
        [text("key_mean", minutes=minutes), As(city.mean_in_city(city.profiles[0]), "share")],
    ]
    if lowest is not None:
        rows.append([text("key_lowest", name=city.class_name(lowest)), As(city.share_in_city(lowest), "share")])
    if city.scorecard is not None:
        rows.append([text("key_score"), As(_number(city.scorecard.totals["observed"].median()), "score")])
    return rows


def _findings(city: City) -> list[str]:
    """Sentences that say what the figures mean, the worst first."""
    text, minutes = partial(say, city.language), f"{city.middle:g}"
    found: list[str] = []
    now = city.everybody.filter(pl.col("minutes") == city.middle).drop_nulls("share").sort("share", "class")
    if now.height:
        first, last = now.row(0, named=True), now.row(-1, named=True)
        left = told(first["people"] - first["people_covered"], "people")
        share = told(first["share"], "share")
        found.append(
            text("finding_lowest", name=city.class_name(first["class"]), minutes=minutes, share=share, people=left)
        )
        found.append(text("finding_highest", name=city.class_name(last["class"]), share=told(last["share"], "share")))
        below = now.filter(pl.col("share") < 0.5)["class"].to_list()
        if below:
            joint = "、" if city.language == "zh" else ", "
            names = joint.join(city.class_name(name) for name in below[:_NAMED])
            key = "finding_below_half" if len(below) <= _NAMED else "finding_below_half_among"
            found.append(text(key, count=len(below), minutes=minutes, names=names))
    found += [sentence for who in city.everybodys_profiles for sentence in _cut_off(city, who)]
    found += _slower(city)
    return found + _score_findings(city)


def _cut_off(city: City, who: str) -> list[str]:
    """Who reaches nothing of a class at all, however long the walk; of the class of which that is so of most."""
    mine = (pl.col("group") == "all") & (pl.col("profile") == who) & (pl.col("minutes") == city.middle)
    now = city.total.filter(mine).sort("people_not_connected", "class", descending=[True, False])
    if not now.height:
        return []
    text, profile = partial(say, city.language), profile_name(who, city.language)
    most = now.row(0, named=True)
    found: list[str] = []
    if most["people_not_connected"] > 0:
        people, name = told(most["people_not_connected"], "people"), city.class_name(most["class"])
        found.append(text("finding_cut_off", profile=profile, people=people, name=name))
    if most["people_not_snapped"] > 0:
        people = told(most["people_not_snapped"], "people")
        found.append(text("finding_unsnapped", profile=profile, people=people))
    return found


def _slower(city: City) -> list[str]:
    """Means of the others beside that of the first."""
    first = city.mean_in_city(city.profiles[0])
    return [
        say(
            city.language,
            "finding_slow",
            profile=profile_name(name, city.language),
            who=city.who,
            minutes=f"{city.middle:g}",
            first=told(first, "share"),
            other=told(city.mean_in_city(name), "share"),
        )
        for name in city.everybodys_profiles[1:]
    ]


def _score_findings(city: City) -> list[str]:
    if city.scorecard is None:
        return []
    totals, points = city.scorecard.totals, city.scorecard.points
    comma = "，" if city.language == "zh" else ", "
    counts = totals.group_by("grade").len().sort("len", "grade", descending=[True, False], nulls_last=True)
    grades = comma.join(
        f"{say(city.language, 'undecided') if grade is None else word('grade', grade, city.language)} {count}"
        for grade, count in counts.iter_rows()
    )
    asked = points.filter(pl.col("status") != "not_applicable")
    found = [say(city.language, "finding_scores", count=totals.height, grades=grades)]
    if asked.height:
        unknown = asked.filter(pl.col("status") == "unknown").height / asked.height
        found.append(say(city.language, "finding_unknown", share=told(unknown, "share")))
    return found


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
