from __future__ import annotations

import base64
import json
import struct
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tests.server.model_serving.served import (
    Counting,
    lines_of,
    outputs_of,
    served,
    texts_input,
    trained_project,
)

from labelmill.errors import FailedError
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.train import train
from labelmill.pipeline.workspace import Workspace
from labelmill.server.model_serving import shelf as shelf_module
from labelmill.server.model_serving.app import create_model_app
from labelmill.server.model_serving.shelf import Shelf

INFER = "/v2/models/tfidf_linear/infer"


def test_infer_answers_as_the_protocol_says(client: httpx.Client) -> None:
    """Labels, probabilities and doubts of the current model, by its fingerprint; the id comes back."""
    answer = client.post(INFER, json=texts_input("a free prize", "the meeting at noon", id="7"))

    told, outputs = answer.json(), outputs_of(answer)
    assert (told["id"], told["model_name"]) == ("7", "tfidf_linear")
    assert client.get("/v2/models/tfidf_linear").json()["versions"] == [told["model_version"]]
    assert outputs["label"] == ["spam", "ham"]
    rows = np.array(outputs["probability"]).reshape(2, 2)
    assert rows.sum(axis=1) == pytest.approx([1, 1], abs=1e-6)
    assert outputs["uncertainty"] == pytest.approx(1 - rows.max(axis=1), abs=1e-6)


def test_raw_tensors_say_the_same(client: httpx.Client) -> None:
    """Triton's binary form of texts and of answers holds what JSON holds."""
    texts = ["a free prize", "the meeting — at noon"]
    raw = b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in texts)
    head = json.dumps(
        {
            "inputs": [
                {"name": "text", "shape": [2, 1], "datatype": "BYTES", "parameters": {"binary_data_size": len(raw)}}
            ],
            "parameters": {"binary_data_output": True},
        }
    ).encode()

    answer = client.post(INFER, content=head + raw, headers={"Inference-Header-Content-Length": str(len(head))})

    size = int(answer.headers["Inference-Header-Content-Length"])
    told = json.loads(answer.content[:size])
    sizes = [one["parameters"]["binary_data_size"] for one in told["outputs"]]
    assert [one["name"] for one in told["outputs"]] == ["label", "probability", "uncertainty"]
    rest = answer.content[size:]
    assert rest[: sizes[0]] == b"\4\0\0\0spam\3\0\0\0ham"
    plain = outputs_of(client.post(INFER, json=texts_input(*texts)))
    found = np.frombuffer(rest[sizes[0] : sizes[0] + sizes[1]], dtype="<f4")
    assert found == pytest.approx(plain["probability"])
    assert len(rest) == sum(sizes)


def test_likeliest_classes_are_ranked(client: httpx.Client) -> None:
    """`classification` gives value:index:label of so many classes, the likeliest first."""
    wanted = [{"name": "probability", "parameters": {"classification": 1}}]

    outputs = outputs_of(client.post(INFER, json=texts_input("a free prize", outputs=wanted)))

    assert [one.split(":")[1:] for one in outputs["probability"]] == [["1", "spam"]]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, "inputs"),
        ({"inputs": []}, "one input"),
        (texts_input("a") | {"id": 7}, "id must be a text"),
        (texts_input("a", outputs=[{"name": "logits"}]), "label, probability"),
        ({"inputs": [{"name": "text", "shape": [3], "datatype": "BYTES", "data": ["a"]}]}, "says 3 texts"),
        ({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": [1]}]}, "must be texts"),
        ({"inputs": [{"name": "text", "shape": [1], "datatype": "INT64", "data": [1]}]}, "BYTES or FP32"),
        ({"inputs": [{"name": "features", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}, "takes the input"),
        ({"inputs": [{"name": "text", "shape": [-1], "datatype": "BYTES", "data": []}]}, "shape must be"),
    ],
)
def test_a_wrong_request_is_told(client: httpx.Client, body: Any, found: str) -> None:
    """Status 400, the reason as a problem and, for clients of the protocol, under `error`."""
    answer = client.post(INFER, json=body)

    assert answer.status_code == 400
    assert found in answer.json()["error"]
    assert answer.json()["detail"] == answer.json()["error"]


@pytest.mark.parametrize("length", ["5", "1000000", "-1", "x"])
def test_wrong_lengths_of_raw_tensors_are_told(client: httpx.Client, length: str) -> None:
    """A header that misses the end of the JSON is refused."""
    body = json.dumps(texts_input("a"))

    answer = client.post(INFER, content=body, headers={"Inference-Header-Content-Length": length})

    assert answer.status_code == 400


def test_what_is_not_there_is_404(client: httpx.Client) -> None:
    """Another model, and another version, with the names that are known."""
    version = client.get("/v2/models/tfidf_linear").json()["versions"][0]

    assert "tfidf_linear" in client.post("/v2/models/none/infer", json=texts_input("a")).json()["error"]
    assert client.get("/v2/models/tfidf_linear/versions/old/ready").status_code == 404
    assert client.get(f"/v2/models/tfidf_linear/versions/{version}/ready").status_code == 200


def test_health_says_live_and_ready(client: httpx.Client) -> None:
    """Both are 200 once the model is warm."""
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/tfidf_linear/ready", "/health"):
        assert client.get(path).status_code == 200


def test_many_clients_at_once_get_their_own_answers(client: httpx.Client) -> None:
    """Forty requests in eight threads: each its own answer, in fewer batches than requests."""
    wrong = []

    def ask(number: int) -> None:
        for i in range(5):
            text = "a free prize" if (number + i) % 2 else "the meeting at noon"
            found = outputs_of(client.post(INFER, json=texts_input(text)))["label"]
            if found != ["spam" if (number + i) % 2 else "ham"]:
                wrong.append((number, i, found))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_a_fault_is_told_beside_the_answers(counting: tuple[Counting, httpx.Client]) -> None:
    """The item at fault has an empty label, full doubt and a reason; its neighbour is answered."""
    _, client = counting

    answer = client.post("/v2/models/counting/infer", json=texts_input("bad", "!!"))

    outputs = outputs_of(answer)
    assert outputs["label"] == ["", "ham"]
    assert outputs["uncertainty"] == pytest.approx([1.0, 0.2])
    assert list(answer.json()["parameters"]["faults"]) == ["0"]


def test_our_own_json(counting: tuple[Counting, httpx.Client]) -> None:
    """Items with ids come back with them, faults as errors."""
    _, client = counting
    items = [{"id": "a", "text": "!!!"}, {"text": "bad"}]

    told = client.post("/v2/models/counting/predict", json={"items": items}).json()

    assert (told["model"], told["version"]) == ("counting", "v1")
    assert told["predictions"][0] == {
        "id": "a",
        "label": "ham",
        "probability": {"ham": 0.7, "spam": 0.3},
        "uncertainty": 0.3,
    }
    assert list(told["predictions"][1]) == ["error"]


def test_too_much_is_refused(counting: tuple[Counting, httpx.Client]) -> None:
    """More items, a longer text or a larger body than is taken: 413 and how much is."""
    learner, client = counting
    path = "/v2/models/counting/infer"

    many = client.post(path, json=texts_input(*["a"] * 9))
    long = client.post(path, json=texts_input("a" * 21))
    large = client.post(path, content=b" " * 8_000_001)

    assert [answer.status_code for answer in (many, long, large)] == [413, 413, 413]
    assert "at most 8" in many.json()["error"]
    assert learner.batches == []


def test_busy_is_503_with_a_time_to_come_again(counting: tuple[Counting, httpx.Client]) -> None:
    """With ten items waiting, the next request is refused at once; those who wait are answered."""
    learner, client = counting
    learner.hold.clear()
    found: list[int] = []

    def ask() -> None:
        found.append(client.post("/v2/models/counting/infer", json=texts_input(*["a"] * 7)).status_code)

    waiting = [threading.Thread(target=ask) for _ in range(2)]
    waiting[0].start()
    time.sleep(0.2)  # its first batch is with the model, three items wait
    waiting[1].start()
    time.sleep(0.2)  # ten items wait
    refused = client.post("/v2/models/counting/infer", json=texts_input("a"))
    learner.hold.set()
    for thread in waiting:
        thread.join()

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert found == [200, 200]
    assert 'outcome="busy"} 1' in client.get("/metrics").text


def test_a_client_that_goes_is_not_computed_for(counting: tuple[Counting, httpx.Client]) -> None:
    """Who hangs up while waiting leaves the queue."""
    learner, client = counting
    learner.hold.clear()
    first = threading.Thread(target=lambda: client.post("/v2/models/counting/infer", json=texts_input("first")))
    first.start()
    time.sleep(0.2)

    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{client.base_url}/v2/models/counting/infer", json=texts_input("gone"), timeout=0.2)
    time.sleep(0.2)
    learner.hold.set()
    first.join()
    outputs_of(client.post("/v2/models/counting/infer", json=texts_input("last")))

    assert learner.batches == [["first"], ["last"]]


def test_a_stream_is_answered_line_by_line_in_order(counting: tuple[Counting, httpx.Client]) -> None:
    """More lines than may wait, in parts that end anywhere: one answer each, in order, faults among them."""
    learner, client = counting
    learner.seconds = 0.001
    lines = [json.dumps({"id": i, "text": "!" * (i % 10)}) for i in range(100)]
    lines[7], lines[50] = "no json", json.dumps({"id": 50, "text": "bad"})
    body = ("\n".join(lines)).encode()
    parts = [body[i : i + 97] for i in range(0, len(body), 97)]

    told = lines_of(client.post("/v2/models/counting/stream", content=iter(parts)))

    assert [one.get("id", one.get("line")) for one in told] == [*range(7), 8, *range(8, 100)]
    assert told[7]["error"].startswith("the stream, line 8")
    assert "cannot read" in told[50]["error"]
    assert told[99]["probability"]["spam"] == pytest.approx(0.9)


def test_a_stream_answers_while_the_client_still_sends(counting: tuple[Counting, httpx.Client]) -> None:
    """The answer to the first line is there before the second is sent."""
    import http.client

    _, client = counting
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=10)
    connection.putrequest("POST", "/v2/models/counting/stream")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()

    def send(line: bytes) -> None:
        connection.send(b"%x\r\n%s\r\n" % (len(line), line))

    send(b'{"id": 1, "text": "!"}\n')
    answer = connection.getresponse()
    first = json.loads(answer.readline())
    send(b'{"id": 2, "text": "!!"}\n')
    second = json.loads(answer.readline())
    connection.send(b"0\r\n\r\n")

    assert (first["id"], second["id"], answer.read()) == (1, 2, b"")
    connection.close()


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}], ids=str)
def test_no_page_of_others_may_ask(client: httpx.Client, headers: dict[str, str]) -> None:
    """A page somewhere else cannot make a browser on this machine ask the models."""
    assert client.post(INFER, json=texts_input("a"), headers=headers).status_code == 403
    assert client.get("/v2/models", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_token_is_asked_for(project: Path) -> None:
    """With a token set, everything but health needs it, as Bearer or as the password of Basic."""
    shelf = Shelf(project)
    shelf.load()
    basic = base64.b64encode(b"anybody:secret of sixteen").decode()
    shown = ["Bearer secret of sixteen", f"Basic {basic}", "Bearer wrong", "Basic !", ""]
    with served(create_model_app(shelf, token="secret of sixteen")) as client:
        found = [client.get("/v2/models", headers={"Authorization": one}).status_code for one in shown]
        health = [client.get(path).status_code for path in ("/health", "/v2/health/ready", "/v2", "/metrics")]
    shelf.close()

    assert found == [200, 200, 401, 401, 401]
    assert health == [200, 200, 401, 401]


def test_a_new_version_is_picked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained again beside the running server, the model answers under its new fingerprint; no request fails."""
    folder = trained_project(tmp_path / "mails")
    monkeypatch.setattr(shelf_module, "LOOK_SECONDS", 0.01)
    shelf = Shelf(folder)
    shelf.load()
    with served(create_model_app(shelf)) as client:
        old = client.get("/v2/models/tfidf_linear").json()["versions"]
        (folder / "more.csv").write_text("item,label\nm1,spam\nm2,spam\nm4,spam\n")
        workspace = Workspace.open(folder)
        ingest(workspace, folder / "more.csv", votes_by="ana")
        train(workspace)
        until = time.monotonic() + 20
        while time.monotonic() < until and client.get("/v2/models/tfidf_linear").json()["versions"] == old:
            outputs_of(client.post(INFER, json=texts_input("a free prize")))
        new = client.get("/v2/models/tfidf_linear").json()["versions"]
    shelf.close()

    assert new != old
    assert new == [workspace.lake.current_model("tfidf_linear").name]  # type: ignore[union-attr]  # it was trained


def test_nothing_trained_is_told(tmp_path: Path) -> None:
    """A server for a project without a model does not start, and says what to do."""
    from labelmill.pipeline.init import init

    init(tmp_path / "new", classes=["a", "b"])

    with pytest.raises(FailedError, match="labelmill train"):
        Shelf(tmp_path / "new").load()


def test_a_model_that_reads_vectors_is_asked_with_texts_or_vectors(tmp_path: Path) -> None:
    """Texts go through the encoder it was trained with; its vectors, sent as they are, give the same answer."""
    from labelmill.domain.item import ItemBatch
    from labelmill.learners.encoders.hashing import Hashing

    shelf = Shelf(trained_project(tmp_path / "mails", "linear_head"))
    shelf.load()
    texts = ["winner of a free prize", "the meeting at noon"]
    vectors = Hashing().encode(ItemBatch.from_texts(texts)).features
    inputs = [{"name": "features", "shape": list(vectors.shape), "datatype": "FP32", "data": vectors.ravel().tolist()}]
    with served(create_model_app(shelf)) as client:
        told = client.get("/v2/models/linear_head").json()["inputs"]
        by_texts = outputs_of(client.post("/v2/models/linear_head/infer", json=texts_input(*texts)))
        by_vectors = outputs_of(client.post("/v2/models/linear_head/infer", json={"inputs": inputs}))
        refused = client.post(
            "/v2/models/linear_head/infer",
            json={"inputs": [{"name": "features", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]},
        )
    shelf.close()

    assert [one["name"] for one in told] == ["text", "features"]
    assert by_texts["label"] == ["spam", "ham"]
    assert by_vectors["probability"] == pytest.approx(by_texts["probability"], abs=1e-5)
    assert refused.status_code == 400
