"""In a kernel of Jupyter: bars without warnings, and Ctrl-C that stops the work and leaves the kernel alive."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

import walkshed as ws

LIMIT_S = 5.0
"""Promised is half a second (test_interrupt.py holds it); a kernel stands between. It is printed."""


class Kernel:
    """A kernel that is asked one cell after the other."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager, self.client = manager, client

    def run(self, code: str) -> list[dict[str, Any]]:
        """What a cell puts out."""
        return self.outputs(self.client.execute(code))

    def outputs(self, asked: str) -> list[dict[str, Any]]:
        """What a cell that was sent puts out, until it is done."""
        told: list[dict[str, Any]] = []
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return told
            if kind in ("stream", "execute_result", "display_data", "error"):
                told.append({"kind": kind, **content})

    def begin(self, code: str) -> str:
        """Send a cell that first says that it has begun; wait until it says so."""
        asked = self.client.execute(f"print('begun', flush=True)\n{code}")
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            ours = message["parent_header"].get("msg_id") == asked
            if ours and message["msg_type"] == "stream" and "begun" in message["content"]["text"]:
                return str(asked)

    def interrupted(self, code: str, after_s: float) -> tuple[list[dict[str, Any]], float]:
        """What a cell puts out that is interrupted, and how long that takes."""
        asked = self.begin(code)
        time.sleep(after_s)
        began = time.perf_counter()
        self.manager.interrupt_kernel()
        told = self.outputs(asked)
        return told, time.perf_counter() - began


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("kernel")
    manager, client = start_new_kernel(cwd=str(folder), env=os.environ | {"PYTHONWARNINGS": "default"})
    try:
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic, and large enough to be stopped half-way."""
    return ws.synth(tmp_path_factory.mktemp("city") / "city", nodes=250_000, progress=False).study


def test_a_bar_shows_without_ipywidgets_and_warns_of_nothing(kernel: Kernel, city: Path) -> None:
    told = kernel.run(
        "import sys, walkshed as ws\n"
        "sys.modules['ipywidgets'] = None\n"  # as where it is not installed
        "from walkshed import progress\n"
        "progress._SHOW_AFTER_S = 0.0\n"
        f"net = ws.Network.from_osm({str(city.parent / 'streets.osm.pbf')!r})"
    )
    text = "".join(output.get("text", "") for output in told)
    assert {output["kind"] for output in told} == {"stream"}, told
    assert "it/s" in text or "%|" in text, "a bar of text"
    assert "Warning" not in text and "IProgress" not in text


@pytest.mark.parametrize(
    "work",
    ["ws.run(study, 'out')", "net.matrix(net.nodes().head(3000), net.nodes().head(3000))", "ws.run(study, 'out')"],
)
def test_ctrl_c_stops_the_work_and_the_kernel_lives(kernel: Kernel, city: Path, work: str) -> None:
    """The last of the three is stopped in a kernel that was stopped twice before."""
    folder = Path(kernel.run("import os; os.getcwd()")[0]["data"]["text/plain"].strip("'"))
    prepared = kernel.run(
        f"import walkshed as ws; study = {str(city)!r}\n"
        f"net = ws.Network.from_osm({str(city.parent / 'streets.osm.pbf')!r}, progress=False)"
    )
    assert prepared == []
    told, late_s = kernel.interrupted(work, after_s=0.5)
    print(f"{work}: the kernel answered {late_s:.2f} s after the interrupt")
    assert [output.get("ename") for output in told if output["kind"] == "error"] == ["KeyboardInterrupt"], told
    assert late_s < LIMIT_S
    (answer,) = kernel.run("1 + 1")
    assert answer["data"]["text/plain"] == "2"
    assert list(folder.iterdir()) == [], "nothing half-written is left"
    (answer,) = kernel.run("net.nodes().height > 100_000")
    assert answer["data"]["text/plain"] == "True"


def test_cards_are_shown_by_themselves(kernel: Kernel) -> None:
    (shown,) = kernel.run(
        "import polars as pl, walkshed as ws\n"
        "ends = pl.DataFrame({'id': [1, 2], 'lon': [106.55, 106.551], 'lat': [29.56, 29.56]})\n"
        "ws.Network.from_tables(ends, pl.DataFrame({'from': [1], 'to': [2], 'length_m': [97.0]}))"
    )
    assert shown["kind"] == "execute_result"
    assert "步行网络" in shown["data"]["text/html"] and shown["data"]["text/plain"].startswith("Network(2 nodes")
