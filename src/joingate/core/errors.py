"""What a person can be told and can mend.

    JoingateError
    └── RefusedInputError     something a person wrote or supplied cannot be used; the last good state stays

Everything else that is raised is a defect of joingate.
"""

from collections.abc import Sequence


class JoingateError(Exception):
    """Base of the errors whose text is meant for the operator: printed without a traceback, exit status 2."""


class RefusedInputError(JoingateError):
    """One or more problems in a file, a key or an argument, each with its place and its remedy.

    Attributes:
        problems: one line each, `place: what is wrong; what to write instead`.
    """

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))
