"""The habits that a machine can check: which way imports point, what the pure layers leave alone, how long things are.

Every check takes sources as a mapping of paths inside the package to text, and returns one line for each violation.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

EDGES = frozenset("admin fleet gate geodb ledger servers workers".split())

_WIRING = (
    *("aside", "loading", "ejecting", "replacing", "reload", "status", "serving", "parcel", "supervising", "working"),
    *("app", "demo", "cli"),
)

BELOW: dict[str, frozenset[str]] = {
    "core": frozenset(),
    "codecs": frozenset(("core",)),
    **{edge: frozenset(("core", "codecs")) for edge in EDGES},  # never settings: an edge is handed plain values
    "settings": frozenset(("core", "codecs")),
    # The parts that wire edges together stand in a row: each may use those before it.
    **{part: frozenset(("core", "codecs", "settings", *_WIRING[:at])) | EDGES for at, part in enumerate(_WIRING)},
    "__main__": frozenset(_WIRING),
    "__init__": frozenset(),
}
"""What each part of the package may import besides itself; whatever is not here has no place yet."""

_IO = frozenset(
    "asyncio fcntl fileinput glob http io logging mmap multiprocessing os random resource secrets select selectors "
    "shutil signal socket socketserver ssl subprocess syslog tempfile threading time urllib.request".split()
)
_CORE_NEVER = _IO | frozenset("ctypes importlib pathlib sys warnings".split())
_CODECS_NEVER = _IO | frozenset("aiohttp maxminddb uvloop".split())

_ACTS = frozenset("open input print exec eval __import__ breakpoint".split())
_CLOCKS = frozenset("now utcnow today".split())
_FILE_METHODS = frozenset(
    "read_text read_bytes write_text write_bytes open exists is_file is_dir iterdir glob rglob stat lstat mkdir unlink "
    "resolve absolute cwd home expanduser".split()
)

MAX_FILE, MAX_CORE_FUNCTION = 650, 60


def check(sources: Mapping[str, str]) -> list[str]:
    """Return every violation, in the order of the files."""
    found = []
    for path, source in sources.items():
        tree, part = ast.parse(source), part_of(path)
        found += [f"{path}:{line}: {what}" for line, what in _violations(path, source, tree, part)]
    return found


def part_of(path: str) -> str:
    """Return the part of the package that a path lies in: a folder, or a module at the top."""
    return PurePosixPath(path).parts[0].removesuffix(".py")


def _violations(path: str, source: str, tree: ast.Module, part: str) -> Iterator[tuple[int, str]]:
    if (length := len(source.splitlines())) > MAX_FILE:
        yield length, f"longer than {MAX_FILE} lines"
    if part not in BELOW:
        yield 1, f"{part} has no place among the layers; give it one in tests/layering.py"
        return
    yield from _wrong_imports(path, tree, part)
    if part == "core":
        yield from _long_functions(tree)
        yield from _acts(tree, _ACTS, _CLOCKS | _FILE_METHODS)
    elif part == "codecs":
        yield from _acts(tree, _ACTS, _CLOCKS | _FILE_METHODS)


def _wrong_imports(path: str, tree: ast.Module, part: str) -> Iterator[tuple[int, str]]:
    for line, module in imports(path, tree):
        top, _, rest = module.partition(".")
        if top == "joingate":
            # A bare `joingate` is the version, which everybody may know, and a name imported from it is a part.
            other = rest.partition(".")[0]
            if other in BELOW and other != part and other not in BELOW[part]:
                yield line, f"{part} imports {other}"
        elif part == "core" and top not in sys.stdlib_module_names:
            yield line, f"core imports {top}, which is not in the standard library"
        elif (part == "core" and _among(module, _CORE_NEVER)) or (part == "codecs" and _among(module, _CODECS_NEVER)):
            yield line, f"{part} imports {module}"


def _among(module: str, names: frozenset[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def imports(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield every module imported, wherever the import stands, by its absolute name."""
    package = ("joingate", *PurePosixPath(path).parts[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}" if _is_package(module) else module


def _is_package(module: str) -> bool:
    """Whether a name imported from `module` may itself be a module that the tables name."""
    return module in ("joingate", "urllib")


def _acts(tree: ast.Module, functions: frozenset[str], methods: frozenset[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in functions:
            yield node.lineno, f"calls {node.func.id}()"
        elif isinstance(node.func, ast.Attribute) and node.func.attr in methods:
            yield node.lineno, f"calls .{node.func.attr}()"


def _long_functions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_CORE_FUNCTION:
                yield node.lineno, f"{node.name} is longer than {MAX_CORE_FUNCTION} lines"
        if isinstance(node, ast.AsyncFunctionDef):
            yield node.lineno, f"{node.name} waits; core decides in a plain def"
