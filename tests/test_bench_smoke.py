"""The harness from end to end, as small as it gets: processes, load, records, page. No figure is looked at."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bench.record import RESULTS, Result, read_plots, read_results
from bench.side_by_side import ALL_MET, NOT_ALL_MET, NOT_MEASURED
from bench.stage import MODULES

from tests.conftest import ROOT

LIMIT = 120
"""Seconds after which a benchmark is stuck."""

pytestmark = pytest.mark.skipif(
    not {0, 1} <= os.sched_getaffinity(0) or shutil.which("taskset") is None,
    reason="benchmarks need two processors, one for what is measured and one for its client, and taskset",
)

needs_peers = pytest.mark.skipif(
    shutil.which("nginx") is None
    or shutil.which("wrk") is None
    or not (MODULES / "ngx_http_geoip2_module.so").exists(),
    reason="needs the peers: apt-get install nginx libnginx-mod-http-geoip2 wrk",
)


def _run(module: str, *options: str, path: str | None = None) -> "subprocess.CompletedProcess[str]":
    environment = dict(os.environ) | ({} if path is None else {"PATH": path})
    command = [sys.executable, "-m", module, *options]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
    )


def _measured(folder: Path, module: str, *options: str) -> dict[str, Result]:
    done = _run(f"bench.{module}", "--rounds", "1", "--results", str(folder), *options)
    assert done.returncode in {ALL_MET, NOT_ALL_MET}, done.stderr
    return {result.name: result for result in read_results(folder)}


def test_ejection_runs_from_end_to_end(tmp_path: Path) -> None:
    found = _measured(tmp_path, "ejection", "--sockets", "100", "--rules", "10")
    for label, ejected in (("100 of 100", 100), ("1 of 100", 1)):
        assert found[f"B6, {label}"].ours > 0
        assert found["B6, 100 of 100, beside a bare pair"].ours > 0
        assert found[f"B6, {label}, collateral"].ours == 0
        assert found[f"B6, {label}, reasons"].ours == 0
        (plot,) = read_plots(tmp_path)
        assert len(plot.lines[label]) >= min(ejected, 50)
        assert plot.lines[label][-1][1] == 100  # per cent: everybody who was meant
    page = _run("bench.render", str(tmp_path))
    assert page.returncode == 0, page.stderr
    assert "B6, 100 of 100" in (tmp_path / "table.md").read_text()
    assert (tmp_path / "ejection.svg").exists()
    assert (tmp_path / "index.html").exists()


@needs_peers
def test_cost_of_a_join_runs_from_end_to_end(tmp_path: Path) -> None:
    found = _measured(tmp_path, "cpu_per_join", "--seconds", "1", "--rules", "10")
    joins = found["B1"]
    assert joins.peer is not None
    assert joins.ratio == pytest.approx(joins.ours / joins.peer)
    assert joins.command == "python -m bench.cpu_per_join --rounds 1 --seconds 1 --rules 10"


def test_a_missing_peer_is_named_and_nothing_is_recorded(tmp_path: Path) -> None:
    done = _run("bench.cpu_per_join", "--results", str(tmp_path), path=str(tmp_path))
    assert done.returncode == NOT_MEASURED
    assert re.search(r"not measured: missing on this machine: apt-get install nginx .*wrk", done.stderr)
    assert not (tmp_path / RESULTS).exists()
