"""Models that say of every pixel what it is draw masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image  # noqa: TID253 - this file is about pictures, and imported where there are some

from labelmill.annotators._batches import Rows, values_by_batches
from labelmill.annotators._column_map import LEFT_OUT, ColumnMap, checked_rename
from labelmill.annotators._declared import all_faulty
from labelmill.annotators._faults import FaultLog
from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._matcher import Evaluation
from labelmill.annotators._model_file import ModelFile
from labelmill.annotators._picture_model import PictureModel, Seen, seen_by
from labelmill.annotators._pictures import Picture, Placement
from labelmill.annotators._places import ItemFiles, class_names, positive, resources_of, within
from labelmill.annotators._sessions import require
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.rle import encode
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import AnnotatorKind, VoteBatch
from labelmill.errors import LabelmillError, RulesError, SchemaError, nearest

__all__ = ["MaskPredictor"]

Pixels = npt.NDArray[np.float64]
Decides = Literal["argmax", "threshold"]


class MaskPredictor:
    """Draws a mask for each class, with a model in a file (`.onnx`, `.tflite`), a torch module or a function.

    The model gives scores for each pixel and class; they are brought to the picture's size, and there each pixel is
    given to its best class.

    Parameters
    ----------
    model : path, torch.nn.Module, or callable
        A callable takes pictures as `picture` makes them, shape (n, channels, height, width) or
        (n, height, width, channels), float32, and gives the scores.
    classes : sequence of str, or path
        Class names in the order of the scores. With `threshold` a model of one score per pixel has one class.
    picture : Picture or mapping
        How a picture becomes the model's input.
    decides : {"argmax", "threshold"}
        `argmax`: each pixel has the class with the highest score. `threshold`: only where that is at least
        `threshold`; nothing elsewhere.
    threshold : float
    gives : {"scores", "classes"}
        `classes`: the model gives the number of the class at each pixel, not scores.
    nothing : sequence of str
        Classes that mean that nothing is there, such as a background: no mask is drawn for them.
    rename : mapping of str to str, optional
        The model's class -> the schema's; with it, classes that are neither renamed nor in the schema are left out.
    least_pixels : int
        A class with fewer pixels has no mask.
    output : str, optional
        The output that counts, if there are several.
    batch_size, folder, name, resources
        See `onnx_predictor`.

    Raises
    ------
    RulesError
        If a file is missing, or an option is none.
    """

    kind: AnnotatorKind = "model"
    evaluation: Evaluation = "python"
    reason = "a model is run on pictures"

    def __init__(
        self,
        model: Any,
        *,
        classes: Sequence[str] | str | Path,
        picture: Any,
        decides: Decides = "argmax",
        threshold: float = 0.5,
        gives: Literal["scores", "classes"] = "scores",
        nothing: Sequence[str] = (),
        rename: Mapping[str, str] | None = None,
        least_pixels: int = 1,
        output: str | None = None,
        batch_size: int = 4,
        folder: Any = None,
        name: str | None = None,
        resources: Resources | Mapping[str, Any] | None = None,
    ) -> None:
        names = class_names(classes)
        for what, value, allowed in (
            ("decides", decides, get_args(Decides)),
            ("gives", gives, ("scores", "classes")),
            *(("nothing", one, names) for one in nothing),
        ):
            if value not in allowed:
                raise RulesError(f"{what}={value!r}: {nearest(str(value), allowed)}")
        self.resources = resources_of(resources)
        self._seer = _seer(model, picture, output, folder, self.resources)
        self.decides = decides
        self.threshold = within(threshold, "threshold", -1e9, 1e9)
        self.gives = gives
        self.nothing = tuple(nothing)
        self.least_pixels = positive(least_pixels, "least_pixels")
        self.batch_size = positive(batch_size, "batch_size")
        self.name = name or ""
        self._names = names
        drawn = [one for one in names if one not in self.nothing]
        self._map = ColumnMap(drawn, checked_rename(rename))

    def __repr__(self) -> str:
        return f"mask_predictor({self._seer})"

    @property
    def fingerprint(self) -> str:
        """Of the model and the options."""
        return fingerprint_of(*self.fingerprint_parts())

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What its votes depend on."""
        told = (self._names, self.decides, self.threshold, self.gives, self.nothing, self._map.rename)
        return (*self._seer.fingerprint_parts(), "mask_predictor", *told, self.least_pixels)

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
            If it cannot be, its classes do not fit the schema, or the question asks for no masks.
        """
        if schema.kind != "mask":
            raise RulesError(f"{self.name!r} draws masks, and the question is of the kind {schema.kind!r}")
        self._map.targets(schema)
        if here:
            self._seer.check()

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """A list of masks, or a fault, for each item, in order."""
        try:
            targets = self._targets(schema)
        except LabelmillError as error:
            return all_faulty(self.name, batch, schema, error)

        def masks(rows: Rows, log: FaultLog) -> tuple[Rows, list[Any]]:
            seen: Seen = self._seer.see(batch, rows, log.add)
            values = [
                self._drawn(outputs[0], place, targets, schema)
                for outputs, place in zip(seen.outputs, seen.places, strict=True)
            ]
            return seen.rows, values

        return values_by_batches(self.name, batch, self.batch_size, masks)

    def _targets(self, schema: LabelSchema) -> list[int]:
        """For each of the model's classes the schema's, or LEFT_OUT."""
        drawn = dict(zip(self._map.columns, self._map.targets(schema).tolist(), strict=True))
        return [int(drawn.get(name, LEFT_OUT)) for name in self._names]

    def _drawn(
        self, output: Pixels, place: Placement, targets: Sequence[int], schema: LabelSchema
    ) -> list[dict[str, Any]]:
        """The masks of one picture on its own pixels."""
        best = self._best(output, place)
        masks = []
        for number in dict.fromkeys(target for target in targets if target != LEFT_OUT):
            mine = [column for column, target in enumerate(targets) if target == number]
            pixels = np.isin(best, mine)
            if np.count_nonzero(pixels) >= self.least_pixels:
                masks.append({"label": schema.classes[number], **encode(pixels)})
        return masks

    def _best(self, output: Pixels, place: Placement) -> npt.NDArray[np.int32]:
        """The model's class at each pixel of the picture, -1 for none; shape (height, width)."""
        if self.gives == "classes":
            return _on_picture(_plane(output), place, Image.Resampling.NEAREST).astype(np.int32)
        best = np.full((place.height, place.width), -1, dtype=np.int32)
        highest = np.full((place.height, place.width), OUTSIDE, dtype=np.float32)
        for column, scores in enumerate(_planes(output, len(self._names))):
            # One class at a time: all of them at a picture's full size can be gigabytes.
            mine = _on_picture(scores, place, Image.Resampling.BILINEAR)
            wins = mine > highest
            highest[wins], best[wins] = mine[wins], column
        if self.decides == "threshold":
            best[highest < self.threshold] = -1
        return best


def _planes(output: Pixels, n_classes: int) -> Pixels:
    """Scores with the classes first, shape (n_classes, height, width)."""
    if output.ndim == 2:
        output = output[None]
    if output.ndim == 3 and output.shape[0] == n_classes:
        return output
    if output.ndim == 3 and output.shape[2] == n_classes:
        return output.transpose(2, 0, 1)
    raise SchemaError(f"the model gave shape {output.shape} for a picture, and {n_classes} classes are named")


def _plane(output: Pixels) -> Pixels:
    flat = output.reshape([size for size in output.shape if size != 1] or [1])
    if flat.ndim != 2:
        raise SchemaError(f"the model gave shape {output.shape} for a picture, expected one class for each pixel")
    return flat


def _on_picture(plane: Pixels, place: Placement, way: Image.Resampling) -> npt.NDArray[np.float32]:
    """A plane of what the model saw, as it lies on the picture; shape (height, width)."""
    high, wide = plane.shape
    image = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    # What the model saw may have been letterboxed or cropped, and its output is mostly smaller than its input.
    across, down = wide / place.seen_width, high / place.seen_height
    left, top = place.offset_x * across, place.offset_y * down
    right, bottom = left + place.width * place.scale_x * across, top + place.height * place.scale_y * down
    steps = ((right - left) / place.width, 0.0, left, 0.0, (bottom - top) / place.height, top)
    inside = 0 <= left and right <= wide + 1e-6 and 0 <= top and bottom <= high + 1e-6
    if inside:
        box = (left, top, min(right, float(wide)), min(bottom, float(high)))
        return np.asarray(image.resize((place.width, place.height), way, box=box), dtype=np.float32)
    edge = Image.Resampling.NEAREST if way == Image.Resampling.NEAREST else Image.Resampling.BILINEAR
    cut = image.transform((place.width, place.height), Image.Transform.AFFINE, steps, edge, fillcolor=OUTSIDE)
    return np.asarray(cut, dtype=np.float32)


OUTSIDE = -1e9
"""Score of every class where the model saw nothing of a cropped picture."""


def _seer(model: Any, picture: Any, output: str | None, folder: Any, resources: Resources) -> Any:
    if isinstance(model, str | Path):
        return PictureModel(ModelFile(model), picture, None if output is None else [output], folder, resources)
    if not callable(model):
        raise RulesError(f"model is a path, a module of torch or a function, found {type(model).__name__}")
    return _Callable(model, Picture.of(picture), ItemFiles(folder), resources)


class _Callable:
    """A function or a module of torch that sees pictures."""

    def __init__(self, model: Callable[..., Any], picture: Picture, files: ItemFiles, resources: Resources) -> None:
        self.model = model
        self.picture = picture
        self.files = files
        self.resources = resources
        self._runner: Any = None

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What votes depend on."""
        state = (self.model,)
        if hasattr(self.model, "state_dict"):
            state = require("labelmill.annotators._torch_runner", "mask_predictor").state_of(self.model)
        return (*state, tuple(vars(self.picture).items()))

    def check(self) -> None:
        """Nothing can be seen before there is a picture."""

    def see(self, batch: ItemBatch, rows: Rows, fail: Callable[[int, BaseException], object]) -> Seen:
        """What it says about some items."""
        return seen_by(self._run, self.picture, self.files, batch, rows, fail)

    def _run(self, pictures: npt.NDArray[np.float32]) -> list[Any]:
        if not hasattr(self.model, "state_dict"):
            return [self.model(pictures)]
        if self._runner is None:
            runner = require("labelmill.annotators._torch_runner", "mask_predictor")
            self._runner = runner.TorchRunner(self.model, None, gpus=self.resources.gpus)
        return [self._runner.run({"": pictures})]
