from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from tests.server.model_serving.served import outputs_of, texts_input, trained_project
from tests.server.office import CHOICE, Office, running_office

from labelmill.server.settings import ServerSettings
from labelmill.stores.database.projects import Project


class Place(NamedTuple):
    """A server that has a project with a model and its folder, and one that has none."""

    office: Office
    project: Project
    other: Project


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("main")
    folders: dict[str, Path] = {}
    settings = ServerSettings(requests_per_second=10_000, burst=10_000, folders=folders)
    with running_office(shutil.copy(migrated_file, home / "people.db"), settings) as office:
        project = office.project("mails", schema=CHOICE)
        folders[project.public_id] = trained_project(home / "mails")
        yield Place(office, project, office.project("elsewhere", schema=CHOICE))


def ask(client: Any, path: str, **headers: str) -> httpx.Response:
    """A request for inference as a foreign program sends it: without our header."""
    answer: httpx.Response = client.post(path, json=texts_input("a free prize"), headers=headers)
    return answer


def bare(place: Place, role: str, project: Project | None = None) -> httpx.Client:
    """A member's token in a client that knows nothing else."""
    made = place.office.newcomer(project or place.project, role, role)
    return place.office.bare(Authorization=made._http.headers["authorization"])


def test_a_machine_asks_the_project(place: Place) -> None:
    """A token of the role machine gets predictions, at the project's address and, where there is one, at /v2."""
    client = bare(place, "machine")
    paths = [f"/api/projects/{place.project.public_id}/v2", "/v2"]

    answers = [ask(client, f"{path}/models/tfidf_linear/infer") for path in paths]

    assert [outputs_of(answer)["label"] for answer in answers] == [["spam"], ["spam"]]
    assert client.get("/v2").json()["name"] == "labelmill"


@pytest.mark.parametrize(("role", "status"), [("annotator", 403), ("machine", 200), ("lead", 200)])
def test_whoever_labels_does_not_ask(place: Place, role: str, status: int) -> None:
    """Annotators cannot look up what the model would say."""
    assert ask(bare(place, role), "/v2/models/tfidf_linear/infer").status_code == status


def test_strangers_learn_nothing(place: Place) -> None:
    """Without a token 401 with a challenge; with one of another project 404; a cookie counts for nothing."""
    path = f"/api/projects/{place.project.public_id}/v2/models/tfidf_linear/infer"
    nobody = ask(place.office.bare(), path)
    cookie = ask(place.office.bare(Cookie="labelmill_session=x"), path)
    outsider = ask(bare(place, "admin", place.other), path)

    assert [nobody.status_code, cookie.status_code, outsider.status_code] == [401, 401, 404]
    assert "Bearer" in nobody.headers["WWW-Authenticate"]
    assert nobody.json()["error"] == nobody.json()["detail"]


def test_other_sites_cannot_ask(place: Place) -> None:
    """The header that browsers must send elsewhere is not asked for here, their origin is looked at all the same."""
    client = bare(place, "machine")

    assert ask(client, "/v2/models/tfidf_linear/infer", Origin="https://evil.example").status_code == 403
    assert client.get("/v2", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_project_without_folder_has_no_models(place: Place) -> None:
    """404 that says why."""
    client = bare(place, "machine", place.other)

    answer = ask(client, f"/api/projects/{place.other.public_id}/v2/models/tfidf_linear/infer")

    assert answer.status_code == 404
    assert "no folder" in answer.json()["error"]


def test_label_studio_signs_in_by_basic(place: Place) -> None:
    """Label Studio shows the token as the password of Basic."""
    token = place.office.newcomer(place.project, "machine", "studio")._http.headers["authorization"].partition(" ")[2]
    address = f"{place.office.url}/api/projects/{place.project.public_id}/label-studio"

    answer = httpx.get(f"{address}/health", auth=("anybody", token))

    assert answer.json()["status"] == "UP"


def test_figures_stand_beside_the_others(place: Place) -> None:
    """What models did is at /metrics of the same server."""
    outputs_of(ask(bare(place, "machine"), "/v2/models/tfidf_linear/infer"))

    text = place.office.bare().get("/metrics").text
    assert 'labelmill_model_batch_items_count{model="tfidf_linear"}' in text
    assert 'route="/api/projects/{project}/v2/models/{model}/infer",status="200"' in text
