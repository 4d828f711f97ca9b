"""What is kept: notes and gaps over their life, the audit trail, purging, and that SQLite and PostgreSQL agree."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as some

from models.problem import InputProblem
from models.query import Query
from models.record import NoteRecord, validated
from models.worklist import NEXT, STATUSES, AuditHead, ExerciseResult, GapFilter
from store import open_store
from store.database import database_url, migrate, revision
from store.kept import clean, name_of
from store.schema import HEAD_REVISION, metadata
from tests import postgres

ROOT = Path(__file__).resolve().parent.parent
DAY = dt.date(2026, 5, 12)
NOON = dt.datetime(2026, 5, 12, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
MARKER = "Zebrafishitis"
GUARDS = {
    "sqlite": ("audit_unchanged", "audit_undeleted", "audit_next", "audit_head_kept", "audit_head_forward"),
    "postgresql": ("audit_unchanged", "audit_untruncated", "audit_next", "audit_head_kept", "audit_head_forward"),
}


@pytest.fixture(scope="session")
def postgres_server():
    """The URL of a database of the tests' own, and the server's data folder where it is ours."""
    with postgres.server() as (base, data):
        maker = sa.create_engine(database_url(base), isolation_level="AUTOCOMMIT")
        with maker.connect() as connection:
            connection.exec_driver_sql("DROP DATABASE IF EXISTS chartproof_test WITH (FORCE)")
            connection.exec_driver_sql("CREATE DATABASE chartproof_test")
        yield database_url(base).set(database="chartproof_test").render_as_string(hide_password=False), data
        with maker.connect() as connection:
            connection.exec_driver_sql("DROP DATABASE chartproof_test WITH (FORCE)")
        maker.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'kept.db'}"
    address, _ = request.getfixturevalue("postgres_server")
    cleaner = sa.create_engine(database_url(address))
    with cleaner.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    cleaner.dispose()
    return address


@pytest.fixture
def store(url):
    opened = open_store(url)
    yield opened
    opened.close()


def gap(key="specificity-type:I50", quote="heart failure", rule="specificity-descent", priority=1, kind="specificity"):
    return {
        "id": key, "kind": kind, "code": "I50.9", "missing": "type", "about": "heart failure",
        "evidence": [{"start": 3, "end": 3 + len(quote), "text": quote, "section": "assessment_plan"}],
        "ask": "Which type?", "options": ["systolic", "diastolic"], "why": "the tabular asks for it", "rule": rule,
        "source": "tabular", "would_change": {"from": "I50.9", "to": ["I50.20"]}, "priority": priority,
    }  # fmt: skip


def record(id="n1", text="1. Heart failure.", provider="Dr A", services=("99214",), **more):
    claim = {"lines": [{"code": code, "pointers": [1]} for code in services], "diagnoses": ["I50.9"]}
    data = {"id": id, "text": text, "date_of_service": DAY, "provider": provider, "claim": claim, **more}
    return validated(NoteRecord, data, id)


def save(store, *gaps, when=NOON, note=None, **about):
    report = {"schema": "chartproof.report/1", "gaps": list(gaps)}
    return store.save_note(note or record(**about), report, who="Robin", when=when)


def only(store, **wanted):
    [found] = store.queue(GapFilter(**wanted))
    return found


def raw(store, *statements, guards=True):
    """Run SQL behind the store's back; without the guards, as somebody would who removes them first."""
    engine = store._engine
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if not guards:
            for name in GUARDS[engine.dialect.name]:
                on = ""
                if engine.dialect.name == "postgresql":
                    on = " ON audit_head" if "head" in name else " ON audit"
                connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")
        for statement in statements:
            connection.exec_driver_sql(statement)


# --- notes and what comes back -------------------------------------------------------------------------------------


def test_a_saved_note_comes_back_as_it_was(store):
    text = "1. Heart failure \x00 \ud800 \u202e\U0001f9e0 'x'; DROP TABLE notes; --\r\n"
    note = record(text=text, patient={"age": 67, "sex": "female"})
    saved = save(store, gap(), note=note)
    kept = store.note(saved.note)
    assert (saved.as_, saved.version, saved.opened) == ("new", 1, 1)
    assert kept.record == note
    assert kept.record.text == text
    assert kept.report["gaps"] == [gap()]
    assert (kept.saved_at, kept.saved_by, kept.earlier) == (NOON, "Robin", None)


def test_what_the_claim_leaves_out_is_still_left_out(store):
    unknown = record(claim={"lines": [], "patient": {"age": 40}})
    never = record(id="n2", claim={"lines": [], "patient": {"age": 40, "last_seen": None}})
    for note in (unknown, never):
        kept = store.note(save(store, note=note).note).record
        assert kept.claim.patient.model_fields_set == note.claim.patient.model_fields_set


def test_a_gap_comes_back_whole_with_its_note_s_facts(store):
    save(store, gap(), services=("99214", "83036"))
    found = only(store)
    assert found.gap.would_change.to == ("I50.20",)
    assert found.gap.evidence[0].text == "heart failure"
    assert (found.external_id, found.provider, found.date_of_service) == ("n1", "Dr A", DAY)
    assert (found.services, found.status, found.opened_at) == (("99214", "83036"), "open", NOON)


def test_the_queue_is_in_order_of_priority_and_filters_by_everything(store):
    save(store, gap(priority=2), gap("a:J18", priority=1, kind="element"), id="n1")
    save(store, gap(priority=1), id="n2", provider="Dr B", services=("83036",), when=NOON + HOUR)
    assert [(g.external_id, g.gap.priority) for g in store.queue()] == [("n1", 1), ("n2", 1), ("n1", 2)]
    assert {g.external_id for g in store.queue(GapFilter(providers=("Dr B",)))} == {"n2"}
    assert {g.gap.kind for g in store.queue(GapFilter(kinds=("element",)))} == {"element"}
    assert {g.external_id for g in store.queue(GapFilter(services=("83036",)))} == {"n2"}
    assert store.queue(GapFilter(services=("8303",))) == ()
    assert store.queue(GapFilter(services=("%",))) == ()
    assert store.queue(GapFilter(statuses=("queried",))) == ()
    assert len(store.queue(GapFilter(limit=2))) == 2
    choices = store.choices()
    assert choices.providers == ("Dr A", "Dr B")
    assert choices.services == ("83036", "99214")
    assert choices.kinds == ("element", "specificity")
    assert choices.statuses["open"] == 3
    assert dict(store.notes_by_provider()) == {"Dr A": 1, "Dr B": 1}


def test_a_name_that_no_database_takes_is_made_one(store):
    long = "x" * 500
    save(store, gap(), id=f"{long}1", provider="Dr\x00 A\ud800\n")
    save(store, gap(), id=f"{long}2", provider="Dr A")
    assert len({g.external_id for g in store.queue()}) == 2
    assert store.choices().providers == ("Dr A",)
    assert len(store.versions(f"{long}1")) == 1


@given(some.text(max_size=400))
def test_names_and_reasons_are_one_line_that_fits(text):
    assert "\x00" not in clean(text)
    assert clean(clean(text)) == clean(text)
    assert len(name_of(text)) <= 200
    name_of(text).encode()


# --- versions ------------------------------------------------------------------------------------------------------


def test_an_addendum_makes_a_new_version_that_points_at_the_earlier_one(store):
    first = save(store, gap())
    second = save(store, text="1. Systolic heart failure.", when=NOON + HOUR)
    assert (second.as_, second.version, second.resolved) == ("new version", 2, 1)
    old, new = store.versions("n1")
    assert new.earlier == old.id == first.note
    assert old.record.text == "1. Heart failure."
    found = only(store)
    assert (found.status, found.closed_at) == ("resolved", NOON + HOUR)
    [step] = store.history(found.id)
    assert (step.from_status, step.to_status, step.reason, step.who) == ("open", "resolved", "addendum", "Robin")


def test_the_same_note_again_changes_nothing(store):
    save(store, gap())
    head = store.status().head
    again = save(store, gap(), when=NOON + HOUR)
    assert (again.as_, again.version, again.opened, again.kept) == ("unchanged", 1, 0, 1)
    assert len(store.versions("n1")) == 1
    assert store.status().head == head


def test_newer_rules_on_the_same_note_open_gaps_without_a_new_version(store):
    save(store, gap())
    again = save(store, gap(), gap("other:E11", "diabetes"), when=NOON + HOUR)
    assert (again.as_, again.opened, again.kept) == ("unchanged", 1, 1)
    assert len(store.queue()) == 2
    assert len(store.versions("n1")) == 1
    assert store.verify().whole


def test_a_dismissed_gap_stays_dismissed_on_the_same_words_wherever_they_stand(store):
    save(store, gap())
    store.move(only(store).id, "dismissed", who="Robin", when=NOON, reason="palliative")
    moved = gap(quote="Heart  Failure")
    moved["evidence"][0]["start"] += 40
    again = save(store, moved, text="Addendum first.\n1. Heart  Failure.", when=NOON + HOUR)
    assert (again.opened, again.kept) == (0, 1)
    found = only(store)
    assert found.status == "dismissed"
    assert (found.note, found.gap.evidence[0].start) == (again.note, 43)


def test_a_dismissed_gap_comes_back_on_other_words(store):
    save(store, gap())
    store.move(only(store).id, "dismissed", who="Robin", when=NOON, reason="palliative")
    save(store, gap(quote="decompensated heart failure"), text="other", when=NOON + HOUR)
    assert sorted(g.status for g in store.queue()) == ["dismissed", "open"]


def test_a_dismissed_gap_stays_so_when_it_is_away_for_one_version(store):
    save(store, gap())
    store.move(only(store).id, "dismissed", who="Robin", when=NOON, reason="palliative")
    save(store, text="two")
    save(store, gap(), text="three")
    assert only(store).status == "dismissed"


def test_a_validated_gap_doesn_t_come_back_but_one_that_an_addendum_resolved_does(store):
    save(store, gap("kept:I50"), gap("gone:I50"))
    validated_, gone = sorted(store.queue(), key=lambda g: g.gap.id, reverse=True)
    store.move(validated_.id, "resolved", who="Robin", when=NOON, reason="the provider confirmed")
    save(store, gap("kept:I50"), text="two")
    assert store.gap(gone.id).status == "resolved"
    save(store, gap("kept:I50"), gap("gone:I50"), text="three")
    assert store.gap(validated_.id).status == "resolved"
    back = store.gap(gone.id)
    assert (back.status, back.closed_at) == ("open", None)
    assert len(store.queue()) == 2


def test_a_queried_gap_stays_queried_when_its_words_change(store):
    save(store, gap())
    store.move(only(store).id, "queried", who="Robin", when=NOON)
    save(store, gap(quote="chronic heart failure"), text="two")
    found = only(store)
    assert (found.status, found.gap.evidence[0].text) == ("queried", "chronic heart failure")


def test_two_gaps_of_one_id_are_two(store):
    save(store, gap(quote="left"), gap(quote="right"))
    left = next(g for g in store.queue() if g.gap.evidence[0].text == "left")
    store.move(left.id, "dismissed", who="Robin", when=NOON, reason="no")
    save(store, gap(quote="right"), gap(quote="left"), text="two")
    assert {g.gap.evidence[0].text: g.status for g in store.queue()} == {"left": "dismissed", "right": "open"}


def test_a_gap_that_is_only_left_out_isn_t_resolved(store):
    from store.kept import gap_of

    save(store, gap("shown:I50"), gap("left-out:E11", "diabetes", priority=2))
    left_out = gap_of(gap("left-out:E11", "diabetes", priority=40))
    never = gap_of(gap("never-asked:J18", "pneumonia"))
    saved = store.save_note(record(text="two"), {"gaps": [gap("shown:I50")]}, who="Robin", when=NOON,
                            further=[left_out, never])  # fmt: skip
    assert (saved.opened, saved.kept, saved.resolved) == (0, 2, 0)
    found = {g.gap.id: g for g in store.queue()}
    assert set(found) == {"shown:I50", "left-out:E11"}
    assert (found["left-out:E11"].status, found["left-out:E11"].version) == ("open", 2)
    assert [g.gap.id for g in store.queue()] == ["shown:I50", "left-out:E11"]


def test_what_somebody_closed_is_settled_for_the_next_review(store):
    save(store, gap("a:I50"), gap("b:I50"), gap("c:I50"), gap("d:I50"))
    a, b, c, _ = store.queue()
    store.move(a.id, "dismissed", who="Robin", when=NOON, reason="no")
    store.move(b.id, "resolved", who="Robin", when=NOON, reason="confirmed")
    save(store, gap("a:I50"), gap("b:I50"), gap("d:I50"), text="two")
    assert store.gap(c.id).status == "resolved"
    assert store.settled("n1") == {a.gap.fingerprint, b.gap.fingerprint}
    assert store.settled("n2") == frozenset()


def test_a_settled_gap_of_a_report_is_the_row_that_was_closed(store):
    save(store, gap())
    store.move(only(store).id, "dismissed", who="Robin", when=NOON, reason="no")
    report = {"gaps": [gap("other:E11", "diabetes")], "settled": [gap(priority=40), gap("unknown:J18")]}
    saved = store.save_note(record(text="two"), report, who="Robin", when=NOON)
    assert (saved.opened, saved.kept) == (1, 1)
    assert sorted(g.status for g in store.queue()) == ["dismissed", "open"]


def test_ids_that_are_kept_already_are_known(store):
    save(store, id="n1")
    assert store.known(["n1", "n2", *(f"m{n}" for n in range(1200))]) == {"n1"}


# --- the life of a gap ---------------------------------------------------------------------------------------------


def to_status(store, id, status):
    way = {"open": [], "queried": ["queried"], "answered": ["queried", "answered"], "resolved": ["resolved"],
           "dismissed": ["dismissed"]}[status]  # fmt: skip
    for number, step in enumerate(way):
        store.move(id, step, who="Robin", when=NOON + number * HOUR, reason="because")


@pytest.mark.parametrize("at", STATUSES)
def test_only_the_steps_of_a_gap_s_life_are_taken(store, at):
    for number, to in enumerate((*STATUSES, "lost")):
        save(store, gap(), id=f"n{number}")
        id = next(g.id for g in store.queue() if g.external_id == f"n{number}")
        to_status(store, id, at)
        if to in NEXT[at]:
            assert store.move(id, to, who="Robin", when=NOON + 9 * HOUR, reason="why").status == to
        else:
            before = store.history(id)
            with pytest.raises(InputProblem, match=f"a gap that is {at} can't become {to}; from here|the gap: "):
                store.move(id, to, who="Robin", when=NOON + 9 * HOUR, reason="why")
            assert store.gap(id).status == at
            assert store.history(id) == before
    assert store.verify().whole


def test_dismissing_and_opening_again_need_a_reason(store):
    save(store, gap())
    id = only(store).id
    with pytest.raises(InputProblem, match="no reason"):
        store.move(id, "dismissed", who="Robin", when=NOON, reason=" \n")
    store.move(id, "dismissed", who="Robin", when=NOON, reason="asked before")
    with pytest.raises(InputProblem, match="no reason"):
        store.move(id, "open", who="Robin", when=NOON)
    store.move(id, "open", who="Sam", when=NOON, reason="a slip")
    assert [(s.who, s.reason) for s in store.history(id)] == [("Robin", "asked before"), ("Sam", "a slip")]


def test_a_query_is_kept_as_sent_and_the_gap_is_queried(store):
    save(store, gap())
    id = only(store).id
    query = Query("specificity-type:I50", "Dr A", "Clarification: type", (), "Which?", (), "Clarification: type\n…")
    sent = store.send_query(id, query, who="Robin", when=NOON + HOUR)
    assert store.queries(id) == (sent,)
    assert (sent.text, sent.sent_by, sent.sent_at) == (query.text, "Robin", NOON + HOUR)
    store.move(id, "answered", who="Robin", when=NOON + 5 * HOUR)
    found = store.gap(id)
    assert (found.queried_at, found.answered_at, found.changed_at) == (NOON + HOUR, NOON + 5 * HOUR, NOON + 5 * HOUR)
    store.move(id, "resolved", who="Robin", when=NOON)
    with pytest.raises(InputProblem, match="resolved can't become queried"):
        store.send_query(id, query, who="Robin", when=NOON)
    assert len(store.queries(id)) == 1


def test_what_isn_t_kept_is_said(store):
    for ask in (
        lambda: store.gap("no"), lambda: store.note("no"), lambda: store.move("no", "resolved", who="R", when=NOON),
        lambda: store.decide("no", "I50.9", "accept", who="R", when=NOON), lambda: store.purge_note("no", who="R", when=NOON),
    ):  # fmt: skip
        with pytest.raises(InputProblem, match="is kept"):
            ask()
    assert store.versions("no") == store.history("no") == ()


def test_a_moment_without_a_time_zone_is_refused(store):
    with pytest.raises((ValueError, sa.exc.StatementError), match="time zone"):
        save(store, gap(), when=dt.datetime(2026, 5, 12, 12))


# --- decisions and results -----------------------------------------------------------------------------------------


def test_decisions_about_codes_are_kept_in_order_with_their_reasons(store):
    note = save(store, gap()).note
    store.decide(note, "I50.9", "reject", who="Kim", when=NOON, reason="ruled out")
    store.decide(note, "I50.9", "replace", who="Kim", when=NOON, reason="echo", replacement="I50.22")
    store.decide(note, "I10", "accept", who="Kim", when=NOON)
    assert [(d.code, d.decision, d.replacement) for d in store.decisions(note)] == [
        ("I50.9", "reject", None), ("I50.9", "replace", "I50.22"), ("I10", "accept", None)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("decision", "more", "said"),
    [("doubt", {"reason": "x"}, "no decision"), ("reject", {}, "no reason"),
     ("replace", {"reason": "x"}, "replacement"), ("accept", {"replacement": "I10"}, "replacement")],
)  # fmt: skip
def test_a_decision_that_isn_t_one_is_refused(store, decision, more, said):
    note = save(store, gap()).note
    with pytest.raises(InputProblem, match=said):
        store.decide(note, "I50.9", decision, who="Kim", when=NOON, **more)
    assert store.decisions(note) == ()


def test_results_of_a_class_are_kept(store):
    mine = ExerciseResult("Ada", "laterality", 0.5, ("R-1", "R-2"), NOON)
    store.keep_result(mine)
    store.keep_result(ExerciseResult("Ben", "laterality", 1, (), NOON))
    assert store.results("Ada") == (mine,)
    assert len(store.results()) == 2
    with pytest.raises(InputProblem, match="score"):
        store.keep_result(ExerciseResult("Ada", "x", 1.5, (), NOON))


# --- the audit trail -----------------------------------------------------------------------------------------------


def lively(store):
    """A store in which a little of everything has happened."""
    note = save(store, gap(quote=MARKER), gap("b:E11", "diabetes"), text=f"1. {MARKER}.").note
    second, first = store.queue()
    store.send_query(first.id, Query("g", "Dr A", "t", (), "q", (), f"about {MARKER}"), who="Robin", when=NOON)
    store.move(second.id, "dismissed", who="Robin", when=NOON, reason=f"{MARKER} is old")
    store.decide(note, "I50.9", "reject", who="Kim", when=NOON, reason=f"no {MARKER}")
    store.keep_result(ExerciseResult("Ada", "laterality", 0.5, ("R-1",), NOON))
    save(store, gap(quote=MARKER), text=f"1. {MARKER}. More.", when=NOON + HOUR)
    return note


def test_the_trail_tells_who_did_what_and_is_whole(store):
    lively(store)
    trail = store.audit_trail()
    assert [e.action for e in trail] == [
        "note saved", "gap moved", "query sent", "gap moved", "code decided", "result kept", "note saved"
    ]  # fmt: skip
    assert [e.who for e in trail] == ["Robin", "Robin", "Robin", "Robin", "Kim", "Ada", "Robin"]
    found = store.verify()
    assert found.whole
    assert found.head == AuditHead(7, trail[-1].hash)
    assert store.verify(AuditHead(3, trail[2].hash)).whole
    assert [e.seq for e in store.audit_trail(trail[4].subject)] == [5]


def test_the_trail_holds_no_words_of_a_note_or_a_reason(store):
    lively(store)
    said = json.dumps([[e.action, e.subject, dict(e.facts)] for e in store.audit_trail()])
    for words in (MARKER, "heart", "diabetes", "Dr A", "n1", "old"):
        assert words not in said


def test_a_seal_can_t_be_guessed_from_what_it_seals(store):
    save(store, gap())
    save(store, gap(), id="n2")
    for id in [g.id for g in store.queue()]:
        store.move(id, "dismissed", who="Robin", when=NOON, reason="palliative")
    seals = [e.facts["seal"] for e in store.audit_trail() if e.action == "gap moved"]
    assert len(set(seals)) == 2


TAMPERED = {
    "who": ("UPDATE audit SET who = 'Mallory' WHERE seq = 3", 3),
    "facts": ("UPDATE audit SET facts = '{}' WHERE seq = 2", 2),
    "at": ("UPDATE audit SET at = '2020-01-01T00:00:00.000000+00:00' WHERE seq = 1", 1),
    "hash": ("UPDATE audit SET hash = previous WHERE seq = 4", 4),
    "deleted": ("DELETE FROM audit WHERE seq = 4", 4),
    "first": ("DELETE FROM audit WHERE seq = 1", 1),
    "tail": ("DELETE FROM audit WHERE seq > 5", 6),
    "all": ("DELETE FROM audit", 1),
    "inserted": (
        "INSERT INTO audit SELECT 8, at, who, action, subject, facts, previous, hash FROM audit WHERE seq = 7", 8
    ),
    "head": ("DELETE FROM audit_head", 0),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_the_database_refuses_to_change_the_trail(store, how):
    if how == "inserted":
        pytest.skip("an entry with the next number may be inserted: that is what appending is")
    lively(store)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        raw(store, TAMPERED[how][0])
    assert store.verify().whole


@pytest.mark.parametrize("how", TAMPERED)
def test_a_change_behind_the_guards_is_found_at_its_place(store, how):
    lively(store)
    statement, place = TAMPERED[how]
    raw(store, statement, guards=False)
    found = store.verify()
    assert not found.whole
    assert found.broken_at == place


def test_entries_in_another_order_are_found(store):
    lively(store)
    raw(store, "UPDATE audit SET seq = 99 WHERE seq = 2", "UPDATE audit SET seq = 2 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 99", guards=False)  # fmt: skip
    assert store.verify().broken_at == 2


def test_a_tail_cut_together_with_its_head_is_found_by_a_witness(store):
    lively(store)
    noted = store.status().head
    raw(store, "DELETE FROM audit WHERE seq = 7",
        "UPDATE audit_head SET count = 6, hash = (SELECT hash FROM audit WHERE seq = 6)", guards=False)  # fmt: skip
    assert store.verify(noted).broken_at == 7


def test_a_trail_written_anew_is_found_by_a_witness(store, tmp_path):
    lively(store)
    noted = store.status().head
    other = open_store(f"sqlite:///{tmp_path / 'other.db'}")
    lively(other)
    assert other.verify().whole
    assert other.verify(noted).broken_at == noted.count
    other.close()


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE notes SET text = '\"changed\"' WHERE version = 1", 1),
        ("UPDATE notes SET provider = 'Dr B' WHERE version = 2", 7),
        ("UPDATE steps SET reason = '\"changed\"' WHERE to_status = 'dismissed'", 4),
        ("UPDATE queries SET text = '\"changed\"'", 3),
        ("UPDATE decisions SET decision = 'accept'", 5),
        ("DELETE FROM decisions", 5),
        ("UPDATE results SET score = 1", 6),
        ("DELETE FROM results", 6),
        ("UPDATE gaps SET status = 'resolved' WHERE status = 'dismissed'", 4),
        ("DELETE FROM queries", 3),
    ],
)
def test_what_the_trail_vouches_for_can_t_be_changed_unnoticed(store, statement, place):
    lively(store)
    raw(store, statement)
    found = store.verify()
    assert (found.whole, found.broken_at) == (False, place)


def test_an_audit_entry_outlives_what_fails_only_together_with_it(store):
    save(store, gap())
    with pytest.raises(InputProblem):
        store.move(only(store).id, "answered", who="Robin", when=NOON)
    assert len(store.audit_trail()) == 1


APPEND = """
import datetime as dt, sys
from models.record import NoteRecord
from store import open_store
store = open_store(sys.argv[1])
for number in range(25):
    store.save_note(NoteRecord(id=f"{sys.argv[2]}-{number % 5}", text=f"{number}"), {"gaps": []}, who=sys.argv[2],
                    when=dt.datetime.now(dt.UTC))
"""


def test_two_processes_that_append_at_once_give_one_whole_chain(url):
    # Neither has made the tables yet: they also race for the migration.
    running = [subprocess.Popen([sys.executable, "-c", APPEND, url, name], cwd=ROOT) for name in ("one", "two")]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    store = open_store(url)
    found = store.verify()
    assert (found.whole, found.head.count) == (True, 50)
    trail = store.audit_trail()
    assert {e.who for e in trail} == {"one", "two"}
    assert [len(store.versions(f"{name}-{n}")) for name in ("one", "two") for n in range(5)] == [5] * 10
    store.close()


# --- purging -------------------------------------------------------------------------------------------------------


def files_of(store, request):
    """Every file in which the database keeps its rows."""
    if store._engine.dialect.name == "sqlite":
        return [p for p in Path(store.where).parent.iterdir() if p.is_file()]
    data = request.getfixturevalue("postgres_server")[1]
    if data is None:
        pytest.skip("the server's files aren't ours to read")
    with store._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")
        oid = connection.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()").scalar()
    return [p for p in (data / "base" / str(oid)).iterdir() if p.is_file()]


def hold(files, words):
    return [path.name for path in files if words.encode() in path.read_bytes()]


def test_a_purge_by_age_leaves_no_word_in_any_file_and_the_trail_whole(store, request):
    lively(store)
    save(store, gap(quote="cough"), text="1. Cough, long enough to stay.", id="new", when=NOON + 40 * 24 * HOUR)
    if store._engine.dialect.name == "postgresql":
        with store._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    assert hold(files_of(store, request), MARKER)
    purged = store.purge_older_than(30, who="Robin", when=NOON + 41 * 24 * HOUR)
    assert (purged.notes, purged.gaps, purged.results) == (1, 2, 1)
    assert hold(files_of(store, request), MARKER) == []
    assert hold(files_of(store, request), "long enough to stay")
    assert [g.external_id for g in store.queue()] == ["new"]
    assert store.verify().whole
    assert store.audit_trail()[-1].action == "purged"
    assert store.status().counts == {"notes": 1, "gaps": 1, "queries": 0, "decisions": 0, "results": 0}


def test_a_purge_on_request_takes_all_versions_of_one_note(store, request):
    lively(store)
    save(store, gap(quote="cough"), id="n2")
    assert store.purge_note("n1", who="Robin", when=NOON).notes == 1
    assert hold(files_of(store, request), MARKER) == []
    assert store.versions("n1") == ()
    assert len(store.versions("n2")) == 1
    assert len(store.results()) == 1
    assert store.verify().whole


def test_a_note_whose_newest_version_is_young_is_kept_whole(store):
    save(store, gap())
    save(store, gap(), text="two", when=NOON + 20 * 24 * HOUR)
    assert store.purge_older_than(10, who="Robin", when=NOON + 25 * 24 * HOUR).notes == 0
    assert len(store.versions("n1")) == 2


def test_a_row_removed_without_a_purge_isn_t_excused_by_another_purge(store):
    lively(store)
    save(store, gap(), id="n2")
    store.purge_note("n2", who="Robin", when=NOON)
    raw(store, "DELETE FROM decisions")
    assert store.verify().broken_at == 5


def test_a_reader_that_stays_is_named_and_the_rows_are_gone_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("store.purging._PATIENCE", 0.2)
    store = open_store(f"sqlite:///{tmp_path / 'kept.db'}")
    save(store, gap())
    import sqlite3

    reader = sqlite3.connect(tmp_path / "kept.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM notes").fetchall()
    with pytest.raises(InputProblem, match="another program is reading"):
        store.purge_note("n1", who="Robin", when=NOON)
    assert store.versions("n1") == ()
    reader.close()
    store.purge_older_than(0, who="Robin", when=NOON)
    store.close()


# --- opening, migrating, exporting -----------------------------------------------------------------------------------


def test_the_migrations_lead_to_the_tables_that_the_code_knows(store):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_migration_is_the_one_that_the_code_names():
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(ROOT / "store" / "migrations")).get_current_head() == HEAD_REVISION


def test_the_schema_goes_down_to_nothing_and_up_again(store):
    engine = store._engine
    migrate(engine, "base")
    assert set(sa.inspect(engine).get_table_names()) <= {"alembic_version"}
    assert revision(engine) is None
    migrate(engine)
    save(store, gap())
    assert store.verify().whole


def test_a_database_of_a_newer_version_is_refused_and_left_alone(url):
    store = open_store(url)
    raw(store, "UPDATE alembic_version SET version_num = '9999'")
    store.close()
    with pytest.raises(InputProblem, match="newer ChartProof"):
        open_store(url)


@pytest.mark.parametrize(
    ("given", "said"),
    [("mysql://x/y", "isn't known here"), ("nonsense", "not a database URL"), ("sqlite://", "no file"),
     ("sqlite:///:memory:", "no file"), ("postgresql://u:secret@127.0.0.1:1/x", "can't be opened")],
)  # fmt: skip
def test_a_database_that_can_t_be_used_is_said_without_its_password(given, said, monkeypatch):
    monkeypatch.setenv("CHARTPROOF_DATABASE", given)
    with pytest.raises(InputProblem, match=said) as problem:
        open_store()
    assert "secret" not in str(problem.value)


def test_a_file_that_is_no_database_is_said(tmp_path):
    (tmp_path / "kept.db").write_bytes(b"something else, " * 400)
    with pytest.raises(InputProblem, match="not a database"):
        open_store(f"sqlite:///{tmp_path / 'kept.db'}")


def test_the_database_stands_in_the_home_folder_for_its_owner_only(tmp_path, monkeypatch):
    monkeypatch.delenv("CHARTPROOF_DATABASE", raising=False)
    monkeypatch.setenv("CHARTPROOF_HOME", str(tmp_path / "home"))
    store = open_store()
    save(store, gap())
    assert store.where == str(tmp_path / "home" / "chartproof.db")
    for path in (tmp_path / "home").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    store.close()


def test_an_error_of_the_database_quotes_no_row(store):
    import traceback

    from store.database import writing

    with (
        pytest.raises(InputProblem, match="the database doesn't do it") as problem,
        writing(store._engine) as connection,
    ):
        connection.execute(metadata.tables["notes"].insert(), {"id": "x", "text": MARKER, "salt": MARKER})
    assert MARKER not in "".join(traceback.format_exception(problem.value))


def test_a_thousand_notes_are_kept_quickly(store):
    notes = [(record(f"n{n}"), {"gaps": [gap(f"k{k}:I50", f"words {k}") for k in range(5)]}) for n in range(1000)]
    began = time.perf_counter()
    for start in range(0, 1000, 50):
        store.save_many(notes[start : start + 50], who="Robin", when=NOON)
    assert time.perf_counter() - began < 20
    assert len(store.queue()) == 5000
    assert store.status().head.count == 1000


def test_many_notes_are_kept_together_or_not_at_all(store):
    broken = [(record("a"), {"gaps": [gap()]}), (record("b"), {"gaps": [{"id": "x", "evidence": []}]})]
    with pytest.raises(KeyError):
        store.save_many(broken, who="Robin", when=NOON)
    assert store.queue() == ()
    assert store.verify().head.count == 0


def test_everything_can_be_taken_out(store, tmp_path):
    from exchange.kept import write_export

    lively(store)
    counts = write_export(tmp_path / "out.zip", store.export(who="Robin", when=NOON), store.queue())
    assert counts == {"notes": 2, "gaps": 2, "steps": 2, "queries": 1, "decisions": 1, "results": 1, "audit": 8}
    write_export(tmp_path / "out", store.export(who="Robin", when=NOON), store.queue())
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        rows = [json.loads(line) for line in archive.read("notes.jsonl").splitlines()]
        assert sorted(archive.namelist()) == sorted(p.name for p in (tmp_path / "out").iterdir())
    assert [row["text"] for row in rows] == [f"1. {MARKER}.", f"1. {MARKER}. More."]
    assert "salt" not in rows[0]
    assert (tmp_path / "out.zip").stat().st_mode & 0o077 == 0
    with pytest.raises(InputProblem, match="already"):
        write_export(tmp_path / "out.zip", [], [])
    assert store.audit_trail()[-1].action == "exported"
    assert store.verify().whole


def test_no_cell_of_the_gaps_table_is_a_formula(store):
    from exchange.kept import gaps_csv

    save(store, {**gap(), "about": '=HYPERLINK("http://evil")', "ask": "+1"}, id="@SUM(A1)", provider="-2")
    for cell in gaps_csv(store.queue()).splitlines()[1].split(","):
        assert cell.strip('"')[:1] not in ("=", "+", "-", "@")


# --- in the terminal -------------------------------------------------------------------------------------------------


def run(*command, home):
    import os

    environment = {**os.environ, "CHARTPROOF_HOME": str(home)}
    environment.pop("CHARTPROOF_DATABASE", None)
    done = subprocess.run(
        [sys.executable, "-m", "cli", "store", *command], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr
    return done


def test_the_terminal_tells_verifies_exports_and_purges(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'chartproof.db'}")
    lively(store)
    noted = str(store.status().head)
    status = run("status", home=tmp_path).stdout
    assert f"audit head  {noted}" in status
    assert str(tmp_path / "chartproof.db") in status
    assert run("verify", "--head", noted, home=tmp_path).returncode == 0
    assert "notes       2" in run("export", str(tmp_path / "out.zip"), home=tmp_path).stdout
    assert run("export", str(tmp_path / "out.zip"), home=tmp_path).returncode == 2
    assert "removed 1 notes" in run("purge", "--note", "n1", home=tmp_path).stdout
    assert run("purge", "--note", "n1", home=tmp_path).returncode == 2
    assert run("purge", "--older-than", "0", home=tmp_path).returncode == 0
    assert run("purge", home=tmp_path).returncode == 2
    assert run("verify", "--head", "x", home=tmp_path).returncode == 2
    raw(store, "UPDATE audit SET who = 'Mallory' WHERE seq = 2", guards=False)
    broken = run("verify", home=tmp_path)
    assert (broken.returncode, "entry 2" in broken.stdout) == (1, True)
    store.close()
