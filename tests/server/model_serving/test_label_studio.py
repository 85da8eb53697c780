from __future__ import annotations

import httpx

CONFIG = (
    '<View><Text name="mail" value="$body"/><Choices name="kind" toName="mail">'
    '<Choice value="spam" alias="S"/><Choice value="ham"/></Choices></View>'
)


def test_label_studio_gets_one_result_a_task(client: httpx.Client) -> None:
    """Names of tags, aliases and fields come from the labeling config; a task without text gets an empty result."""
    tasks = [{"id": 1, "data": {"body": "a free prize"}}, {"id": 2, "data": {}}, {"id": 3, "data": {"body": "noon"}}]

    told = client.post("/predict", json={"tasks": tasks, "label_config": CONFIG, "project": "1.2"}).json()

    assert len(told["results"]) == 3
    region = told["results"][0]["result"][0]
    assert {key: region[key] for key in ("from_name", "to_name", "type", "value")} == {
        "from_name": "kind",
        "to_name": "mail",
        "type": "choices",
        "value": {"choices": ["S"]},
    }
    assert told["results"][1]["result"] == []
    assert {one["model_version"] for one in told["results"]} == {told["model_version"]}


def test_label_studio_is_told_what_does_not_fit(client: httpx.Client) -> None:
    """A config without one of the classes, with an entity, or that is no XML is refused in words."""
    lacking = CONFIG.replace('<Choice value="ham"/>', "")

    refused = [client.post("/validate", json={"config": one}) for one in (lacking, "<!DOCTYPE a>" + CONFIG, "<View>")]

    assert [one.status_code for one in refused] == [400, 400, 400]
    assert "no Choice 'ham'" in refused[0].json()["detail"]
    assert client.post("/validate", json={"config": CONFIG}).json() == {"status": "ok"}
    assert client.post("/setup", json={"schema": CONFIG}).json() == {
        "model_version": client.get("/versions").json()["versions"][0]
    }


def test_label_studio_is_told_that_nothing_trains_here(client: httpx.Client) -> None:
    """Training is refused with what to do instead; other events are heard."""
    asked = [client.post("/train", json={}), client.post("/webhook", json={"action": "START_TRAINING"})]

    assert [one.status_code for one in asked] == [501, 501]
    assert "labelmill train" in asked[0].json()["detail"]
    assert client.post("/webhook", json={"action": "ANNOTATION_CREATED"}).json()["status"] == "ignored"
