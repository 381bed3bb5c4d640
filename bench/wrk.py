"""Saturation: joins as fast as one client can ask for them, by wrk on OTHER_CPU."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.processes import OTHER_CPU, NotMeasuredError, cpu_seconds
from bench.stage import Proxy

SCRIPT = Path(__file__).parent / "joins.lua"


@dataclass(frozen=True, slots=True)
class Load:
    """One run of the load against one proxy."""

    joins: int
    cpu: float  # seconds
    wall: float  # seconds
    median_latency: int  # microseconds

    @property
    def cpu_per_join(self) -> float:
        """In microseconds."""
        return self.cpu / self.joins * 1e6

    @property
    def per_second(self) -> float:
        """Joins."""
        return self.joins / self.wall


def load(proxy: Proxy, seconds: int, *, new_connections: bool = False) -> Load:
    """Ask for joins over 32 connections for so many seconds; with `new_connections`, each on one of its own."""
    before, began = cpu_seconds(proxy.pid), time.monotonic()
    wrk = ["wrk", "-t1", "-c32", f"-d{seconds}s", "-s", str(SCRIPT), f"http://127.0.0.1:{proxy.port}"]
    wrk += ["--", "close"] if new_connections else []
    output = subprocess.run(["taskset", "-c", OTHER_CPU, *wrk], check=True, capture_output=True, text=True).stdout
    cpu, wall = cpu_seconds(proxy.pid) - before, time.monotonic() - began
    joins, refused, failed, median = map(int, output.rpartition("RESULT ")[2].split())
    if refused or failed or not joins:
        raise NotMeasuredError(f"{proxy.name}: {joins} joins, {refused} not admitted, {failed} failed")
    return Load(joins, cpu, wall, median)
