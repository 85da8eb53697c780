"""Detectors in ONNX and TensorFlow Lite files draw boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.annotators._batches import Rows, values_by_batches
from labelmill.annotators._column_map import LEFT_OUT, ColumnMap, checked_rename
from labelmill.annotators._declared import all_faulty
from labelmill.annotators._detections import LAYOUTS, Detections, kept
from labelmill.annotators._faults import FaultLog
from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._matcher import Evaluation
from labelmill.annotators._model_file import ModelFile
from labelmill.annotators._picture_model import PictureModel
from labelmill.annotators._pictures import Placement
from labelmill.annotators._places import class_names, positive, resources_of, within
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import AnnotatorKind, VoteBatch
from labelmill.errors import LabelmillError, RulesError, nearest

__all__ = ["OnnxDetector"]

LEAST_SIDE = 1.0
"""Pixels of the picture; a box with a shorter side is none."""


class OnnxDetector:
    """Draws boxes with a detector in a file (`.onnx`, `.tflite`); what its numbers mean is told, not guessed.

    Parameters
    ----------
    file : str or Path
        The model, relative to the rules or the project file.
    classes : sequence of str, or path
        Class names in the order of the model, or a file that holds them.
    layout : {"grid", "rows", "corners"}
        `grid`: a box for each cell (FastestDet). `rows`: a box for each row (YOLO, either way round, with and without
        an objectness). `corners`: boxes, labels and scores apart (torchvision).
    picture : Picture or mapping
        How a picture becomes the model's input; `size` is that of the input.
    outputs : sequence of str, optional
        The outputs that count, if there are others.
    rename : mapping of str to str, optional
        The model's class -> the schema's; with it, boxes of classes that are neither renamed nor in the schema are
        left out.
    threshold : float
        Least score of a box.
    overlap : float
        Intersection over union from which two boxes of one class are one object.
    most : int
        Boxes of a picture.
    batch_size, folder, name, resources
        See `onnx_predictor`.

    Raises
    ------
    RulesError
        If a file is missing, or an option is none.
    """

    kind: AnnotatorKind = "model"
    evaluation: Evaluation = "python"
    reason = "a detector is run on pictures"

    def __init__(
        self,
        file: str | Path,
        *,
        classes: Sequence[str] | str | Path,
        layout: str,
        picture: Any,
        outputs: Sequence[str] | None = None,
        rename: Mapping[str, str] | None = None,
        threshold: float = 0.25,
        overlap: float = 0.45,
        most: int = 300,
        batch_size: int = 8,
        folder: Any = None,
        name: str | None = None,
        resources: Resources | Mapping[str, Any] | None = None,
    ) -> None:
        if layout not in LAYOUTS:
            raise RulesError(f"layout={layout!r}: {nearest(str(layout), LAYOUTS)}")
        self.resources = resources_of(resources)
        self.model = PictureModel(ModelFile(file), picture, outputs, folder, self.resources)
        self.layout = layout
        self.threshold = within(threshold, "threshold")
        self.overlap = within(overlap, "overlap")
        self.most = positive(most, "most")
        self.batch_size = positive(batch_size, "batch_size")
        self.name = name or ""
        self._map = ColumnMap(class_names(classes), checked_rename(rename))

    def __repr__(self) -> str:
        return f"onnx_detector({str(self.model.file)!r})"

    @property
    def fingerprint(self) -> str:
        """Of the file's bytes and the options."""
        return fingerprint_of(*self.fingerprint_parts())

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What its votes depend on."""
        told = (self.layout, self._map.columns, self._map.rename, self.threshold, self.overlap, self.most)
        return (self.model, "onnx_detector", *told)

    def check(self, schema: LabelSchema, *, here: bool = True) -> None:
        """Open the model before a run.

        Parameters
        ----------
        schema : LabelSchema
        here : bool
            Whether it will vote on this machine; if not, its file is not opened and its server not asked.

        Raises
        ------
        LabelmillError
            If it cannot be, its classes do not fit the schema, or the question asks for no boxes.
        """
        if schema.kind != "box":
            raise RulesError(f"{self.name!r} draws boxes, and the question is of the kind {schema.kind!r}")
        self._map.targets(schema)
        if here:
            self.model.check()

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """A list of boxes, or a fault, for each item, in order."""
        try:
            targets = self._map.targets(schema)
        except LabelmillError as error:
            return all_faulty(self.name, batch, schema, error)

        def boxes(rows: Rows, log: FaultLog) -> tuple[Rows, list[Any]]:
            seen = self.model.see(batch, rows, log.add, alone=self.layout == "corners")
            values = [
                self._drawn(outputs, place, targets, schema)
                for outputs, place in zip(seen.outputs, seen.places, strict=True)
            ]
            return seen.rows, values

        return values_by_batches(self.name, batch, self.batch_size, boxes)

    def _drawn(
        self,
        outputs: Sequence[npt.NDArray[np.float64]],
        place: Placement,
        targets: npt.NDArray[np.intp],
        schema: LabelSchema,
    ) -> list[dict[str, Any]]:
        """The boxes of one picture in its own pixels, surest first."""
        found = LAYOUTS[self.layout](outputs, self.model.picture.size, len(targets))
        asked = np.array([0 <= n < len(targets) and targets[n] != LEFT_OUT for n in found.classes.tolist()], dtype=bool)
        mine = targets[np.clip(found.classes, 0, len(targets) - 1)]
        found = Detections(found.corners[asked], found.scores[asked], mine[asked])
        best = kept(found, least=self.threshold, overlap=self.overlap, most=self.most)
        drawn = []
        for (left, top, right, bottom), score, number in zip(
            place.boxes(best.corners).tolist(), best.scores.tolist(), best.classes.tolist(), strict=True
        ):
            if min(right - left, bottom - top) >= LEAST_SIDE:
                box = {"x": left, "y": top, "width": right - left, "height": bottom - top}
                drawn.append({"label": schema.classes[number], **box, "score": score})
        return drawn
