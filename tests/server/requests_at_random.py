"""Requests made from the API's own description: some as it says, some close to it, some of anything JSON can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from hypothesis import strategies as st

__all__ = ["Operation", "anything", "operations", "request_to"]

ODD_TEXTS = ("", " ", "\0", "../../etc/passwd", "\ud7ff\U0010ffff", "%00", "null", "1e400", "-1", "A" * 1_001, "'; --")
ODD_NUMBERS = (-1, 0, 2**31, 2**63 - 1, 2**63, 10**30, -(2**53), 1.5, 1e308)
HALF_A_PAIR = "\ud800"
"""JSON can say it, no file and no database keeps it."""

DEEPEST = 4

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    Parameters
    ----------
    parameters : tuple of dict
        As OpenAPI describes them.
    body : dict or None
        Schema of the JSON that it takes.
    parts : dict
        Schemas that others refer to.
    """

    method: str
    path: str
    parameters: tuple[dict[str, Any], ...]
    body: dict[str, Any] | None
    parts: dict[str, Any]


def operations(app: FastAPI) -> list[Operation]:
    """What the app says of itself."""
    told = app.openapi()
    parts = told.get("components", {}).get("schemas", {})
    found = []
    for path, methods in sorted(told["paths"].items()):
        for method, one in sorted(methods.items()):
            content = one.get("requestBody", {}).get("content", {}).get("application/json", {})
            found.append(
                Operation(method.upper(), path, tuple(one.get("parameters", ())), content.get("schema"), parts)
            )
    return found


def anything() -> st.SearchStrategy[Any]:
    """Any JSON, small."""
    leaves = st.none() | st.booleans() | st.sampled_from([*ODD_NUMBERS, HALF_A_PAIR]) | st.integers() | texts()
    leaves |= st.floats(allow_nan=False, allow_infinity=False)
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3))


def texts() -> st.SearchStrategy[str]:
    """Texts, and some that break programs."""
    return st.sampled_from(ODD_TEXTS) | st.text(st.characters(codec="utf-8"), max_size=12)


def of_schema(schema: Schema, parts: Schema, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that a JSON schema describes, as far as the API uses it."""
    if "$ref" in schema:
        return of_schema(parts[schema["$ref"].rpartition("/")[2]], parts, depth)
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return st.one_of([of_schema(one, parts, depth) for one in schema[several]])
    made = _of_type(schema, parts, depth)
    examples = [one for one in schema.get("examples", ()) if one is not None]
    return st.sampled_from(examples) | made if examples else made


def _of_type(schema: Schema, parts: Schema, depth: int) -> st.SearchStrategy[Any]:
    match schema.get("type"):
        case "object":
            return _objects(schema, parts, depth)
        case "array":
            most = 0 if depth > DEEPEST else 3
            return st.lists(of_schema(schema.get("items", {}), parts, depth + 1), max_size=most)
        case "string":
            return texts() | st.just(HALF_A_PAIR)
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum")) | st.sampled_from(ODD_NUMBERS)
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False) | st.integers()
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    return anything()


def _objects(schema: Schema, parts: Schema, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    known = {name: of_schema(one, parts, depth + 1) for name, one in schema.get("properties", {}).items()}
    needed = {name: known[name] for name in schema.get("required", ()) if name in known}
    optional = {name: value for name, value in known.items() if name not in needed}
    more = schema.get("additionalProperties")
    if isinstance(more, dict) and not known:
        return st.dictionaries(texts(), of_schema(more, parts, depth + 1), max_size=3)
    return st.fixed_dictionaries(needed, optional=optional)


def request_to(operation: Operation, known: Mapping[str, list[str]]) -> st.SearchStrategy[dict[str, Any]]:
    """Address, query and body of a request; `known` names what exists, by the name of the parameter."""
    named = [one for one in operation.parameters if one["in"] == "path"]
    asked = [one for one in operation.parameters if one["in"] == "query"]
    path = st.fixed_dictionaries({one["name"]: _segment(known.get(one["name"], [])) for one in named})
    query = st.fixed_dictionaries(
        {}, optional={one["name"]: texts() | of_schema(one["schema"], operation.parts).map(_sendable) for one in asked}
    )
    body = st.none() if operation.body is None else of_schema(operation.body, operation.parts) | anything()
    return st.fixed_dictionaries({"path": path, "query": query, "body": body})


def _sendable(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode()


def _segment(known: list[str]) -> st.SearchStrategy[str]:
    odd = texts().filter(lambda text: text not in {"", ".", ".."})
    # Most requests must get as far as the route: a project that is not there ends them at the door.
    return st.sampled_from(known * 4) | odd if known else odd
