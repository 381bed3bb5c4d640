"""`python -m joingate` is the same program as `joingate`."""

import sys

from joingate.cli import main

if __name__ == "__main__":
    sys.exit(main())
