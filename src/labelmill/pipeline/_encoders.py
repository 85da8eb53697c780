"""Encoders by what they are called, and what a worker needs to know to open the same one."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from labelmill import registry
from labelmill.domain.ports import Encoder
from labelmill.errors import AnnotationError, UsageError, nearest
from labelmill.pipeline.workspace import Workspace

__all__ = ["EncoderChoice", "chosen_encoder", "encoder_here", "open_encoder"]


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder as it is spoken of; any process can open it.

    Parameters
    ----------
    spoken : str
        `name` or `name:argument`.
    place : str
        The argument as workers find it: an absolute path, if it is one.
    options : str
        Keyword arguments as JSON text, their paths absolute too.
    spoken_options : str
        The same as they were told.
    fingerprint : str
        Name of its folder in the lake.
    """

    spoken: str
    place: str
    options: str
    spoken_options: str
    fingerprint: str

    @property
    def name(self) -> str:
        """Of the plugin."""
        return self.spoken.partition(":")[0]

    def told(self) -> dict[str, Any]:
        """How it is spoken of, as JSON: `chosen_encoder` makes the same encoder of it."""
        return {"encoder": self.spoken, "options": json.loads(self.spoken_options), "fingerprint": self.fingerprint}


def chosen_encoder(
    workspace: Workspace, spoken: str | None = None, options: Mapping[str, Any] | None = None
) -> EncoderChoice:
    """The project's encoder, or another one for its items.

    Parameters
    ----------
    spoken : str, optional
        `name` or `name:argument`; a file or folder by its path from the project's. The project's without it.
    options : mapping, optional
        What it is told besides; the project's without it, if the encoder is the project's.

    Raises
    ------
    UsageError
        If none is named, there is no such encoder or option, its model is missing, or it reads something else than
        the project's items.
    """
    project = workspace.project
    named = spoken or project["features.encoder"]
    if not named:
        raise UsageError(
            'no encoder is named: in labelmill.toml, set [features] encoder = "hashing" for texts; the others: '
            f"{', '.join(registry.names('encoder'))}"
        )
    given = project["features.options"] if named == project["features.encoder"] else {}
    told = json.dumps(dict(given if options is None else options), sort_keys=True)
    name, _, argument = named.partition(":")
    place = _found(project.folder, argument)
    paths = getattr(registry.find("encoder", name), "files", ())
    used = {key: _found(project.folder, value) if key in paths else value for key, value in json.loads(told).items()}
    choice = EncoderChoice(named, place, json.dumps(used, sort_keys=True), told, "")
    encoder = open_encoder(choice)
    asked = workspace.schema.modality
    if encoder.modality != asked:
        raise UsageError(
            f"the encoder {choice.name!r} reads {_spoken(encoder.modality)}, and the items of this project are "
            f"{_spoken(asked)}: name another in labelmill.toml: [features] encoder = ..."
        )
    return replace(choice, fingerprint=encoder.fingerprint)


def _found(folder: Path, place: str) -> str:
    """A file or folder by its path from the project's, made absolute; anything else as it is."""
    path = folder / place
    return str(path.resolve()) if place and path.exists() else place


def open_encoder(choice: EncoderChoice) -> Encoder:
    """The encoder itself.

    Raises
    ------
    UsageError
        If it is not called rightly: an unknown option, an argument that is missing or too many.
    """
    plugin = registry.find("encoder", choice.name)
    options = json.loads(choice.options)
    parameters = inspect.signature(plugin).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    for name in options:
        if name not in known:
            raise UsageError(f"the encoder {choice.name!r} has no option {name!r}: {nearest(name, known)}")
    if choice.place and not positional:
        raise UsageError(f"the encoder {choice.name!r} takes nothing after its name: write encoder = {choice.name!r}")
    if not choice.place and positional and positional[0].default is inspect.Parameter.empty:
        form = f"{choice.name}:{positional[0].name.upper()}"
        raise UsageError(f"the encoder {choice.name!r} needs its {positional[0].name}: write encoder = {form!r}")
    try:
        encoder: Encoder = plugin(*([choice.place] if choice.place else []), **options)
    except TypeError as error:
        raise UsageError(f"the encoder {choice.name!r} cannot be made with {options}: {error}") from error
    return encoder


@lru_cache(maxsize=2)
def encoder_here(choice: EncoderChoice) -> Encoder:
    """The encoder, opened once a process.

    Raises
    ------
    AnnotationError
        If it is not the one that the driver saw: files of models must be the same on every machine.
    """
    encoder = open_encoder(choice)
    if encoder.fingerprint != choice.fingerprint:
        raise AnnotationError(
            f"the encoder {choice.spoken!r} is another one here than where the work was planned: put the same files "
            f"at {choice.place or choice.name} on every machine, and run the same command again"
        )
    return encoder


def _spoken(modality: str) -> str:
    return {"text": "texts", "image": "images", "audio": "recordings"}[modality]
