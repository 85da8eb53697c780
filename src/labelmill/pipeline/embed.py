"""Embed: an encoder makes a vector of every item that has none yet."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

from labelmill.domain.ports import Engine
from labelmill.domain.run import Run
from labelmill.domain.vote import Fault
from labelmill.errors import FailedError, UsageError
from labelmill.pipeline._encoders import encoder_here
from labelmill.pipeline._engines import open_engine
from labelmill.pipeline._features import LAST, EmbedStage, Features, features_of_project
from labelmill.pipeline._stage_run import Tally, receipts_of
from labelmill.pipeline.workspace import Workspace

__all__ = ["Embedded", "embed", "first_encoder", "ready_features"]


@dataclass(frozen=True, slots=True)
class Embedded:
    """What the encoder did.

    Parameters
    ----------
    run : Run
        Its record.
    encoder : str
        As it is spoken of.
    fingerprint : str
        Name of the vectors' folder in the lake.
    n_items, n_new : int
        Items in the lake, and how many of them got their vector now.
    n_dimensions : int
        Length of a vector.
    faults : list of Fault
        All items that it could not encode, of earlier runs too.
    """

    run: Run
    encoder: str
    fingerprint: str
    n_items: int
    n_new: int
    n_dimensions: int
    faults: Sequence[Fault] = field(default_factory=list)


def embed(
    workspace: Workspace,
    *,
    encoder: str | None = None,
    engine: str | None = None,
    workers: int | None = None,
    retry: bool = False,
) -> Embedded:
    """Make the vectors that are missing; what an earlier run finished is not done again.

    Parameters
    ----------
    encoder : str, optional
        `name` or `name:argument`; the project's without it.
    engine : str, optional
        Name or address of an engine; the project's without it.
    workers : int, optional
        How many workers at most.
    retry : bool
        Try the items at fault again, with those that were encoded beside them.

    Raises
    ------
    UsageError
        If no encoder is named, or it cannot be used.
    AnnotationError
        If some items could not be finished; the others are kept.
    """
    features = features_of_project(workspace, encoder)
    if workspace.lake.n_items == 0:
        raise FailedError("there are no items yet: bring some with `labelmill import FILE`")
    name = engine or workspace.project["annotate.engine"]
    given = {"encoder": encoder, "workers": workers}
    parameters = {key: value for key, value in given.items() if value is not None}
    choice = features.encoder
    with workspace.lake.writing(), closing(open_engine(name)) as opened:
        fingerprints = {choice.spoken: choice.fingerprint}
        with workspace.running("embed", engine=name, annotators=fingerprints, parameters=parameters) as run:
            if retry:
                workspace.lake.embeddings.forget_faulty(choice.fingerprint)
            n_new, tally = _encode(workspace, features, opened, workers)
            n_faults = workspace.lake.embeddings.seal(
                choice.fingerprint, choice.told(), workspace.lake.embeddings.pieces()
            )
            if choice.spoken == workspace.project["features.encoder"]:
                workspace.lake.write_document(LAST, choice.told())
            ended = workspace.end(
                run,
                counts={"items": workspace.lake.n_items, "new": n_new, "faults": n_faults},
                faults={choice.spoken: n_faults} if n_faults else {},
                timings=tally.seconds,
                hosts=dict(tally.hosts),
            )
    faults = workspace.lake.embeddings.faults(choice.fingerprint) if n_faults else []
    n_dimensions = encoder_here(choice).n_dimensions
    return Embedded(ended, choice.spoken, choice.fingerprint, workspace.lake.n_items, n_new, n_dimensions, faults)


def _encode(workspace: Workspace, features: Features, engine: Engine, workers: int | None) -> tuple[int, Tally]:
    """Let the engine make what is missing; of how many items that is, and how it went."""
    lake, fingerprint = workspace.lake, features.encoder.fingerprint
    pieces, done = lake.embeddings.pieces(), lake.embeddings.done(fingerprint)
    todo = [piece for piece in pieces if piece.id not in done]
    n_new = sum(piece.n_rows for piece in todo)
    tally = Tally(lake.n_items, len(pieces), n_rows_before=lake.n_items - n_new, n_before=len(pieces) - len(todo))
    progress = workspace.watch("embed")
    progress(tally.n_rows, tally.total, tally.detail())
    need = encoder_here(features.encoder).resources._replace(workers=workspace.most_workers(workers))
    stage = EmbedStage(lake.uri, features)
    for receipt in receipts_of(workspace, stage, todo, engine, need, digest=fingerprint):
        tally.add(receipt)
        progress(tally.n_rows, tally.total, tally.detail())
    return n_new, tally


def ready_features(workspace: Workspace, reader: str) -> Features:
    """The project's features, all of them in the lake.

    Parameters
    ----------
    reader : str
        Who reads them, for the message: "the learner 'auto_head'".

    Raises
    ------
    UsageError
        If the project names no encoder; says what to set.
    """
    if not workspace.project["features.encoder"]:
        raise UsageError(
            f"{reader} reads features, and this project has no encoder: in labelmill.toml, set "
            f"{first_encoder(workspace)}"
        )
    features = features_of_project(workspace)
    embeddings = workspace.lake.embeddings
    sealed = embeddings.sealed(features.encoder.fingerprint)
    if any(piece.id not in sealed for piece in embeddings.pieces()):
        embed(workspace)
    return features


def first_encoder(workspace: Workspace) -> str:
    """What to set in `labelmill.toml` to begin with."""
    return f'[features] encoder = "{_FIRST[workspace.schema.modality]}"'


_FIRST = {"text": "hashing", "image": "image_onnx:FILE", "audio": "mel"}
"""What to begin with."""
