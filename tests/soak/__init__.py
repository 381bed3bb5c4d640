"""`make soak`: a serving gate under mixed load, changes and faults, and an oracle that holds every answer against it.

places, rulebook    where addresses are, and which rules stand, worked out beside the gate
oracle              the eras of a run: which verdicts a moment allows
account, receipts   what was tried, what was lost; what clients hold against what the ledger has
meeting_server      rooms, and answers that go wrong when a request asks for that
visitors, answers   who comes from where, and what an answer is held against
joins, visits, nuisances    the load: HTTP, WebSockets, and clients that behave badly
changes             the seeded schedule: rules, databases, phases of faults
process, slope      the gate's memory and descriptors, second by second, and whether they grow
run                 puts these together; `python -m tests.soak --help`
"""
