"""Demand that each module of core and codecs is covered by its own test file alone, every line and branch.

A module that only other tests reach has no test of its own: whoever changes it learns of a mistake from somewhere
else. `core/rules.py` belongs to `tests/core/test_rules.py`, and so on; a module without one is an error.
Exit status 1 on any miss, and on any test that fails. `--ignored` prints the options by which pytest leaves out what is
run here, so that `make check` runs nothing twice.

Each module is measured in a child that starts from this process, where everything but joingate is imported already:
starting Python and pytest anew for each would take longer than the tests.
"""

import ast
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

import coverage
import hypothesis.stateful  # noqa: F401 - so that the children need not import it
import orjson  # noqa: F401
import pycountry  # noqa: F401
import pydantic
import pytest
import pytest_asyncio  # noqa: F401
from coverage.exceptions import NoDataError

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "joingate"
LAYERS = ("core", "codecs")
PROCESSES = 2


def modules() -> Iterator[tuple[Path, Path]]:
    """Yield each module that has code, with the test file it must have."""
    for layer in LAYERS:
        for module in sorted((PACKAGE / layer).rglob("*.py")):
            if module.name != "__init__.py" or has_code(module):
                inner = module.relative_to(PACKAGE)
                yield module, ROOT / "tests" / inner.parent / f"test_{module.stem.strip('_')}.py"


def has_code(module: Path) -> bool:
    """Whether a module holds more than a docstring."""
    return any(
        not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in ast.parse(module.read_text("utf-8")).body
    )


def measure(module: Path, test: Path, data: Path) -> str | None:
    """Run one test file in this process and say what it misses of one module; None when nothing."""
    if not test.is_file():
        return f"no {test.relative_to(ROOT)}"
    name = ".".join(module.relative_to(PACKAGE.parent).with_suffix("").parts)
    measured = coverage.Coverage(
        data_file=str(data), branch=True, source=[name], config_file=str(ROOT / "pyproject.toml")
    )
    measured.start()
    # Plain assertions: to rewrite them takes longer than the tests, and `make test` explains what fails.
    status = pytest.main(["-q", "--assert=plain", "-p", "no:cacheprovider", "-m", "not integration", str(test)])
    measured.stop()
    if status:
        return "its tests fail"
    table = io.StringIO()
    try:
        percent = measured.report(show_missing=True, file=table)
    except NoDataError:
        return "its test never runs it"
    return None if percent == 100 else table.getvalue().rstrip().splitlines()[2].split(maxsplit=5)[-1]


def start(module: Path, test: Path, folder: Path) -> int:
    """Begin to measure one module in a child that leaves what is missing in `folder`; return its process id."""
    if child := os.fork():
        return child
    status = 1
    try:
        quiet = os.open(folder / f"{module.parent.name}.{module.stem}.out", os.O_WRONLY | os.O_CREAT)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        missing = measure(module, test, folder / f"{module.parent.name}.{module.stem}.data")
        (folder / f"{module.parent.name}.{module.stem}.missing").write_text(missing or "", "utf-8")
        status = 1 if missing else 0
    except BaseException:  # noqa: BLE001 - a child must never go on as a second parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def tell(module: Path, status: int, folder: Path) -> None:
    """Print one line for one module, and what its tests said where they failed."""
    said = folder / f"{module.parent.name}.{module.stem}"
    missing = said.with_name(f"{said.name}.missing")
    text = missing.read_text("utf-8") if missing.is_file() else "measuring failed"
    print(f"{module.relative_to(PACKAGE)}: {f'missing: {text}' if status else '100 %'}")  # noqa: T201 - its output
    if text in ("its tests fail", "measuring failed"):
        print(said.with_name(f"{said.name}.out").read_text("utf-8", "replace")[-3000:])  # noqa: T201 - its output
    sys.stdout.flush()


def main() -> int:
    """Measure every module, PROCESSES at a time, and print a line for each as it is done."""
    os.chdir(ROOT)
    os.environ["HYPOTHESIS_PROFILE"] = "fast"
    sys.path[0] = str(ROOT)
    pydantic.BaseModel  # noqa: B018 - pydantic imports its parts when they are first named
    if sys.argv[1:] == ["--ignored"]:
        print(*(f"--ignore={test.relative_to(ROOT)}" for _, test in modules() if test.is_file()))  # noqa: T201 - its output
        return 0
    waiting, running, missed, total = list(modules())[::-1], dict[int, Path](), 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        while waiting or running:
            while waiting and len(running) < PROCESSES:
                module, test = waiting.pop()
                running[start(module, test, folder)] = module
            child, how = os.wait()
            tell(running.pop(child), how, folder)
            missed, total = missed + (how != 0), total + 1
    if missed:
        print(f"{missed} of {total} modules are not covered by their own tests")  # noqa: T201 - its output
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
