"""Where served models are asked. The table is light: what answers is imported when somebody asks."""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from labelmill.server.auth import Level, access

__all__ = ["Address", "model_router"]

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class Address(NamedTuple):
    """One address: what answers is `function` of the module `module` beside this one."""

    method: str
    path: str
    module: str
    function: str
    about: str
    level: Level = "machine"


INFERENCE: Final = (
    Address("GET", "/v2", "open_inference", "about", "Who answers, and which extensions of the protocol it speaks."),
    Address("GET", "/v2/health/live", "open_inference", "live", "The server answers.", "public"),
    Address("GET", "/v2/health/ready", "open_inference", "ready", "Every model is loaded and warm, or 503."),
    Address("GET", "/v2/models", "open_inference", "models", "Names of the models."),
    Address("GET", "/v2/models/{model}", "open_inference", "model_about", "What a model takes and gives."),
    Address("GET", "/v2/models/{model}/ready", "open_inference", "model_ready", "This model is loaded and warm."),
    Address("POST", "/v2/models/{model}/infer", "open_inference", "infer", "What the model says of some items."),
    Address("POST", "/v2/models/{model}/predict", "open_inference", "predict", "The same in plain JSON."),
    Address("POST", "/v2/models/{model}/stream", "stream", "stream", "An answer for each JSON line, in order."),
    Address("GET", "/v2/models/{model}/versions/{version}", "open_inference", "model_about", "The same of a version."),
    Address("GET", "/v2/models/{model}/versions/{version}/ready", "open_inference", "model_ready", "Of a version."),
    Address("POST", "/v2/models/{model}/versions/{version}/infer", "open_inference", "infer", "Of a version."),
)
"""The Open Inference Protocol, with our own JSON and JSON lines beside it."""

LABEL_STUDIO: Final = (
    Address("GET", "/health", "label_studio", "health", "The model is there and warm."),
    Address("POST", "/setup", "label_studio", "setup", "The version that answers a labeling config."),
    Address("POST", "/predict", "label_studio", "predict", "One result a task."),
    Address("GET", "/versions", "label_studio", "versions", "The one version that answers."),
    Address("POST", "/versions", "label_studio", "versions", "The one version that answers."),
    Address("POST", "/validate", "label_studio", "validate", "Whether the model can answer a labeling config."),
    Address("POST", "/webhook", "label_studio", "webhook", "Events are heard; nothing is learned from them."),
    Address("POST", "/train", "label_studio", "train", "Refused in words."),
    Address("POST", "/delete", "label_studio", "delete", "A project is gone; nothing was kept of it."),
)
"""Label Studio's ML backend."""

EXAMPLES: Final[dict[str, Any]] = {
    "infer": {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["win a prize"]}]},
    "predict": {"items": [{"id": "a", "text": "win a prize"}]},
    "stream": {"id": "a", "text": "win a prize"},
}


_loaded: dict[str, ModuleType] = {}


def model_router(route_class: type[APIRoute], *, prefix: str = "", label_studio_at: str = "") -> APIRouter:
    """All routes of served models.

    Parameters
    ----------
    route_class : type of APIRoute
        The guard.
    prefix : str
        Before every address.
    label_studio_at : str
        Before those of Label Studio besides.
    """
    router = APIRouter(prefix=prefix, tags=["models"], route_class=route_class)
    theirs = [one._replace(path=label_studio_at + one.path) for one in LABEL_STUDIO]
    for one in (*INFERENCE, *theirs):
        number = re.sub(r"\W+", "_", f"{one.method} {prefix}{one.path}").strip("_").lower()
        router.add_api_route(
            one.path,
            _endpoint(one),
            methods=[one.method],
            operation_id=number,
            response_model=None,
            description=one.about,
            openapi_extra=_described(one),
            include_in_schema=one in INFERENCE and "version" not in one.path,  # the rest is described by others
        )
    return router


def _endpoint(address: Address) -> Endpoint:
    module = f"{__package__}.{address.module}"

    @access(address.level)
    async def endpoint(request: Request) -> Response:
        if module not in _loaded:  # it brings what labelling does without
            _loaded[module] = await asyncio.to_thread(importlib.import_module, module)
        answer: Response = await getattr(_loaded[module], address.function)(request)
        return answer

    endpoint.__name__ = f"{address.module}_{address.function}"
    return endpoint


def _described(address: Address) -> dict[str, Any]:
    """What OpenAPI says of it besides."""
    named = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", address.path)
    ]
    told: dict[str, Any] = {"parameters": named} if named else {}
    if address.method == "POST":
        shown = EXAMPLES.get(address.function)
        schema = {"type": "object", "examples": [shown]} if shown else {"type": "object"}
        kind = "application/x-ndjson" if address.function == "stream" else "application/json"
        told["requestBody"] = {"required": True, "content": {kind: {"schema": schema}}}
    return told
