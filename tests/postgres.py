"""A real PostgreSQL for tests: started once, on a folder of its own and a free port, with a new database a test."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from tests.trials.nodes import free_port

__all__ = ["Postgres", "database_url", "migrated_file", "postgres", "running_postgres"]

QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
"""For tests that are not about surviving."""

SMALL = ("shared_buffers=64MB", "max_connections=200", "max_wal_size=2GB")

PATIENCE = 60.0


@dataclass
class Postgres:
    """A running server.

    Parameters
    ----------
    folder : Path
        Its data.
    port : int
        On 127.0.0.1.
    settings : sequence of str
        What it runs with, `name=value`.
    """

    folder: Path
    port: int
    settings: Sequence[str]
    process: subprocess.Popen[bytes] | None = None

    def url(self, name: str = "postgres") -> str:
        """Of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        import psycopg  # not at the top: every test run reads this file

        words = [_program("postgres"), "-D", str(self.folder), "-p", str(self.port), "-h", "127.0.0.1", "-k", ""]
        for setting in (*SMALL, *self.settings):
            words += ["-c", setting]
        with (self.folder.parent / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen([*_as_nobody(), *words], stdout=log, stderr=log, start_new_session=True)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with suppress(psycopg.OperationalError):
                psycopg.connect(self.url(), connect_timeout=2).close()
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        said = (self.folder.parent / "postgres.log").read_text()[-2000:]
        raise RuntimeError(f"PostgreSQL did not start:\n{said}")

    def stop(self) -> None:
        """End it at once, as nobody needs its data any more."""
        self.kill()

    def kill(self, how: int = signal.SIGKILL) -> None:
        """End every process of the server."""
        if self.process is None:
            return
        victims = [psutil.Process(self.process.pid)]
        if how == signal.SIGKILL:
            victims += victims[0].children(recursive=True)
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.send_signal(how)
        psutil.wait_procs(victims, PATIENCE)
        self.process.wait(PATIENCE)
        self.process = None
        if how == signal.SIGKILL:
            (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def run(self, statement: str) -> None:
        """One statement, outside a transaction."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def new_database(self, template: str = "template1") -> str:
        """The URL of a fresh database."""
        name = f"t{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is in it."""
        self.run(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")


@contextmanager
def running_postgres(*settings: str) -> Iterator[Postgres]:
    """A server on a temporary folder; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="lm-postgres-", ignore_cleanup_errors=True) as root:
        folder = Path(root) / "data"
        folder.mkdir(mode=0o700)
        _own(Path(root), folder)
        subprocess.run(
            [
                *_as_nobody(),
                _program("initdb"),
                "-D",
                str(folder),
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync",
                "--no-instructions",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )
        server = Postgres(folder, free_port(), settings)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests that do not kill it, with a migrated database to copy as `template_labelmill`."""
    from labelmill.stores.database.connect import open_database

    with running_postgres(*QUICK) as server:
        server.run("CREATE DATABASE template_labelmill")
        open_database(server.url("template_labelmill"), allow_unsafe=True).close()
        yield server


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with all tables and nothing in them, to be copied."""
    from labelmill.stores.database.connect import open_database

    path = tmp_path_factory.mktemp("template") / "people.db"
    open_database(path).close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path) -> Iterator[str]:
    """Where a new, migrated database lies; each test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        (tmp_path / "store").mkdir()
        yield str(shutil.copy(migrated_file, tmp_path / "store" / "people.db"))
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.new_database("template_labelmill")
    yield url
    server.drop(url)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found:
        return found
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    if not kept:
        raise RuntimeError(f"no {name!r} found: install PostgreSQL (apt-get install postgresql), these tests need it")
    return str(kept[-1])


def _user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody'")


def _as_nobody() -> list[str]:
    user = _user()
    if user is None:
        return []
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _own(*folders: Path) -> None:
    user = _user()
    if user is not None:
        for folder in folders:
            os.chown(folder, user.pw_uid, user.pw_gid)
