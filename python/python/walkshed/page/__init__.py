"""The one-map page: a city, or a table of shapes, as one HTML file that asks no network for anything."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from walkshed.language import Language, language_of

if TYPE_CHECKING:
    from walkshed.arrow import TableLike
    from walkshed.baseline import Answer
    from walkshed.geotable import GeoTable
    from walkshed.maps.base_map import BaseMap
    from walkshed.score import Scorecard
    from walkshed.study import RunResult, ScenariosResult

_MOST_IN_NOTEBOOK = 10_000_000
"""Bytes that a cell of a notebook may give without the server cutting it off."""
_HEIGHT_PX = 600


@dataclass(frozen=True)
class Page:
    """A page, whole: everything that it shows is in it.

    Attributes:
        html: the document.

    """

    html: str

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page, whole or not at all.

        Args:
            path: where to; a file that stands there is replaced.

        Returns:
            The path.

        Raises:
            OSError: it cannot be written there.

        """
        to = Path(path)
        partial = to.with_name(f"{to.name}.partial")
        try:
            partial.write_bytes(self.html.encode("utf-8"))
            os.replace(partial, to)
        finally:
            partial.unlink(missing_ok=True)
        return to

    def _repr_html_(self) -> str:
        size = len(self.html.encode("utf-8"))
        if size > _MOST_IN_NOTEBOOK:
            return (
                f'<p>{size / 1e6:.1f} MB 超出笔记本单元格的限度，请用 .save("map.html") 保存后在浏览器中打开。 '
                'Too large for a notebook: write it with .save("map.html") and open it in a browser.</p>'
            )
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" width="100%" height="{_HEIGHT_PX}" '
            'style="border:1px solid #d8dde5" title="walkshed"></iframe>'
        )

    def __repr__(self) -> str:
        """How large it is."""
        return f"Page({len(self.html.encode('utf-8')) / 1e6:.1f} MB; .save(path) writes it)"


def page(
    result: RunResult,
    *,
    scenarios: ScenariosResult | None = None,
    scorecard: Scorecard | None = None,
    base: BaseMap | None = None,
    title: str | None = None,
    language: Language = "zh",
    source: str | None = None,
) -> Page:
    """Make the page of a run.

    Args:
        result: a run.
        scenarios: scenarios over the same study, to switch to and to compare with what is.
        scorecard: scores of its communities, with what they stand on.
        base: streets and water beneath; None takes those of the streets that the run names, where they can be read.
        title: of the page; None is the name of the study.
        language: that the page opens in, "zh" or "en"; a button on it changes it.
        source: line about the data; None is that of the streets.

    Returns:
        The page.

    Raises:
        ValueError: the scenarios are of another study, the scorecard of other areas, or no such language.
        FileNotFoundError: the run lacks a table.

    """
    from walkshed.maps import base_map
    from walkshed.page import tables
    from walkshed.page.compose import city_document

    streets = base_map.of_run(result) if base is None else base
    city = tables.within_limits(tables.of_run(result, scenarios))
    told = base_map.credit_of(result) if source is None and not streets.source else source
    return Page(city_document(city, scorecard, streets, title, language_of(language), told))


def page_of_answer(
    answer: Answer,
    *,
    areas: TableLike | None = None,
    base: BaseMap | None = None,
    title: str | None = None,
    language: Language = "zh",
    source: str | None = None,
) -> Page:
    """Make the page of an answer that is in memory: the cells that it changes, and coverage before and after.

    Args:
        answer: what a scenario changes.
        areas: the areas of the baseline, `area_id` and `geometry` as WKB in degrees, such as `areas.parquet` of a run;
            None draws no areas, their coverage is found by their ids.
        base: streets and water beneath; None is none.
        title: of the page; None is the name of the scenario.
        language: as for `page`.
        source: line about the data; None says of a synthetic city that it is one.

    Returns:
        The page.

    Raises:
        InputError: `areas` lacks a column.
        ValueError: the baseline has coverage of none of the areas, or no such language.

    """
    from walkshed.maps import base_map
    from walkshed.page import tables
    from walkshed.page.compose import city_document

    city = tables.within_limits(tables.of_answer(answer, areas))
    told = source if source is not None else base.source if base is not None else ""
    credit = base_map.credited(answer.baseline.network, told)
    return Page(city_document(city, None, base, title, language_of(language), credit))


def page_of_table(
    table: GeoTable,
    column: str | None = None,
    *,
    breaks: Sequence[float] | None = None,
    classes: int = 5,
    base: BaseMap | None = None,
    title: str | None = None,
    language: Language = "zh",
    source: str | None = None,
) -> Page:
    """Make the page of a table of polygons, coloured by one of its columns.

    Args:
        table: polygons in degrees.
        column: that colours them, numbers or text; None draws all alike.
        breaks: where classes of numbers end, ascending; None takes quantiles.
        classes: how many classes quantiles make.
        base: streets and water beneath; None is none.
        title: of the page; None is the name of the column.
        language: as for `page`.
        source: line about the data.

    Returns:
        The page.

    Raises:
        ValueError: no such column or language, breaks that do not ascend, or shapes that are no polygons.

    """
    from walkshed.page.compose import table_document

    return Page(table_document(table, column, breaks, classes, base, title, language_of(language), source))
