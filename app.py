"""The web front door: page setup, sign-in and navigation; nothing else.

Streamlit runs this file (`chartproof app`, `make app`). Every page is a module in `ui/`, and says which roles it is for.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ui import access, appeal, learn, reference, review_page, worklist
from ui.style import style

# A picture of our own: Streamlit would fetch a named icon for the browser tab from the network.
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#17698c"/>'
    '<path d="M8 17l5.5 5.5L24 11" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round"/></svg>'
)

# Page, title, icon, address, and the roles it is for. What isn't allowed isn't shown; the page itself asks again.
_ALL: tuple[access.Role, ...] = ("coder", "cdi", "educator")
_PAGES: tuple[tuple[Callable[[], None], str, str, str, tuple[access.Role, ...]], ...] = (
    (review_page.page, "Review", "description", "review", _ALL),
    (worklist.page, "Worklist", "checklist", "worklist", ("cdi",)),
    (appeal.page, "Appeal", "gavel", "appeal", _ALL),
    (reference.page, "Reference", "menu_book", "reference", _ALL),
    (learn.page, "Learn", "school", "learn", _ALL),
)


def main() -> None:
    """The page that is asked for, to whoever may see it."""
    st.set_page_config(page_title="ChartProof", page_icon=_ICON, layout="wide", initial_sidebar_state=330)
    refused = access.refusal()
    if refused:
        st.error(refused, icon=":material/error:")
        st.stop()
    if access.signed_in():
        shown = [
            st.Page(page, title=title, icon=f":material/{icon}:", url_path=path, default=number == 0)
            for number, (page, title, icon, path, _) in enumerate(p for p in _PAGES if access.allowed(*p[4]))
        ]
        if shown:
            st.navigation(shown, position="top").run()
        else:
            style()
            st.error("You are signed in, but no role was given to you. Ask an admin.", icon=":material/lock:")
            access.user_menu()
    else:
        style()
        st.navigation([st.Page(access.sign_in_page, title="Sign in", url_path="sign-in")], position="hidden").run()


# Processes that review many notes import this file under another name: they must not draw a page.
if __name__ == "__main__":
    main()
