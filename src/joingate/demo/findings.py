"""What the demo claims, and whether it was seen."""

from dataclasses import dataclass, field

from joingate.demo.table import Paint


@dataclass(slots=True)
class Findings:
    """Every expectation of the demo with what was observed; a claim is noted only once it has been looked at."""

    noted: list[tuple[str, bool, str]] = field(default_factory=list)

    def expect(self, claim: str, *, seen: bool, instead: object = "") -> None:
        """Note `claim`, whether it was seen, and what was seen if it was not."""
        self.noted.append((claim, seen, "" if seen else str(instead)))

    @property
    def failed(self) -> list[str]:
        """The claims that were not seen."""
        return [claim for claim, seen, _ in self.noted if not seen]

    def lines(self, paint: Paint) -> list[str]:
        """Write one line for each claim; under one that failed, what was seen instead."""
        lines = []
        for claim, seen, instead in self.noted:
            lines.append(f"{paint('seen', 'green') if seen else paint('NOT SEEN', 'red', 'bold')}  {claim}")
            if instead:
                lines.append(f"      {paint(instead, 'red')}")
        return lines
