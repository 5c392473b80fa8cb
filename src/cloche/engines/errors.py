"""What keeps a server from starting."""

from __future__ import annotations


class StartError(Exception):
    """The server can't start; says the cause, for the person who starts it.

    Attributes:
        hint: what to do about it, in one sentence.
    """

    hint = "`cloche doctor` checks this machine."

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.hint = hint or self.hint
