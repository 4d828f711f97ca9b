"""Who may see what: nobody signs in on this machine, and no other address is served without sign-in."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("streamlit.testing.v1", reason="streamlit isn't installed")
from streamlit.testing.v1 import AppTest

from models.problem import InputProblem
from ui import access

ROOT = Path(__file__).resolve().parent.parent
APP = str(ROOT / "app.py")
AUTH = {
    "redirect_uri": "https://here.example/oauth2callback", "cookie_secret": "x" * 40, "client_id": "c",
    "client_secret": "s", "server_metadata_url": "https://login.example/.well-known/openid-configuration",
}  # fmt: skip


class User(dict):
    """Who is signed in, as st.user says it."""


@pytest.fixture
def roles(tmp_path, monkeypatch):
    """A function that writes the roles."""
    path = tmp_path / "access.toml"
    monkeypatch.setenv("CHARTPROOF_ACCESS", str(path))
    return lambda text: path.write_text(text, encoding="utf-8")


@pytest.fixture
def served(monkeypatch):
    """A function that serves the workbench to others, with somebody signed in."""

    def serve(user: dict, auth: dict = AUTH) -> AppTest:
        asked = access.st.get_option
        monkeypatch.setattr(
            access.st, "get_option", lambda name: "0.0.0.0" if name == "server.address" else asked(name)
        )
        monkeypatch.setattr(access.auth_util, "get_secrets_auth_section", lambda: auth)
        monkeypatch.setattr(access.st, "user", User(user))
        return AppTest.from_file(APP, default_timeout=120).run()

    return serve


# --- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "127.0.0.53"])
def test_an_address_of_this_machine_needs_no_sign_in(address):
    assert access.is_local(address)
    access.check_address(address, "--host")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.5", "example.org", "", None, "127.0.0.1.example.org"])
def test_every_other_address_is_refused_without_sign_in(address, monkeypatch):
    monkeypatch.setattr(access.auth_util, "get_secrets_auth_section", dict)
    assert not access.is_local(address)
    with pytest.raises(InputProblem, match="there is no sign-in"):
        access.check_address(address, "--host")


@pytest.mark.parametrize("missing", list(AUTH))
def test_a_sign_in_that_lacks_something_is_none(missing):
    assert missing in access.sign_in_problem({k: v for k, v in AUTH.items() if k != missing})
    assert access.sign_in_problem(AUTH) == ""


def test_a_provider_of_its_own_section_is_complete_or_named():
    common = {k: AUTH[k] for k in ("redirect_uri", "cookie_secret")}
    own = {k: AUTH[k] for k in ("client_id", "client_secret", "server_metadata_url")}
    assert access.sign_in_problem({**common, "okta": own}) == ""
    assert "client_secret" in access.sign_in_problem({**common, "okta": {**own, "client_secret": ""}})


def test_without_authlib_there_is_no_sign_in(monkeypatch):
    monkeypatch.setattr(access.auth_util, "is_authlib_installed", lambda: False)
    assert "chartproof[sign-in]" in access.sign_in_problem(AUTH)


def test_the_command_refuses_with_one_clear_line(tmp_path):
    command = [sys.executable, str(ROOT / "cli.py"), "app", "--host", "0.0.0.0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": str(tmp_path)})  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("chartproof: --host 0.0.0.0: ")
    assert "sign-in" in line


def test_the_command_hands_on_every_setting(monkeypatch):
    import cli

    called = []
    monkeypatch.setattr("streamlit.web.cli.main", lambda: called.append(list(sys.argv)))
    monkeypatch.setattr(sys, "argv", ["chartproof"])
    with pytest.raises(SystemExit):
        cli.workbench(host="127.0.0.1", port=8600)
    [argv] = called
    assert argv[:2] == ["streamlit", "run"]
    for flag in ("--server.port=8600", "--server.address=127.0.0.1", "--browser.gatherUsageStats=false",
                 "--client.toolbarMode=minimal", "--client.showErrorDetails=none", "--theme.light.primaryColor=#17698c"):  # fmt: skip
        assert flag in argv


def test_the_settings_in_the_package_are_those_of_the_checkout():
    travelling = tomllib.loads((ROOT / "ui" / "streamlit.toml").read_text(encoding="utf-8"))
    assert travelling == tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert (
        access.settings()["theme.dark.sidebar.backgroundColor"]
        == travelling["theme"]["dark"]["sidebar"]["backgroundColor"]
    )


# --- the workbench, however Streamlit was started --------------------------------------------------------------------


def titles(app: AppTest) -> str:
    return "\n".join(h.value for h in app.html)


def test_app_py_refuses_to_show_anything_to_others_without_sign_in(served):
    app = served({}, auth={})
    assert "there is no sign-in" in app.error[0].value
    assert "Does the note prove" not in titles(app)
    assert not app.text_input


def test_app_py_refuses_where_streamlit_would_report_its_use(monkeypatch):
    asked = access.st.get_option
    monkeypatch.setattr(access.st, "get_option", lambda name: name == "browser.gatherUsageStats" or asked(name))
    monkeypatch.setattr(access, "is_local", lambda address: True)
    app = AppTest.from_file(APP, default_timeout=120).run()
    assert "chartproof app" in app.error[0].value
    assert "Does the note prove" not in titles(app)


def test_who_isnt_signed_in_sees_the_sign_in_and_nothing_else(served):
    app = served({"is_logged_in": False})
    assert [b.label for b in app.button] == ["Sign in"]
    assert "Does the note prove the claim? Sign in" in " ".join(titles(app).split())
    assert not app.text_input


def test_a_coder_sees_the_review_page(served, roles):
    roles('[people]\n"ann@example.org" = ["coder"]\n')
    app = served({"is_logged_in": True, "email": "Ann@Example.org", "email_verified": True})
    assert not app.exception
    assert not app.error
    assert "Does the note prove the claim?" in titles(app)


@pytest.mark.parametrize(
    "user",
    [{"is_logged_in": True, "email": "eve@example.org"}, {"is_logged_in": True},
     {"is_logged_in": True, "email": "ann@example.org", "email_verified": False}],
)  # fmt: skip
def test_who_has_no_role_sees_no_page(served, roles, user):
    roles('[people]\n"ann@example.org" = ["coder"]\n')
    app = served(user)
    assert "no role" in app.error[0].value
    assert "Does the note prove" not in titles(app)


def test_navigation_shows_only_what_the_roles_allow(served, roles, monkeypatch):
    import app as front

    roles('[people]\n"ann@example.org" = ["coder"]\n"ben@example.org" = ["cdi"]\n')
    for email, role in (("ann@example.org", "coder"), ("ben@example.org", "cdi")):
        seen = []
        monkeypatch.setattr(access.st, "navigation", lambda pages, seen=seen, **_: seen.extend(pages) or pages[0])
        served({"is_logged_in": True, "email": email})
        assert [p.title for p in seen] == [p[1] for p in front._PAGES if role in p[4]]


@pytest.mark.parametrize(("role", "allowed"), [("coder", True), ("cdi", False)])
def test_a_page_asks_again_for_its_role(served, roles, role, allowed):
    roles(f'[people]\n"ann@example.org" = ["{role}"]\n')
    served({"is_logged_in": True, "email": "ann@example.org"})

    def page() -> None:
        import streamlit as st

        from ui.access import require

        require("coder")
        st.text("inside")

    app = AppTest.from_function(page, default_timeout=60).run()
    assert bool(app.text) is allowed
    assert bool(app.error) is not allowed


# --- roles and names -------------------------------------------------------------------------------------------------


def test_roles_come_from_the_file_without_regard_to_capitals(roles):
    roles('default = ["educator"]\n[people]\n"Ann@Example.org" = ["coder", "cdi"]\n"eva@example.org" = ["admin"]\n')
    assert access.roles_of("ann@example.ORG ") == {"coder", "cdi"}
    assert access.roles_of("eva@example.org") == set(access.ROLES)
    assert access.roles_of("somebody@else.org") == {"educator"}


def test_without_a_file_nobody_has_a_role(roles):
    assert access.roles_of("ann@example.org") == set()


@pytest.mark.parametrize(
    ("text", "said"),
    [("[people", "TOML"), ("persons = 1", "isn't known"), ('[people]\n"a@b.c" = ["boss"]', "roles"), ("people = 3", "table"),
     ('[people]\n"a@b.c" = "admin"', "roles"), ("default = [[]]", "roles")],
)  # fmt: skip
def test_a_file_that_cant_be_used_is_an_error_and_gives_nobody_a_role(roles, text, said):
    roles(text)
    with pytest.raises(InputProblem, match=said):
        access.roles_of("a@b.c")


def test_on_this_machine_everybody_has_every_role_and_a_name_that_can_be_changed():
    def page() -> None:
        import streamlit as st

        from ui.access import ROLES, current_user, my_roles, user_menu

        user_menu()
        st.text(f"{current_user()} {my_roles() == set(ROLES)}")

    app = AppTest.from_function(page, default_timeout=60).run()
    assert app.text[0].value == "local user True"
    app.text_input(key="me_entered").set_value("  Ann \n Coder ").run()
    assert app.text[0].value == "Ann Coder True"


def test_who_is_signed_in_cant_take_another_name(served, roles):
    roles('default = ["coder"]\n')
    served({"is_logged_in": True, "email": "ann@example.org"})
    access.set_current_user("Somebody else")
    assert access.current_user() == "ann@example.org"


@pytest.mark.parametrize("page", ["review_page", "worklist", "appeal", "reference", "learn"])
def test_every_page_asks_for_its_role_before_it_shows_anything(page, served, roles, monkeypatch):
    from importlib import import_module

    roles("[people]\n")
    module = import_module(f"ui.{page}")
    monkeypatch.setattr(access, "my_roles", frozenset)
    shown: list[str] = []

    def stop():
        raise RuntimeError("stopped")

    monkeypatch.setattr(access.st, "error", lambda text, **_: shown.append(text))
    monkeypatch.setattr(access.st, "stop", stop)
    with pytest.raises(RuntimeError, match="stopped"):
        module.page()
    assert len(shown) == 1 and "is for the role" in shown[0]
