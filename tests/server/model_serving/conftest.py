from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.server.model_serving.served import Counting, model_of, served, trained_project

from labelmill.server.model_serving.app import create_model_app
from labelmill.server.model_serving.batcher import Limits
from labelmill.server.model_serving.shelf import Shelf


@pytest.fixture(scope="package")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_project(tmp_path_factory.mktemp("serving") / "mails")


@pytest.fixture(scope="package")
def client(project: Path) -> Iterator[httpx.Client]:
    """Of a server that is ready."""
    shelf = Shelf(project)
    shelf.load()
    with served(create_model_app(shelf)) as made:
        yield made
    shelf.close()


@pytest.fixture
def counting() -> Iterator[tuple[Counting, httpx.Client]]:
    """A model that a test can hold up, and a client of it; it may be asked for 8 items at once, and 10 may wait."""
    learner = Counting(bad="bad")
    shelf = Shelf(limits=Limits(max_batch=4, max_waiting=10, most_items=8, most_characters=20))
    shelf.put(model_of(learner))
    learner.batches.clear()  # what warmed it up
    with served(create_model_app(shelf)) as made:
        yield learner, made
    shelf.close()
