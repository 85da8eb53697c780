from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.server.requests_at_random import anything

from labelmill.errors import SchemaError
from labelmill.server.model_serving.label_studio import control_of
from labelmill.server.model_serving.tensors import asked_of
from labelmill.server.problems import ProblemError

NAMES = st.sampled_from(["text", "features", "label", "probability"]) | anything()
SHAPES = st.lists(st.integers(-1, 3), max_size=3) | anything()
INPUT = st.fixed_dictionaries(
    {"name": NAMES, "shape": SHAPES, "datatype": st.sampled_from(["BYTES", "FP32", "INT8"])},
    optional={
        "data": st.lists(st.text(max_size=3) | st.floats(width=32), max_size=3) | anything(),
        "parameters": st.fixed_dictionaries({"binary_data_size": st.integers(-1, 12)}) | anything(),
    },
)
REQUEST = st.fixed_dictionaries(
    {"inputs": st.lists(INPUT, max_size=2) | anything()},
    optional={"id": anything(), "outputs": st.lists(st.fixed_dictionaries({"name": NAMES})) | anything()},
)


@given(REQUEST | anything(), st.binary(max_size=12), st.booleans())
def test_no_request_breaks_the_reader(body: Any, raw: bytes, says_length: bool) -> None:
    """Whatever is sent is either read, one text or vector an item, or refused with status 400."""
    head = json.dumps(body).encode()
    try:
        asked = asked_of(head + raw, str(len(head)) if says_length else None, n_dimensions=2)
    except ProblemError as refused:
        status = refused.status
    else:
        status = 400
        assert all(isinstance(text, str) for text in asked.texts)
        assert asked.features is None or asked.features.shape == (len(asked.texts), 2)
    assert status == 400


@given(anything() | st.text("<>/!&;Choices ValueText=$\"'", max_size=60))
def test_no_labeling_config_breaks_the_reader(config: Any) -> None:
    """Whatever Label Studio could send as a config is refused in words, or fits."""
    with contextlib.suppress(SchemaError):
        control_of(config, ("ham", "spam"))
