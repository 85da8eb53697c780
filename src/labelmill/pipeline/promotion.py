"""Promotion: a newly trained version votes in the shadow, and counts once it is no worse than the one that counts now.

Both versions are held against people's answers that neither has learned from: a learner votes on each item it learned
from by a fit that did not see that item, and `[train] held_back` keeps a share of the answers from every fit besides.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.schema import LabelSchema
from labelmill.domain.strict_json import loads
from labelmill.pipeline.votes import CURRENT, Machine, current_machines, people_votes
from labelmill.pipeline.workspace import Workspace
from labelmill.quality.paired import exact_paired_test

__all__ = [
    "FEWEST",
    "Comparison",
    "compare_versions",
    "counts_of",
    "held_back",
    "judge_shadow",
    "keep_in_shadow",
    "promote",
    "shadow_model",
]

FEWEST: Final = 20
"""Answers that both versions voted on; fewer cannot tell them apart."""

SHADOW: Final = "shadow"
"""Document with the versions that do not count yet, by the learner's name."""

WHOLE: Final = 10_000

Votes = Mapping[str, int | tuple[int, ...] | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A new version beside the one that counts, on people's answers.

    Parameters
    ----------
    n : int
        Answers that both voted on.
    right_before, right_now : int
        How many of them the version that counts, and the new one, get right.
    gained, lost : int
        Answers that only the new version, and only the old one, gets right.
    p : float
        Chance of so uneven a split if both were equally good (exact paired test).
    is_better : bool
        Whether the new version is at least as often right. Of two that are equal the new one counts: it has learned
        from more.
    """

    n: int
    right_before: int
    right_now: int
    gained: int
    lost: int
    p: float
    is_better: bool

    def words(self) -> str:
        """The comparison in a sentence."""
        both = (
            f"right on {self.right_now:,} of {self.n:,} answers of people, the version before on {self.right_before:,}"
        )
        only = f"only the new one on {self.gained:,}, only the old one on {self.lost:,}, p = {self.p:.2g}"
        return f"{both} ({only})"


def held_back(items: Sequence[str], share: float) -> npt.NDArray[np.bool_]:
    """Items whose answers no fit may see: the same share of them always, by a hash of the id.

    Parameters
    ----------
    items : sequence of str
    share : float
        Between 0 and 1.

    Returns
    -------
    ndarray of bool, shape (n_items,)
    """
    return np.array([_place(item) < share * WHOLE for item in items], dtype=np.bool_)


def _place(item: str) -> int:
    return int.from_bytes(hashlib.sha256(f"held back {item}".encode()).digest()[:6]) % WHOLE


def compare_versions(workspace: Workspace, new: Machine) -> Comparison | None:
    """The new version beside the one of its name that counts; None where there is none, or too few answers.

    Answers of people who agree on an item, gold among them; only those held back from every fit where the project
    holds some back.
    """
    old = next((machine for machine in current_machines(workspace) if machine.name == new.name), None)
    if old is None or old.fingerprint == new.fingerprint:
        return None
    said = _said(workspace)
    before, now = _votes(workspace, old, said), _votes(workspace, new, said)
    shared = [item for item in said if item in before and item in now]
    if len(shared) < FEWEST:
        return None
    right_before = [before[item] == said[item] for item in shared]
    right_now = [now[item] == said[item] for item in shared]
    gained = sum(now and not before for before, now in zip(right_before, right_now, strict=True))
    lost = sum(before and not now for before, now in zip(right_before, right_now, strict=True))
    return Comparison(
        len(shared), sum(right_before), sum(right_now), gained, lost, exact_paired_test(gained, lost), gained >= lost
    )


def promote(workspace: Workspace, new: Machine) -> None:
    """From now on this version's votes count."""
    others = [machine for machine in current_machines(workspace) if machine.name != new.name]
    workspace.lake.write_document(CURRENT, {"machines": [asdict(machine) for machine in [*others, new]]})
    _forget_shadow(workspace, new.name)


def keep_in_shadow(workspace: Workspace, new: Machine, comparison: Comparison) -> None:
    """Remember the version, whose votes are in the lake and do not count."""
    told = {"machine": asdict(new), "comparison": asdict(comparison), "at": workspace.now()}
    workspace.lake.write_document(SHADOW, {**(workspace.lake.read_document(SHADOW) or {}), new.name: told})


def shadow_model(name: str) -> str:
    """The name by which the model of a version in the shadow lies in the lake."""
    return f"{name}.shadow"


def judge_shadow(workspace: Workspace, name: str) -> Comparison | None:
    """Hold the version in the shadow against all answers there are by now, and promote it if it is no worse any more.

    Returns
    -------
    Comparison or None
        None where nothing is in the shadow, or nothing new can be told.
    """
    entry = (workspace.lake.read_document(SHADOW) or {}).get(name)
    if entry is None:
        return None
    new = Machine(**entry["machine"])
    comparison = compare_versions(workspace, new)
    folder = workspace.lake.current_model(shadow_model(name))
    if comparison is None or not comparison.is_better or folder is None:
        return comparison
    with workspace.lake.writing(), workspace.running("promote", parameters={"learner": name}) as run:
        workspace.lake.publish_model(name, lambda place: _copy(folder, place), fingerprint=folder.name)
        promote(workspace, new)
        workspace.end(run, annotators={name: new.fingerprint}, counts=counts_of(comparison, is_promoted=True))
    return comparison


def counts_of(comparison: Comparison | None, *, is_promoted: bool) -> dict[str, int]:
    """The comparison as counts of a run."""
    if comparison is None:
        return {}
    right = {"right_before": comparison.right_before, "right_now": comparison.right_now}
    return {"compared_answers": comparison.n, **right, "promoted": int(is_promoted)}


def _copy(folder: Any, place: Any) -> None:
    """The model's files; the manifest is written anew."""
    shutil.copytree(folder, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("manifest.json"))


def _forget_shadow(workspace: Workspace, name: str) -> None:
    known = workspace.lake.read_document(SHADOW)
    if known and name in known:
        workspace.lake.write_document(SHADOW, {other: told for other, told in known.items() if other != name})


def _said(workspace: Workspace) -> dict[str, int | tuple[int, ...]]:
    """Item -> what people say of it with one voice, as a class index or a set of them."""
    votes = people_votes(workspace, ("label", "review", "gold")).filter(pl.col("value").is_not_null())
    votes = votes.filter((pl.col("purpose") == "gold") | (pl.col("kind").fill_null("person") == "person"))
    voices = votes.group_by("item", maintain_order=True).agg(pl.col("value").first(), n=pl.col("value").n_unique())
    agreed = voices.filter(pl.col("n") == 1)
    share = workspace.project["train.held_back"]
    if share:
        agreed = agreed.filter(pl.Series(held_back(agreed["item"].to_list(), share), dtype=pl.Boolean))
    meaning = {value: _coded(workspace.schema, value) for value in agreed["value"].unique()}
    return {item: meaning[value] for item, value in agreed.select("item", "value").iter_rows()}


def _coded(schema: LabelSchema, value: str) -> int | tuple[int, ...]:
    if schema.kind == "multi_choice":
        return tuple(sorted(schema.classes.index(name) for name in loads(value)))
    return schema.classes.index(value)


def _votes(workspace: Workspace, machine: Machine, wanted: Mapping[str, Any]) -> Votes:
    """What a version voted on the items wanted; items it has not seen are left out."""
    lake = workspace.lake
    found: dict[str, int | tuple[int, ...] | None] = {}
    for votes in lake.vote_sets():
        if votes.annotators.get(machine.name, {}).get("fingerprint") != machine.fingerprint:
            continue
        for partition in votes.partitions:
            ids = lake.read_items(partition, ["id"]).frame["id"]
            said = lake.read_votes(votes.digest, partition.id, [machine.name])[machine.name]
            for item, value in zip(ids, said, strict=True):
                if item in wanted:
                    found[item] = tuple(value) if isinstance(value, pl.Series) else value
    return found
