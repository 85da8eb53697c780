"""Why a gold answer is what it is: the column `reason` of the file it came from."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import polars as pl

from labelmill.domain.ports import Chunk
from labelmill.domain.vote_columns import VOTE_COLUMNS
from labelmill.pipeline.workspace import Workspace

__all__ = ["Reasons", "gold_reasons"]

DOCUMENT = "gold_reasons"

COLUMN = "reason"

LONGEST = 2_000
"""Characters of a reason that are kept."""


class Reasons:
    """Gathers the reasons of a file as it is read, and keeps those of the answers that were taken."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def gathered(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The chunks as they are."""
        for chunk in chunks:
            columns = chunk.frame.columns
            item = next((name for name in (*VOTE_COLUMNS["item"], "id") if name in columns), None)
            if item is not None and COLUMN in columns:
                told = chunk.frame.select(pl.col(item).cast(pl.String), pl.col(COLUMN).cast(pl.String))
                self._found |= {name: why.strip()[:LONGEST] for name, why in told.iter_rows() if name and why}
            yield chunk

    def keep(self, workspace: Workspace, items: Collection[str]) -> None:
        """Write the reasons of these items; one without a reason loses an older one, which was another answer's."""
        before = gold_reasons(workspace)
        after = {item: why for item, why in before.items() if item not in items}
        after |= {item: self._found[item] for item in items if self._found.get(item)}
        if after != before:
            workspace.lake.write_document(DOCUMENT, {"reasons": after})


def gold_reasons(workspace: Workspace) -> dict[str, str]:
    """Item -> why its gold answer is right, where somebody said so."""
    return dict((workspace.lake.read_document(DOCUMENT) or {}).get("reasons", {}))
