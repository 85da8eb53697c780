"""Tensors of the Open Inference Protocol: JSON, and Triton's extension for raw bytes after the JSON.

https://github.com/kserve/open-inference-protocol, version 2; `binary_tensor_data` and `classification` as in Triton's
protocol documents.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from labelmill.domain.strict_json import loads
from labelmill.errors import BadInputError
from labelmill.server.problems import ProblemError

__all__ = ["HEADER_LENGTH", "Asked", "Wanted", "asked_of", "bytes_output", "floats_output", "framed"]

HEADER_LENGTH: Final = "inference-header-content-length"
"""Header of requests and answers: bytes of JSON, after which raw tensors follow."""

OUTPUTS: Final = ("label", "probability", "uncertainty")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An output that is asked for.

    Parameters
    ----------
    name : str
    classification : int
        The likeliest so many classes, as `value:index:label`, in place of numbers; 0 for numbers.
    is_binary : bool
        As raw bytes.
    """

    name: str
    classification: int = 0
    is_binary: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for inference.

    Parameters
    ----------
    id : str
        Comes back with the answer.
    texts : list of str
        One an item; empty where there are features.
    features : ndarray of float32, shape (n_items, n_dimensions), optional
    wanted : list of Wanted
    """

    id: str
    texts: list[str]
    features: npt.NDArray[np.float32] | None = None
    wanted: list[Wanted] = field(default_factory=list)


def asked_of(body: bytes, header_length: str | None, *, name: str = "text", n_dimensions: int | None = None) -> Asked:
    """What a request asks for.

    Parameters
    ----------
    body : bytes
        JSON, and raw tensors after it.
    header_length : str or None
        What the header says of the length of the JSON.
    name : str
        Of the input of texts.
    n_dimensions : int, optional
        Length of the vectors that the model can be asked with; none without it.

    Raises
    ------
    ProblemError
        400: what is wrong, and what was expected.
    """
    head, raw = _split(body, header_length)
    try:
        told = loads(head, source="the request")
    except BadInputError as error:
        raise ProblemError(400, str(error)) from None
    if not isinstance(told, dict) or not isinstance(told.get("inputs"), list):
        raise ProblemError(400, 'a request is an object with "inputs": [{"name", "shape", "datatype", "data"}]')
    inputs = list(_inputs(told["inputs"], raw))
    if len(inputs) != 1:
        raise ProblemError(400, f"give one input, {name} (BYTES) or features (FP32); found {len(inputs)}")
    given, values = inputs[0]
    wanted = list(_wanted(told))
    number = told.get("id", "")
    if not isinstance(number, str):
        raise ProblemError(400, "id must be a text", field="id")
    if isinstance(values, list):
        if given != name:
            raise ProblemError(400, f"the input of BYTES is called {name}, found {given!r}", field="inputs")
        return Asked(number, values, None, wanted)
    if given != "features" or values.shape[1] != n_dimensions:
        vectors = "" if n_dimensions is None else f" or features (FP32, [n, {n_dimensions}])"
        raise ProblemError(400, f"the model takes the input {name} (BYTES){vectors}; found {given!r} of numbers")
    return Asked(number, [""] * len(values), values, wanted)


def bytes_output(
    name: str, texts: Sequence[str], shape: Sequence[int], *, is_binary: bool
) -> tuple[dict[str, Any], bytes]:
    """An output of texts, and its raw bytes if it is wanted so."""
    told: dict[str, Any] = {"name": name, "datatype": "BYTES", "shape": list(shape)}
    if not is_binary:
        return {**told, "data": list(texts)}, b""
    coded = [text.encode() for text in texts]
    raw = b"".join(struct.pack("<I", len(one)) + one for one in coded)
    return {**told, "parameters": {"binary_data_size": len(raw)}}, raw


def floats_output(name: str, values: npt.NDArray[np.float64], *, is_binary: bool) -> tuple[dict[str, Any], bytes]:
    """An output of numbers, and its raw bytes if it is wanted so."""
    narrow = values.astype("<f4")
    told: dict[str, Any] = {"name": name, "datatype": "FP32", "shape": list(values.shape)}
    if not is_binary:
        return {**told, "data": narrow.ravel().tolist()}, b""
    raw = narrow.tobytes()
    return {**told, "parameters": {"binary_data_size": len(raw)}}, raw


def framed(told: Mapping[str, Any], raw: Sequence[bytes]) -> tuple[bytes, dict[str, str]]:
    """The body of an answer, and its headers."""
    head = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    if not any(raw):
        return head, {"Content-Type": "application/json"}
    return b"".join([head, *raw]), {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(len(head))}


def _split(body: bytes, header_length: str | None) -> tuple[bytes, bytes]:
    if header_length is None:
        return body, b""
    if not (header_length.isascii() and header_length.isdecimal()) or int(header_length) > len(body):
        raise ProblemError(400, f"Inference-Header-Content-Length must be bytes of the JSON, at most {len(body)}")
    return body[: int(header_length)], body[int(header_length) :]


def _inputs(told: Sequence[Any], raw: bytes) -> Iterator[tuple[str, list[str] | npt.NDArray[np.float32]]]:
    """Names of inputs with texts, or with vectors."""
    at = 0
    for one in told:
        if not isinstance(one, dict):
            raise ProblemError(400, "an input is an object with name, shape, datatype and data", field="inputs")
        name, kind, shape = one.get("name"), one.get("datatype"), _shape(one.get("shape"))
        parameters = one.get("parameters")
        size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
        if size is not None:
            if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= len(raw) - at:
                raise ProblemError(400, f"binary_data_size must be bytes that follow, at most {len(raw) - at}")
            data: Any = raw[at : at + size]
            at += size
        else:
            data = list(_flat(one.get("data")))
        if kind == "BYTES":
            yield str(name), _texts(data, shape)
        elif kind == "FP32":
            yield str(name), _vectors(data, shape)
        else:
            raise ProblemError(400, f"the datatype is BYTES or FP32, found {kind!r}", field="datatype")
    if at != len(raw):
        raise ProblemError(400, f"{len(raw) - at} bytes after the JSON belong to no input")


def _shape(told: Any) -> tuple[int, ...]:
    is_shape = isinstance(told, list) and 1 <= len(told) <= 2
    if not is_shape or not all(type(n) is int and 0 <= n < 2**31 for n in told):
        raise ProblemError(400, f"shape must be [n] or [n, m], found {str(told)[:80]}", field="shape")
    return tuple(told)


def _flat(told: Any) -> Iterator[Any]:
    if not isinstance(told, list):
        raise ProblemError(400, "data must be a list, or bytes after the JSON", field="data")
    for one in told:
        if isinstance(one, list):
            yield from one
        else:
            yield one


def _texts(data: bytes | list[Any], shape: tuple[int, ...]) -> list[str]:
    if len(shape) == 2 and shape[1] != 1:
        raise ProblemError(400, f"texts have the shape [n] or [n, 1], found {list(shape)}", field="shape")
    texts = list(_elements(data)) if isinstance(data, bytes) else data
    if not all(isinstance(text, str) for text in texts):
        raise ProblemError(400, "data of BYTES must be texts", field="data")
    if len(texts) != shape[0]:
        raise ProblemError(400, f"the shape says {shape[0]} texts, there are {len(texts)}", field="shape")
    return texts


def _elements(raw: bytes) -> Iterator[str]:
    """Texts, each after its length in four bytes, low ones first."""
    at = 0
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 4], "little")
        text = raw[at + 4 : at + 4 + size]
        if len(text) != size:
            raise ProblemError(400, "the raw texts end in the middle of one", field="data")
        try:
            yield text.decode()
        except UnicodeDecodeError:
            raise ProblemError(400, "a raw text is no UTF-8", field="data") from None
        at += 4 + size


def _vectors(data: bytes | list[Any], shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    n_values = math.prod(shape)
    if len(shape) != 2:
        raise ProblemError(400, f"features have the shape [n, m], found {list(shape)}", field="shape")
    if isinstance(data, bytes):
        if len(data) != 4 * n_values:
            raise ProblemError(400, f"the shape says {4 * n_values} bytes, there are {len(data)}", field="shape")
        values = np.frombuffer(data, dtype="<f4").astype(np.float32)
    else:
        if len(data) != n_values or not all(type(x) in {int, float} for x in data):
            raise ProblemError(400, f"the shape says {n_values} numbers, found something else", field="data")
        with np.errstate(over="ignore"):
            values = np.array(data, dtype=np.float64).astype(np.float32)
    if not np.isfinite(values).all():
        raise ProblemError(400, "features must be finite numbers of 32 bits", field="data")
    return values.reshape(shape)


def _wanted(told: Mapping[str, Any]) -> Iterator[Wanted]:
    of_request = told.get("parameters")
    is_binary = isinstance(of_request, dict) and of_request.get("binary_data_output") is True
    outputs = told.get("outputs")
    if outputs is None:
        yield from (Wanted(name, is_binary=is_binary) for name in OUTPUTS)
        return
    for one in outputs if isinstance(outputs, list) else [None]:
        one = one if isinstance(one, dict) else {}
        name = one.get("name")
        if name not in OUTPUTS:
            raise ProblemError(400, f"an output is one of {', '.join(OUTPUTS)}; found {name!r}", field="outputs")
        parameters = one.get("parameters")
        parameters = parameters if isinstance(parameters, dict) else {}
        k = parameters.get("classification", 0)
        if type(k) is not int or not 0 <= k <= 10_000 or (k and name != "probability"):
            raise ProblemError(400, "classification is a number of classes, and of probability alone", field="outputs")
        yield Wanted(name, k, parameters.get("binary_data", is_binary) is True)
