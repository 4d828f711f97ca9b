"""Which policies hold for a line: by procedure, date of service, state, kind of contract and payer."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Protocol

from code_maps.coverage.policy import PRECEDENCE, CoveragePolicy
from code_maps.coverage.starter import policies


@dataclass(frozen=True)
class Found:
    """The policies for a line, those of most authority first; without any, the reason (`no-article` …)."""

    policies: tuple[CoveragePolicy, ...] = ()
    reason: str = "no-article"


class PolicySource(Protocol):
    """Where policies come from: the starter set, imported CMS files, a payer's own files."""

    def find(self, code: str, on: dt.date | None, state: str | None, contract: str, payer: str) -> Found:
        """The policies of this source for one procedure."""
        ...

    def knows_payer(self, payer: str) -> bool:
        """Whether the source has policies of a payer other than Medicare fee-for-service."""
        ...


@dataclass(frozen=True)
class PolicyList:
    """A source over policies at hand, each in one version."""

    policies: tuple[CoveragePolicy, ...]

    def find(self, code: str, on: dt.date | None, state: str | None, contract: str, payer: str) -> Found:
        """The policies of the list for one procedure; the reason names the last test that the nearest one failed.

        A state that isn't given is no reason to leave out a policy of a few states, since none is stricter for it:
        such a policy is left out, and the reason says that the jurisdiction can't be told.
        """
        key = (code, on, state, contract, payer)
        answer = self._answers.get(key)
        if answer is None:
            if len(self._answers) > 100_000:
                self._answers.clear()
            answer = self._answers[key] = self._find(code, on, state, contract, payer.casefold())
        return answer

    @cached_property
    def _answers(self) -> dict[tuple[str, dt.date | None, str | None, str, str], Found]:
        return {}

    @cached_property
    def _by_code(self) -> dict[str, tuple[CoveragePolicy, ...]]:
        return {}

    def _speaking_of(self, code: str) -> tuple[CoveragePolicy, ...]:
        found = self._by_code.get(code)
        if found is None:
            found = self._by_code[code] = tuple(p for p in self.policies if code in p.services)
        return found

    def _find(self, code: str, on: dt.date | None, state: str | None, contract: str, payer: str) -> Found:
        reason, last = "no-article", -1
        found = []
        for policy in self._speaking_of(code):
            if policy.payers and payer not in policy.payers:
                continue
            if not policy.payers and not is_medicare(payer):
                continue
            tests = (
                (contract in policy.contracts, "contract-type-mismatch"),
                (not policy.states or state in policy.states, "not-in-jurisdiction"),
                (policy.rule.holds_on(on), "not-effective-on-dos"),
            )
            failed = next(((n, name) for n, (holds, name) in enumerate(tests) if not holds), None)
            if failed is None:
                found.append(policy)
            elif failed[0] > last:
                last, reason = failed
        found.sort(key=lambda p: (PRECEDENCE.index(p.kind), p.id))
        return Found(tuple(found), reason)

    def knows_payer(self, payer: str) -> bool:
        """Whether a policy of the list belongs to a payer."""
        return any(payer.casefold() in p.payers for p in self.policies)


@dataclass(frozen=True)
class PolicyBook:
    """All sources, best first: what the user imported comes before the starter set.

    The first source that has a policy for a line answers for it, except that an exclusion by statute, then one by an
    NCD, always stands in front (42 CFR 405.1060: statute, then NCD, then LCD and article). An article that lists the
    codes of an NCD says in codes what the NCD says in words: it answers before our reading of these words.
    """

    sources: tuple[PolicySource, ...]

    def find(self, code: str, on: dt.date | None, state: str | None, contract: str, payer: str) -> Found:
        """The policies for one procedure, most authority first, or the reason why there is none."""
        answers = [source.find(code, on, state, contract, payer) for source in self.sources]
        front = [p for a in answers for p in a.policies if p.kind in ("statute", "NCD") and code in p.never_covered]
        front.sort(key=lambda p: PRECEDENCE.index(p.kind))
        for answer in answers:
            if answer.policies:
                if not front:
                    return answer
                return Found((*front, *(p for p in answer.policies if p not in front)))
            if answer.reason == "contract-type-mismatch":
                break  # the procedure is another contractor's to pay: a reading of an NCD doesn't change that
        reasons = [a.reason for a in answers if a.reason != "no-article"]
        return Found((), reasons[0] if reasons else "no-article")

    def checks(self, payer: str) -> bool:
        """Whether anything can be said for a payer: Medicare fee-for-service, or one with policies of its own."""
        return is_medicare(payer) or any(source.knows_payer(payer) for source in self.sources)


@cache
def _settings() -> dict[str, frozenset[str]]:
    text = files("code_maps.coverage").joinpath("settings.toml").read_text(encoding="utf-8")
    return {name: frozenset(values) for name, values in tomllib.loads(text)["payers"].items()}


def is_medicare(payer: str) -> bool:
    """Whether a payer is Medicare fee-for-service. Medicare Advantage isn't: it decides for itself (42 CFR 422.101)."""
    return " ".join(payer.casefold().split()) in _settings()["medicare"]


def policy_book(imported: Sequence[PolicySource] | None = None) -> PolicyBook:
    """The book with the starter policies last; before them what the user imported, unless other sources are given.

    Raises ImportProblem where imported files are damaged.
    """
    if imported is not None:
        return PolicyBook((*imported, _starter()))
    from code_maps.coverage.imported import imported_sources  # it needs this module

    return _book(imported_sources())


@cache
def _starter() -> PolicyList:
    return PolicyList(policies())


@lru_cache(maxsize=8)
def _book(sources: tuple[PolicySource, ...]) -> PolicyBook:
    return PolicyBook((*sources, _starter()))
