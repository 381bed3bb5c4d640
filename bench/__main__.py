"""python -m bench: every benchmark there is."""

import sys

from bench.cpu_per_join import main

sys.exit(main())
