from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from labelmill.cli.main import cli
from labelmill.client import Client
from labelmill.errors import StorageError, UsageError
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.init import init
from labelmill.pipeline.votes import people_votes
from labelmill.pipeline.workspace import Workspace
from labelmill.server.running import listen


def _shell(*words: object) -> str:
    """What a command says on standard output, in this process."""
    done = CliRunner().invoke(cli, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


@contextmanager
def _served(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server process, and the address that it printed."""
    command = [sys.executable, "-m", "labelmill.cli.main", "serve", "-p", str(folder), "--port", "0", "--no-open"]
    with subprocess.Popen([*command, *words], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                found = re.search(r"(http://\S+)", line)
                if found:
                    yield process, found.group(1)
                    return
            raise AssertionError("the server printed no address")
        finally:
            process.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "items.csv").write_text("id,text\n" + "".join(f"m{i},text {i}\n" for i in range(4)))
    init(tmp_path / "mails", classes=["ham", "spam"])
    ingest(Workspace.open(tmp_path / "mails"), tmp_path / "items.csv")
    return tmp_path / "mails"


def test_a_project_is_served_and_its_answers_counted(folder: Path) -> None:
    """The printed link makes an account, answers are taken, SIGTERM ends the server, and `aggregate` counts them.

    A backup holds them, and the record of who did what is whole.
    """
    with _served(folder) as (process, link):
        root, _, token = link.partition("/set-up/")
        with Client(root) as client:
            client.set_up(token, "ana", "long enough")
            (project,) = client.projects()
            for task in client.next(project["project"], 4)["tasks"]:
                client.answer(project["project"], task, "spam")
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            status = process.wait(timeout=15)
        assert (status, time.monotonic() - started < 10) == (0, True)

    told = aggregate(Workspace.open(folder)).summary.labels
    _shell("backup", folder / "copy.db", "-p", folder)
    (folder / ".labelmill" / "people.db").rename(folder / "lost.db")
    for beside in (folder / ".labelmill").glob("people.db-*"):
        beside.unlink()
    restored = _shell("restore", folder / "copy.db", "-p", folder)
    again = people_votes(Workspace.open(folder))
    log = _shell("audit-log", "verify", "-p", folder)

    assert told == {"ham": 0, "spam": 4}
    assert again["value"].to_list() == ["spam"] * 4
    assert "mails" in restored
    assert log.count("whole") == 2


def test_a_public_address_needs_an_admin_first(folder: Path) -> None:
    """Whoever comes first must not become the admin: a server that others reach does not start without one."""
    with pytest.raises(UsageError, match="no admin yet"):
        _shell("serve", "-p", folder, "--host", "0.0.0.0", "--port", "0", "--no-open")  # noqa: S104 -- refused


def test_a_taken_port_is_told_before_any_work(folder: Path) -> None:
    """Another program on the port: one line that says what to do."""
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StorageError, match="--port"):
            _shell("serve", "-p", folder, "--port", port, "--no-open")


def test_a_password_in_the_address_is_refused(folder: Path) -> None:
    """Others on the machine read command lines."""
    with pytest.raises(UsageError, match="PGPASSWORD") as told:
        _shell("serve", "-p", folder, "--database", "postgresql://me:secret@host/db", "--port", "0")

    assert "secret" not in str(told.value)


def test_no_server_is_told() -> None:
    """A client whose server is not there says so."""
    with Client("http://127.0.0.1:9") as client, pytest.raises(StorageError, match="is it running"):
        client.me()
