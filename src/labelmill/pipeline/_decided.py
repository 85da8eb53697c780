"""Items whose label is a person's decision: gold, reviewed, or asked of people and answered with one voice."""

from __future__ import annotations

import polars as pl

from labelmill.pipeline._asked import asked_items
from labelmill.pipeline.votes import people_votes
from labelmill.pipeline.workspace import Workspace

__all__ = ["decided_items", "latest_answers"]


def decided_items(workspace: Workspace) -> dict[str, str]:
    """Item -> the label that a person decided on."""
    asked = asked_items(workspace)
    votes = people_votes(workspace, ("label",)).filter((pl.col("kind") == "person") & pl.col("value").is_not_null())
    voices = votes.group_by("item").agg(pl.col("value").first(), n=pl.col("value").n_unique())
    decided = {item: value for item, value, n in voices.iter_rows() if n == 1 and item in asked}
    reviewed = latest_answers(people_votes(workspace, ("review", "gold")))
    decided |= {item: value for item, value in reviewed.items() if value is not None}
    known = set(workspace.lake.item_ids().to_list())
    return {item: value for item, value in decided.items() if item in known}


def latest_answers(votes: pl.DataFrame) -> dict[str, str | None]:
    """Item -> the last of its answers."""
    return dict(votes.unique("item", keep="last", maintain_order=True).select("item", "value").iter_rows())
