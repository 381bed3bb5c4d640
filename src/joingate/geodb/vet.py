"""Vetting: a candidate database is examined whole, in a child process, before this process opens anything.

That a file opens proves little: nine of MaxMind's 21 known bad files do, an ASN database among them. And a corrupt
file can crash the C reader (MaxMind-DB-Reader-python #58), which then costs a child and not the gate.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import joingate
from joingate.core.errors import RefusedInputError

EXAMINER = (sys.executable, "-P", "-m", "joingate.geodb.examine")
"""The child's command, before its two descriptors."""

TIME_LIMIT = 300.0
"""Seconds; a city database with five million networks takes a tenth of it, on a machine with other work to do."""

_REMEDY = "put a complete, undamaged database in its place"


@dataclass(frozen=True, slots=True)
class Vetting:
    """What the examination of a database found.

    Attributes:
        database_type: as its metadata says, e.g. "GeoLite2-Country".
        ip_version: 4, or 6 for both.
        build_epoch: POSIX seconds.
        node_count: nodes of the search tree.
        networks: networks with a record.
        countries: every ISO 3166-1 code that some record answers.
        subdivisions: every ISO 3166-2 code, in full ("UA-43"), that some record answers.
    """

    database_type: str
    ip_version: int
    build_epoch: int
    node_count: int
    networks: int
    countries: frozenset[str]
    subdivisions: frozenset[str]


def vet(
    path: Path, source: int, target: int, *, command: Sequence[str] = EXAMINER, seconds: float = TIME_LIMIT
) -> Vetting:
    """Examine a candidate in a child process, which also writes its condensed form.

    Args:
        path: what to call the candidate in messages.
        source: descriptor of the sealed candidate.
        target: descriptor of an empty memory file for the condensed database.
        command: the child's command; the two descriptors are appended.
        seconds: how long the child may take.

    Raises:
        RefusedInputError: the candidate cannot be used; one problem, with its remedy.
    """
    try:
        child = subprocess.run(  # noqa: S603  our own module, with two numbers
            [*command, str(source), str(target)],
            pass_fds=(source, target),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        raise RefusedInputError(f"{path}: its examination took longer than {seconds:g} s; {_REMEDY}") from None
    except OSError as error:
        raise RefusedInputError(f"{path}: its examination could not be started ({error}); see to that first") from None
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        raise RefusedInputError(f"{path}: its examination was ended by {name}, as damaged files do; {_REMEDY}")
    if child.returncode:
        last = (child.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
        raise RefusedInputError(f"{path}: its examination failed ({last}); {_REMEDY}")
    return _read(path, child.stdout)


def _environment() -> dict[str, str]:
    """Hand the child what Python needs, where to find joingate, and none of joingate's own settings and secrets."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("JOINGATE_")}
    root = str(Path(joingate.__file__).parent.parent)
    return {**inherited, "PYTHONPATH": os.pathsep.join(filter(None, (root, inherited.get("PYTHONPATH"))))}


def _read(path: Path, answer: bytes) -> Vetting:
    """Read the child's one JSON object; a child that a damaged file led astray may have written anything."""
    try:
        found = json.loads(answer)
        if "refusal" in found:
            raise RefusedInputError(f"{path}: {found['refusal']}")
        return Vetting(
            database_type=str(found["database_type"]),
            ip_version=int(found["ip_version"]),
            build_epoch=int(found["build_epoch"]),
            node_count=int(found["node_count"]),
            networks=int(found["networks"]),
            countries=frozenset(map(str, found["countries"])),
            subdivisions=frozenset(map(str, found["subdivisions"])),
        )
    except (ValueError, TypeError, KeyError):
        raise RefusedInputError(f"{path}: its examination gave no sensible answer; {_REMEDY}") from None
