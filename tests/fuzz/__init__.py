"""Fuzzers of everything that reads what others write: `python -m tests.fuzz [--seconds N] [--seed N] [NAME...]`.

Each is a file in `targets/` with a `check` that raises where its invariant does not hold; what it begins with is in
`corpus/NAME/`. Inputs follow from the seed and their number alone, so that every finding comes again.
"""
