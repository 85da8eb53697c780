from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.stores.database.people import People, people_in


@pytest.fixture
def people(database_url: str) -> Iterator[People]:
    made = people_in(database_url)
    yield made
    made.database.close()
