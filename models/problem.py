"""Input that can't be used, said so that it can be put right."""

from __future__ import annotations


class InputProblem(Exception):
    """What was found, where, and what would be right. Never holds words of a note. The command line exits with 2."""

    def __init__(self, what: str, where: str, right: str = "") -> None:
        super().__init__(f"{where}: {what}" + (f"; {right}" if right else ""))
        self.what, self.where, self.right = what, where, right
