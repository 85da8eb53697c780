from __future__ import annotations

from tests.stores.database.conftest import people  # noqa: F401 -- a fixture for trials too
