"""Faults and hostile clients against a serving gate, with people who talk meanwhile: what docs/reliability.md tells.

python -m tests.reliability          every scenario at its full size, and the page written anew (make reliability)
pytest tests/reliability             the same scenarios, few times each

scenario        what a scenario is, and what comes of it: the verdict is computed, never written
stage           a gate of its own for each scenario, a meeting server and the people in it
bystanders      those people, in a process of their own: they talk, and somebody who may not join keeps trying
meeting_server  the server behind the gate, in a process of its own, with faults to be had at certain paths
clients         what hostile clients are made of
slow, greedy, overload, upstream, process, databases, ejecting      the scenarios, a family in each file
elsewhere       what other tests hold, by their names
page            docs/reliability.md
"""
