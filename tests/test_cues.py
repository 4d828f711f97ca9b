"""Cue files: their examples run as tests, and what is wrong in a file is an error that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from code_maps.cues import CueGroup, cue_files, expand, read_cue_file
from code_maps.examples import parse_marked
from models.text import Layout, Sentence, Span
from pipeline.assertions import assert_spans

GROUPS = [(file.id, group) for file in cue_files() for group in file.groups]
EXAMPLES = [(name, group, text) for name, group in GROUPS for text in (*group.fires, *group.spares)]


@pytest.mark.parametrize(("name", "group", "example"), EXAMPLES, ids=[f"{n}/{g.id}/{t[:40]}" for n, g, t in EXAMPLES])
def test_an_example_is_asserted_as_it_is_marked(name: str, group: CueGroup, example: str) -> None:
    text, marks = parse_marked(example)
    assert marks, "an example without marks tests nothing here"
    layout = Layout(sentences=(Sentence(0, len(text)),))
    answers = assert_spans(text, layout, [Span(start, end) for start, end, _ in marks])
    for (start, end, wanted), answer in zip(marks, answers, strict=True):
        found = {answer.presence, answer.temporality, answer.experiencer}
        assert set(wanted) <= found, (text[start:end], wanted, answer)
        if wanted == ("present",):
            assert found == {"present", "current", "patient"}, (text[start:end], answer)


@pytest.mark.parametrize(("name", "group"), GROUPS, ids=[f"{n}/{g.id}" for n, g in GROUPS])
def test_the_examples_that_fire_hold_a_cue_of_the_group(name: str, group: CueGroup) -> None:
    from pipeline.language import tokens

    def words(text: str) -> list[str]:
        return [text[a:b].lower() for a, b in tokens(text)]

    cues = [words(literal) for literal in group.literals]
    for example in group.fires:
        sentence = words(parse_marked(example)[0])
        assert any(sentence[i : i + len(cue)] == cue for cue in cues for i in range(len(sentence))), (
            f"no cue of {name}/{group.id} in {example!r}"
        )


def test_every_file_says_why_where_from_and_what_it_cannot() -> None:
    for file in cue_files():
        assert all((file.title, file.why, file.limits, file.sources))
        assert not any(limit.lower() == "unknown" for limit in file.limits)


HEADER = 'id = "x"\ntitle = "t"\nwhy = "w"\nlimits = ["l"]\n[[source]]\ntitle = "s"\n'
CUE = '[[cue]]\nid = "c"\nrole = "negation"\ndirection = "forward"\nliterals = ["no"]\nfires = ["No {a: negated}."]\nspares = ["{a: present}."]\n'


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (HEADER + CUE + "colour = 1\n", "colour"),
        (HEADER + CUE.replace('"negation"', '"denial"'), "denial"),
        (HEADER + CUE.replace('spares = ["{a: present}."]\n', ""), "spares"),
        (HEADER + CUE.replace('["no"]', "[]"), "literals"),
        (HEADER + CUE.replace('["no"]', '["(a|b"]'), "choices"),
        (HEADER + CUE + 'ends = ["full stop"]\n', "full stop"),
        (HEADER + CUE + "scope = 0\n", "scope"),
        (HEADER.replace('"x"', '"y"') + CUE, "'y'"),
        (HEADER.replace('why = "w"\n', "") + CUE, "why"),
        ("id = ", "TOML"),
    ],
)
def test_a_fault_in_a_cue_file_is_named(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=named) as error:
        read_cue_file(path)
    assert "x.toml" in str(error.value) or "choices" in named


def test_a_sound_cue_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(HEADER + CUE, encoding="utf-8")
    assert read_cue_file(path).groups[0].literals == ("no",)


def test_choices_are_written_out() -> None:
    assert expand("(is|was|) not (seen|found)") == [
        "is not seen", "is not found", "was not seen", "was not found", "not seen", "not found",
    ]  # fmt: skip
    assert expand("no") == ["no"]


def test_marks_are_read_with_their_places() -> None:
    assert parse_marked("No {chest pain: negated}, {asthma: family, present}.") == (
        "No chest pain, asthma.",
        [(3, 13, ("negated",)), (15, 21, ("family", "present"))],
    )
    assert parse_marked("BP 120/80: fine.") == ("BP 120/80: fine.", [])
    assert parse_marked("{10:30 pain: present}")[1] == [(0, 10, ("present",))]


@pytest.mark.parametrize(
    "text",
    [
        "No {pain: negated.",
        "No pain}.",
        "{a {b: present}: negated}",
        "{pain}",
        "{: negated}",
        "{pain: }",
        "{pain: absent}",
        "{ pain: negated}",
    ],
)
def test_a_badly_marked_sentence_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="position"):
        parse_marked(text)
