"""What is known of an item, as suggestions for whoever is asked about it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from labelmill.domain.item import Item
from labelmill.errors import SchemaError
from labelmill.pipeline._kinds import kind_of
from labelmill.pipeline.aggregate import current_consensus
from labelmill.pipeline.votes import current_machines, machine_answers
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.consensus_versions import ConsensusVersion

__all__ = ["Suggestions"]


class _Own(NamedTuple):
    """What a rule said."""

    annotator: str
    kind: str
    version: str
    score: float
    value: str


class Suggestions:
    """The consensus first; where answers are more than classes, what each rule said by itself behind it.

    A rule's own answer is drawn when somebody asks for it, and tells meanwhile who agrees with each box or span of the
    consensus.

    Parameters
    ----------
    answers : mapping of str to (str or None, float)
        Item -> the consensus on it, and how sure that is.

    Attributes
    ----------
    source : str
        What the consensus is said to come from.
    version : str
        Short hash of the label model and of every rule and model behind it. People's answers change the consensus all
        the time; its version changes when machines do.
    """

    def __init__(self, workspace: Workspace, answers: Mapping[str, tuple[str | None, float]]) -> None:
        stored = current_consensus(workspace)
        self._schema = workspace.schema.without_demands()
        self._kind = kind_of(self._schema)
        # The model of boxes is called "box", which beside a box tells nobody anything.
        self.source = "consensus" if self._schema.is_structured else str(stored.meta["model"])
        machines = {machine.name: machine.fingerprint for machine in current_machines(workspace)}
        self.version = _short(str([stored.meta["model"], sorted(machines.items())]))
        self._answers = answers
        self._own = _own(workspace, stored, machines, answers) if self._schema.is_structured else {}
        self._parts = _parts(workspace, stored, answers) if self._schema.is_structured else {}

    def of(self, item: Item) -> list[dict[str, Any]]:
        """The suggestions for an item whose facts are known, as the database takes them, best first."""
        label, confidence = self._answers.get(item.id, (None, 0.0))
        if label is None:
            return []
        told = [*self._fitting(item, "consensus", self.source, "consensus", self.version, confidence, label)]
        if told and item.id in self._parts:
            told[0]["value"] = self._with_scores(told[0]["value"], self._parts[item.id], item)
        for one in self._own.get(item.id, ()):
            score = min(one.score, confidence)  # never before the consensus
            told += self._fitting(
                item, f"{one.kind}:{one.annotator}", one.annotator, one.kind, one.version, score, one.value
            )
        return told

    def _fitting(
        self, item: Item, name: str, source: str, kind: str, version: str, score: float, label: str
    ) -> Iterator[dict[str, Any]]:
        """The suggestion, unless it does not fit: it may have been drawn when nobody knew where the picture ends."""
        try:
            value = self._kind.validate(label, self._schema, item)
        except SchemaError:
            return
        yield {"id": name, "source": source, "kind": kind, "version": version, "score": score, "value": value}

    def _with_scores(self, value: Any, parts: Sequence[float], item: Item) -> Any:
        """The value with how likely each of its elements is right, where the kind has room for that."""
        if not isinstance(value, list) or len(value) != len(parts) or not all(isinstance(one, dict) for one in value):
            return value
        scored = [{**one, "score": round(part, 4)} for one, part in zip(value, parts, strict=True)]
        try:
            return self._kind.validate(scored, self._schema, item)
        except SchemaError:
            return value


def _parts(workspace: Workspace, stored: ConsensusVersion, items: Iterable[str]) -> dict[str, list[float]]:
    """Item -> how likely each element of the consensus on it is right."""
    frames = [workspace.lake.read_consensus(stored.digest, partition.id) for partition in stored.partitions]
    rows = pl.concat(frames).filter(pl.col("item").is_in(list(items)))
    return dict(rows.select("item", "parts").iter_rows())


def _own(
    workspace: Workspace, stored: ConsensusVersion, machines: Mapping[str, str], items: Iterable[str]
) -> dict[str, list[_Own]]:
    """Item -> what rules said of it, the most reliable first."""
    rows = stored.meta["annotators"]
    trusted = {row["annotator"]: _number(row["reliability"]) for row in rows}
    said = machine_answers(workspace).filter(pl.col("item").is_in(list(items)))
    version = {name: _short(fingerprint) for name, fingerprint in machines.items()}
    found: dict[str, list[_Own]] = {}
    for item, annotator, kind, value in said.select("item", "annotator", "kind", "value").iter_rows():
        found.setdefault(item, []).append(_Own(annotator, kind, version[annotator], trusted.get(annotator, 0.0), value))
    for own in found.values():
        own.sort(key=lambda one: (-one.score, one.annotator))
    return found


def _number(reliability: float | None) -> float:
    return 0.0 if reliability is None or not math.isfinite(reliability) else float(reliability)


def _short(text: str) -> str:
    """A name for a version that fits into a table."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]
