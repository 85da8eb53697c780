"""Where the vectors of items come from: the lake, or the encoder where it has none yet."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Partition, Receipt
from labelmill.domain.ports import Encoded
from labelmill.errors import AnnotationError, FailedError
from labelmill.pipeline._encoders import EncoderChoice, chosen_encoder, encoder_here
from labelmill.pipeline._lake_here import lake_here
from labelmill.pipeline._media_here import MediaFolders, media_folders
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.lake import Lake

__all__ = [
    "LAST",
    "EmbedStage",
    "Features",
    "embedded_by",
    "features_of_items",
    "features_of_model",
    "features_of_project",
]

RECORD: Final = "features.json"
"""In the folder of a trained model: the encoder whose vectors it learned from."""

LAST: Final = "features"
"""Document of the lake: the encoder that embedded last."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """The vectors that an encoder makes of a project's items; travels to workers.

    Parameters
    ----------
    encoder : EncoderChoice
    media : MediaFolders
        The way to pictures and recordings.
    """

    encoder: EncoderChoice
    media: MediaFolders

    def of(self, lake: Lake, part: Partition) -> Vectors:
        """The vectors of a partition, shape (n_items, n_dimensions), NaN where an item could not be encoded.

        What the lake does not have is made, and left there.
        """
        embeddings, fingerprint = lake.embeddings, self.encoder.fingerprint
        for piece in embeddings.pieces(part):
            self.ensure(lake, piece)
        found = embeddings.read(fingerprint, part)
        if found is None:
            raise AnnotationError(f"vectors of {part.id!r} vanished while they were read: run the same command again")
        return found

    def of_all(self, lake: Lake) -> Vectors:
        """The vectors of all items, in lake order."""
        partitions = lake.item_partitions()
        if not partitions:
            return np.zeros((0, encoder_here(self.encoder).n_dimensions), dtype=np.float32)
        return np.concatenate([self.of(lake, partition) for partition in partitions])

    def ensure(self, lake: Lake, piece: Partition) -> Encoded | None:
        """See to it that the vectors of a piece are in the lake; what was made, None if they were there."""
        if lake.embeddings.has(self.encoder.fingerprint, piece):
            return None
        batch = ItemBatch(lake.read_items(piece).frame, media=self.media)
        encoded = encoder_here(self.encoder).encode(batch)
        _check(encoded, batch, self.encoder)
        lake.embeddings.publish(self.encoder.fingerprint, piece, encoded)
        return encoded

    def save(self, folder: Path) -> None:
        """Put on record, beside a trained model, whose vectors it reads."""
        (folder / RECORD).write_text(json.dumps(self.encoder.told(), sort_keys=True), encoding="utf-8")

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` told."""
        return cls(EncoderChoice(**told["encoder"]), MediaFolders(tuple(told["media"]["folders"])))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class EmbedStage:
    """Makes the vectors of a piece and publishes them.

    Parameters
    ----------
    lake : str
        URI of the lake.
    features : Features
    """

    lake: str
    features: Features

    def __call__(self, partition: Partition) -> Receipt:
        """Encode the piece."""
        started = time.monotonic()
        encoded = self.features.ensure(lake_here(self.lake), partition)
        n_faults = 0 if encoded is None else len(encoded.faults)
        seconds = time.monotonic() - started
        timings = ((self.features.encoder.name, seconds),)
        return Receipt(
            partition.id, partition.n_rows, "", seconds, n_faults, timings=timings, host=socket.gethostname()
        )


def features_of_project(workspace: Workspace, encoder: str | None = None) -> Features:
    """The project's, or those of another encoder; see `chosen_encoder` for what is refused."""
    return Features(chosen_encoder(workspace, encoder), media_folders(workspace.project))


def features_of_model(workspace: Workspace, name: str, fingerprint: str) -> Features | None:
    """Those that a trained learner reads; None if it reads the items themselves.

    Raises
    ------
    FailedError
        If its encoder is not what it was.
    """
    path = workspace.lake.model_folder(name, fingerprint) / RECORD
    if not path.is_file():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    choice = chosen_encoder(workspace, told["encoder"], told["options"])
    if choice.fingerprint != told["fingerprint"]:
        raise FailedError(
            f"the encoder {choice.spoken!r} has changed since {name!r} learned from its vectors: train it again"
        )
    return Features(choice, media_folders(workspace.project))


def embedded_by(workspace: Workspace) -> str | None:
    """Fingerprint of the project's encoder as `embed` last put it on record; None if it has embedded nothing.

    Opens no encoder: a server need not have its library.
    """
    spoken, options = workspace.project["features.encoder"], workspace.project["features.options"]
    document = workspace.lake.read_document(LAST) if spoken else None
    if document is None or (document["encoder"], document["options"]) != (spoken, options):
        return None
    return str(document["fingerprint"])


def features_of_items(lake: Lake, encoder: str, ids: list[str]) -> Vectors | None:
    """The vectors that the lake has of these items, shape (n_items, n_dimensions), NaN where it has none.

    Parameters
    ----------
    encoder : str
        Fingerprint.
    ids : list of str

    Returns
    -------
    ndarray or None
        None if the lake has no vector of any of them.
    """
    places = {name: place for place, name in enumerate(ids)}
    found: Vectors | None = None
    n_missing = len(places)
    for piece in lake.embeddings.pieces():
        if not n_missing:
            break
        here = lake.read_items(piece, ["id"]).ids
        rows = [row for row, name in enumerate(here) if name in places]
        n_missing -= len(rows)
        if not rows or not lake.embeddings.has(encoder, piece):
            continue
        vectors = lake.embeddings.read_piece(encoder, piece)
        if found is None:
            found = np.full((len(ids), vectors.shape[1]), np.nan, dtype=np.float32)
        found[[places[here[row]] for row in rows]] = vectors[rows]
    return found


def _check(encoded: Encoded, batch: ItemBatch, choice: EncoderChoice) -> None:
    """Refuse what no reader could use; an encoder may be anybody's."""
    features = encoded.features
    n_dimensions = encoder_here(choice).n_dimensions
    if features.shape != (len(batch), n_dimensions) or features.dtype != np.float32:
        raise AnnotationError(
            f"the encoder {choice.spoken!r} made {features.dtype} of shape {features.shape} out of {len(batch)} items, "
            f"expected float32 of shape {(len(batch), n_dimensions)}: mend the encoder"
        )
    failed = {fault.item for fault in encoded.faults}
    ids = batch.frame["id"]
    bad = np.flatnonzero(~np.isfinite(features).all(axis=1))
    unexplained = [ids[int(row)] for row in bad if ids[int(row)] not in failed]
    if unexplained:
        raise AnnotationError(
            f"the encoder {choice.spoken!r} made a vector that is not finite of item {unexplained[0]!r} and told no "
            "fault: mend the encoder"
        )
