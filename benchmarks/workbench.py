"""How much longer a review takes in the workbench than in the terminal: a ratio, since seconds depend on the machine.

Browser time runs from Ctrl+Enter in the note field until the marks of the new note have been painted (everything of
Streamlit counts: sending the form, running the page again, drawing it). Terminal time is the work of
`chartproof review FILE` in a process that has loaded its code sets before: reading the file, the review, printing the
report; neither starting Python nor parsing the options counts. Beside it, as a person meets it, stands the same command
started anew. Both sides see the same notes of about 500 words, in turns, each different from the last; the medians are
divided. Needs playwright and a Chromium (CHARTPROOF_CHROMIUM, /usr/bin/chromium by default).
"""

from __future__ import annotations

import io
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = os.environ.get("CHARTPROOF_CHROMIUM", "/usr/bin/chromium")
AIM, MOST = 1.5, 3.0
ROUNDS = 15

# Ctrl+Enter and the wait are both inside the page, so that the time of talking to the browser isn't counted.
_TIMED = """
word => new Promise((done, fail) => {
  const root = [...document.querySelectorAll("*")].find(e => e.shadowRoot?.querySelector(".note")).shadowRoot;
  const note = root.querySelector(".note");
  const start = performance.now();
  const look = () => {
    if (note.textContent.includes(word) && note.querySelector("mark"))
      requestAnimationFrame(() => {  // a message sent from here arrives right after the frame is painted
        const after = new MessageChannel();
        after.port1.onmessage = () => done(performance.now() - start);
        after.port2.postMessage(0);
      });
    else if (performance.now() - start > 30000) fail(new Error("no marks after 30 seconds"));
    else setTimeout(look, 4);
  };
  root.querySelector("textarea").dispatchEvent(
    new KeyboardEvent("keydown", {key: "Enter", code: "Enter", ctrlKey: true, bubbles: true, composed: true}));
  look();
})
"""


def notes(count: int) -> list[str]:
    """Notes of about 500 words: two samples in one, each with a number of its own."""
    both = "\n\n".join(
        (ROOT / "sample_notes" / name / "note.txt").read_text(encoding="utf-8")
        for name in ("heart-failure", "diabetes-ckd")
    )
    return [f"Encounter ref{number}x.\n{both}" for number in range(count)]


@contextmanager
def served() -> Iterator[str]:
    """The address of a workbench of our own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as kept:
        environment = {**os.environ, "CHARTPROOF_DATABASE": f"sqlite:///{kept}/kept.db"}
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), "app", "--port", str(port)], cwd=ROOT, env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                    break
                except OSError:
                    if process.poll() is not None:
                        raise RuntimeError("the workbench didn't start") from None
                    time.sleep(0.25)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def in_terminal(path: Path) -> float:
    """Seconds of the work of one `chartproof review`, in this process."""
    from exchange.rendered import print_text
    from models.text import Note
    from pipeline.review import review

    start = time.perf_counter()
    with redirect_stdout(io.StringIO()):
        print_text(review(Note(path.read_bytes().decode("utf-8"))), colour=False)
    return time.perf_counter() - start


def started_anew(path: Path) -> float:
    """Seconds of one `chartproof review` with a process of its own."""
    start = time.perf_counter()
    command = [sys.executable, str(ROOT / "cli.py"), "review", str(path)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def both(texts: list[str]) -> tuple[list[float], list[float]]:
    """Seconds in the terminal and in the browser for each note, in turns: what else the machine does slows both."""
    from playwright.sync_api import sync_playwright

    terminal: list[float] = []
    browser: list[float] = []
    with served() as address, sync_playwright() as play, tempfile.TemporaryDirectory() as folder:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        editor = page.get_by_role("textbox", name="Note", exact=True)
        editor.wait_for()
        path = Path(folder) / "note.txt"
        for number, text in enumerate(texts):
            path.write_text(text, encoding="utf-8")
            terminal.append(in_terminal(path))
            if number:
                page.get_by_role("button", name="Edit", exact=True).click()
            editor.fill(text)
            page.wait_for_timeout(500)
            browser.append(page.evaluate(_TIMED, f"ref{number}x") / 1000)
            page.wait_for_timeout(500)
        chromium.close()
    return terminal, browser


def main() -> bool:
    """Measure both and print the ratio; whether it is above what is allowed."""
    texts = notes(ROUNDS + 2)
    # The first two warm up: code sets, terms, the browser's own first drawing.
    in_terminal, in_browser = both(texts)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "note.txt"
        path.write_text(texts[0], encoding="utf-8")
        anew = statistics.median(started_anew(path) for _ in range(3))
    terminal, browser = statistics.median(in_terminal[2:]), statistics.median(in_browser[2:])
    ratio = browser / terminal
    print(f"workbench: a note of {len(texts[0].split())} words, median of {ROUNDS}")
    print(f"  terminal  {terminal * 1000:6.0f} ms   the work of chartproof review, warm process")
    print(f"  terminal  {anew * 1000:6.0f} ms   chartproof review, started anew (ratio {browser / anew:.2f})")
    print(
        f"  browser   {browser * 1000:6.0f} ms   Ctrl+Enter to marks painted (first note {in_browser[0] * 1000:.0f} ms)"
    )
    print(f"  ratio     {ratio:6.2f}      aim {AIM}, at most {MOST}")
    return ratio > MOST


if __name__ == "__main__":
    sys.exit(int(main()))
