"""The Open Inference Protocol, version 2, and our own JSON beside it.

https://github.com/kserve/open-inference-protocol: KServe, Triton, MLServer and OpenVINO speak it. Texts go in as BYTES
(or vectors as FP32, where the model reads vectors); labels, probabilities and uncertainties come out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from fastapi import Request, Response
from fastapi.responses import JSONResponse

import labelmill
from labelmill.pipeline.ready_models import Predictions, ReadyModel
from labelmill.server.model_serving.answering import answered, body_of, json_of, shelf_of
from labelmill.server.model_serving.shelf import ServedModel
from labelmill.server.model_serving.tensors import (
    HEADER_LENGTH,
    Wanted,
    asked_of,
    bytes_output,
    floats_output,
    framed,
)
from labelmill.server.problems import ProblemError

__all__ = [
    "about",
    "infer",
    "is_item",
    "line_of",
    "live",
    "model_about",
    "model_ready",
    "models",
    "predict",
    "ready",
    "served_version",
]

EXTENSIONS: Final = ("classification", "binary_tensor_data")


async def live(request: Request) -> Response:  # noqa: ARG001 -- every endpoint is given the request
    """The server answers."""
    return JSONResponse({"live": True})


async def about(request: Request) -> Response:  # noqa: ARG001 -- every endpoint is given the request
    """Who answers, and which extensions of the protocol it speaks."""
    told = {"name": "labelmill", "version": labelmill.__version__, "extensions": list(EXTENSIONS)}
    return JSONResponse(told)


async def ready(request: Request) -> Response:
    """Every model is loaded and warm, or 503."""
    shelf = shelf_of(request)
    await shelf.look()
    if not shelf.is_ready:
        raise ProblemError(503, "not every model is loaded: see the server's log", headers={"Retry-After": "2"})
    return JSONResponse({"ready": True})


async def models(request: Request) -> Response:
    """Names of the models."""
    shelf = shelf_of(request)
    await shelf.look()
    return JSONResponse({"models": shelf.names})


async def model_about(request: Request) -> Response:
    """What a model takes and gives, and its version."""
    _, model = await served_version(request)
    classes = list(model.schema.classes)
    inputs = [{"name": model.input_name, "datatype": "BYTES", "shape": [-1]}]
    if model.n_dimensions is not None:
        inputs.append({"name": "features", "datatype": "FP32", "shape": [-1, model.n_dimensions]})
    return JSONResponse(
        {
            "name": model.name,
            "versions": [model.version],
            "platform": "labelmill",
            "inputs": inputs,
            "outputs": [
                {"name": "label", "datatype": "BYTES", "shape": [-1]},
                {"name": "probability", "datatype": "FP32", "shape": [-1, len(classes)]},
                {"name": "uncertainty", "datatype": "FP32", "shape": [-1]},
            ],
            "parameters": {"kind": model.schema.kind, "classes": classes},
        }
    )


async def model_ready(request: Request) -> Response:
    """The model is loaded and warm."""
    _, model = await served_version(request)
    return JSONResponse({"name": model.name, "ready": True})


async def infer(request: Request) -> Response:
    """What the model says of some items."""
    served, model = await served_version(request)
    length = request.headers.get(HEADER_LENGTH)
    asked = asked_of(await body_of(request), length, name=model.input_name, n_dimensions=model.n_dimensions)
    told = await answered(request, served, model, asked.texts, asked.features, protocol="open_inference")
    outputs, raw = [], []
    for wanted in asked.wanted:
        output, after = _output(model, told, wanted)
        outputs.append(output)
        raw.append(after)
    answer: dict[str, Any] = {"model_name": model.name, "model_version": model.version, "outputs": outputs}
    if asked.id:
        answer["id"] = asked.id
    if told.faults:
        answer["parameters"] = {"faults": {str(i): error for i, error in told.faults.items()}}
    body, headers = framed(answer, raw)
    return Response(body, headers=headers)


async def predict(request: Request) -> Response:
    """The same in our own JSON: `{"items": [{"id", "text"}]}` to `{"predictions": [{"id", "label", ...}]}`."""
    served, model = await served_version(request)
    told = await json_of(request)
    items = told.get("items") if isinstance(told, dict) else None
    name = model.input_name
    if not isinstance(items, list) or not all(is_item(item, name) for item in items):
        raise ProblemError(400, f'send {{"items": [{{"id": "a", "{name}": "..."}}]}}; the id may be left out')
    said = await answered(request, served, model, [item[name] for item in items], protocol="json")
    lines = [line_of(model, said, i, item) for i, item in enumerate(items)]
    return JSONResponse({"model": model.name, "version": model.version, "predictions": lines})


async def served_version(request: Request) -> tuple[ServedModel, ReadyModel]:
    """The model that an address names, as it is now: it may have a successor before the answer is there.

    Raises
    ------
    ProblemError
        404 if there is none, or it has another version.
    """
    served = await shelf_of(request).model(request.path_params["model"])
    model, version = served.model, request.path_params.get("version")
    if version is not None and version != model.version:
        raise ProblemError(404, f"the model {model.name!r} has the version {model.version} now, not {version!r}")
    return served, model


def line_of(model: ReadyModel, said: Predictions, i: int, item: Mapping[str, Any]) -> dict[str, Any]:
    """One answer in our own JSON."""
    named = {"id": item["id"]} if "id" in item else {}
    if i in said.faults:
        return {**named, "error": said.faults[i]}
    row = said.probabilities[i]
    return {
        **named,
        "label": model.label(row),
        "probability": {name: round(float(p), 6) for name, p in zip(model.schema.classes, row, strict=True)},
        "uncertainty": round(float(model.uncertainty(row[None])[0]), 6),
    }


def is_item(item: Any, name: str) -> bool:
    """Whether this is an object with what the model is asked with, under its name."""
    return isinstance(item, dict) and isinstance(item.get(name), str)


def _output(model: ReadyModel, told: Predictions, wanted: Wanted) -> tuple[dict[str, Any], bytes]:
    if wanted.name == "label":
        labels = ["" if i in told.faults else _spoken(model.label(row)) for i, row in enumerate(told.probabilities)]
        return bytes_output("label", labels, [len(labels)], is_binary=wanted.is_binary)
    if wanted.name == "uncertainty":
        doubt = model.uncertainty(told.probabilities)
        doubt[list(told.faults)] = 1.0
        return floats_output("uncertainty", doubt, is_binary=wanted.is_binary)
    if wanted.classification:
        return _ranked(model, told, wanted)
    return floats_output("probability", told.probabilities, is_binary=wanted.is_binary)


def _spoken(label: str | list[str]) -> str:
    """A set of classes is a JSON list, as in files of votes."""
    return label if isinstance(label, str) else json.dumps(label, ensure_ascii=False)


def _ranked(model: ReadyModel, told: Predictions, wanted: Wanted) -> tuple[dict[str, Any], bytes]:
    """The likeliest classes as `value:index:label`, as Triton writes them."""
    classes = model.schema.classes
    k = min(wanted.classification, len(classes))
    order = np.argsort(-told.probabilities, axis=1, kind="stable")[:, :k]
    texts = [
        f"{row[c]:.6f}:{c}:{classes[c]}" for row, ranks in zip(told.probabilities, order, strict=True) for c in ranks
    ]
    return bytes_output("probability", texts, [len(told), k], is_binary=wanted.is_binary)
