"""On level ground our walking times are those of OSRM and Valhalla; runs where both are installed (README.md here)."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import Data

for router in ("osrm", "valhalla"):
    pytest.importorskip(router, reason="OSRM and Valhalla are not installed; see python/tests/peers/README.md")

from compare import ALIKE, SEED, compare, random_pairs, ratios, street_places  # noqa: E402
from extract import Extract, read  # noqa: E402
from osrm_foot import Osrm  # noqa: E402
from ours import Ours, Pair  # noqa: E402
from valhalla_foot import Valhalla  # noqa: E402
from walk import Peer  # noqa: E402

PAIRS = 400


@pytest.fixture(scope="module")
def extract(data: Data) -> Extract:
    return read(data("helsinki") / "centre.osm.pbf")


@pytest.fixture(scope="module")
def ours(extract: Extract) -> Ours:
    return Ours(extract.path)


@pytest.fixture(scope="module", params=[Osrm, Valhalla])
def peer(request: pytest.FixtureRequest, extract: Extract, tmp_path_factory: pytest.TempPathFactory) -> Peer:
    """Without delays and slow surfaces, so that only ways and lengths are compared."""
    return request.param(extract, tmp_path_factory.mktemp("peer") / "data", level=True)


@pytest.fixture(scope="module")
def pairs(extract: Extract, ours: Ours, peer: Peer) -> list[Pair]:
    return random_pairs(street_places(extract, ours, [peer]), PAIRS)


def test_our_level_walks_take_as_long_as_theirs(extract: Extract, ours: Ours, peer: Peer, pairs: list[Pair]) -> None:
    rows, alone = compare(pairs, extract, ours, peer)
    level = ratios(row for row in rows if not row.climbs)
    print(f"{peer.name}: {len(level)} level walks, median {np.median(level):.4f}, seed {SEED}; {alone}")
    assert len(level) > PAIRS / 4
    assert abs(np.median(level) - 1) < ALIKE


def test_our_path_is_as_long_as_our_time(ours: Ours, pairs: list[Pair]) -> None:
    """The ways that explain a difference are those of the time that is compared."""
    for pair, time_s in zip(pairs, ours.times_s(pairs), strict=True):
        walk = ours.walk(*pair)
        assert (walk is None) == (time_s is None)
        assert walk is None or walk.time_s == pytest.approx(time_s, abs=2.0)
