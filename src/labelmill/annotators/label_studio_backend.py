"""Label Studio's ML backends vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from labelmill.annotators._answers import coded
from labelmill.annotators._batches import Rows, in_batches
from labelmill.annotators._column_map import checked_rename
from labelmill.annotators._declared import all_faulty
from labelmill.annotators._faults import FaultLog
from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._label_studio_answers import KINDS, label_config, value_of
from labelmill.annotators._matcher import Evaluation
from labelmill.annotators._model_server import ModelServer, NotAboutItemsError
from labelmill.annotators._places import listed_fields, positive, resources_of, within
from labelmill.domain.item import Item, ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import AnnotatorKind, VoteBatch
from labelmill.errors import RulesError, SchemaError, nearest

__all__ = ["LabelStudioBackend"]


class LabelStudioBackend:
    """Votes by a server that speaks the protocol of Label Studio's ML backends.

    The items of a batch are sent as tasks to `/predict`; of each task's predictions the one with the highest score
    counts. Choices, boxes, polygons, points, spans, segments, numbers and texts are understood. A batch whose answer
    has the wrong length or cannot be read is taken apart item by item; what is left are faults.

    Parameters
    ----------
    url : str
        Where the backend's paths begin.
    version : str
        Of the model; a new one makes new votes.
    label_config : str, optional
        Label Studio's configuration in XML, for backends that read it; made from the schema without it.
    project : str
        What the backend is told as the project.
    fields : sequence of str
        Columns that are sent beside the data.
    rename : mapping of str to str, optional
        The backend's class -> the schema's. With it, classes that are neither renamed nor in the schema are left out.
    min_confidence : float
        Predictions with a lower score are abstentions.
    batch_size, timeout, tries, private, token_env, name, resources
        See `http_predictor`. Backends are mostly slow: a batch is 8 items, and an answer may take a minute.

    Raises
    ------
    RulesError
        If an option is none.
    """

    kind: AnnotatorKind = "model"
    evaluation: Evaluation = "python"
    reason = "a server is asked about batches"
    has_own_limits = True

    def __init__(
        self,
        url: str,
        *,
        version: str = "",
        label_config: str | None = None,
        project: str = "labelmill.1",
        fields: Sequence[str] = (),
        rename: Mapping[str, str] | None = None,
        min_confidence: float = 0.0,
        batch_size: int = 8,
        timeout: float = 60.0,
        tries: int = 3,
        private: bool = False,
        token_env: str | None = None,
        name: str | None = None,
        resources: Resources | Mapping[str, Any] | None = None,
    ) -> None:
        self.server = ModelServer(url, timeout=timeout, tries=tries, private=private, token_env=token_env)
        self.version = version
        self.label_config = label_config
        self.project = project
        self.fields = listed_fields(fields)
        self.rename = checked_rename(rename)
        self.min_confidence = within(min_confidence, "min_confidence")
        self.batch_size = positive(batch_size, "batch_size")
        self.name = name or ""
        self.resources = resources_of(resources)

    def __repr__(self) -> str:
        return f"label_studio_backend({self.server.url})"

    @property
    def fingerprint(self) -> str:
        """Of the address, the version and the options."""
        return fingerprint_of(*self.fingerprint_parts())

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What its votes depend on."""
        told = (self.server.url, "label_studio_backend", self.version, self.label_config, self.project)
        return (*told, self.fields, self.rename, self.min_confidence)

    def check(self, schema: LabelSchema, *, here: bool = True) -> None:
        """Look before a run whether it is there and the question is one that it can answer.

        Parameters
        ----------
        schema : LabelSchema
        here : bool
            Whether it will vote on this machine; if not, its file is not opened and its server not asked.

        Raises
        ------
        RulesError
            If not; says what to do.
        """
        if schema.kind not in KINDS:
            raise RulesError(f"{self.name!r}: a Label Studio backend answers no {schema.kind}: {', '.join(KINDS)}")
        for name in (self.rename or {}).values():
            if name not in schema.classes:
                raise RulesError(
                    f"{self.name!r}: rename leads to the unknown class {name!r}: {nearest(name, schema.classes)}"
                )
        if here:
            self.server.check("/health")

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """One vote, abstention or fault for each item, in order."""
        if schema.kind not in KINDS:
            return all_faulty(self.name, batch, schema, SchemaError(f"a Label Studio backend answers no {schema.kind}"))
        log = FaultLog(self.name)
        answers: list[Any] = [None] * len(batch)
        items = batch.items

        def work(rows: Rows) -> None:
            tasks = [items[row] for row in rows.tolist()]
            for row, told in zip(rows.tolist(), self._asked(tasks, schema), strict=True):
                try:
                    answers[row] = self._answer(told, schema, items[row])
                except SchemaError as error:
                    log.add(row, error)

        present = np.flatnonzero(batch.frame["data"].is_not_null().to_numpy())
        in_batches(present, self.batch_size, log, work, whole=(NotAboutItemsError,))
        labels, wrong = coded(answers, schema)
        for position, error in wrong.items():
            log.add(position, error)
        return VoteBatch(labels, log.faults(batch.ids) if log else [])

    def _asked(self, items: Sequence[Item], schema: LabelSchema) -> list[Any]:
        """What the backend says about each item."""
        config = label_config(schema, schema.modality) if self.label_config is None else self.label_config
        tasks = [
            {"id": n, "data": {schema.modality: item.data} | {name: getattr(item, name) for name in self.fields}}
            for n, item in enumerate(items, start=1)
        ]
        answer = self.server.post("/predict", {"tasks": tasks, "project": self.project, "label_config": config})
        results = answer.get("results") if isinstance(answer, Mapping) else None
        if not isinstance(results, list):
            raise SchemaError(f"the backend's answer has no list 'results': {answer!s:.120}")
        if len(results) != len(items):
            raise SchemaError(f"the backend gave {len(results)} results for {len(items)} items")
        return results

    def _answer(self, told: Any, schema: LabelSchema, item: Item) -> Any:
        predictions = [one for one in (told if isinstance(told, list) else [told]) if one]
        if not predictions:
            return None
        if not all(isinstance(one, Mapping) and isinstance(one.get("result", []), list) for one in predictions):
            raise SchemaError(f"the backend gave {told!s:.80}, which is no prediction")
        best = max(predictions, key=_score)
        if _score(best) < self.min_confidence:
            return None
        return value_of(best.get("result", []), schema, item, lambda name: self._named(name, schema))

    def _named(self, name: str, schema: LabelSchema) -> str | None:
        if self.rename is None:
            return name
        known = self.rename.get(name, name)
        return known if known in schema.classes else None


def _score(prediction: Mapping[str, Any]) -> float:
    """How sure it is; one that does not say is taken as it is."""
    score = prediction.get("score")
    return float(score) if isinstance(score, int | float) and score == score else 1.0
