"""The Worklist page without a browser: uploading, the queue, the life of a gap, addenda, figures and removal."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import sys
import time
import types
import zipfile

import pytest

pytest.importorskip("streamlit.testing.v1", reason="streamlit isn't installed")
from streamlit.testing.v1 import AppTest

from models.record import NoteRecord, validated
from models.worklist import GapFilter
from pipeline.review import review
from store import open_store
from ui.worklist.intake import Defaults, Intake, save_version

DAY = dt.date(2026, 5, 12)
NOTE = """ASSESSMENT AND PLAN
1. Heart failure. Continue furosemide.
2. Knee pain, x-ray ordered.
"""
HOSTILE = (
    "ASSESSMENT\n1. Heart failure <script>window.pwned=1</script> on furosemide.\n"
    "2. Knee pain <img src=x onerror=window.pwned=1> **bold** $x$ [a](http://evil.example).\n"
)


def script():
    from ui import worklist

    worklist.page()


@pytest.fixture
def store(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    monkeypatch.setenv("CHARTPROOF_DATABASE", url)
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def app(store):
    return AppTest.from_function(script, default_timeout=120)


def note(id="n1", text=NOTE, provider="Dr A", code="99214", on=DAY):
    claim = {"lines": [{"code": code, "pointers": [1]}]}
    return validated(
        NoteRecord, {"id": id, "text": text, "date_of_service": on, "provider": provider, "claim": claim}, id
    )


def keep(store, *records):
    for record in records or (note(),):
        save_version(store, record, "Robin")


def shown(app):
    return "\n".join(h.value for h in app.html if not h.value.startswith("<style"))


def component(app, name):
    found = []
    for part in app.get("bidi_component"):
        data = json.loads(part.proto.mixed.json if part.proto.HasField("mixed") else part.proto.json)
        found.append(data)
    return next(data for data in found if name in data)


def rows(app):
    return component(app, "rows")["rows"]


def open_gap(app, gap, others=()):
    app.session_state["wl_gap"] = gap.id
    app.session_state["wl_ids"] = (gap.id, *others)
    app.run()
    assert not app.exception
    return app


def press(app, key):
    app.button(key=key).click().run()
    assert not app.exception
    return app


def test_an_empty_list_says_what_to_do_and_where_notes_would_be_stored(app, store):
    app.run()
    assert not app.exception
    assert "What does the documentation lack?" in shown(app)
    assert "stored" in shown(app)
    assert store.where in shown(app)
    assert app.button(key="wl_go").disabled


def test_a_file_is_reviewed_and_its_gaps_come_into_the_queue(app, store):
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["id", "text", "provider", "date_of_service"])
    writer.writerows([["n1", NOTE, "Dr A", "2026-05-12"], ["n2", NOTE, "Dr B", "no date"], ["n3", NOTE, "Dr B", ""]])
    app.run()
    app.date_input(key="wl_default_on").set_value(dt.date(2026, 4, 1))
    app.file_uploader(key="wl_file_0").upload("clinic.csv", table.getvalue().encode(), "text/csv")
    app.run()
    app.button(key="wl_go").click().run()
    until = time.monotonic() + 60
    while app.session_state["wl_intake"].running and time.monotonic() < until:
        time.sleep(0.1)
    app.run()
    assert not app.exception
    assert "2 new" in shown(app)
    assert "1 not read" in shown(app)
    assert "n2" in shown(app)
    assert {row["provider"] for row in rows(app)} == {"Dr A", "Dr B"}
    assert [v.record.date_of_service for v in store.versions("n3")] == [dt.date(2026, 4, 1)]
    press(app, "wl_close")
    assert "1 not read" not in shown(app)


def test_the_queue_is_by_priority_and_the_filters_narrow_it(app, store):
    keep(store, note(), note("n2", provider="Dr B", code="83036"))
    app.run()
    priorities = [int(row["priority"].split()[1]) for row in rows(app)]
    assert priorities == sorted(priorities)
    assert {row["note"] for row in rows(app)} == {"n1", "n2"}
    app.multiselect(key="wl_providers").set_value(["Dr B"]).run()
    assert {row["note"] for row in rows(app)} == {"n2"}
    app.multiselect(key="wl_providers").set_value([])
    app.multiselect(key="wl_services").set_value(
        [o for o in app.multiselect(key="wl_services").options if "99214" in o]
    ).run()
    assert {row["note"] for row in rows(app)} == {"n1"}
    app.multiselect(key="wl_services").set_value([])
    app.multiselect(key="wl_kinds").set_value(["element"]).run()
    assert {row["kind"] for row in rows(app)} == {"element"}
    app.multiselect(key="wl_kinds").set_value([])
    app.multiselect(key="wl_statuses").set_value(["dismissed"]).run()
    assert "Nothing here with these filters" in shown(app)


def test_filters_stay_while_a_row_is_open(app, store):
    keep(store, note(), note("n2", provider="Dr B"))
    app.run()
    app.multiselect(key="wl_providers").set_value(["Dr B"]).run()
    open_gap(app, store.queue(GapFilter(providers=("Dr B",)))[0])
    press(app, "wl_back")
    assert app.multiselect(key="wl_providers").value == ["Dr B"]
    assert {row["note"] for row in rows(app)} == {"n2"}


def test_a_long_queue_is_turned_page_by_page(app, store):
    gaps = review(note().note()).to_dict()["gaps"][:1]
    for number in range(60):
        store.save_note(note(f"n{number:02}"), {"gaps": gaps}, who="Robin", when=dt.datetime.now(dt.UTC))
    app.run()
    assert len(rows(app)) == 50
    assert "1 to 50 of 60" in shown(app)
    next(b for b in app.button if b.label == "Next").click().run()
    assert len(rows(app)) == 10
    app.multiselect(key="wl_kinds").set_value([gaps[0]["kind"]]).run()
    assert len(rows(app)) == 50


def test_a_gap_is_queried_answered_and_resolved_by_whoever_is_named(app, store):
    keep(store)
    gap = store.queue()[0]
    app.run()
    app.text_input(key="me_entered").set_value("Kim").run()
    open_gap(app, gap)
    data = component(app, "pieces")
    assert data["fixed"]
    assert data["spans"] == [[e.start, e.end] for e in gap.gap.evidence]
    assert "".join(piece["t"] for piece in data["pieces"]) == NOTE
    query = app.code[0].value
    assert '"' + gap.gap.evidence[0].text in query
    press(app, "wl_send")
    assert store.gap(gap.id).status == "queried"
    [sent] = store.queries(gap.id)
    assert (sent.text, sent.sent_by, sent.provider) == (query, "Kim", "Dr A")
    assert app.code[0].value == query
    press(app, "wl_answered")
    app.text_input(key=f"wl_how_{gap.id}").set_value("confirmed by phone").run()
    press(app, "wl_resolve")
    assert store.gap(gap.id).status == "resolved"
    assert "confirmed by phone" in shown(app)
    assert [s.who for s in store.history(gap.id)] == ["Kim"] * 3
    app.text_input(key=f"wl_again_{gap.id}").set_value("a slip").run()
    press(app, "wl_reopen")
    assert store.gap(gap.id).status == "open"


def test_a_gap_is_dismissed_with_a_reason_only(app, store):
    keep(store)
    gap = store.queue()[0]
    open_gap(app, gap)
    assert app.button(key="wl_dismiss").disabled
    app.selectbox(key=f"wl_reason_{gap.id}").set_value("Asked about before").run()
    press(app, "wl_dismiss")
    assert store.gap(gap.id).status == "dismissed"
    assert "Asked about before" in shown(app)


def test_what_somebody_else_did_meanwhile_is_said(app, store):
    keep(store)
    gap = store.queue()[0]
    open_gap(app, gap)
    store.move(gap.id, "dismissed", who="Sam", when=dt.datetime.now(dt.UTC), reason="no")
    press(app, "wl_send")
    assert "can't become queried" in app.error[0].value.replace("\\", "")


def test_an_addendum_makes_a_version_and_resolves_what_it_answers(app, store):
    keep(store)
    gap = next(g for g in store.queue() if g.gap.missing == "laterality")
    dismissed = next(g for g in store.queue() if g.id != gap.id and g.gap.kind == "element")
    store.move(dismissed.id, "dismissed", who="Robin", when=dt.datetime.now(dt.UTC), reason="no")
    open_gap(app, gap)
    app.text_area(key=f"wl_added_{gap.note}").set_value("The knee pain is in the right knee.").run()
    press(app, "wl_add")
    resolved = store.gap(gap.id)
    assert resolved.status == "resolved"
    assert store.history(gap.id)[-1].reason == "addendum"
    assert store.gap(dismissed.id).status == "dismissed"
    old, new = store.versions("n1")
    assert new.record.text.startswith(old.record.text)
    assert "right knee" in new.record.text
    assert new.record.claim == old.record.claim
    assert "Resolved" in app.success[0].value
    assert store.verify().whole


def test_neighbours_are_reached_from_an_open_row(app, store):
    keep(store)
    first, second = store.queue()[:2]
    open_gap(app, first, [second.id])
    assert "1 of 2" in shown(app)
    press(app, "wl_after")
    assert app.session_state["wl_gap"] == second.id
    press(app, "wl_before")
    assert app.session_state["wl_gap"] == first.id


def test_without_a_date_of_service_the_query_asks_for_it(app, store):
    keep(store, note(on=None))
    open_gap(app, store.queue()[0])
    assert "no date of service" in shown(app)
    app.date_input(key="wl_on").set_value(DAY).run()
    assert "05/12/2026" in app.code[0].value


def test_the_query_sheet_has_a_part_for_each_provider_and_marks_all_as_sent(app, store):
    from exchange.documents import as_docx, as_text
    from ui.worklist.sheet import queries

    keep(store, note(), note("n2", provider="Dr B"), note("n3", provider="Dr B", on=None))
    groups = queries(store.queue())
    assert [g.provider for g in groups] == ["Dr A", "Dr B"]
    text = as_text(groups)
    assert text.count("To: Dr A") == len(groups[0].queries) > 0
    assert as_docx(groups)[:2] == b"PK"
    assert len(groups[1].unasked) == sum(g.external_id == "n3" for g in store.queue()) > 0
    app.session_state["wl_tab"] = "Query sheet"
    app.run()
    assert not app.exception
    assert "have no date of service" in shown(app)
    press(app, "wl_send_all")
    assert {g.external_id for g in store.queue(GapFilter(statuses=("open",)))} == {"n3"}
    assert "stay open" in app.warning[0].value


def test_charts_and_scorecards_hold_no_patient_and_no_word_of_a_note(app, store):
    keep(store, note("patient-4711", text=NOTE.replace("furosemide", "Zebramide")))
    gap = store.queue()[0]
    now = dt.datetime.now(dt.UTC)
    store.move(gap.id, "queried", who="Robin", when=now)
    store.move(gap.id, "answered", who="Robin", when=now)
    app.session_state["wl_tab"] = "Charts"
    app.run()
    assert not app.exception
    charts = "".join(str(part.proto) for part in app.get("vega_lite_chart")) or "".join(
        str(part.proto) for part in app.get("arrow_vega_lite_chart")
    )
    assert gap.gap.rule in charts
    assert "Response rate: 100% of 1 queries" in shown(app)
    app.session_state["wl_tab"] = "Scorecards"
    app.run()
    assert "All providers" in shown(app)
    for words in ("4711", "Zebramide", "knee", "furosemide"):
        assert words not in charts
        assert words.lower() not in re.sub(r"<style.*?</style>", "", shown(app)).lower()


def test_scorecards_as_csv_hold_no_formula():
    from exchange.kept import table_csv
    from models.worklist import Scorecard
    from ui.worklist.figures import _cells

    card = Scorecard("=cmd|'/C calc'!A0", 1, 2, 2.0, 1, 1, 1, 1, 0, 1.0, 2.5)
    assert table_csv(["Provider"], [_cells(card)]).splitlines()[1].startswith("'=cmd")


def test_notes_are_removed_from_the_page_only_when_sure(app, store):
    keep(store)
    app.run()
    assert app.button(key="wl_purge").disabled
    app.segmented_control(key="wl_purge_how").set_value("one note").run()
    app.text_input(key="wl_purge_note").set_value("n1").run()
    app.checkbox(key="wl_purge_sure_0").check().run()
    press(app, "wl_purge")
    assert store.versions("n1") == ()
    assert "Removed 1 notes" in app.success[0].value
    assert store.audit_trail()[-1].action == "purged"


def test_an_open_gap_that_was_purged_leads_back_to_the_queue(app, store):
    keep(store, note(), note("n2"))
    gap = next(g for g in store.queue() if g.external_id == "n1")
    open_gap(app, gap)
    store.purge_note("n1", who="Sam", when=dt.datetime.now(dt.UTC))
    app.run()
    assert not app.exception
    assert app.warning
    assert {row["note"] for row in rows(app)} == {"n2"}


def test_hostile_words_stay_words(app, store):
    keep(store, note("<b>n1</b>", text=HOSTILE, provider="<i>Dr</i> **A**"))
    app.run()
    assert any(row["note"] == "<b>n1</b>" for row in rows(app))
    for gap in store.queue():
        open_gap(app, gap)
        markup = shown(app)
        for tag in ("<script", "<img", "<i>Dr", "<b>n1"):
            assert tag not in markup
    app.session_state["wl_gap"] = None
    for tab in ("Query sheet", "Charts", "Scorecards"):
        app.session_state["wl_tab"] = tab
        app.run()
        assert not app.exception
        assert "<i>Dr" not in shown(app)


def test_a_database_that_can_t_be_opened_is_one_clear_line(app, monkeypatch):
    monkeypatch.setenv("CHARTPROOF_DATABASE", "mysql://somewhere/x")
    app.run()
    assert not app.exception
    assert "isn't known here" in app.error[0].value.replace("\\", "")


# --- the thread that takes notes in ----------------------------------------------------------------------------------


def take(store, name, data, **defaults):
    intake = Intake(name)
    intake.start(data, store, "Robin", Defaults(**defaults)).join(timeout=180)
    assert not intake.running
    return intake


def lines(*records):
    return "".join(json.dumps(r) + "\n" for r in records).encode()


def test_bad_records_are_named_and_the_others_go_on(store):
    data = lines({"id": "a", "text": NOTE}, {"id": "b"}, {"id": "c", "text": NOTE, "setting": "moon"}) + b"not json\n"
    intake = take(store, "notes.jsonl", data)
    assert (intake.state, intake.done, intake.failed, intake.counts["new"]) == ("done", 4, 3, 1)
    assert [id for id, _ in intake.problems] == ["b", "c", "line 4"]
    assert all(NOTE[:20] not in said for _, said in intake.problems)


def test_a_zip_of_texts_takes_date_setting_and_provider_from_the_form(store):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.txt", NOTE)
        archive.writestr("two.txt", NOTE)
    intake = take(store, "notes.zip", packed.getvalue(), date_of_service=DAY, setting="inpatient", provider="Dr A")
    assert intake.counts["new"] == 2
    assert {(g.provider, g.date_of_service, g.setting) for g in store.queue()} == {("Dr A", DAY, "inpatient")}


def test_a_file_that_can_t_be_read_says_so(store):
    intake = take(store, "notes.csv", b"text\nx\n")
    assert intake.state == "failed"
    assert "no column 'id'" in intake.why


def test_the_same_file_again_changes_nothing_and_an_addendum_in_it_is_a_version(store):
    data = lines({"id": "a", "text": NOTE, "date_of_service": "2026-05-12"})
    take(store, "n.jsonl", data)
    head = store.status().head
    assert take(store, "n.jsonl", data).counts == {"new": 0, "new version": 0, "unchanged": 1}
    assert store.status().head == head
    more = lines({"id": "a", "text": NOTE + "\nADDENDUM\nRight knee pain.\n", "date_of_service": "2026-05-12"})
    again = take(store, "n.jsonl", more + more)
    assert again.counts == {"new": 0, "new version": 1, "unchanged": 1}
    assert again.resolved >= 1


def test_a_version_and_its_first_in_one_file_are_both_kept(store):
    intake = take(store, "n.jsonl", lines({"id": "a", "text": NOTE}, {"id": "a", "text": NOTE + "More."}))
    assert (intake.counts["new"], intake.counts["new version"]) == (1, 1)


def test_stopping_keeps_what_is_done(store, monkeypatch):
    from ui.worklist import intake as module

    slow = Intake("n.jsonl")

    def one_by_one(records, workers):
        for number, record in enumerate(records):
            if number == 2:
                slow.stop()
            yield module_review(record)

    from pipeline.batch import review_record as module_review

    monkeypatch.setattr(module, "review_many", one_by_one)
    slow.start(lines(*({"id": str(n), "text": NOTE} for n in range(20))), store, "Robin", Defaults()).join(60)
    assert slow.state == "stopped"
    assert 2 <= slow.done < 20
    assert store.status().counts["notes"] == slow.done


def test_an_unforeseen_fault_tells_its_kind_and_no_word(store, monkeypatch, caplog):
    from ui.worklist import intake as module

    def broken(records, workers):
        raise RuntimeError(NOTE)

    monkeypatch.setattr(module, "review_many", broken)
    intake = take(store, "n.jsonl", lines({"id": "a", "text": NOTE}))
    assert intake.state == "failed"
    assert "RuntimeError" in intake.why
    assert "furosemide" not in intake.why + caplog.text


@pytest.mark.slow
def test_many_notes_go_through_several_processes(store, monkeypatch):
    # A process begins by reading the main module: that of an AppTest above isn't there any more.
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    data = lines(
        *(
            {"id": f"n{n}", "text": f"ASSESSMENT\n1. Heart failure, visit {n}.", "date_of_service": "2026-05-12"}
            for n in range(60)
        )
    )
    intake = take(store, "n.jsonl", data)
    assert (intake.state, intake.counts["new"]) == ("done", 60)
    assert store.status().counts["notes"] == 60
    assert store.verify().whole
