# ruff: noqa: RUF001 - typographic quotes are meant
"""How the report's numbers are arrived at, for its readers. Each claim is one that the code can be held to.

The code is in `core/report_fold.py`, `core/report_rules.py`, `core/report_publish.py` and `core/suppression.py`.
"""

from typing import Final

_TEXT = """
Where the numbers come from
    Every number here is worked out again from the records of the ledger, and from nothing else. The same records
    and the same days give the same report, byte for byte. Whoever has the ledger can check it with joingate ledger
    verify, and this report with joingate report.

Days and hours
    Days are those of UTC, and both the first and the last are included. The ledger dates its records by the hour
    and no finer. What was recorded after the last day is not counted; only corrections of this period’s records are
    listed whenever they were made.

Participants
    The ledger holds nothing by which one person could be told from another. So restrictions are counted, not
    people: whoever tries to join five times and is rejected five times is counted five times. A restriction counts
    in the hour in which it was recorded, under the territory that its order had then.

Orders
    An order counts as received in the period in which the ledger first holds it as accepted; the day on which the
    demand itself arrived is in the list of orders. Recorded anew because something in it changed, it remains one
    order, and belongs to the authority and territory that it named last. It is in force from its opening, but not
    before it was accepted, until it expires or is lifted. Lifted and expired orders count in the period of that
    record.

What is not here
    A demand that was refused never becomes an order, and a ledger holds accepted orders only. So this report has no
    column for refused demands, and says nothing of them.

Asked and granted
    What an order asked for beyond what was granted is stated in its record. Whether it reached for territory
    outside the authority’s own is worked out from the territories in the record. Nothing but the restriction of
    participants can be granted, since an order has no field for anything else; data that was handed over is listed
    as a disclosure.

Outside territory, outside time
    Both are worked out again for each restriction. The place at which the participant was located must lie in the
    order’s territory, and that in its authority’s. The hour of the record must touch the time between the order’s
    opening and its end, and the order must have been accepted, in use, and neither lifted nor expired before. A
    restriction that names no accepted order counts as both.

Ejections
    What became of an ejection counts with the ejection, as far as it was recorded by the end of the period.

Doubt, shadow, and what could not be recorded
    In doubt about a location an order restricts nobody. An order in shadow is counted and not enforced. And without
    a record nobody is restricted: if the ledger cannot be written, the participant is admitted. The gate counts all
    three and writes the counts once an hour; they belong to the hour in which they were written.

Meetings
    A meeting that two orders name is counted under each. Meetings are recorded as commitments that are different
    for each order, so that nobody can follow one through the ledger.

Small numbers
    Numbers of participants from 1 to 9 are shown as “<10”. Where such a number could be worked out from others, the
    smallest number that prevents this is shown as “10+”; where “<10” or “10+” would still say too much, as “1+”.
    For all that is shown, each “<10” could be at least five different numbers. The number of meetings with
    restrictions is shown as “1+” wherever the number of people restricted in them is hidden. Zeros, the exact
    figures at the beginning, and numbers of orders are never hidden.

Hours without a heartbeat
    A gate that serves leaves a record in every hour. In an hour without one it did not run, or it could not write,
    and without a record it restricts nobody.

What cannot be seen from a ledger
    That a location was right: it is that of the network a connection comes from. That there was no way around the
    gate. That a law is just.
"""

METHOD: Final[tuple[tuple[str, str], ...]] = tuple(
    (heading, " ".join(" ".join(lines).split()))
    for heading, *lines in (block.splitlines() for block in _TEXT.strip().split("\n\n"))
)
"""Headings and paragraphs."""
