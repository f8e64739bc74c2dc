"""The sea, from its coastlines: OpenStreetMap draws no polygon of it, only the coast, with water on the right."""

from __future__ import annotations

import itertools

from walkshed.maps.box import Box, line_inside
from walkshed.maps.wkb import Corner, Line, Polygon

#: A coast that ends inside the box, because the extract does, is led to the border if that is as near as this share of
#: the box's longer side; else no sea is drawn, rather than a wrong one.
_NEAR_BORDER = 0.15


def of_coast(coasts: list[Line], box: Box) -> list[Polygon]:
    """Polygons of the sea in a box.

    Args:
        coasts: lines with water on their right; ends that meet are the same numbers.
        box: the box.

    Returns:
        Outlines with islands as holes; none where no coast is, or where coasts do not fit together.

    """
    chains = _chained(coasts)
    islands = [chain for chain in chains if chain[0] == chain[-1] and all(map(box.holds, chain))]
    banks = [part for chain in chains if chain not in islands for part in _parts(chain, box)]
    banks = [_led_to_border(part, box) for part in banks]
    if any(not part for part in banks):
        return []
    shapes = _closed_along(banks, box)
    if not banks and any(_turns_left(island) for island in islands):
        shapes = [[*box.corners(), box.corners()[0]]]
    sea: list[Polygon] = [[shape] for shape in shapes]
    for ring in islands:
        if not _turns_left(ring):
            sea.append([ring])
        else:
            for polygon in sea:
                if contains(polygon[0], ring[0]):
                    polygon.append(ring)
                    break
    return sea


def _chained(coasts: list[Line]) -> list[Line]:
    """Lines that follow each other as one."""
    after: dict[Corner, Line] = {line[0]: line for line in coasts if len(line) > 1}
    ends = {line[-1] for line in after.values()}
    chains: list[Line] = []
    # Those that nothing leads to first; what remains then are rings.
    for start in sorted(after, key=lambda corner: (corner in ends, corner)):
        chain = list(after.pop(start, ()))
        while chain and chain[-1] in after:
            chain += after.pop(chain[-1])[1:]
        if chain:
            chains.append(chain)
    return chains


def _parts(chain: Line, box: Box) -> list[Line]:
    parts = line_inside(chain, box)
    if len(parts) > 1 and chain[0] == chain[-1] and parts[0][0] == parts[-1][-1]:
        parts[0] = [*parts.pop(), *parts[0][1:]]  # a ring whose first corner is inside
    return parts


def _led_to_border(part: Line, box: Box) -> Line:
    """The part with both ends on the border; empty where one is too far from it."""
    ends: list[Corner] = []
    for end in (part[0], part[-1]):
        lon, lat = end
        to_border = {
            (box.west, lat): (lon - box.west) / box.stretch,
            (box.east, lat): (box.east - lon) / box.stretch,
            (lon, box.south): lat - box.south,
            (lon, box.north): box.north - lat,
        }
        nearest = min(to_border, key=to_border.__getitem__)
        if to_border[nearest] > box.side * _NEAR_BORDER:
            return []
        ends.append(nearest)
    return [ends[0], *part, ends[1]]


def _closed_along(banks: list[Line], box: Box) -> list[Line]:
    """Rings: from the end of each bank clockwise along the border to the next beginning, as water is on the right."""
    left = {place: bank for place, bank in enumerate(banks)}
    begins = {place: _clockwise(bank[0], box) for place, bank in left.items()}
    shapes: list[Line] = []
    while left:
        first, ring = next(iter(left.items()))
        del left[first]
        ring = list(ring)
        while True:
            here = _clockwise(ring[-1], box)
            ahead = {place: (begins[place] - here) % 4 for place in (first, *left)}
            onto = min(ahead, key=ahead.__getitem__)
            ring += _border(here, ahead[onto], box)
            if onto == first:
                break
            ring += left.pop(onto)
        shapes.append([*ring, ring[0]])
    return shapes


def _clockwise(corner: Corner, box: Box) -> float:
    """How far along the border a place is: 0 the north-west corner, 1 the north-east, …, below 4."""
    lon, lat = corner
    places = {
        abs(box.north - lat) / box.height: (lon - box.west) / box.width,
        abs(box.east - lon) / box.width: 1 + (box.north - lat) / box.height,
        abs(lat - box.south) / box.height: 2 + (box.east - lon) / box.width,
        abs(lon - box.west) / box.width: 3 + (lat - box.south) / box.height,
    }
    return places[min(places)] % 4


def _border(start: float, length: float, box: Box) -> Line:
    """Corners of the box that are passed on the way."""
    passed = range(int(start) + 1, int(start + length) + 1)
    return [box.corners()[place % 4] for place in passed]


def _turns_left(ring: Line) -> bool:
    """Whether a ring runs counterclockwise: land is inside, for land is on the left."""
    return sum(x * v - u * y for (x, y), (u, v) in itertools.pairwise(ring)) > 0


def contains(ring: Line, corner: Corner) -> bool:
    """Whether a place is inside a closed ring."""
    lon, lat = corner
    inside = False
    for (x, y), (u, v) in itertools.pairwise(ring):
        if (y > lat) != (v > lat) and lon < x + (lat - y) / (v - y) * (u - x):
            inside = not inside
    return inside
