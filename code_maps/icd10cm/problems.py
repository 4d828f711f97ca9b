"""What can be wrong with a file or a question, said so that it can be put right."""

from __future__ import annotations


class ImportProblem(Exception):
    """A file that can't be used: what was found, where, and what would be right. The command line exits with
    2."""

    def __init__(self, what: str, where: str, right: str) -> None:
        super().__init__(f"{where}: {what}. {right}")
        self.what, self.where, self.right = what, where, right


class UnknownCode(KeyError):
    """A code that isn't in the release that was asked."""

    def __init__(self, code: str, release: str) -> None:
        super().__init__(code)
        self.code, self.release = code, release

    def __str__(self) -> str:
        return f"{self.code!r} is not in ICD-10-CM {self.release}; codes have their dot, as in I50.22"


class UnknownRelease(LookupError):
    """A release that isn't installed; the message lists those that are."""

    def __init__(self, name: str, installed: tuple[str, ...]) -> None:
        super().__init__(f"no ICD-10-CM release {name!r} is installed; installed: {', '.join(installed)}")
        self.name, self.installed = name, installed
