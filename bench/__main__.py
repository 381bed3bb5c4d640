"""python -m bench: every benchmark there is, one after the other; exit status 1 when any misses its target."""

import subprocess
import sys

MODULES = ("cpu_per_join", "ledger_append", "ledger_admissions")

missed = 0
for module in MODULES:
    print(f"# {module}", flush=True)
    missed += subprocess.run([sys.executable, "-m", f"bench.{module}"], check=False).returncode != 0
sys.exit(bool(missed))
