from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.server.office import Office, running_office, spoken

from labelmill.client import Client
from labelmill.errors import AccessError, ConflictError, UsageError
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.init import init
from labelmill.pipeline.people import open_project, settings_to_take_over
from labelmill.pipeline.project import Project as ProjectOfFolder
from labelmill.pipeline.workspace import Workspace
from labelmill.server.settings import ServerSettings
from labelmill.stores.database.projects import Project, find_project


@dataclass
class Served:
    """A project in a folder, served, and its admin."""

    office: Office
    project: Project
    folder: Path
    admin: Client

    @property
    def now(self) -> Project:
        """As it stands in the database."""
        return find_project(self.office.database, self.project.public_id)

    @property
    def file(self) -> str:
        """What labelmill.toml says."""
        return (self.folder / "labelmill.toml").read_text()


@pytest.fixture
def served(tmp_path: Path, migrated_file: Path) -> Iterator[Served]:
    folder = tmp_path / "mails"
    init(folder, classes=["ham", "spam"])
    (tmp_path / "items.csv").write_text("id,text,channel\n" + "".join(f"m{i},text {i},mail\n" for i in range(4)))
    ingest(Workspace.open(folder), tmp_path / "items.csv")
    people = shutil.copy(migrated_file, folder / ".labelmill" / "people.db")
    folders: dict[str, Path] = {}
    settings = ServerSettings(requests_per_second=10_000, burst=10_000, folders=folders)
    with running_office(people, settings) as office:
        project = open_project(Workspace.open(folder), office.database)
        folders[project.public_id] = folder
        yield Served(office, project, folder, office.newcomer(project, "admin", "root"))


def test_settings_go_into_the_file_and_to_the_people(served: Served) -> None:
    """A change in the browser is what the command line reads next, comments stay, and the queue follows at once."""
    name = served.project.public_id
    version = served.admin.settings(name)["version"]

    told = served.admin.change_settings(
        name, version=version, overlap=2, guidelines="# Spam\n\nis *unasked*", lease_minutes=5.0, error=0.02
    )

    project = ProjectOfFolder.open(served.folder)
    assert (project["people.overlap"], project["certify.error"]) == (2, 0.02)
    assert project.schema.guidelines == "# Spam\n\nis *unasked*"
    assert "# files that `labelmill run` imports" in served.file
    assert served.now.queue.lease_seconds == 300
    assert served.now.settings["people"]["overlap"] == 2
    assert told["version"] != version
    assert told["differs"] == []
    assert settings_to_take_over(Workspace.open(served.folder), served.office.database) == []


def test_nobody_overwrites_what_another_has_set(served: Served) -> None:
    """A version is good for one change: after another one, or a hand in the file, it is refused and nothing changes."""
    name = served.project.public_id
    first = served.admin.settings(name)["version"]
    served.admin.change_settings(name, version=first, overlap=2)

    with pytest.raises(ConflictError, match="changed since they were read"):
        served.admin.change_settings(name, version=first, overlap=3)
    second = served.admin.settings(name)["version"]
    path = served.folder / "labelmill.toml"
    path.write_text(served.file.replace("overlap = 2", "overlap = 5"))
    with pytest.raises(ConflictError, match="changed since they were read"):
        served.admin.change_settings(name, version=second, blind_share=0.5)

    told = served.admin.settings(name)
    assert told["settings"]["overlap"] == 5
    assert told["differs"] == ["people.overlap"]
    assert served.now.settings["people"]["overlap"] == 2


def test_a_hand_in_the_file_is_told_and_holds(served: Served) -> None:
    """What the file says otherwise than the database is named before it is taken over."""
    path = served.folder / "labelmill.toml"
    path.write_text(served.file + "\n[people]\noverlap = 4\n")
    workspace = Workspace.open(served.folder)

    told = settings_to_take_over(workspace, served.office.database)
    project = open_project(workspace, served.office.database)

    assert told == ["people.overlap"]
    assert project.settings["people"]["overlap"] == 4


def test_an_old_reading_of_the_file_takes_nothing_back(served: Served) -> None:
    """Who read the file before a change in the browser does not bring the old settings back."""
    early = Workspace.open(served.folder)
    name = served.project.public_id
    served.admin.change_settings(name, version=served.admin.settings(name)["version"], overlap=3)

    open_project(early, served.office.database)

    assert served.now.settings["people"]["overlap"] == 3


def test_classes_with_answers_stay(served: Served) -> None:
    """A class that an answer names cannot go, nor can the kind change; new classes come with a new version."""
    name = served.project.public_id
    served.office.put(served.project, ["m0", "m1"])
    spoken(served.office.newcomer(served.project), served.project, "spam")

    def change(**settings: object) -> dict[str, object]:
        return served.admin.change_settings(name, version=served.admin.settings(name)["version"], **settings)

    with pytest.raises(ConflictError, match="1 answers name the class 'spam'"):
        change(classes=["ham", "other"])
    with pytest.raises(ConflictError, match="new project"):
        change(kind="multi_choice")
    told = change(classes=["spam", "news"])

    assert told["settings"]["classes"] == ["spam", "news"]  # type: ignore[index]  # JSON
    assert ProjectOfFolder.open(served.folder).schema.version == 2
    assert served.now.settings["schema"]["classes"] == ["spam", "news"]
    assert served.admin.project(name)["schema"]["version"] == 2


def test_impossible_settings_change_nothing(served: Served) -> None:
    """What labelmill.toml would not take is refused with its reason, and neither file nor database moves."""
    name = served.project.public_id
    before = served.file
    version = served.admin.settings(name)["version"]

    for settings, reason in (
        ({"classes": ["ham", "ham"]}, "twice"),
        ({"kind": "nonsense"}, "not known"),
        ({"overlap": 0}, "overlap"),
        ({"colour": "red"}, "colour"),
    ):
        with pytest.raises(UsageError, match=reason):
            served.admin.change_settings(name, version=version, **settings)

    assert served.file == before
    assert served.now.version == served.project.version


def test_what_a_lead_sees_and_may_not_change(served: Served) -> None:
    """A lead reads the settings, what was imported and an item to try; changing is for admins."""
    name = served.project.public_id
    served.office.put(served.project, ["m0"])
    lead = served.office.newcomer(served.project, "lead", "lea")

    told = lead.settings(name)

    assert told["can_change"] is False
    assert told["data"]["n_items"] == 4
    assert told["sample"]["data"] == {"text": "text of m0"}
    assert told["people"] == {"admin": 1, "lead": 1}
    assert told["code"] == "rules.py"
    with pytest.raises(AccessError, match="admin"):
        lead.change_settings(name, version=told["version"], overlap=2)


def test_a_project_without_a_folder_keeps_them_in_the_database(office: Office) -> None:
    """They are changed there; but not where a folder elsewhere would say otherwise."""
    project = office.project("bare", ["a"])
    admin = office.newcomer(project, "admin", "root")
    before = admin.settings(project.public_id)

    told = admin.change_settings(
        project.public_id, version=before["version"], overlap=3, classes=["ham", "spam", "news"], late="refuse"
    )

    assert (before["kept_in"], told["settings"]["overlap"]) == ("database", 3)
    now = find_project(office.database, project.public_id)
    assert (now.settings["schema"]["classes"], now.queue.late) == (["ham", "spam", "news"], "refuse")
    elsewhere = office.project("far", ["a"], kept_in="file")
    other = office.newcomer(elsewhere, "admin", "far root")
    told = other.settings(elsewhere.public_id)
    assert (told["kept_in"], told["can_change"]) == ("elsewhere", False)
    with pytest.raises(UsageError, match="this server does not have"):
        other.change_settings(elsewhere.public_id, version=told["version"], overlap=2)


def test_rules_that_answered_other_classes_are_named(served: Served) -> None:
    """After a change of classes the commands that bring rules up to it are told."""
    from labelmill.pipeline.annotate import annotate

    annotate(Workspace.open(served.folder), engine="serial")
    name = served.project.public_id
    version = served.admin.settings(name)["version"]

    told = served.admin.change_settings(name, version=version, classes=["ham", "spam", "news"])

    assert told["to_be_run"] == ["labelmill annotate"]
    assert [one["name"] for one in told["machines"]] == ["contains_word", "looks_like"]
    assert ProjectOfFolder.open(served.folder).schema.classes == ("ham", "spam", "news")
