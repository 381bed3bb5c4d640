"""One file for each fuzzer: its invariant in a sentence, `check`, and the `TOKENS` that its inputs are made of."""
