"""Coverage policies: starter policies written from NCD text and statute, and the shape that imports share.

A policy supports or doesn't support a diagnosis that is documented; it never adds one.

    from code_maps.coverage import policy_book
    policy_book().find("83036", date(2026, 5, 12), "FL", "B", "medicare")
"""

from code_maps.coverage.book import Found, PolicyBook, PolicyList, PolicySource, is_medicare, policy_book
from code_maps.coverage.policy import (
    CodeList,
    CoveragePolicy,
    Criterion,
    Frequency,
    Group,
    Measure,
    NonCovered,
    Services,
    Way,
)
from code_maps.coverage.starter import parse_policy, policies

__all__ = [
    "CodeList",
    "CoveragePolicy",
    "Criterion",
    "Found",
    "Frequency",
    "Group",
    "Measure",
    "NonCovered",
    "PolicyBook",
    "PolicyList",
    "PolicySource",
    "Services",
    "Way",
    "is_medicare",
    "parse_policy",
    "policies",
    "policy_book",
]
