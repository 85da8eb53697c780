"""Sixteen annotators in one process, which somebody is going to kill: `python -m tests.trials.annotators ...`.

Each writes into a journal of its own what it is about to send, and then that it was acknowledged, straight to the file,
so that the journal survives the process. What was sent without an answer is sent again by the next process, under its
old key, as a browser does.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from labelmill.errors import StorageError
from labelmill.stores.database.answers import Answer, submit
from labelmill.stores.database.connect import open_database
from labelmill.stores.database.projects import find_project
from labelmill.stores.database.queue import Queue

__all__ = ["journal_entries", "unanswered"]


def main(address: str, project: str, folder: str, users: Sequence[int]) -> None:
    """Label until killed."""
    database = open_database(address, allow_unsafe=True)
    queue = Queue(database, find_project(database, project))
    threads = [threading.Thread(target=_label, args=(queue, user, Path(folder)), daemon=True) for user in users]
    for thread in threads:
        thread.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for thread in threads:
        thread.join()


def _label(queue: Queue, user: int, folder: Path) -> None:
    journal = os.open(folder / f"{user}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for entry in unanswered(folder / f"{user}.jsonl"):
        _send(queue, user, entry, journal)
    try:
        while given := queue.next(user, 2):
            for one in given:
                entry = {"key": str(uuid.uuid4()), "turn": one.id, "item": one.item, "value": uuid.uuid4().hex}
                _send(queue, user, entry, journal)
    except StorageError:  # the server was killed
        return


def _send(queue: Queue, user: int, entry: dict[str, Any], journal: int) -> None:
    os.write(journal, (json.dumps({"sent": entry}) + "\n").encode())
    (receipt,) = submit(queue, user, [Answer(entry["key"], entry["turn"], value=entry["value"])])
    os.write(journal, (json.dumps({"answered": entry["key"], "status": receipt.status}) + "\n").encode())


def journal_entries(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a journal; the last may have been cut by a kill."""
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            return


def unanswered(path: Path) -> list[dict[str, Any]]:
    """What was sent and never acknowledged."""
    sent: dict[str, dict[str, Any]] = {}
    for line in journal_entries(path):
        if "sent" in line:
            sent[line["sent"]["key"]] = line["sent"]
        else:
            sent.pop(line["answered"], None)
    return list(sent.values())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], [int(word) for word in sys.argv[4:]])
