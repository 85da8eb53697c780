"""Models behind HTTP: three protocols, and servers that are slow, dead, busy or lie."""

from __future__ import annotations

from typing import Any

import pytest
from tests.annotators.model_server import Asked, serving

from labelmill.annotators import _model_server
from labelmill.annotators.http_predictor import HttpPredictor
from labelmill.annotators.label_studio_backend import LabelStudioBackend
from labelmill.domain.item import Item, ItemBatch
from labelmill.domain.schema import LabelSchema
from labelmill.errors import RulesError

SPAM = LabelSchema("spam", ("ham", "spam"))
TEXTS = ItemBatch.from_texts(["free", "lunch", "free cash"])
METADATA: dict[str, Any] = {"name": "m", "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}]}


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between tries, noted and not made."""
    made: list[float] = []
    monkeypatch.setattr(_model_server, "PAUSE", made.append)
    return made


def oip(texts: list[str], **more: Any) -> dict[str, Any]:
    """A right answer in the Open Inference Protocol: spam where it is free."""
    rows = [[0.1, 0.9] if "free" in text else [0.8, 0.2] for text in texts]
    data = [value for row in rows for value in row]
    return {"outputs": [{"name": "p", "datatype": "FP32", "shape": [len(rows), 2], "data": data, **more}]}


def by_oip(path: str, question: Any, **more: Any) -> Any:
    """A server that is as it should be."""
    if not path.endswith("/infer"):
        return 200, METADATA
    return 200, oip(question["inputs"][0]["data"], **more)


def predictor(asked: Asked, **options: Any) -> HttpPredictor:
    told: dict[str, Any] = {"model": "m", "classes": ["ham", "spam"], "private": True, "name": "h"} | options
    return HttpPredictor(asked.url, **told)


def test_the_open_inference_protocol() -> None:
    """Texts go as BYTES under the name that the metadata tell; the first table of numbers counts."""
    with serving(by_oip) as asked:
        model = predictor(asked, batch_size=2)
        model.check(SPAM)
        votes = model.annotate(TEXTS, SPAM)

    assert [] == votes.faults
    assert [1, 0, 1] == list(votes.labels)
    assert ["/v2/models/m/ready", "/v2/models/m", "/v2/models/m/infer", "/v2/models/m/infer"] == asked.paths
    assert {"name": "text", "shape": [2], "datatype": "BYTES", "data": ["free", "lunch"]} == asked.questions[2][
        "inputs"
    ][0]


def test_names_in_the_answer_win_over_positions() -> None:
    """A server that names its classes in another order is understood."""
    parameters = {"parameters": {"classes": ["spam", "ham"]}}
    with serving(lambda path, question: by_oip(path, question, **parameters)) as asked:
        votes = predictor(asked).annotate(TEXTS, SPAM)

    assert [0, 1, 0] == list(votes.labels)


def test_names_in_the_metadata_win_too() -> None:
    """As labelmill's own server tells them; of its inputs the one for texts is filled."""
    inputs = [*METADATA["inputs"], {"name": "features", "datatype": "FP32", "shape": [-1, 4]}]
    metadata = {**METADATA, "inputs": inputs, "parameters": {"classes": ["spam", "ham"]}}

    def answer(path: str, question: Any) -> Any:
        return (200, metadata) if question is None else by_oip(path, question)

    with serving(answer) as asked:
        votes = predictor(asked).annotate(TEXTS, SPAM)

    assert [] == votes.faults
    assert [0, 1, 0] == list(votes.labels)


def test_labels_without_a_table_are_read_as_triton_writes_them() -> None:
    """`value:index:label`, the best first."""

    def answer(path: str, question: Any) -> Any:
        if not path.endswith("/infer"):
            return 200, METADATA
        rows = [["0.7:1:spam", "0.3:0:ham"] for _ in question["inputs"][0]["data"]]
        data = [one for row in rows for one in row]
        return 200, {"outputs": [{"name": "c", "datatype": "BYTES", "shape": [len(rows), 2], "data": data}]}

    with serving(answer) as asked:
        votes = predictor(asked).annotate(TEXTS, SPAM)

    assert [1, 1, 1] == list(votes.labels)


@pytest.mark.parametrize(
    ("row", "options"),
    [
        ([0.1, 0.9], {}),
        ({"scores": [0.9, 0.1], "classes": ["spam", "ham"]}, {}),
        ({"other": [1, 2, 3], "probabilities": [0.1, 0.9]}, {}),
        ({"a": [0.1, 0.9], "b": [1, 2, 3]}, {"output": "a"}),
    ],
)
def test_tensorflow_serving(row: Any, options: dict[str, Any]) -> None:
    """Rows of numbers, or mappings of outputs; with names beside them these win."""
    with serving(lambda _, question: (200, {"predictions": [row for _ in question["instances"]]})) as asked:
        votes = predictor(asked, dialect="tensorflow", input="t", **options).annotate(TEXTS, SPAM)

    assert [] == votes.faults
    assert [1, 1, 1] == list(votes.labels)
    assert {"instances": [{"t": "free"}, {"t": "lunch"}, {"t": "free cash"}]} == asked.questions[0]


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ({"predictions": [[0.5, 0.5]] * 5}, "gave shape (5, 2)"),
        ({"predictions": [[0.5, 0.4, 0.1]]}, "gave shape (1, 3)"),
        ({"predictions": [[0.5, 0.9]]}, "sum to 1"),
        ({"predictions": [[float("nan"), 1.0]]}, "NaN"),
        ({"predictions": [["a", "b"]]}, "instead of numbers"),
        ({"predictions": [{"scores": [1.0, 0.0], "classes": ["ham", "eggs"]}]}, "'eggs'"),
        ({"predictions": "none"}, "no list 'predictions'"),
        ([], "no list 'predictions'"),
        (b"<html>", "no JSON"),
    ],
)
def test_a_server_that_lies_makes_faults_that_say_so(lie: Any, reason: str) -> None:
    """Wrong length, wrong classes, no probabilities, no JSON: nothing is believed, and nothing raised."""
    with serving(lambda *_: (200, lie)) as asked:
        votes = predictor(asked, dialect="tensorflow").annotate(TEXTS, SPAM)

    assert [-1, -1, -1] == list(votes.labels)
    assert all(reason in fault.error for fault in votes.faults)


def test_one_item_that_a_server_refuses_costs_only_itself() -> None:
    """A refused batch is taken apart."""

    def answer(_: str, question: Any) -> Any:
        if "lunch" in question["instances"]:
            return 400, {"error": "cannot parse lunch"}
        return 200, {"predictions": [[0.1, 0.9] for _ in question["instances"]]}

    with serving(answer) as asked:
        votes = predictor(asked, dialect="tensorflow").annotate(TEXTS, SPAM)

    assert [1, -1, 1] == list(votes.labels)
    assert ["1"] == [fault.item for fault in votes.faults]
    assert "status 400 (cannot parse lunch)" in votes.faults[0].error


def test_a_busy_server_is_asked_again(pauses: list[float]) -> None:
    """429 and 503 pass; pauses grow, are partly drawn, and are as long as the server asks."""
    replies: list[Any] = [(429, {}, {"retry-after": "7"}), (503, {}), (502, {})]

    def answer(_: str, question: Any) -> Any:
        return replies.pop(0) if replies else (200, {"predictions": [[0.1, 0.9] for _ in question["instances"]]})

    with serving(answer) as asked:
        votes = predictor(asked, dialect="tensorflow").annotate(TEXTS, SPAM)

    assert [1, 1, 1] == list(votes.labels)
    assert 3.5 <= pauses[0] <= 7
    assert 0.5 <= pauses[1] <= 1
    assert 1 <= pauses[2] <= 2


def test_a_slow_server_is_given_up_in_time() -> None:
    """Each item of the batch is a fault that names the limit."""
    with serving(lambda *_: None) as asked:
        votes = predictor(asked, dialect="tensorflow", timeout=0.15, tries=2).annotate(TEXTS, SPAM)

    assert [-1, -1, -1] == list(votes.labels)
    assert "no answer in 2 tries of at most 0.15 s" in votes.faults[0].error


def test_a_dead_server_is_an_error_before_and_faults_during_a_run(pauses: list[float]) -> None:
    """Nobody listens: after a few batches nobody asks for a while either."""
    with serving(by_oip) as asked:
        pass
    model = predictor(asked, dialect="tensorflow", batch_size=1, tries=3)

    with pytest.raises(RulesError, match="start the server"):
        model.check(SPAM)
    votes = model.annotate(ItemBatch.from_texts([str(n) for n in range(6)]), SPAM)

    assert 6 == len(votes.faults)
    assert "left alone" in votes.faults[-1].error
    assert 2 * 3 == len(pauses)


def test_private_addresses_must_be_allowed() -> None:
    """Without it nothing is sent, and the message names the option."""
    with serving(by_oip) as asked:
        with pytest.raises(RulesError, match="private = true"):
            predictor(asked, private=False).check(SPAM)
        votes = predictor(asked, private=False).annotate(TEXTS, SPAM)

    assert [] == asked.paths
    assert "not public" in votes.faults[0].error


def test_the_secret_is_the_environment_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named, not written; a variable that is not set is one clear error, a wrong secret as well."""
    with serving(by_oip) as asked:
        with pytest.raises(RulesError, match="MY_SECRET is not set"):
            predictor(asked, token_env="MY_SECRET").check(SPAM)
        monkeypatch.setenv("MY_SECRET", "abc")
        predictor(asked, token_env="MY_SECRET").check(SPAM)
    assert "Bearer abc" == asked.headers[-1]["authorization"]

    with (
        serving(lambda *_: (401, {"detail": "who are you"})) as asked,
        pytest.raises(RulesError, match=r"status 401 \(who are you\); name the environment variable"),
    ):
        predictor(asked).check(SPAM)


@pytest.mark.parametrize("url", ["https://me:s3cret@m.example", "https://m.example/?key=s3cret"])
def test_a_secret_in_the_address_is_refused_and_not_repeated(url: str) -> None:
    """It would end in logs, faults and fingerprints."""
    with pytest.raises(RulesError, match="token_env") as refused:
        HttpPredictor(url, model="m", classes=["a", "b"])

    assert "s3cret" not in str(refused.value)


def test_a_new_version_makes_new_votes() -> None:
    """What the server holds cannot be seen; what is told counts, how long to wait does not."""
    one, same, other = (
        HttpPredictor("https://m.example", model="m", classes=["a", "b"], **options)
        for options in ({"version": "1"}, {"version": "1", "timeout": 3.0}, {"version": "2"})
    )

    assert one.fingerprint == same.fingerprint != other.fingerprint


def label_studio(result: Any, **more: Any) -> Any:
    """A backend that says the same of every task."""
    return lambda _, question: (
        200,
        {"results": [{"result": result, **more} for _ in (question or {}).get("tasks", [])]},
    )


def test_a_label_studio_backend_chooses() -> None:
    """Choices by name; tasks carry the data, the configuration asks the question."""
    with serving(label_studio([{"type": "choices", "value": {"choices": ["Spam!"]}}], score=0.8)) as asked:
        model = LabelStudioBackend(asked.url, private=True, rename={"Spam!": "spam"}, name="ls")
        model.check(SPAM)
        votes = model.annotate(TEXTS, SPAM)
        unsure = LabelStudioBackend(asked.url, private=True, min_confidence=0.9, name="ls").annotate(TEXTS, SPAM)

    assert [1, 1, 1] == list(votes.labels)
    assert [-1, -1, -1] == list(unsure.labels)
    assert {"id": 1, "data": {"text": "free"}} == asked.questions[1]["tasks"][0]
    assert '<Choice value="spam"/>' in asked.questions[1]["label_config"]


def test_a_label_studio_backend_draws_boxes() -> None:
    """Percentages become pixels, and a turn about the corner one about the middle."""
    region: dict[str, Any] = {
        "type": "rectanglelabels",
        "original_width": 200,
        "original_height": 100,
        "value": {"x": 50, "y": 10, "width": 10, "height": 10, "rotation": 90, "rectanglelabels": ["cat"]},
    }
    plain = {**region, "value": {**region["value"], "rotation": 0}, "score": 0.5}
    schema = LabelSchema("things", ("cat",), kind="box", modality="image")
    with serving(label_studio([plain, region])) as asked:
        votes = LabelStudioBackend(asked.url, private=True, name="ls").annotate(ItemBatch.from_texts(["a.png"]), schema)

    drawn: Any = votes.labels[0]
    upright, turned = drawn
    assert {"label": "cat", "x": 100, "y": 10, "width": 20, "height": 10, "score": 0.5} == upright
    assert pytest.approx((85, 15, 90)) == (turned["x"], turned["y"], turned["rotation"])


def test_a_label_studio_backend_of_the_wrong_length_is_asked_one_by_one() -> None:
    """As Label Studio itself does; what cannot be read is a fault."""

    def answer(_: str, question: Any) -> Any:
        good = {"result": [{"type": "labels", "value": {"start": 0, "end": 4, "labels": ["x"]}}]}
        bad = {"result": [{"type": "labels", "value": {"end": 4, "labels": ["x"]}}]}
        one = good if question["tasks"][0]["data"]["text"] != "lunch" else bad
        return 200, {"results": [one]}

    with serving(answer) as asked:
        schema = LabelSchema("marks", ("x",), kind="span")
        votes = LabelStudioBackend(asked.url, private=True, name="ls").annotate(TEXTS, schema)

    span = [{"label": "x", "start": 0, "end": 4}]
    assert [span, None, span] == votes.labels
    assert "cannot be read" in votes.faults[0].error


def test_a_label_studio_backend_says_what_it_cannot_answer() -> None:
    """Masks come in a form of Label Studio's own."""
    schema = LabelSchema("ground", ("sky",), kind="mask", modality="image")
    model = LabelStudioBackend("https://m.example", name="ls")

    with pytest.raises(RulesError, match="answers no mask"):
        model.check(schema)
    votes = model.annotate(ItemBatch.from_items([Item("a", "a.png")]), schema)

    assert [None] == votes.labels
    assert 1 == len(votes.faults)
