"""What tests of several layers share: the project's own databases, and MaxMind's where they are at hand."""

import os
import subprocess
from pathlib import Path

import pytest

import tests.profiles  # noqa: F401 - the import registers and loads the Hypothesis profile

ROOT = Path(__file__).parent.parent
TABLES = ROOT / "geodb"


def _built(name: str, folder: Path) -> Path:
    from joingate.geodb.build import build  # here, so that tests of the core start without its imports

    output = folder / f"{name}.mmdb"
    build(TABLES / f"{name}.csv", output)
    return output


@pytest.fixture(scope="session")
def demo_mmdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo database, built now from `geodb/demo.csv`; copy it before changing it."""
    return _built("demo", tmp_path_factory.mktemp("geodb"))


@pytest.fixture(scope="session")
def second_mmdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The second database, built now from `geodb/second.csv`; copy it before changing it."""
    return _built("second", tmp_path_factory.mktemp("geodb"))


@pytest.fixture(scope="session")
def maxmind() -> Path:
    """The folder of MaxMind's test databases (github.com/maxmind/MaxMind-DB), with known bad ones in `bad/`."""
    folder = Path(os.environ.get("JOINGATE_MMDB_TEST_DATA", ROOT.parent / "shared" / "mmdb"))
    if not (folder / "GeoIP2-Country-Test.mmdb").is_file():
        pytest.skip(f"no MaxMind test databases in {folder}; name their folder in JOINGATE_MMDB_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "cert.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=gate"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return files
