"""A PostgreSQL server for the tests: the one that CHARTPROOF_TEST_POSTGRES names, or a private one of our own.

A private server needs the binaries (`apt-get install postgresql`) and, where the tests run as root, an unprivileged
user to run it as: PostgreSQL refuses root.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest


def _binary(name):
    found = shutil.which(name)
    if found:
        return found
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(beside[-1]) if beside else None


def _as_somebody():
    """What a command must begin with to run unprivileged, and that user's id; ([], None) where we are nobody special."""
    if os.getuid() != 0:
        return [], None
    runuser = shutil.which("runuser")
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        if runuser:
            return [runuser, "-u", name, "--"], user
    pytest.skip("PostgreSQL doesn't run as root, and there is no runuser with a user postgres or nobody")


@contextmanager
def server():
    """The URL of a server's database, and its data folder (None for one that isn't ours). Skips where there is none."""
    named = os.environ.get("CHARTPROOF_TEST_POSTGRES")
    if named:
        yield named, None
        return
    pytest.importorskip("psycopg", reason="psycopg isn't installed: pip install 'chartproof[postgres]'")
    initdb, postgres = _binary("initdb"), _binary("postgres")
    if not initdb or not postgres:
        pytest.skip("no PostgreSQL server: apt-get install postgresql, or name one in CHARTPROOF_TEST_POSTGRES")
    before, user = _as_somebody()
    folder = Path(tempfile.mkdtemp(prefix="chartproof-pg-"))
    data = folder / "data"
    try:
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        subprocess.run(
            [*before, initdb, "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        command = [*before, postgres, "-D", data, "-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1",
                   "-c", "fsync=off"]  # fmt: skip
        with (folder / "log").open("wb") as log:
            running = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            _wait(port, running, folder / "log")
            yield f"postgresql://tester@127.0.0.1:{port}/postgres", data
        finally:
            _stop(data, running)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port, running, log):
    import time

    import psycopg

    for _ in range(100):
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="tester", dbname="postgres", connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            assert running.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(log.read_text())


def _stop(data, running):
    import signal

    # runuser stands between us and the server, which names itself in its folder.
    try:
        os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGINT)
    except (OSError, ValueError):
        running.terminate()
    running.wait(timeout=20)
