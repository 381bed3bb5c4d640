"""What a request is refused for when servers would read it differently."""

from typing import Final


class AmbiguousRequestError(Exception):
    """A request that might be read as one join here and as another there, or a join that names no meeting.

    Refusing is the only safe answer: judged by one reading, it would reach an upstream that takes the other.

    Attributes:
        status: the HTTP status of the answer.
        detail: one sentence for whoever wrote the client; it repeats no value that was sent.
    """

    status: Final = 400

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)
