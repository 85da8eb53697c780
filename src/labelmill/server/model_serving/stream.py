"""Prediction as a stream: JSON lines in, JSON lines out, in order, with a bounded number under way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from labelmill.domain.strict_json import loads
from labelmill.errors import BadInputError, FailedError
from labelmill.pipeline.ready_models import ReadyModel
from labelmill.server.asgi import Receive, Scope, Send
from labelmill.server.model_serving.batcher import BusyError
from labelmill.server.model_serving.open_inference import is_item, line_of, served_version
from labelmill.server.model_serving.shelf import ServedModel

__all__ = ["stream"]

LINES: Final = "application/x-ndjson"

MOST_LINE: Final = 1_100_000
"""Bytes of a line; a longer one ends the stream."""

BUSY_SECONDS: Final = 0.02
"""Until a stream asks again for room: it can wait, and so its client does."""


async def stream(request: Request) -> Response:
    """An answer for each line `{"id", "text"}`, in order, for as long as the client sends.

    Send and read at the same time: when nobody reads the answers, nothing more is read either.
    """
    served, model = await served_version(request)
    return _Flow(_answers(request, served, model))


class _Flow(Response):
    """Sends each part when it is there. Whoever asked is read meanwhile, which Starlette's own would do for itself."""

    media_type = LINES

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 -- ASGI's signature
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with contextlib.aclosing(self._parts) as parts:  # type: ignore[type-var]  # it is a generator
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _answers(request: Request, served: ServedModel, model: ReadyModel) -> AsyncIterator[bytes]:
    """Lines of answers; as many as two batches are under way at once."""
    started, outcome = time.perf_counter(), "gone"
    window = 2 * served.batcher.limits.max_batch
    under_way: asyncio.Queue[asyncio.Future[bytes] | None] = asyncio.Queue(window)
    reader = asyncio.create_task(_read(request, served, model, under_way))
    try:
        while (task := await under_way.get()) is not None:
            yield await task
        await reader
        outcome = "ok"
    finally:
        reader.cancel()
        while not under_way.empty():
            left = under_way.get_nowait()
            if left is not None:
                left.cancel()
        served.figures.answered("stream", outcome, time.perf_counter() - started)


async def _read(
    request: Request, served: ServedModel, model: ReadyModel, under_way: asyncio.Queue[asyncio.Future[bytes] | None]
) -> None:
    number = 0
    try:
        async for line in _lines(request):
            number += 1
            await under_way.put(asyncio.create_task(_answer(served, model, number, line)))
    except ClientDisconnect:
        pass
    except FailedError as error:
        await under_way.put(_known(_told({"line": number + 1, "error": str(error)})))
    await under_way.put(None)


async def _lines(request: Request) -> AsyncIterator[bytes]:
    """The lines as they come; empty ones are passed over."""
    rest = b""
    async for part in request.stream():
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
        if len(rest) > MOST_LINE:
            raise FailedError(f"the line is longer than {MOST_LINE} bytes: the stream ends here")
    if rest.strip():
        yield rest


async def _answer(served: ServedModel, model: ReadyModel, number: int, line: bytes) -> bytes:
    """One line's answer, or what is wrong with it."""
    try:
        item = loads(line, source="the stream", line=number)
    except BadInputError as error:
        return _told({"line": number, "error": str(error)})
    named = {"id": item["id"]} if isinstance(item, dict) and "id" in item else {"line": number}
    field = model.input_name
    if not is_item(item, field):
        return _told({**named, "error": f"a line is an object with the text {field!r}, and an id if you like"})
    if len(item[field]) > served.batcher.limits.most_characters:
        most = served.batcher.limits.most_characters
        return _told({**named, "error": f"the text has more than {most} characters"})
    while True:
        try:
            said = await served.predict(model, [item[field]])
        except BusyError:
            await asyncio.sleep(BUSY_SECONDS)
        except FailedError as error:
            return _told({**named, "error": str(error)})
        else:
            return _told({**named, **line_of(model, said, 0, {}), "version": model.version})


def _known(answer: bytes) -> asyncio.Future[bytes]:
    future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    future.set_result(answer)
    return future


def _told(answer: Mapping[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
