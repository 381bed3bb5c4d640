"""The two ways to run the property tests; HYPOTHESIS_PROFILE chooses, `fast` unless told otherwise.

fast: the same few examples on every run, so that a red test is red for everybody. deep: many, and new ones each time.
Neither has a deadline: no test here asserts a time.
"""

import os

from hypothesis import HealthCheck, settings

# Under coverage, on a busy machine, drawing alone can pass the limit: that says nothing about the code.
_QUIET = (HealthCheck.too_slow,)

settings.register_profile(
    "fast", max_examples=50, deadline=None, derandomize=True, database=None, suppress_health_check=_QUIET
)
settings.register_profile("deep", max_examples=1000, deadline=None, suppress_health_check=_QUIET, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))
