"""From a request to what the model says of it, whatever protocol the request came by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from fastapi import Request

from labelmill.domain.strict_json import loads
from labelmill.errors import BadInputError, FailedError
from labelmill.pipeline.ready_models import Predictions, ReadyModel
from labelmill.server.model_serving.batcher import BusyError, LateError, Limits
from labelmill.server.problems import ProblemError

if TYPE_CHECKING:
    from labelmill.server.model_serving.shelf import ServedModel, Shelf

__all__ = ["Shelves", "answered", "body_of", "check_items", "json_of", "shelf_of"]

RETRY_SECONDS: Final = 1

LARGE: Final = 65_536
"""Bytes of JSON beyond which it is read beside the event loop."""

T = TypeVar("T")


class Shelves(Protocol):
    """Where a request finds the models it asks for."""

    def of(self, project: str | None) -> Shelf:
        """The shelf of a project.

        Raises
        ------
        ProblemError
            404 if this server has no models of it.
        """


def shelf_of(request: Request) -> Shelf:
    """The models that a request may ask."""
    shelves: Shelves = request.app.state.shelves
    return shelves.of(request.path_params.get("project"))


async def body_of(request: Request) -> bytes:
    """The whole body; the layers before have seen to its size."""
    return await request.body()


async def json_of(request: Request) -> Any:
    """The body as strict JSON.

    Raises
    ------
    ProblemError
        400 if it is none.
    """
    body = await body_of(request)
    try:
        if len(body) > LARGE:
            return await asyncio.to_thread(loads, body, source="the request")
        return loads(body, source="the request")
    except BadInputError as error:
        raise ProblemError(400, str(error)) from None


def check_items(texts: Sequence[str], limits: Limits) -> None:
    """Refuse more than is taken at once.

    Raises
    ------
    ProblemError
        413: how much is taken.
    """
    if len(texts) > limits.most_items:
        raise ProblemError(413, f"{len(texts)} items: at most {limits.most_items} at once; send more by /stream")
    longest = max(map(len, texts), default=0)
    if longest > limits.most_characters:
        raise ProblemError(413, f"a text has {longest} characters: at most {limits.most_characters}")


async def answered(
    request: Request,
    served: ServedModel,
    model: ReadyModel,
    texts: Sequence[str],
    features: npt.NDArray[np.float32] | None = None,
    *,
    protocol: str,
) -> Predictions:
    """What the model says, unless the client goes, waits too long or comes when everybody does; all of it counted.

    Raises
    ------
    ProblemError
        413 for too much, 503 with `Retry-After` when busy, 504 when late, 500 when the model failed.
    """
    started, outcome = time.perf_counter(), "failed"
    try:
        check_items(texts, served.batcher.limits)
        told = await _unless_gone(request, served.predict(model, texts, features))
        outcome = "ok"
    except BusyError as error:
        outcome = "busy"
        raise ProblemError(503, str(error), headers={"Retry-After": str(RETRY_SECONDS)}) from None
    except LateError as error:
        outcome = "late"
        raise ProblemError(504, str(error)) from None
    except ProblemError as error:
        outcome = "gone" if error.status == 408 else "refused"
        raise
    except FailedError as error:
        raise ProblemError(500, str(error)) from None
    else:
        return told
    finally:
        served.figures.answered(protocol, outcome, time.perf_counter() - started)


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of the work, which ends when the client goes."""
    job, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({job, gone}, return_when=asyncio.FIRST_COMPLETED)
        if job.done():
            return job.result()
        raise ProblemError(408, "the client has gone")
    finally:
        job.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
