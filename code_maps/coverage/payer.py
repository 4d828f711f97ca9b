"""A payer's own policies, written by the user: home()/policies/*.toml, in the form of docs/payer-policy-template.toml.

payer_source()            what the folder holds, as a source for the policy book; a bad file is left out and named
read_payer_policy(path)   one file, strictly: raises ImportProblem with the file and the key
add_payer_policy(path)    checks a file and puts it into the folder
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from code_maps.coverage.book import Found, PolicyList, is_medicare
from code_maps.coverage.policy import CoveragePolicy
from code_maps.coverage.starter import OWN_KEYS, as_policy
from code_maps.home import home, replace_file
from code_maps.icd10cm.problems import ImportProblem
from code_maps.rulefile import Rule, RuleProblem, parse_rule

MAX_FILE = 1_000_000
_DIAGNOSIS = re.compile(r"[A-Z][0-9A-Z][0-9A-Z](\.[0-9A-Z]{1,4})?")
_SERVICE = re.compile(r"[0-9A-Z]\d{3}[0-9A-Z]")
_RIGHT = "docs/payer-policy-template.toml shows the form; correct the file and read it again."

Check = Callable[[Any], bool]


def _text(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str)


def _yes_no(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, bool)


def _number(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int) and not isinstance(value, bool)


def _many(each: Check) -> Check:
    return lambda value: isinstance(value, list) and all(each(item) for item in value)


def _span(each: re.Pattern[str]) -> Check:
    def check(value: Any) -> bool:  # noqa: ANN401
        ends = value.split("-") if isinstance(value, str) else []
        return len(ends) in (1, 2) and all(each.fullmatch(end) for end in ends) and ends == sorted(ends)

    return check


_DX: tuple[str, Check] = (
    'a list of diagnoses with their dot or ranges, such as ["E11.9", "E08-E13"]',
    _many(_span(_DIAGNOSIS)),
)
_CODES: tuple[str, Check] = ('a list of procedure codes or ranges, such as ["83036"]', _many(_span(_SERVICE)))
_TEXT: tuple[str, Check] = ("a text", _text)
_TEXTS: tuple[str, Check] = ("a list of texts", _many(_text))
_FLAG: tuple[str, Check] = ("true or false", _yes_no)
_WHOLE: tuple[str, Check] = ("a whole number", _whole)
_NUMBERS: tuple[str, Check] = ("a list of whole numbers", _many(_whole))
_PAIR: tuple[str, Check] = ("two numbers, such as [50, 77.999]", lambda v: _many(_number)(v) and len(v) == 2)
_TABLES: tuple[str, Check] = ("a list of tables", _many(lambda v: isinstance(v, dict)))

_TOP = {
    "kind": _TEXT, "basis": _TEXT, "version": _WHOLE, "services": _CODES, "never_covered": _CODES, "statutory": _FLAG,
    "carc": _TEXT, "rarc": _TEXT, "states": _TEXTS, "payers": _TEXTS, "contracts": _TEXTS, "quote": _TEXT,
    "group": _TABLES, "noncovered": _TABLES, "frequency": _TABLES, "criterion": _TABLES,
}  # fmt: skip
_IN = {
    "group": {"number": _WHOLE, "codes": _DX, "services": _CODES, "requires": _NUMBERS, "secondary": _FLAG,
              "marked": _DX, "mark": _TEXT, "modifiers": _TEXTS, "condition": _TEXT, "unreadable": _TEXT,
              "first_pointer": _FLAG, "quote": _TEXT},
    "noncovered": {"number": _WHOLE, "codes": _DX, "services": _CODES, "absolute": _FLAG, "statutory": _FLAG,
                   "carc": _TEXT, "rarc": _TEXT, "quote": _TEXT},
    "frequency": {"services": _CODES, "fewer_than_days": _WHOLE, "at_least_months": _WHOLE, "full_months": _WHOLE,
                  "at_most": _WHOLE, "per": _TEXT, "ages": _PAIR, "diagnoses": _DX, "unless": _DX,
                  "unless_words": _TEXTS, "carc": _TEXT, "quote": _TEXT},
    "criterion": {"text": _TEXT, "services": _CODES, "groups": _NUMBERS, "binding": _FLAG, "ways": _TABLES},
}  # fmt: skip
_WAY = {"words": _TEXTS, "codes": _DX, "modifiers": _TEXTS, "age": _PAIR, "sex": _TEXT}


def folder() -> Path:
    """Where the user's own policy files are."""
    return home() / "policies"


def read_payer_policy(path: Path) -> CoveragePolicy:
    """One policy file. Raises ImportProblem, which names the file, the key and what would be right."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise ImportProblem(f"more than {MAX_FILE:,} bytes", str(path), _RIGHT)
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ImportProblem(f"it can't be read ({error.strerror or type(error).__name__})", str(path), _RIGHT) from None
    except UnicodeDecodeError as error:
        raise ImportProblem(f"byte {error.start + 1} isn't UTF-8", str(path), "Save the file as UTF-8 text.") from None
    return parse_payer_policy(text, path.name)


def parse_payer_policy(text: str, name: str) -> CoveragePolicy:
    """The policy that a file's text states. Raises ImportProblem; `name` is the file's name, which is also its id."""
    try:
        rule = parse_rule(text, name, "policy", OWN_KEYS)
        _checked(rule, name)
        return as_policy(rule)
    except RuleProblem as problem:
        what = str(problem).removeprefix(f"{name}: ")
        raise ImportProblem(what, name, _RIGHT) from None
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise ImportProblem(f"a value has the wrong form ({error})", name, _RIGHT) from None


def _checked(rule: Rule, name: str) -> None:
    """Raises RuleProblem for a value of the wrong type, and for what a payer's policy may not be."""
    data = rule.data
    _typed(data, _TOP, name, "")
    for table, known in _IN.items():
        for n, row in enumerate(data.get(table, ()), 1):
            where = f"[[{table}]] {n}: "
            _typed(row, known, name, where)
            for way in row.get("ways", ()):
                _typed(way, _WAY, name, f"{where}ways: ")
    if data.get("kind") != "payer":
        raise RuleProblem(f'{name}: kind is {data.get("kind")!r}; a policy of your own has kind = "payer"')
    names = data.get("payers", [])
    if not names:
        raise RuleProblem(
            f"{name}: the key 'payers' is missing; name the payer as claims do, such as [\"Acme Health\"]"
        )
    if wrong := [n for n in names if is_medicare(n)]:
        raise RuleProblem(f"{name}: payers names {wrong[0]!r}; Medicare's policies come from CMS's files")
    if not data.get("services"):
        raise RuleProblem(f"{name}: services is empty; list the procedure codes that the policy is about")
    if wrong := [c for c in data.get("contracts", ()) if c not in ("B", "DME")]:
        raise RuleProblem(f"{name}: contracts holds {wrong[0]!r}; it must be B or DME")
    if wrong := [s for s in data.get("states", ()) if not re.fullmatch(r"[A-Z]{2}", s)]:
        raise RuleProblem(f"{name}: states holds {wrong[0]!r}; write two letters, as in FL")
    start, end = rule.in_force
    if type(start) is not dt.date or (end is not None and type(end) is not dt.date):
        raise RuleProblem(f"{name}: in_force needs from = a date without quotes, such as {{ from = 2026-01-01 }}")


def _typed(row: Mapping[str, Any], known: Mapping[str, tuple[str, Check]], name: str, where: str) -> None:
    for key, value in row.items():
        if key in known and not known[key][1](value):
            raise RuleProblem(f"{name}: {where}{key} is {value!r}; it must be {known[key][0]}")


def add_payer_policy(path: Path) -> CoveragePolicy:
    """Check a file and put a copy into the folder, in place of one with the same id. Raises ImportProblem."""
    policy = read_payer_policy(path)
    target = folder() / f"{policy.id}.toml"
    try:
        replace_file(target, path.read_bytes())
    except OSError as error:
        raise ImportProblem(
            f"it can't be written ({error.strerror or type(error).__name__})", str(target),
            "Make room, or let CHARTPROOF_HOME name a folder that can be written.",
        ) from None  # fmt: skip
    return policy


@dataclass(frozen=True)
class PayerPolicies:
    """The user's own policies as a source of the policy book. `problems` names the files that were left out."""

    listed: PolicyList
    problems: tuple[str, ...] = ()

    @property
    def policies(self) -> tuple[CoveragePolicy, ...]:
        """The policies by id."""
        return self.listed.policies

    def find(self, code: str, on: dt.date | None, state: str | None, contract: str, payer: str) -> Found:
        """The policies of the payer for one procedure."""
        return self.listed.find(code, on, state, contract, " ".join(payer.split()))

    def knows_payer(self, payer: str) -> bool:
        """Whether a file belongs to the payer."""
        return self.listed.knows_payer(" ".join(payer.split()))


def payer_source() -> PayerPolicies:
    """What home()/policies holds now. A file that can't be used is left out and named in `problems`."""
    paths = sorted(folder().glob("*.toml"))
    return _read(tuple((path, path.stat().st_mtime_ns) for path in paths))


@lru_cache(maxsize=4)
def _read(files: tuple[tuple[Path, int], ...]) -> PayerPolicies:
    good: list[CoveragePolicy] = []
    problems: list[str] = []
    for path, _ in files:
        try:
            good.append(read_payer_policy(path))
        except ImportProblem as problem:
            problems.append(str(problem))
    return PayerPolicies(PolicyList(tuple(good)), tuple(problems))
