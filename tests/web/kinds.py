"""Answers of the browser, looked at by the Python of their kind."""

from __future__ import annotations

from typing import Any

from tests.web.fake_server import FakeServer

from labelmill import registry
from labelmill.domain.item import Item
from labelmill.domain.schema import LabelSchema


def canonical_answer(fake: FakeServer, name: str = "i1") -> Any:
    """What the server holds for an item: already as the kind's Python makes it, with nothing to sort, cut or refuse."""
    value = fake.answers()[name]
    told = fake.schema
    schema = LabelSchema.of({**told, "classes": [one["name"] for one in told["classes"]]})
    data = next(one["data"] for one in fake.tasks if one["item"] == name)
    facts = {key: data[key] for key in ("width", "height", "duration") if key in data}
    item = Item(name, data.get("text", ""), facts)
    assert registry.find("label_kind", schema.kind)(**schema.kind_options).validate(value, schema, item) == value
    return value
