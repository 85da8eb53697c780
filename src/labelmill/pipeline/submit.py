"""Submit: a person's answers become votes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from labelmill.domain.ports import Chunk
from labelmill.domain.strict_json import dumps
from labelmill.domain.vote import AnnotatorKind, Purpose
from labelmill.errors import BadInputError
from labelmill.pipeline._vote_rows import VoteRows
from labelmill.pipeline.workspace import Workspace

__all__ = ["submit"]


def submit(
    workspace: Workspace,
    answers: Mapping[str, Any],
    *,
    by: str,
    purpose: Purpose = "label",
    kind: AnnotatorKind = "person",
) -> int:
    """Answers of one person, item -> class name (or list of class names), into the lake; how many.

    Raises
    ------
    BadInputError
        If an item or a class is unknown; nothing is taken.
    """
    labels = [answer if isinstance(answer, str) else dumps(answer) for answer in answers.values()]
    frame = pl.DataFrame({"item": list(answers), "label": labels}, schema={"item": pl.String, "label": pl.String})
    rows = VoteRows(workspace, f"answers of {by}", votes_by=by, purpose=purpose, kind=kind)
    votes, bad = rows.frame(Chunk(frame, range(1, frame.height + 1)))
    if bad:
        raise BadInputError(bad, "No answer was taken.")
    if votes.height:
        with workspace.lake.writing():
            workspace.lake.append_votes(votes, source=by)
    return votes.height
