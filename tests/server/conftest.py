from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.office import Office, running_office


@pytest.fixture(scope="package")
def office(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Office]:
    """One server for all tests that make projects of their own in it."""
    path = tmp_path_factory.mktemp("office") / "people.db"
    with running_office(shutil.copy(migrated_file, path)) as made:
        yield made


@pytest.fixture
def new_office(tmp_path: Path, migrated_file: Path) -> Iterator[Office]:
    """A server that nobody has used."""
    (tmp_path / "store").mkdir()
    with running_office(shutil.copy(migrated_file, tmp_path / "store" / "people.db")) as made:
        yield made


@pytest.fixture
def office_on_each(database_url: str) -> Iterator[Office]:
    """The same on SQLite and on PostgreSQL."""
    with running_office(database_url) as made:
        yield made
