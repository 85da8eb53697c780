"""A server that somebody is going to kill: `python -m tests.trials.serving DATABASE PORT`."""

from __future__ import annotations

import sys

from labelmill.server.app import create_app
from labelmill.server.running import listen, run_until_stopped
from labelmill.server.settings import ServerSettings
from labelmill.stores.database.connect import open_database


def main(address: str, port: int) -> None:
    """Serve until killed; say when there is an answer to be had."""
    database = open_database(address, allow_unsafe=True)
    app = create_app(database, ServerSettings(requests_per_second=1e6, burst=1e6))
    run_until_stopped(app, listen("127.0.0.1", port), started=_tell)


def _tell() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
