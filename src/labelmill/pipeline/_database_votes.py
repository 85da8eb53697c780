"""What people said through the server, as rows of votes."""

from __future__ import annotations

import polars as pl

from labelmill.pipeline._merging import label_text
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.imported_votes import COLUMNS

__all__ = ["PEOPLE", "database_votes"]

PEOPLE = "people"
"""Document that remembers which project of the database this is, and the database if `serve` was told another one."""


def database_votes(workspace: Workspace) -> pl.DataFrame:
    """What everybody says now, in the columns of imported votes; nothing where no database was ever opened.

    An answer to a gold item is a vote like any other: what is known of the item is the answer that was imported, and
    one person's word must not take its place.
    """
    known = workspace.lake.read_document(PEOPLE)
    if known is None:
        return pl.DataFrame(schema=COLUMNS)
    from labelmill.stores.database.connect import open_database
    from labelmill.stores.database.projects import find_project
    from labelmill.stores.database.votes import current_votes

    with open_database(known.get("database") or workspace.project.database) as database:
        project = find_project(database, known["project"])
        rows = [
            (
                vote.item,
                vote.annotator,
                label_text(vote.label),
                vote.confidence,
                vote.at,
                "label" if vote.purpose == "gold" else vote.purpose,
                "person",
                None,
            )
            for vote in current_votes(database, project)
        ]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")
