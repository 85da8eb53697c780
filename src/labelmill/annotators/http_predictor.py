"""Classifiers behind a model server vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._item_inputs import ItemInputs, Takes
from labelmill.annotators._model_server import ModelServer, NotAboutItemsError
from labelmill.annotators._places import class_names, resources_of
from labelmill.annotators._scores import Gives
from labelmill.annotators._server_dialects import DIALECTS, About, Dialect, named
from labelmill.annotators._sessions import Tensor
from labelmill.annotators.predictor import Predictor
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.errors import RulesError, nearest

__all__ = ["HttpPredictor"]


class HttpPredictor(Predictor):
    """Votes by a classifier behind a server that speaks the Open Inference Protocol or TensorFlow Serving's.

    Batches of items are sent with a time limit. Where that may help (connection refused, 429, 5xx) a batch is sent
    again, after a pause that doubles and is partly drawn, so that workers do not come back together. An answer of the
    wrong length, with unknown classes or with numbers that are no probabilities is taken apart item by item. What is
    left are faults that say what happened.

    Parameters
    ----------
    url : str
        Where the server's paths begin: before `/v2/models` or `/v1/models`.
    model : str
        The model's name there.
    classes : sequence of str, or path
        Class names in the order of its numbers. Where an answer names its classes, these names win.
    dialect : {"oip", "tensorflow"}
        `oip`: KServe, Triton, MLServer, OpenVINO and others.
    version : str
        Of the model. It cannot be seen from here that a server has another one: a new version makes new votes.
    input : str, optional
        Name of the model's input, if the server does not tell it.
    output : str, optional
        Name of the output that counts; the first table of numbers without it.
    batch_size, timeout, tries, private, token_env
        Items at once; seconds an answer may take; tries for a question; whether the address may lie on this machine
        or in its own network; name of the environment variable with the secret.
    rename, takes, field, fields, tokenizer, max_tokens, picture, folder, gives, min_confidence, name, resources
        See `onnx_predictor`.

    Raises
    ------
    RulesError
        If an option is none.
    """

    reason = "a server is asked about batches"
    has_own_limits = True
    """Each request has a time limit: it cannot hang, and may take longer than a rule."""

    def __init__(
        self,
        url: str,
        *,
        model: str,
        classes: Sequence[str] | str | Path,
        dialect: str = "oip",
        version: str = "",
        input: str | None = None,  # noqa: A002 - what protocols call it
        output: str | None = None,
        batch_size: int = 32,
        timeout: float = 20.0,
        tries: int = 4,
        private: bool = False,
        token_env: str | None = None,
        rename: Mapping[str, str] | None = None,
        takes: Takes = "text",
        field: str = "text",
        fields: Sequence[str] = (),
        tokenizer: str | Path | None = None,
        max_tokens: int = 256,
        picture: Any = None,
        folder: Any = None,
        gives: Gives = "probabilities",
        min_confidence: float = 0.0,
        name: str | None = None,
        resources: Resources | Mapping[str, Any] | None = None,
    ) -> None:
        if dialect not in DIALECTS:
            hint = "; for Label Studio's backends there is label_studio_backend"
            raise RulesError(f"dialect={dialect!r}: {nearest(str(dialect), DIALECTS)}{hint}")
        inputs = ItemInputs(
            takes,
            field=field,
            fields=fields,
            tokenizer=tokenizer,
            max_tokens=max_tokens,
            picture=picture,
            folder=folder,
        )
        server = ModelServer(url, timeout=timeout, tries=tries, private=private, token_env=token_env)
        super().__init__(
            _Served(server, DIALECTS[dialect], model, version, inputs, input, output),
            classes=class_names(classes),
            rename=rename,
            takes="items",
            field=field,
            gives=gives,
            min_confidence=min_confidence,
            batch_size=batch_size,
            name=name,
            resources=resources_of(resources),
        )

    def __repr__(self) -> str:
        return f"http_predictor({self.model.server.url})"


class _Served:
    """A model on a server as the model inside a predictor."""

    one_for_two = True
    not_about_items = (NotAboutItemsError,)

    def __init__(
        self,
        server: ModelServer,
        dialect: Dialect,
        model: str,
        version: str,
        inputs: ItemInputs,
        named_input: str | None,
        output: str | None,
    ) -> None:
        self.server = server
        self.dialect = dialect
        self.model = model
        self.version = version
        self.inputs = inputs
        self.named_input = named_input
        self.output = output
        self._about: About | None = None

    @property
    def fingerprint(self) -> str:
        """Of the address, the model's name and version, and how items are read and answers taken."""
        parts = (self.server.url, self.dialect.name, self.model, self.version, self.named_input, self.output)
        return fingerprint_of(*parts, self.inputs)

    def check(self) -> None:
        """Ask whether the model is ready."""
        self.inputs.check()
        self.server.check(self.dialect.ready(self.model))

    def predict_with_faults(self, batch: ItemBatch) -> tuple[Any, Mapping[int, BaseException]]:
        """The server's answer for the items, and why some could not be read."""
        failures: dict[int, BaseException] = {}
        filled = self.inputs.read(batch, np.arange(len(batch)), self._told().inputs, failures.__setitem__)
        if not len(filled.rows):
            return [], failures
        answer = self.dialect.ask(self.server, self.model, filled.feeds, self.output)
        classes = self._told().classes
        if isinstance(answer, np.ndarray) and classes is not None:
            answer = named(answer, classes)
        if not failures or len(answer) != len(filled.rows):
            return answer, failures
        place = dict.fromkeys(range(len(batch)), 0) | {row: k for k, row in enumerate(filled.rows.tolist())}
        return [answer[place[row]] for row in range(len(batch))], failures

    def _told(self) -> About:
        """The model's inputs and classes: as the server tells them, the input's name as it is told here."""
        if self._about is None:
            if self.named_input is not None:
                dtype = None if self.inputs.takes == "text" else np.dtype(np.float32)
                self._about = About([Tensor(self.named_input, (-1,), dtype)])
            else:
                self._about = self.dialect.about(self.server, self.model)
        return self._about
