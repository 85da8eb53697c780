"""Label Studio's ML backend: what it asks of a model, answered by a trained annotator.

Its calls are those of `label_studio/ml/api_connector.py` (Label Studio 1.23): GET /health, POST /setup, /predict,
/versions, /validate, /webhook, /train. `/predict` must answer one result a task, in order, or every task is sent again
on its own. The tag that holds the answer, and the field of a task that holds the text, are read from the labeling
config of each request, so that nothing is kept between requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree as ET

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from labelmill.errors import SchemaError
from labelmill.pipeline.ready_models import Predictions, ReadyModel
from labelmill.server.model_serving.answering import answered, json_of, shelf_of
from labelmill.server.problems import ProblemError

__all__ = [
    "Control",
    "control_of",
    "delete",
    "health",
    "predict",
    "setup",
    "train",
    "validate",
    "versions",
    "webhook",
]

MOST_CONFIG: Final = 200_000
"""Characters of a labeling config."""

NO_TRAINING: Final = (
    "nothing is trained from here: bring the answers into the project (labelmill import --votes-by), then run "
    "`labelmill train`; the new version is served within seconds"
)


@dataclass(frozen=True, slots=True)
class Control:
    """Where an answer goes, and where the text comes from.

    Parameters
    ----------
    from_name, to_name : str
        Of the tag `Choices` and of the tag that it is about.
    field : str
        Of a task's data.
    values : mapping of str to str
        Class -> what Label Studio keeps for it: its alias, or itself.
    """

    from_name: str
    to_name: str
    field: str
    values: Mapping[str, str]


def control_of(config: Any, classes: Sequence[str]) -> Control:
    """The first `Choices` that has every class.

    Raises
    ------
    SchemaError
        If there is none; says what is missing. Names count, not the order.
    """
    tree = _parsed(config)
    objects = {tag.get("name"): tag for tag in tree.iter() if tag.get("value", "").startswith("$")}
    lacking = ""
    for tag in tree.iter("Choices"):
        named = [(choice.get("value", ""), choice.get("alias", "")) for choice in tag.iter("Choice")]
        values = {value: alias or value for value, alias in named}
        about = objects.get(tag.get("toName"))
        missing = [name for name in classes if name not in values]
        if about is None or about.tag not in {"Text", "HyperText"}:
            lacking = f'Choices {tag.get("name")!r} is not about a Text with value="$field"'
        elif missing:
            lacking = f"Choices {tag.get('name')!r} has no Choice {missing[0]!r}"
        else:
            return Control(str(tag.get("name")), str(tag.get("toName")), about.get("value", "")[1:], values)
    raise SchemaError(lacking or f"the labeling config has no Choices with the classes {', '.join(classes)}")


async def health(request: Request) -> Response:
    """The model is there and warm."""
    served = await shelf_of(request).model()
    return JSONResponse({"status": "UP", "model_class": served.model.name, "model_version": served.model.version})


async def setup(request: Request) -> Response:
    """The version that would answer this labeling config; 400 if it cannot."""
    served = await shelf_of(request).model()
    told = await _object(request)
    if told.get("schema"):
        _checked_control(told["schema"], served.model)
    return JSONResponse({"model_version": served.model.version})


async def validate(request: Request) -> Response:
    """Whether the model can answer a labeling config."""
    served = await shelf_of(request).model()
    _checked_control((await _object(request)).get("config"), served.model)
    return JSONResponse({"status": "ok"})


async def versions(request: Request) -> Response:
    """The one version that answers."""
    served = await shelf_of(request).model()
    return JSONResponse({"versions": [served.model.version]})


async def predict(request: Request) -> Response:
    """One result a task; empty where there is no text or the model failed."""
    served = await shelf_of(request).model()
    model, told = served.model, await _object(request)
    tasks = told.get("tasks")
    if not isinstance(tasks, list):
        raise ProblemError(400, "tasks must be a list", field="tasks")
    control = _checked_control(told.get("label_config"), model)
    texts = [_text(task, control.field) for task in tasks]
    places = [i for i, text in enumerate(texts) if text is not None]
    said = await answered(request, served, model, [t for t in texts if t is not None], protocol="label_studio")
    results: list[dict[str, Any]] = [{"result": [], "score": 0.0, "model_version": model.version} for _ in tasks]
    for at, i in enumerate(places):
        if at not in said.faults:
            results[i] = _result(model, said, at, control)
    return JSONResponse({"results": results, "model_version": model.version})


async def webhook(request: Request) -> Response:
    """Events are heard and nothing is learned from them; a wish to train is refused in words."""
    shelf_of(request)
    told = await _object(request)
    if told.get("action") == "START_TRAINING" or "annotations" in told:
        raise ProblemError(501, NO_TRAINING)
    return JSONResponse({"status": "ignored", "detail": NO_TRAINING})


async def train(request: Request) -> Response:
    """Refused in words."""
    shelf_of(request)
    raise ProblemError(501, NO_TRAINING)


async def delete(request: Request) -> Response:
    """A project of Label Studio's is gone; nothing was kept of it."""
    shelf_of(request)
    return JSONResponse({"status": "ok"})


async def _object(request: Request) -> dict[str, Any]:
    told = await json_of(request)
    if not isinstance(told, dict):
        raise ProblemError(400, "send a JSON object")
    return told


def _checked_control(config: Any, model: ReadyModel) -> Control:
    if model.input_name != "text":
        raise ProblemError(400, f"for Label Studio texts are served so far, not {model.input_name}: use /v2/models")
    try:
        return control_of(config, model.schema.classes)
    except SchemaError as error:
        raise ProblemError(400, f"the model {model.name!r} cannot answer this labeling config: {error}") from None


def _parsed(config: Any) -> ET.Element:
    if not isinstance(config, str) or not config.strip() or len(config) > MOST_CONFIG:
        raise SchemaError(f"a labeling config is XML of at most {MOST_CONFIG} characters")
    if "<!" in config.replace("<!--", ""):  # no entity is ever expanded, and no other file named
        raise SchemaError("a labeling config has no declarations (<!DOCTYPE, <!ENTITY)")
    try:
        return ET.fromstring(config)  # noqa: S314 -- see above
    except ET.ParseError as error:
        raise SchemaError(f"the labeling config is no XML: {error}") from None


def _text(task: Any, field: str) -> str | None:
    data = task.get("data") if isinstance(task, dict) else None
    text = data.get(field) if isinstance(data, dict) else None
    return text if isinstance(text, str) else None


def _result(model: ReadyModel, said: Predictions, at: int, control: Control) -> dict[str, Any]:
    row = said.probabilities[at]
    label = model.label(row)
    chosen = [label] if isinstance(label, str) else label
    score = round(1.0 - float(model.uncertainty(row[None])[0]), 6)
    region = {
        "from_name": control.from_name,
        "to_name": control.to_name,
        "type": "choices",
        "value": {"choices": [control.values[name] for name in chosen]},
        "score": score,
    }
    return {"result": [region] if chosen else [], "score": score, "model_version": model.version}
