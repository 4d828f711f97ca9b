"""Queries to providers, and what the linter says about one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class QueryLint:
    """Whether a query is compliant. `violations` are codes such as `R-J2`, in the order of the rules, each with its
    reason and a suggestion at the same position of `why` and `suggestions`."""

    compliant: bool
    violations: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuotedIndicator:
    """Words of the record, where they stand, and the date of service of that entry."""

    quote: str
    source: str
    on: date


@dataclass(frozen=True, slots=True)
class Query:
    """A query to a provider, ready to send. `gap` is the id of the gap that it asks about; `options` are empty for an
    open question; `text` is the whole query as plain text."""

    gap: str
    provider: str
    title: str
    indicators: tuple[QuotedIndicator, ...]
    question: str
    options: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Unasked:
    """A gap that no compliant query can be written for, and why."""

    gap: str
    why: str


@dataclass(frozen=True, slots=True)
class ProviderQueries:
    """All queries to one provider."""

    provider: str
    queries: tuple[Query, ...] = ()
    unasked: tuple[Unasked, ...] = ()
