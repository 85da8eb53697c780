"""labelmill: from raw items to a labelled dataset with the fewest human decisions, and a proof of how good it is.

Importing this loads nothing heavy; a public name loads its own module when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labelmill.domain.consensus import Consensus
    from labelmill.domain.item import Item, ItemBatch
    from labelmill.domain.schema import ABSTAIN, LabelSchema
    from labelmill.domain.vote import Fault, Vote, VoteBatch
    from labelmill.domain.vote_table import VoteTable

__version__ = "0.1.0"

_HOME = {
    "ABSTAIN": "labelmill.domain.schema",
    "Consensus": "labelmill.domain.consensus",
    "Fault": "labelmill.domain.vote",
    "Item": "labelmill.domain.item",
    "ItemBatch": "labelmill.domain.item",
    "LabelSchema": "labelmill.domain.schema",
    "Vote": "labelmill.domain.vote",
    "VoteBatch": "labelmill.domain.vote",
    "VoteTable": "labelmill.domain.vote_table",
}
"""Public name -> the module it lives in; sorted, and equal to the imports above and to `__all__`."""

__all__ = [
    "ABSTAIN",
    "Consensus",
    "Fault",
    "Item",
    "ItemBatch",
    "LabelSchema",
    "Vote",
    "VoteBatch",
    "VoteTable",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'labelmill' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
