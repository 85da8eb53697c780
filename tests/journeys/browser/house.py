"""One project on disk, its real server, and one person at a browser, from the first command to the consensus."""

from __future__ import annotations

import csv
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect
from tests.journeys.conftest import Shell
from tests.trials.nodes import free_port

from labelmill.domain.strict_json import loads
from labelmill.pipeline._database_votes import database_votes
from labelmill.pipeline.aggregate import read_consensus
from labelmill.pipeline.workspace import Workspace

__all__ = ["PASSWORD", "House", "is_saved"]

PERSON, PASSWORD = "ana", "correct horse battery"
AS_TEXT = {"choice", "rating", "text"}
"""Kinds whose values stand in tables as they are; the others as JSON."""


@dataclass
class House:
    """A project with its server, and how a person gets in.

    Parameters
    ----------
    root : Path
        Empty; the project becomes a folder in it.
    shell : callable
        Runs `labelmill WORDS...` and says what came of it.
    open_page : callable
        Opens an address in the browser.
    """

    root: Path
    shell: Shell
    open_page: Callable[[str], Page]
    kind: str = ""
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    url: str = ""

    @property
    def folder(self) -> Path:
        """The project's."""
        return self.root / "project"

    def build(
        self, kind: str, classes: Sequence[str], items: Mapping[str, str | bytes], *, modality: str = "text"
    ) -> None:
        """`labelmill init`, and `labelmill import` of a table of items; bytes become files that the table names."""
        self.kind = kind
        named = ["--classes", ",".join(classes)] if classes else []
        self.run("init", self.folder, "--kind", kind, "--modality", modality, *named)
        rows = [(name, self._cell(name, content, modality)) for name, content in items.items()]
        with (self.folder / "items.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("id", modality), *rows])
        self.run("import", self.folder / "items.csv", "-p", self.folder)

    def run(self, *words: str | Path) -> str:
        """What a command says; one that fails fails the test."""
        answer = self.shell(*words)
        assert answer.status == 0, answer.err
        return answer.out

    def start(self, *words: str, command: Sequence[str] = ("serve",), port: int = 0) -> str:
        """The server as a process of its own; the link that it prints."""
        where = ["-p", str(self.folder)] if command[0] == "serve" else []
        line = [sys.executable, "-m", "labelmill.cli.main", *command, *where, "--port", str(port), "--no-open", *words]
        process = subprocess.Popen(line, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.processes.append(process)
        assert process.stderr is not None
        said = []
        for told in process.stderr:
            said.append(told)
            if found := re.search(r"(http://\S+)", told):
                self.url = re.sub(r"/set-up/.*", "", found[1]).rstrip("/")
                return found[1]
        raise AssertionError(f"the server printed no address:\n{''.join(said)}")

    def move_in(self, link: str) -> Page:
        """Make the first account by the link and go to the labelling page, by keyboard alone."""
        page = self.open_page(link)
        expect(page.get_by_label("Name")).to_be_focused()
        for words in (PERSON, PASSWORD, PASSWORD):
            page.keyboard.type(words)
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Projects")).to_be_visible()
        page.get_by_role("link", name="Label", exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.locator(".panel")).to_be_visible()
        return page

    def open(
        self,
        kind: str,
        classes: Sequence[str],
        items: Mapping[str, str | bytes],
        *,
        modality: str = "text",
        words: Sequence[str] = (),
        port: int = 0,
    ) -> Page:
        """Build, start and move in."""
        self.build(kind, classes, items, modality=modality)
        return self.move_in(self.start(*words, port=port))

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._let_go(signal.SIGKILL)

    def stop(self) -> None:
        """Ask the server to end; it does, in time and without complaint."""
        assert self._let_go(signal.SIGTERM) == 0

    def close(self, page: Page) -> None:
        """Everything has arrived; the tab closes, then the server; the votes are counted."""
        is_saved(page)
        page.close()
        self.stop()
        self.run("aggregate", "-p", self.folder)

    def end(self) -> None:
        """Whatever is left after a test that failed."""
        for process in self.processes:
            process.kill()
            process.wait()
            assert process.stderr is not None
            process.stderr.close()

    def votes(self) -> dict[str, Any]:
        """Item -> what the person at the browser says now."""
        rows = database_votes(Workspace.open(self.folder)).select("item", "annotator", "value").rows()
        assert len({who for _, who, _ in rows}) <= 1
        return {item: self._value(text) for item, _, text in rows}

    def consensus(self) -> dict[str, Any]:
        """Item -> what `labelmill aggregate` has made of it; items without an answer are left out."""
        frame = read_consensus(Workspace.open(self.folder)).consensus.to_frame()
        rows = frame.select("item", "label").drop_nulls("label").rows()
        return {item: self._value(text) for item, text in rows}

    def n_votes(self) -> int:
        """Rows in the table of votes, whatever became of them later; SQLite only."""
        with closing(sqlite3.connect(self.folder / ".labelmill" / "people.db")) as connection:
            return int(connection.execute("SELECT count(*) FROM votes WHERE kind = 'label'").fetchone()[0])

    def free_port(self) -> int:
        """A port for a server that will be started again."""
        return free_port()

    def _cell(self, name: str, content: str | bytes, modality: str) -> str:
        if isinstance(content, str):
            return content
        path = self.folder / "media" / f"{name}{'.png' if modality == 'image' else '.wav'}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path.relative_to(self.folder).as_posix()

    def _let_go(self, how: int) -> int:
        process = self.processes.pop()
        process.send_signal(how)
        status = process.wait(15)
        assert process.stderr is not None
        process.stderr.close()
        return status

    def _value(self, text: Any) -> Any:
        return text if self.kind in AS_TEXT or not isinstance(text, str) else loads(text)


def is_saved(page: Page) -> None:
    """Waits until everything has arrived."""
    expect(page.locator(".saved")).to_have_text("all saved")
