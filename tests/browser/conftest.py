"""A workbench of our own and a real browser for the tests in this folder, one file for each page.

Skipped where playwright or Chromium is missing. With CHARTPROOF_SCREENSHOTS=1 the pictures in docs/ are made anew. Every
page fails its test if it asks any other machine for anything.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

CHROMIUM = Path(os.environ.get("CHARTPROOF_CHROMIUM", "/usr/bin/chromium"))
ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
LOCAL = {"127.0.0.1", "localhost"}


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The address of a workbench of our own, and the file that holds what it printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("workbench") / "log.txt"
    # What is saved goes into a database of the tests' own; the compiled code sets stay where they are.
    database = f"sqlite:///{tmp_path_factory.mktemp('kept') / 'kept.db'}"
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port),
               "--server.address", "127.0.0.1", "--server.headless", "true", "--browser.gatherUsageStats", "false"]  # fmt: skip
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "CHARTPROOF_DATABASE": database}
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.5)
        yield address, log
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed: pip install playwright")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: apt-get install chromium")
    with sync_api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def page(browser, server):
    """The Review page at 1280 x 800; the test fails if it asks any other machine for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light", accept_downloads=True)
    opened = context.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("websocket", lambda socket: asked.append(socket.url))
    context.route(lambda url: urlsplit(url).hostname not in LOCAL, lambda route: route.abort())
    opened.goto(server[0])
    opened.get_by_text("Does the note prove the claim?").wait_for()
    yield opened
    outside = {u for u in asked if urlsplit(u).scheme not in ("data", "blob") and urlsplit(u).hostname not in LOCAL}
    context.close()
    assert not outside
    assert asked


@pytest.fixture
def violations(page):
    """A function that gives the accessibility faults of the page as it stands: "impact: rule (first place)"."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python").Axe()

    def run() -> list[str]:
        found = axe.run(page).response["violations"]
        return [f"{v['impact']}: {v['id']} {v['nodes'][0]['target']}" for v in found]

    return run
