"""A model of pictures in a file: what it says about each item's picture, and where that lies on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.annotators._batches import Rows, prepared_rows
from labelmill.annotators._fingerprint import version_of
from labelmill.annotators._model_file import ModelFile
from labelmill.annotators._pictures import Picture, Placement, opened
from labelmill.annotators._places import ItemFiles, listed_fields
from labelmill.annotators._sessions import OnDemand, only_input, output_named
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.errors import RulesError, SchemaError

__all__ = ["PictureModel", "Seen", "seen_by"]

Run = Callable[[npt.NDArray[np.float32]], Sequence[Any]]
"""Pictures, shape (n_items, ...), to outputs whose first axis is the item."""


class Seen(NamedTuple):
    """What a model says about the pictures that could be read.

    Parameters
    ----------
    rows : ndarray of intp
        Their rows.
    outputs : list of list of ndarray
        For each picture, its part of each output.
    places : list of Placement
        For each picture, where it lies on what the model saw.
    """

    rows: Rows
    outputs: list[list[npt.NDArray[np.float64]]]
    places: list[Placement]


class PictureModel:
    """A model with one input, a picture.

    Parameters
    ----------
    file : ModelFile
    picture : Picture or mapping
    outputs : sequence of str, optional
        Those that count, in this order; all without it.
    folder : path or paths, optional
    resources : Resources
    """

    def __init__(
        self, file: ModelFile, picture: Any, outputs: Sequence[str] | None, folder: Any, resources: Resources
    ) -> None:
        self.file = file
        self.picture = Picture.of(picture)
        self.names = None if outputs is None else listed_fields(outputs)
        self.files = ItemFiles(folder)
        self.session = OnDemand(file, resources)

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What votes depend on."""
        runtime = "ai_edge_litert" if self.file.path.suffix == ".tflite" else "onnxruntime"
        return (self.file, tuple(vars(self.picture).items()), self.names, version_of(runtime))

    def check(self) -> None:
        """Open the model, and compare its input with the pictures.

        Raises
        ------
        LabelmillError
            If it cannot be opened, or takes something else.
        """
        tensor = only_input(self.session(), self.file)
        wide, high = self.picture.size
        channels = self.picture.n_channels
        made = (channels, high, wide) if self.picture.layout == "nchw" else (high, wide, channels)
        asked = tensor.shape[1:]
        if len(asked) != 3 or any(size not in {-1, own} for size, own in zip(asked, made, strict=True)):
            raise RulesError(
                f"{self.file} takes pictures of shape {asked}, and `picture` makes {made}: mend size, "
                "channels or layout"
            )
        for name in self.names or ():
            output_named(self.session(), name, self.file)
        self.session.close()  # workers open their own

    def see(
        self, batch: ItemBatch, rows: Rows, fail: Callable[[int, BaseException], object], *, alone: bool = False
    ) -> Seen:
        """What the model says about some items; `fail` is told of those whose picture cannot be read.

        Parameters
        ----------
        alone : bool
            Whether its outputs are as long as there are things to be seen, so that pictures go through one by one.
        """
        session = self.session()
        name = only_input(session, self.file).name
        order = [output_named(session, one, self.file) for one in self.names or ()]

        def run(pictures: npt.NDArray[np.float32]) -> Sequence[Any]:
            feeds: Mapping[str, npt.NDArray[Any]] = {name: pictures}
            outputs = _with_axis(session.run(feeds)) if alone else session.run(feeds)
            return [outputs[k] for k in order] if order else outputs

        if not alone:
            return seen_by(run, self.picture, self.files, batch, rows, fail)
        parts = [seen_by(run, self.picture, self.files, batch, rows[k : k + 1], fail) for k in range(len(rows))]
        kept = [part for part in parts if len(part.rows)]
        one_by_one = [row for part in kept for row in part.rows.tolist()]
        return Seen(
            np.array(one_by_one, dtype=np.intp),
            [outputs for part in kept for outputs in part.outputs],
            [place for part in kept for place in part.places],
        )


def seen_by(
    run: Run,
    picture: Picture,
    files: ItemFiles,
    batch: ItemBatch,
    rows: Rows,
    fail: Callable[[int, BaseException], object],
) -> Seen:
    """What a model says about some items' pictures.

    Raises
    ------
    SchemaError
        If it gives no numbers, NaN, or another number of answers.
    """
    column = batch.frame["data"]
    good, made = prepared_rows(rows, fail, lambda row: picture.array(opened(files.path(column[row]))))
    if not made:
        return Seen(good, [], [])
    outputs = [_numbers(output, len(good)) for output in run(np.stack([array for array, _ in made]))]
    return Seen(good, [[output[k] for output in outputs] for k in range(len(good))], [place for _, place in made])


def _with_axis(outputs: Sequence[Any]) -> list[Any]:
    """Outputs about one picture with an axis for it in front, which some models leave out."""
    has_axis = any(np.ndim(output) == 3 and np.shape(output)[-1] == 4 for output in outputs)
    return list(outputs) if has_axis else [np.asarray(output)[None] for output in outputs]


def _numbers(output: Any, n_items: int) -> npt.NDArray[np.float64]:
    try:
        values = np.asarray(output, dtype=np.float64)
    except (TypeError, ValueError):
        raise SchemaError("an output of the model holds no numbers: name those that count, outputs = [...]") from None
    if not values.ndim or len(values) != n_items:
        raise SchemaError(f"the model gave {len(values) if values.ndim else 'one'} answers for {n_items} pictures")
    if np.isnan(values).any():
        raise SchemaError("the model gave NaN")
    return values
