"""Opening the database: SQLite in the user's folder, or another one by URL; migrations run by themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from code_maps.home import home
from models.problem import InputProblem
from store.schema import HEAD_REVISION, audit_head

NAME = "chartproof.db"
_VARIABLE = "CHARTPROOF_DATABASE"
_BUSY_SECONDS = 30
_MIGRATING = 0x43686172  # any fixed number: whoever holds this advisory lock migrates


def database_url(url: str | None = None) -> sa.URL:
    """The URL asked for, else CHARTPROOF_DATABASE, else the file in CHARTPROOF_HOME. Raises InputProblem."""
    named = (url or os.environ.get(_VARIABLE, "")).strip()
    if not named:
        return sa.URL.create("sqlite", database=str(home() / NAME))
    where = "the database URL" if url else _VARIABLE
    try:
        read = make_url(named)
    except (sa.exc.ArgumentError, ValueError):
        raise InputProblem("not a database URL", where, "such as sqlite:////data/kept.db") from None
    if read.drivername in ("postgres", "postgresql"):
        read = read.set(drivername="postgresql+psycopg")
    if read.get_backend_name() == "sqlite":
        if not read.database or read.database == ":memory:":
            raise InputProblem("no file is named", where, "such as sqlite:////data/kept.db")
        return read.set(drivername="sqlite")
    if read.drivername != "postgresql+psycopg":
        raise InputProblem(f"{read.drivername!r} isn't known here", where, "use sqlite or postgresql")
    return read


def shown(url: sa.URL) -> str:
    """Where that is, for people; never a password."""
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def connect(url: sa.URL) -> sa.Engine:
    """An engine for `url`, its schema brought up to date. Raises InputProblem when it can't be opened or is too new."""
    try:
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgres(url)
        migrate(engine)
    except sa.exc.DBAPIError as error:
        # The driver's own words name hosts and files, never a row: parameters are hidden, nothing is written yet.
        said = " ".join(str(error.orig).split())
        raise InputProblem(f"the database can't be opened: {said}", shown(url)) from None
    except OSError as error:
        raise InputProblem(f"the database can't be opened: {error.strerror}", shown(url)) from None
    return engine


def _sqlite(url: sa.URL) -> sa.Engine:
    path = Path(str(url.database))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # for its owner only, before anything is in it
    engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection, _) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        connection.isolation_level = (
            None  # transactions are begun below; the driver's own handling begins them too late
        )
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON", "temp_store=MEMORY", "synchronous=FULL",
        ):  # fmt: skip
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A writer takes its lock at once: one that reads first and writes later can't wait for another, only fail.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(url: sa.URL) -> sa.Engine:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise InputProblem("psycopg isn't installed", shown(url), "pip install 'chartproof[postgres]'") from None
    return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True)


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that writes. Only one at a time, in all processes: each waits for the head of the audit trail."""
    with _said(engine), engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(sa.select(audit_head.c.count).with_for_update())
        yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that reads one state of the database."""
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with _said(engine), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def _said(engine: sa.Engine) -> Iterator[None]:
    """What goes wrong in the database as an InputProblem: the driver's own words may quote the row, which holds a note."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        kind = type(error.orig).__name__
        raise InputProblem(
            f"the database doesn't do it ({kind})", shown(engine.url), "try again; is it busy or full?"
        ) from None


# --- migrations ----------------------------------------------------------------------------------------------------


def revision(engine: sa.Engine) -> str | None:
    """The revision that the database stands at; None for an empty one."""
    if not sa.inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def migrate(engine: sa.Engine, to: str = "head") -> None:
    """Bring the schema to a revision ("head", "base", a number), in one transaction. Two processes may try at once."""
    if to == "head" and revision(engine) == HEAD_REVISION:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
        config.attributes["connection"] = connection
        try:
            (command.downgrade if to == "base" else command.upgrade)(config, to)
        except CommandError:
            raise InputProblem(
                "the database was made by a newer ChartProof", shown(engine.url), "update ChartProof"
            ) from None
