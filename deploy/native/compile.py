"""Compile the path of a join: the same source by mypyc, at about half of its cost in Python, and the engine in C.

    python deploy/native/compile.py [--engine] FOLDER

FOLDER gets a copy of joingate in which the modules named here are extension modules, or with --engine only those in C
are; whatever runs with it first on PYTHONPATH runs compiled. Needs a C compiler, Python's headers, and the
development requirements. Nothing else changes: `make native` runs the gate's own tests against the result, those apart
that replace a constant of a module, since a compiler has long used it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"

MODULES = """
    core/client_address core/decision core/location core/roster core/tally
    codecs/forwarded codecs/http1 codecs/join_request codecs/join_values codecs/websocket
    gate/accepting gate/downstream gate/exchange gate/fast_path gate/gate gate/peer gate/polling gate/reading
    gate/request_body gate/resumption gate/seats gate/tls_server gate/tunnel gate/upstream
    geodb/atlas geodb/database
""".split()
"""What every join or every message runs through, and what inherits from it.

Not what is read once, nor rules and places (core/rules, core/model), though every join meets them: workers hand them on
by pickle, and a compiled frozen dataclass cannot be read back. Nor what runs long beside the event loop, in a thread:
compiled code gives nobody else a turn.
"""

EXTENSIONS = {
    "joingate.core._reach": ["reach.c"],
    "joingate.gate._engine": ["engine.c", "transport.c", "writing.c", "fast_path.c", "heads.c", "joins.c"],
    "joingate.geodb._tree": ["tree.c"],
}
"""What is written in C: which rules may mean somebody, sockets and the fast path over them, and where an address is."""

_SETUP = """
from mypyc.build import mypycify
from setuptools import Extension, setup
options = ["-O3", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"]
extensions = [Extension(name, sources, extra_compile_args=options) for name, sources in {extensions!r}.items()]
compiled = mypycify({files!r}, opt_level="3", debug_level="0") if {files!r} else []
setup(name="joingate-native", ext_modules=[*compiled, *extensions], packages=[])
"""


def main() -> int:
    """Compile; return the compiler's exit status."""
    *options, name = sys.argv[1:] or [""]
    if not name or options not in ([], ["--engine"]):
        sys.stderr.write(f"usage: {sys.argv[0]} [--engine] FOLDER\n")
        return 2
    folder = Path(name)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SOURCE / "joingate", folder / "joingate", ignore=shutil.ignore_patterns("__pycache__"))
    files = [] if options else [f"joingate/{module}.py" for module in MODULES]
    # mypyc reads a configuration where it stands; the project's own asks for more than one package's check.
    (folder / "mypy.ini").write_text("[mypy]\nstrict = true\n")
    extensions = {name: [str(HERE / each) for each in sources] for name, sources in EXTENSIONS.items()}
    (folder / "setup.py").write_text(_SETUP.format(files=files, extensions=extensions))
    return subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"], cwd=folder, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
