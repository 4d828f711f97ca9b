"""The codes that a note's text names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from code_maps.icd10cm.notes import dotted, parse_codes

NAMED = [
    ("type 2 diabetes mellitus (E11.-)", ["E11", "E11.9", "E11.3211"], ["E10.9", "E12", "E1"]),
    ("(E08-E13)", ["E08", "E09.9", "E13.9"], ["E07.9", "E14", "E15"]),
    ("(O24.-)", ["O24.011"], ["O25"]),
    ("(I70.2--I70.7-)", ["I70.201", "I70.799", "I70.5"], ["I70.1", "I70.8", "I70"]),
    ("(I70.2- - I70.7-)", ["I70.201", "I70.799"], ["I70.1", "I70.8"]),
    ("(F10.- -F19.-)", ["F10.10", "F15", "F19.99"], ["F20.0", "F09"]),
    ("(I01.0 -I01.9)", ["I01.1"], ["I01", "I02.0"]),
    ("head injury (S00 - S09)", ["S05.01XA"], ["S10.0XXA"]),
    ("by site, if known (M05.00 to M05.8A)", ["M05.011", "M05.8A"], ["M05.9"]),
    ("(I69.81- I69.91-)", ["I69.811", "I69.910"], ["I69.820", "I69.898"]),
    ("(J09.X-)", ["J09.X1"], ["J09.Y1", "J10.1"]),
    ("(C00-C96)", ["C00.0", "C7A.00", "C96.9"], ["C97", "D00.0"]),
    ("(Z68.1-Z68.45)", ["Z68.1", "Z68.41", "Z68.45"], ["Z68.51", "Z68"]),
    ("(B50.0-B54)", ["B50.0", "B53.8", "B54"], ["B49", "B55.0"]),
    ("cholera (A00.0), plague (A20.0, A20.1)", ["A00.0", "A20.1"], ["A00.1", "A20.2"]),
    ("fracture (S52.-)", ["S52.501A"], ["S62.501A"]),
    ("(E11.A)", ["E11.A"], ["E11.9"]),
    ("long-term insulin (Z79.4)", ["Z79.4"], ["Z79.82"]),
    ("(D29.2.-)", ["D29.20"], ["D29.30"]),
    ("milk allergy (QA0.0101)", ["QA0.0101"], ["QA0.0102"]),
    ("(T36-T50 with fifth or sixth character 5)", ["T39.015A", "T50.A15A"], ["T39.011A", "T51.0X5A", "T39"]),
    (
        "(T36-T65 with fifth or sixth character 1-4 or 6)",
        ["T39.011A", "T58.01XA", "T39.016A"],
        ["T39.015A", "T50.A15A"],
    ),
    ("(T36-T50) with fifth or sixth character 6", ["T39.016A"], ["T39.015A"]),
    ("(E08, E11 with final characters .00 or .01)", ["E08.00", "E11.01"], ["E11.10", "E11.9", "E11"]),
    ("(I69. with final characters -23)", ["I69.323"], ["I69.320", "I69.3"]),
    ("(F11-F19 with fifth to sixth characters 51)", ["F11.151"], ["F11.150", "F10.151"]),
    ("(S42.- with 7th character B or C)", ["S42.001B", "S42.001C"], ["S42.001A", "S42.001"]),
    ("(S52.- with open fracture 7th character)", ["S52.501B"], ["S52.501A", "S52.501S"]),
    ("(A37 with fifth-character 1)", ["A37.01"], ["A37.00"]),
]


@pytest.mark.parametrize(("text", "inside", "outside"), NAMED, ids=[text for text, _, _ in NAMED])
def test_the_text_names_these_codes_and_no_others(text: str, inside: list[str], outside: list[str]) -> None:
    ranges = parse_codes(text)
    assert [code for code in inside if not ranges.matches(code)] == []
    assert [code for code in outside if ranges.matches(code)] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vitamin B12 deficiency",
        "STEC O157:H7",
        "CD30-positive lymphoma",
        "GM2 gangliosidosis",
        "Anoctamin-5-related LGMD R12",
        "influenza A/H1N1",
        "code to fracture with 7th character D",
    ],
)
def test_words_that_look_like_codes_name_none(text: str) -> None:
    assert not parse_codes(text)


def test_a_code_matches_with_and_without_its_dot() -> None:
    assert parse_codes("(I70.2-)").matches("I70201")


def test_a_range_that_runs_backwards_names_its_ends_only() -> None:
    ranges = parse_codes("(E13-E08)")
    assert ranges.matches("E13.9")
    assert ranges.matches("E08.9")
    assert not ranges.matches("E10.9")


categories = st.from_regex(r"[A-Z][0-9][0-9A-Z]", fullmatch=True)
tails = st.text("0123456789ABX", max_size=4)
codes = st.builds(lambda category, tail: dotted(category + tail), categories, tails)


@given(codes, st.sampled_from(["", ".-", "-"]), tails)
def test_everything_below_a_named_code_matches(code: str, dash: str, more: str) -> None:
    dash = dash.lstrip(".") if "." in code else dash
    ranges = parse_codes(f"some condition ({code}{dash})")
    below = dotted(code.replace(".", "") + more)
    assert ranges.matches(code)
    assert ranges.matches(below)
    assert not ranges.matches(code[:2])


@given(codes, codes, codes, st.sampled_from(["-", "--", " - ", "- -", " to "]))
def test_a_range_holds_what_sorts_between_its_ends_and_what_is_below_its_end(
    a: str, b: str, code: str, join: str
) -> None:
    low, high = sorted(end.replace(".", "") for end in (a, b))
    bare = code.replace(".", "")
    expected = bare >= low and (bare <= high or bare.startswith(high))
    assert parse_codes(f"({dotted(low)}{join}{dotted(high)})").matches(code) == expected


@given(st.lists(codes, min_size=1, max_size=6))
def test_a_list_names_each_of_its_codes(listed: list[str]) -> None:
    ranges = parse_codes(f"see ({', '.join(listed)})")
    assert all(ranges.matches(code) for code in listed)


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    parse_codes(text).matches("I50.22")
