"""Several processes that are one gate: how they are begun, spoken to, and kept. What they do is not said here."""
