"""The models of a project that are ready to answer, kept current: a new version takes the old one's place when warm."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from labelmill.errors import FailedError, nearest
from labelmill.pipeline.ready_models import Predictions, ReadyModel, ready_model, served_models
from labelmill.pipeline.workspace import Workspace
from labelmill.server.model_serving.batcher import Batcher, Limits
from labelmill.server.model_serving.figures import ModelFigures
from labelmill.server.problems import ProblemError

__all__ = ["ServedModel", "Shelf"]

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 2.0
"""How often the lake is asked for a new version."""


class ServedModel:
    """A model, what gathers requests for it, and its figures; the model changes, the rest stays.

    Parameters
    ----------
    model : ReadyModel
    limits : Limits
    worker : ThreadPoolExecutor
    """

    def __init__(self, model: ReadyModel, limits: Limits, worker: ThreadPoolExecutor) -> None:
        self.model = model
        self.figures = ModelFigures(model.name)
        self.batcher = Batcher(limits, worker, self.figures)

    async def predict(
        self, model: ReadyModel, texts: Sequence[str], features: npt.NDArray[np.float32] | None = None
    ) -> Predictions:
        """What this version of the model says; see `Batcher.predict`."""
        return await self.batcher.predict(model, texts, features)


class Shelf:
    """The served models of one project.

    Parameters
    ----------
    folder : Path or None
        Of the project; None for models that are put here and stay as they are.
    only : str, optional
        Name of the one to serve; all trained ones without it.
    limits : Limits
    """

    def __init__(self, folder: Path | None = None, *, only: str | None = None, limits: Limits | None = None) -> None:
        self._folder, self._only = folder, only
        self.limits = limits or Limits()
        self._worker = ThreadPoolExecutor(1, "labelmill-model")
        self._served: dict[str, ServedModel] = {}
        self._failed: dict[str, str] = {}
        self._first = ""
        self._loading = threading.Lock()
        self._looked = float("-inf")
        self._look: asyncio.Task[None] | None = None

    @property
    def names(self) -> list[str]:
        """Of the models that are ready."""
        return sorted(self._served)

    @property
    def figures(self) -> list[ModelFigures]:
        """Of each model."""
        return [served.figures for _, served in sorted(self._served.items())]

    @property
    def is_ready(self) -> bool:
        """Whether there is a model, and none that could not be loaded."""
        return bool(self._served) and not self._failed

    def load(self) -> None:
        """Load and warm up what is new; a version that cannot be loaded leaves the old one in its place.

        Raises
        ------
        FailedError
            If nothing can be served.
        """
        if self._folder is None:
            return
        with self._loading:
            workspace = Workspace.open(self._folder)
            known = self._wanted(workspace)
            self._failed = {name: error for name, error in self._failed.items() if name in known}
            for name, version in known.items():
                served = self._served.get(name)
                if served is None or served.model.version != version:
                    self._renew(workspace, name)
            self._served = {name: served for name, served in self._served.items() if name in known}
            self._first = str(workspace.project["train.learner"])

    def put(self, model: ReadyModel) -> None:
        """Serve a model, once it is warm, in place of one of its name.

        Raises
        ------
        FailedError
            If it cannot say anything.
        """
        model.warm_up()
        if model.name in self._served:
            self._served[model.name].model = model
        else:
            self._served = {**self._served, model.name: ServedModel(model, self.limits, self._worker)}
        logger.info("model.ready", extra={"facts": {"model": model.name, "version": model.version}})

    async def model(self, name: str | None = None) -> ServedModel:
        """The served model of that name; without one, the project's learner.

        Raises
        ------
        ProblemError
            404 if there is none, 503 if it cannot be loaded.
        """
        await self.look()
        if name is None:
            name = self._first if self._first in self._served or not self._served else self.names[0]
        if name in self._served:
            return self._served[name]
        if name in self._failed:
            raise ProblemError(503, f"the model {name!r} cannot be loaded: {self._failed[name]}")
        raise ProblemError(404, f"no model is called {name!r}: {nearest(name, self._served)}")

    async def look(self) -> None:
        """See whether the lake has a new version; whoever asks first waits, others are answered by the old one."""
        is_due = time.monotonic() - self._looked >= LOOK_SECONDS
        if is_due and (self._look is None or self._look.done()):
            self._looked = time.monotonic()
            self._look = asyncio.create_task(self._loaded_beside())
        if not self._served and self._look is not None:
            await asyncio.shield(self._look)

    async def keep_current(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    def close(self) -> None:
        """Let go of the worker."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def _loaded_beside(self) -> None:
        try:
            await asyncio.to_thread(self.load)
        except Exception as error:  # noqa: BLE001 -- a project file under change must not end what runs
            logger.warning("models.not_loaded", extra={"facts": {"error": str(error)[:500]}})

    def _wanted(self, workspace: Workspace) -> dict[str, str]:
        known = served_models(workspace)
        if not known:
            self._served = {}
            raise FailedError("nothing is trained yet: train a model with `labelmill train`")
        if self._only is None:
            return known
        if self._only not in known:
            raise FailedError(f"no trained annotator is called {self._only!r}: {nearest(self._only, known)}")
        return {self._only: known[self._only]}

    def _renew(self, workspace: Workspace, name: str) -> None:
        try:
            self.put(ready_model(workspace, name))
        except Exception as error:
            self._failed[name] = str(error)[:500]
            if not self._served:
                raise
            logger.warning("model.not_loaded", extra={"facts": {"model": name, "error": str(error)[:500]}})
            return
        self._failed.pop(name, None)
