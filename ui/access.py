"""Who may see what: nobody signs in on this machine, everybody does on a network.

Bound to 127.0.0.1 the workbench serves one person, who has every role. Bound to any other address it refuses to start
without OpenID Connect (`[auth]` in .streamlit/secrets.toml, and Authlib: the extra `sign-in`), and each page asks for
its role. Roles stand in access.toml in CHARTPROOF_HOME, or where CHARTPROOF_ACCESS says:

    default = []                # the roles of those who aren't named; none without this line
    [people]
    "ann@example.org" = ["coder", "cdi"]
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

import streamlit as st
from streamlit import auth_util

from code_maps.home import home
from models.problem import InputProblem

Role = Literal["coder", "cdi", "educator", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
LOCAL_USER = "local user"
_MOST_NAME = 100
_NEEDED = ("redirect_uri", "cookie_secret")
_PROVIDER = ("client_id", "client_secret", "server_metadata_url")


def is_local(address: str | None) -> bool:
    """Whether only this machine can reach an address to listen on. None is every address."""
    if not address:
        return False
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def sign_in_problem(auth: Mapping[str, Any] | None = None) -> str:
    """What is missing for signing in; empty when nothing is. `auth` is the [auth] section, read if it isn't given."""
    if not auth_util.is_authlib_installed():
        return "Authlib isn't installed: pip install 'chartproof[sign-in]'"
    if auth is None:
        auth = auth_util.get_secrets_auth_section()
    if not auth:
        return "there is no [auth] section in .streamlit/secrets.toml"
    missing = [name for name in _NEEDED if not auth.get(name)]
    named = [section for section in auth.values() if isinstance(section, Mapping) and "client_id" in section]
    for section in named or [auth]:
        missing += [name for name in _PROVIDER if not section.get(name)]
    return f"[auth] in .streamlit/secrets.toml lacks {', '.join(dict.fromkeys(missing))}" if missing else ""


def check_address(address: str | None, where: str) -> None:
    """Refuse an address that others can reach, unless they have to sign in. Raises InputProblem."""
    if is_local(address):
        return
    problem = sign_in_problem()
    if problem:
        raise InputProblem(
            f"others can reach it and there is no sign-in: {problem}", where,
            "use 127.0.0.1, or set up sign-in (docs/sign-in.md)",
        )  # fmt: skip
    _configured()


def settings() -> dict[str, Any]:
    """The settings of the workbench by their dotted name, as Streamlit takes them; from the file beside this one."""

    def flat(section: Mapping[str, Any], above: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in section.items():
            if isinstance(value, Mapping):
                found |= flat(value, f"{above}{name}.")
            else:
                found[above + name] = value
        return found

    return flat(tomllib.loads(files("ui").joinpath("streamlit.toml").read_text(encoding="utf-8")), "")


def refusal() -> str:
    """Why this server may not show anything; empty when it may. For app.py, however Streamlit was started."""
    try:
        check_address(st.get_option("server.address"), f"server.address {st.get_option('server.address') or '(all)'}")
    except InputProblem as problem:
        return str(problem)
    if st.get_option("browser.gatherUsageStats"):
        return (
            "Streamlit would report that it is used. Start the workbench with `chartproof app`, "
            "or set browser.gatherUsageStats to false."
        )
    return ""


def signs_in() -> bool:
    """Whether people sign in here."""
    return not is_local(st.get_option("server.address"))


def signed_in() -> bool:
    """Whether somebody is signed in, or needn't be."""
    return not signs_in() or bool(st.user.get("is_logged_in", False))


def _email() -> str:
    """The address of who is signed in; empty where the provider says it isn't verified."""
    if not st.user.get("is_logged_in", False) or st.user.get("email_verified") is False:
        return ""
    return str(st.user.get("email") or "").strip().lower()


def current_user() -> str:
    """A name for the audit trail: who is signed in, or on this machine what the user is called here."""
    if signs_in():
        return _email() or "unknown user"
    return str(st.session_state.get("me") or LOCAL_USER)


def set_current_user(name: str) -> None:
    """Call the user of this machine by a name. Nobody can do so where people sign in."""
    if not signs_in():
        st.session_state["me"] = " ".join(name.split())[:_MOST_NAME] or LOCAL_USER


def access_file() -> Path:
    """Where the roles stand."""
    named = os.environ.get("CHARTPROOF_ACCESS", "").strip()
    return Path(named).expanduser() if named else home() / "access.toml"


def roles_of(email: str) -> frozenset[Role]:
    """The roles of an address; an admin has all. Raises InputProblem for a file that can't be used."""
    people, default = _configured()
    found = people.get(email.strip().lower(), default)
    return frozenset(ROLES) if "admin" in found else frozenset(found)


def _configured() -> tuple[dict[str, tuple[Role, ...]], tuple[Role, ...]]:
    """The roles by address, and those of everybody else. Raises InputProblem."""
    path = access_file()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, ()
    except (OSError, ValueError) as error:
        raise InputProblem(f"it can't be read ({type(error).__name__})", str(path), "write it as TOML") from None
    unknown = set(data) - {"default", "people"}
    if unknown:
        raise InputProblem(f"{sorted(unknown)[0]!r} isn't known", str(path), "use default and [people]")
    people = data.get("people", {})
    if not isinstance(people, dict):
        raise InputProblem("people is no table", str(path), "write [people] and a line for each address")
    return (
        {str(email).strip().lower(): _roles(given, str(email), path) for email, given in people.items()},
        _roles(data.get("default", []), "default", path),
    )


def _roles(given: object, name: str, path: Path) -> tuple[Role, ...]:
    if not isinstance(given, list) or any(role not in ROLES for role in given):
        raise InputProblem(f"{name} has something else than roles", str(path), f"a list of {', '.join(ROLES)}")
    return tuple(role for role in ROLES if role in given)


def my_roles() -> frozenset[Role]:
    """The roles of the user at hand: every one on this machine, else those of the address signed in with."""
    if not signs_in():
        return frozenset(ROLES)
    email = _email()
    return roles_of(email) if email else frozenset()


def allowed(*roles: Role) -> bool:
    """Whether the user has one of the roles; with none named, whether they are signed in."""
    return not my_roles().isdisjoint(roles) if roles else signed_in()


def require(*roles: Role) -> None:
    """Stop a page here unless the user has one of the roles. Every page calls it before it shows anything."""
    if not allowed(*roles):
        st.error(f"This page is for the role {' or '.join(roles)}. Ask an admin.", icon=":material/lock:")
        st.stop()


def sign_in_page() -> None:
    """All that is shown to somebody who isn't signed in."""
    st.html(
        '<div class="cp-hello"><h1>ChartProof</h1><p>Does the note prove the claim? '
        "Sign in to review notes on this server.</p></div>"
    )
    _, middle, _ = st.columns([1, 1, 1])
    auth = auth_util.get_secrets_auth_section()
    named = [name for name, section in auth.items() if isinstance(section, Mapping)]
    for name in [None] if auth.get("client_id") or not named else named:
        middle.button(
            "Sign in" if name is None else f"Sign in with {name}", on_click=st.login, args=(name,) if name else (),
            type="primary", width="stretch", key=f"sign_in_{name or ''}",
        )  # fmt: skip


def user_menu() -> None:
    """Who is at work: signed in, with the way out; or on this machine, by a name that can be changed."""
    if signs_in():
        st.text(current_user())
        st.button("Sign out", on_click=st.logout, key="sign_out", type="tertiary")
        return
    st.text_input(
        "Your name, for the audit trail", value=current_user(), key="me_entered", max_chars=_MOST_NAME,
        on_change=lambda: set_current_user(st.session_state["me_entered"]),
    )  # fmt: skip
