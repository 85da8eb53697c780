"""What is asked of people although it is known, and what they are told before: from the project's files to tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelmill.errors import ProjectError, UsageError
from labelmill.pipeline._gold_looks import Looks
from labelmill.pipeline._gold_unseen import Opinion
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.known_tasks import gold_tasks, training_tasks
from labelmill.pipeline.people import fill_queue, open_project, people_settings
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.database.connect import open_database
from labelmill.stores.database.new_task import NewTask
from labelmill.stores.database.tasks import list_tasks

CHOICE = '[schema]\nclasses = ["ham", "spam"]\n'

SPAN = '[schema]\nkind = "span"\nclasses = ["name"]\n'

QUEUE = {"m6": ("ham", 0.61), "m7": ("spam", 0.72)}
WHYS = {
    "m6": "margin 0.22: the annotators so far are 61% sure",
    "m7": "margin 0.44: the annotators so far are 72% sure",
}
"""What the other items in the queue look like."""

GOLD = "item,label,reason\nm0,spam,It sells.\nm1,ham,\nm2,spam, \nm3,ham,A friend writes.\n"


def made(folder: Path, project: str = CHOICE, *, gold: str = GOLD) -> Workspace:
    """A project with eight texts, some of them with known answers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "labelmill.toml").write_text(project, encoding="utf-8")
    workspace = Workspace.open(folder)
    (folder / "items.csv").write_text("id,text\n" + "".join(f"m{i},Ann wrote mail {i}\n" for i in range(8)))
    ingest(workspace, folder / "items.csv")
    if gold:
        (folder / "gold.csv").write_text(gold)
        ingest(workspace, folder / "gold.csv", votes_by="expert", purpose="gold")
    return workspace


def vote(workspace: Workspace, rows: str) -> None:
    """Import votes: item,annotator,label."""
    file = workspace.project.folder / "votes.csv"
    file.write_text("item,annotator,label\n" + rows)
    ingest(workspace, file)


def gold_of(workspace: Workspace) -> dict[str, NewTask]:
    """Gold tasks by their items."""
    aggregate(workspace)
    looks = Looks("auto", "v1", QUEUE, WHYS)
    return {task.item: task for task in gold_tasks(workspace, looks)}


def test_reasons_come_with_the_gold(tmp_path: Path) -> None:
    """The column `reason` of a gold file becomes the reason of training items, which then come first."""
    workspace = made(tmp_path, CHOICE + "[people]\ntraining = 4\n")

    tasks = sorted(training_tasks(workspace), key=lambda task: -task.priority)

    assert {"m0": "It sells.", "m1": None, "m2": None, "m3": "A friend writes."} == {t.item: t.reason for t in tasks}
    assert {"m0", "m3"} == {task.item for task in tasks[:2]}
    assert {"m0": "spam", "m1": "ham", "m2": "spam", "m3": "ham"} == {task.item: task.answer for task in tasks}


def test_a_newer_answer_replaces_an_older_reason(tmp_path: Path) -> None:
    """Imported again with another answer and no reason, the old reason is gone; other items keep theirs."""
    workspace = made(tmp_path, CHOICE + "[people]\ntraining = 1\n")
    (tmp_path / "again.csv").write_text("item,label\nm0,ham\n")
    ingest(workspace, tmp_path / "again.csv", votes_by="expert", purpose="gold")

    found = {task.item: (task.answer, task.reason) for task in training_tasks(workspace)}

    assert (("ham", None), ("ham", "A friend writes.")) == (found["m0"], found["m3"])


def test_a_reason_of_a_plain_vote_is_passed_over(tmp_path: Path) -> None:
    """Only gold files bring reasons."""
    workspace = made(tmp_path, CHOICE + "[people]\ntraining = 1\n")
    (tmp_path / "votes.csv").write_text("item,annotator,label,reason\nm1,ann,ham,because\n")
    ingest(workspace, tmp_path / "votes.csv")

    assert next(task for task in training_tasks(workspace) if task.item == "m1").reason is None


def test_too_little_gold_is_said(tmp_path: Path) -> None:
    """Training that asks for more items than are known says how many there are, and what to do."""
    workspace = made(tmp_path, CHOICE + "[people]\ntraining = 9\n")

    with pytest.raises(UsageError, match=r"asks for 9 .* has 4: bring more with `labelmill import"):
        list(training_tasks(workspace))


def test_gold_shows_what_the_others_say(tmp_path: Path) -> None:
    """A gold item's suggestion is what most voted, wrong or not: the known answer has no part in it."""
    workspace = made(tmp_path)
    vote(workspace, "m0,ann,ham\nm0,bob,ham\nm0,cid,spam\nm1,ann,ham\n")

    found = gold_of(workspace)

    (told,) = found["m0"].suggestions
    assert ("ham", 0.61, "consensus", "auto") == (
        told["value"],
        told["score"],
        told["kind"],
        told["source"],
    )
    assert found["m0"].answer == "spam"
    assert found["m0"].why == "margin 0.22: the annotators so far are 61% sure"
    assert ((), "nobody has said anything about it yet") == (tuple(found["m2"].suggestions), found["m2"].why)


def test_gold_is_as_sure_as_the_others() -> None:
    """Where a third of the queue has no suggestion a third of the gold has none; scores are those of the others."""
    queue = {f"q{i}": ("ham", 0.5 + i / 1000) if i % 3 else (None, 0.0) for i in range(90)}
    looks = Looks("auto", "v1", queue, {})

    found = [looks.of(f"g{i}", Opinion("ham")) for i in range(600)]

    bare = sum(not look.suggestions for look in found)
    assert 150 < bare < 250
    scores = {look.suggestions[0]["score"] for look in found if look.suggestions}
    assert scores <= {confidence for label, confidence in queue.values() if label}
    assert len(scores) > 50
    assert looks.of("g1", Opinion("ham")) == found[1]


def test_gold_among_items_without_suggestions_has_none() -> None:
    """Where nobody has said anything about the others, what is said of gold is not shown."""
    looks = Looks("auto", "v1", {"q": (None, 0.0)}, {})

    assert ((), "nobody has said anything about it yet") == looks.of("g", Opinion("ham"))
    assert Looks("auto", "v1", {}, {}).of("g", Opinion("ham")).suggestions == ()


def test_gold_of_several_classes_shows_them(tmp_path: Path) -> None:
    """Of several classes those are suggested that more chose than not."""
    project = '[schema]\nkind = "multi_choice"\nclasses = ["a", "b", "c"]\n'
    workspace = made(tmp_path, project, gold='item,label\nm0,"[""a""]"\n')
    vote(workspace, 'm0,ann,"[""a"",""b""]"\nm0,bob,"[""b""]"\nm0,cid,"[""b"",""c""]"\n')

    (told,) = gold_of(workspace)["m0"].suggestions

    assert told["value"] == ["b"]


def test_gold_spans_show_merged_ones(tmp_path: Path) -> None:
    """What is drawn or marked is merged of all answers but the known one."""
    workspace = made(tmp_path, SPAN, gold='item,label\nm0,"[{""start"":0,""end"":3,""label"":""name""}]"\n')
    vote(workspace, 'm0,ann,"[{""start"":4,""end"":9,""label"":""name""}]"\n')

    (told,) = gold_of(workspace)["m0"].suggestions

    assert told["value"] == [{"start": 4, "end": 9, "label": "name"}]


def test_examples_are_not_asked_about(tmp_path: Path) -> None:
    """An item that the guideline shows with its answer is neither gold nor training nor asked of anybody."""
    example = '[[schema.examples]]\nitem = "m0"\nanswer = "spam"\nreason = "It *sells*."\n'
    text = '[[schema.examples]]\ntext = "hello"\nanswer = "ham"\n'
    workspace = made(tmp_path, CHOICE + example + text + "[people]\ntraining = 2\ngold_share = 0.5\n")
    with open_database(tmp_path / "people.db") as database:
        project = open_project(workspace, database, tmp_path / "people.db")
        queued = fill_queue(workspace, database, project)
        purposes = {(row.item, row.purpose) for row in list_tasks(database, project)}

    assert (4, 3, 3) == (queued.label.added, queued.gold.added, queued.training.added)
    assert "m0" not in {item for item, _ in purposes}
    shown = people_settings(workspace)["examples"]
    assert [("m0", "spam", "It *sells*."), ("example:2", "ham", "")] == [
        (one["item"], one["answer"], one["reason"]) for one in shown
    ]
    assert shown[1]["content"] == {"data": "hello", "facts": {}, "meta": {}}


def test_the_guideline_may_lie_in_a_file(tmp_path: Path) -> None:
    """`guidelines_file` is read as UTF-8 when people's side is opened."""
    workspace = made(tmp_path, CHOICE + 'guidelines_file = "how.md"\n')
    (tmp_path / "how.md").write_text("# 标注指南\n", encoding="utf-8")

    assert people_settings(workspace)["schema"]["guidelines"] == "# 标注指南\n"


def test_a_guideline_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A file that is not there, or not UTF-8, is named."""
    workspace = made(tmp_path, CHOICE + 'guidelines_file = "how.md"\n')
    with pytest.raises(ProjectError, match=r"how\.md cannot be read"):
        people_settings(workspace)

    (tmp_path / "how.md").write_bytes(b"caf\xe9")
    with pytest.raises(ProjectError, match="not UTF-8"):
        people_settings(workspace)


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ('text = "x"\nanswer = "eggs"', "number 1: unknown class 'eggs'"),
        ('item = "m99"\nanswer = "ham"', "no item 'm99'"),
    ],
)
def test_examples_must_fit_the_project(tmp_path: Path, example: str, said: str) -> None:
    """An example about an unknown item, or with an answer that is none, is named."""
    workspace = made(tmp_path, f"{CHOICE}[[schema.examples]]\n{example}\n")

    with pytest.raises(ProjectError, match=said):
        people_settings(workspace)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("[people]\ntraining = -1", "people.training must lie between 0 and 1000"),
        ("[people]\npass_mark = 0.0", "people.pass_mark must lie above 0"),
        ("[people]\npass_mark = 1.5", "people.pass_mark must lie above 0"),
        ("[people]\nattempts = 0", "people.attempts must lie between 1 and 100"),
        ("[people]\ngold_floor = 1.0\ngold_share = 0.1", "people.gold_floor must lie between 0 and below 1"),
        ("[people]\ngold_floor = 0.6", "set people.gold_share"),
        ('guidelines = "a"\nguidelines_file = "b.md"', "keep one"),
        ("examples = 3", r"write \[\[schema.examples\]\]"),
        ('[[schema.examples]]\ntext = "a"', "number 1 needs its answer"),
        ('[[schema.examples]]\nanswer = "ham"', "needs either item"),
        ('[[schema.examples]]\nitem = "m0"\ntext = "a"\nanswer = "ham"', "needs either item"),
        ('[[schema.examples]]\ntext = "a"\nanwser = "ham"', "did you mean 'answer'"),
        ('[[schema.examples]]\nitem = 3\nanswer = "ham"', "item must be a text"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, lines: str, said: str) -> None:
    """Each setting that cannot be meant is refused with what may stand there."""
    (tmp_path / "labelmill.toml").write_text(f"{CHOICE}{lines}\n")

    with pytest.raises(ProjectError, match=said):
        Workspace.open(tmp_path)
