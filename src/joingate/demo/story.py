"""What happens in the demo, in order.

Every line was observed: at a participant's socket, or by asking the meeting server directly, behind the gate's back.
"""

import asyncio
import time
from collections.abc import Collection, Sequence

from aiohttp import ClientSession

from joingate.demo.cast import BOARD, CAST, KNOCKING, NOWHERE, ORDERED, OTHER
from joingate.demo.findings import Findings
from joingate.demo.folder import ORDER_ID, POLICY_ID, Folder
from joingate.demo.gate_process import GateProcess
from joingate.demo.hearing import Hearing, compare
from joingate.demo.participant import PATIENCE, Answer, Participant
from joingate.demo.record import is_proved, shown, verified
from joingate.demo.table import Paint, table

_A_WHILE = 1.0  # seconds of talk in each part: some fifty messages of everyone

_EXPECTED_AT_THE_DOOR = {
    ("CN", ORDERED): 451,
    ("HK", ORDERED): 101,
    ("MO", ORDERED): 101,
    (NOWHERE, ORDERED): 101,
    ("CN", OTHER): 101,
    ("DE", BOARD): 101,
    ("US", BOARD): 403,
}


class Story:
    """The six parts, on a gate and a meeting server that run.

    Attributes:
        participants: one for each person and meeting.
        findings: what was claimed and whether it was seen.
    """

    def __init__(self, folder: Folder, gate: GateProcess, upstream_port: int, paint: Paint) -> None:
        self.participants = [
            Participant(person, meeting, gate.port)
            for meeting in (ORDERED, OTHER)
            for person in CAST
            if meeting in person.meetings
        ]
        self.findings = Findings()
        self._folder = folder
        self._gate = gate
        self._upstream = f"http://127.0.0.1:{upstream_port}"
        self._paint = paint
        self._receipts: list[str] = []
        # What each of those who stay had heard and said at three moments: the order comes, it is lifted, the end.
        self._heard: list[list[int]] = []
        self._said: list[list[int]] = []
        self._meant = [each for each in self.participants if (each.person.territory, each.meeting) == ("CN", ORDERED)]
        self._staying = [each for each in self.participants if each not in self._meant]

    async def tell(self) -> None:
        """Play every part.

        Raises:
            GateError: the gate is gone.
        """
        await self._people_talk()
        await self._an_order_comes()
        await self._others_knock()
        await self._the_order_is_lifted()
        await self._what_was_heard()
        await self._the_record()

    # 1

    async def _people_talk(self) -> None:
        self._part("1", "eight people from six territories join two meetings, and talk")
        answers = [await participant.join() for participant in self.participants]
        self._show(
            ("meeting", "who", "from", "address", "join"),
            [
                (each.meeting, each.name, self._place(each), each.person.address, self._answer(answer))
                for each, answer in zip(self.participants, answers, strict=True)
            ],
        )
        refused = [each.name for each, answer in zip(self.participants, answers, strict=True) if not answer.admitted]
        self.findings.expect("without an order everybody is admitted", seen=not refused, instead=f"refused: {refused}")
        for participant in self.participants:
            participant.talk()
        await asyncio.sleep(_A_WHILE)

    # 2

    async def _an_order_comes(self) -> None:
        self._part("2", f"an order comes, and is loaded by SIGHUP while they talk: {ORDER_ID}")
        self._note(f"asked    end meeting {ORDERED} and suspend its account, in CN and HK")
        self._note(f"granted  eject from meeting {ORDERED} whoever is located in CN")
        print()
        self._mark()
        self._folder.put_order()
        sent = time.monotonic()
        self._gate.reload()
        await self._until_closed(self._meant)
        await asyncio.sleep(_A_WHILE)
        self._show(
            ("meeting", "who", "from", "under the order", "close", "after SIGHUP"),
            [(each.meeting, each.name, self._place(each), *self._state(each, sent)) for each in self.participants],
            right=("close", "after SIGHUP"),
        )
        self._expect_exactly_the_meant_closed()
        for meeting in (ORDERED, OTHER):
            await self._expect_listed(meeting)

    def _expect_exactly_the_meant_closed(self) -> None:
        closed = [each for each in self.participants if each.closed is not None]
        told = [each.closed for each in closed if each.closed is not None]
        self.findings.expect(
            f"{self._names(self._meant)}, from CN, and nobody else, are ejected from meeting {ORDERED}",
            seen=closed == self._meant,
            instead=f"closed: {[f'{each.name} in {each.meeting}' for each in closed]}",
        )
        self.findings.expect(
            f"their connections end with Close 4451, which names {ORDER_ID}",
            seen=bool(told) and all(each.code == 4451 and ORDER_ID in each.reason for each in told),
            instead=[(each.code, each.reason) for each in told],
        )
        self._receipts += [each.reason.rpartition("receipt ")[2] for each in told]
        print()
        for each, close in zip(closed, told, strict=True):
            self._note(f"{each.name}'s Close frame says: {close.reason}")

    async def _expect_listed(self, meeting: str) -> None:
        expected = sorted(each.name for each in self._staying if each.meeting == meeting)
        listed = await self._listed(meeting, expected)
        self._note(f"the meeting server lists in {meeting}: {', '.join(listed) or 'nobody'}")
        self.findings.expect(
            f"the meeting server itself lists everybody else in {meeting}",
            seen=listed == expected,
            instead=f"listed: {listed}",
        )

    async def _listed(self, meeting: str, expected: Sequence[str]) -> list[str]:
        """Ask the meeting server who is in; it hears of an end after whoever was ejected, so with patience."""
        deadline = time.monotonic() + PATIENCE
        async with ClientSession() as session:
            while True:
                async with session.get(f"{self._upstream}/meetings/{meeting}") as answer:
                    listed: list[str] = (await answer.json())["participants"]
                if listed == expected or time.monotonic() > deadline:
                    return listed
                await asyncio.sleep(0.05)

    async def _until_closed(self, participants: Sequence[Participant]) -> None:
        """Wait for each to be closed, with patience; who is not has no `closed` to show."""
        waiting = [asyncio.create_task(each.ended.wait()) for each in participants]
        _, pending = await asyncio.wait(waiting, timeout=PATIENCE)
        for task in pending:
            task.cancel()

    # 3

    async def _others_knock(self) -> None:
        self._part("3", "others come to the door while the order is in force")
        knocking = [Participant(person, meeting, self._gate.port) for person in KNOCKING for meeting in person.meetings]
        rows = []
        for each in knocking:
            answer = await each.join()
            await each.leave()
            rows.append((each.meeting, each.name, self._place(each), self._answer(answer), _why(answer, each)))
            if answer.problem:
                self._receipts.append(str(answer.problem.get("receipt")))
            self._expect_at_the_door(each, answer)
        self._show(("meeting", "who", "from", "join", "why"), rows)

    def _expect_at_the_door(self, each: Participant, answer: Answer) -> None:
        expected = _EXPECTED_AT_THE_DOOR[each.person.territory, each.meeting]
        place = "an unknown place" if each.person.territory == NOWHERE else each.person.territory
        outcome = {101: "is admitted", 451: f"gets 451 by {ORDER_ID}", 403: "gets 403 by the host's policy"}[expected]
        rule = {101: None, 451: ORDER_ID, 403: POLICY_ID}[expected]
        seen = answer.status == expected and _rule(answer) == rule
        if rule is not None:
            seen = seen and answer.problem.get("located_as") == each.person.territory
        self.findings.expect(
            f"who comes to {each.meeting} from {place} {outcome}",
            seen=seen,
            instead=f"status {answer.status}, problem {answer.problem}",
        )

    # 4

    async def _the_order_is_lifted(self) -> None:
        self._part("4", "the order is lifted: its file is removed, and the gate gets SIGHUP")
        self._mark()
        self._folder.lift_order()
        sent = time.monotonic()
        self._gate.reload()
        rows = []
        for each in self._meant:
            answer = await self._join_again(each, sent + PATIENCE)
            after = f"{(time.monotonic() - sent) * 1000:.0f} ms"
            rows.append((each.meeting, each.name, self._place(each), self._answer(answer), after))
            self.findings.expect(
                f"once the order is lifted, {each.name} is admitted again",
                seen=answer.admitted,
                instead=f"status {answer.status}",
            )
            each.talk()
        self._show(("meeting", "who", "from", "join", "after SIGHUP"), rows, right=("after SIGHUP",))
        await asyncio.sleep(_A_WHILE)

    async def _join_again(self, each: Participant, deadline: float) -> Answer:
        """Join; a reload takes a moment, so try until the deadline."""
        while True:
            answer = await each.join()
            if answer.admitted or time.monotonic() > deadline:
                return answer
            await asyncio.sleep(0.05)

    # 5

    async def _what_was_heard(self) -> None:
        self._part("5", "what those who stayed have heard of each other, by the senders' own numbers")
        await asyncio.gather(*(each.fall_silent() for each in self.participants))
        await self._until_all_arrived()
        self._mark()
        rows, disturbed = [], []
        for at, each in enumerate(self._staying):
            counts, said = _by_part(self._heard, at), _by_part(self._said, at)
            hearing = self._hearing(each)
            numbers = (*counts, hearing.lost, hearing.repeated + hearing.disordered, each.joins - 1)
            rows.append((each.meeting, each.name, self._place(each), *(f"{number}" for number in numbers)))
            if not (hearing.is_whole and all(counts) and all(said) and each.joins == 1 and each.is_inside):
                disturbed.append(f"{each.name} in {each.meeting}: {hearing}, heard {counts}, said {said}")
        header = ("meeting", "who", "from", "before", "under the order", "after", "lost", "twice", "reconnects")
        self._show(header, rows, right=header[3:])
        self.findings.expect(
            "everybody else went on talking and hearing all the while, on one connection, with no message lost",
            seen=not disturbed,
            instead="; ".join(disturbed),
        )

    async def _until_all_arrived(self) -> None:
        """Give what is on its way the time to arrive; what has not by then is lost."""
        for _ in range(int(PATIENCE / 0.05)):
            if not any(self._hearing(each).lost for each in self._staying):
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.1)  # a message that comes twice would come now

    def _hearing(self, listener: Participant) -> Hearing:
        """Add up how one listener heard everyone else in the same meeting."""
        each = [
            compare(listener.heard[sender.name], sender.stretches)
            for sender in self.participants
            if sender.meeting == listener.meeting and sender is not listener
        ]
        return Hearing(
            received=sum(hearing.received for hearing in each),
            lost=sum(hearing.lost for hearing in each),
            repeated=sum(hearing.repeated for hearing in each),
            disordered=sum(hearing.disordered for hearing in each),
        )

    # 6

    async def _the_record(self) -> None:
        self._part("6", "the record of all this, verified from its files alone: joingate ledger verify, prove")
        found = await verified(self._folder.ledger, PATIENCE)
        for finding in shown(found):
            good = self._paint("ok", "green") if finding.holds else self._paint("FAILED", "red", "bold")
            print(f"   {good}  {finding.sentence}")
        restricted = {finding.name: finding.counts for finding in found.findings}["territory"]["restrictions"]
        self.findings.expect(
            "the ledger verifies, to its last record: nobody outside the order's territory was restricted",
            seen=found.holds and found.signed == found.records and restricted >= len(self._meant),
            instead=[finding.violations for finding in found.findings if not finding.holds] or f"{restricted} recorded",
        )
        print()
        missing = [code for code in self._receipts if not await is_proved(self._folder.ledger, code)]
        self._note(f"receipts that participants hold: {len(self._receipts)}; proved to be on record, one by one")
        self.findings.expect(
            "every receipt that a participant got is proved to be in it",
            seen=not missing and len(self._receipts) > len(self._meant),
            instead=f"receipts {self._receipts}, not proved {missing}",
        )

    # Showing it

    def _mark(self) -> None:
        self._heard.append([each.heard_in_all for each in self._staying])
        self._said.append([each.said_in_all for each in self._staying])

    def _part(self, number: str, title: str) -> None:
        print(f"\n{self._paint(number, 'cyan', 'bold')}  {self._paint(title[0].upper() + title[1:], 'bold')}\n")

    def _note(self, text: str) -> None:
        print(f"   {self._paint(text, 'dim')}")

    def _show(self, header: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[str] = ()) -> None:
        for line in table(self._paint, header, rows, right=right):
            print(f"   {line}")

    def _place(self, each: Participant) -> str:
        return self._paint("unknown", "dim") if each.person.territory == NOWHERE else each.person.territory

    def _answer(self, answer: Answer) -> str:
        if answer.admitted:
            return self._paint("admitted", "green")
        return self._paint(f"rejected, {answer.status}" if answer.status else "no answer", "red")

    def _state(self, each: Participant, sent: float) -> tuple[str, str, str]:
        if each.closed is None:
            return self._paint("stays", "green"), "", ""
        return self._paint("ejected", "red"), str(each.closed.code), f"{(each.closed.at - sent) * 1000:.1f} ms"

    def _names(self, participants: Sequence[Participant]) -> str:
        return " and ".join(each.name for each in participants)


def _by_part(marks: Sequence[Sequence[int]], at: int) -> tuple[int, int, int]:
    """Split a running count into before the order, under it, and after it."""
    first, second, third = (mark[at] for mark in marks)
    return first, second - first, third - second


def _rule(answer: Answer) -> str | None:
    """Return the id of the rule that the problem document names."""
    rule = answer.problem.get("order") or answer.problem.get("policy")
    return None if rule is None else str(rule)


def _why(answer: Answer, each: Participant) -> str:
    """Say what the answer says; of an admission, what there is to know without one."""
    if answer.problem:
        receipt = answer.problem.get("receipt")
        return f"{_rule(answer)}, located as {answer.problem.get('located_as')}, receipt {receipt}"
    return "doubt admits" if answer.admitted and each.person.territory == NOWHERE else ""
