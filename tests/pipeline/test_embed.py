"""Embedding: vectors in the lake, the same on every engine, read by learners and strategies."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from tests.learners import tiny_encoders
from tests.pipeline.lakes import ENGINES, add_items, machine_votes, project

from labelmill.domain.item import ItemBatch
from labelmill.errors import FailedError, ProjectError, UsageError
from labelmill.learners.encoders.hashing import Hashing
from labelmill.pipeline._encoders import chosen_encoder
from labelmill.pipeline._features import features_of_items, features_of_project
from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.embed import embed
from labelmill.pipeline.faults import faults_of_run
from labelmill.pipeline.neighbours import by_features
from labelmill.pipeline.predict import predict
from labelmill.pipeline.runs import look_at
from labelmill.pipeline.train import train
from labelmill.pipeline.workspace import Workspace
from labelmill.stores import embeddings, item_set

DIMENSIONS = 32


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of 40 items in pieces of 16."""
    monkeypatch.setattr(item_set, "FILE_ROWS", 40)
    monkeypatch.setattr(embeddings, "PIECE_ROWS", 16)


@pytest.fixture
def centroids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of a learner that reads features, as another package would bring it."""
    package = tmp_path / "package"
    (package / "centroids-1.dist-info").mkdir(parents=True)
    (package / "centroids-1.dist-info" / "METADATA").write_text("Name: centroids\nVersion: 1\n")
    entry = "[labelmill.learner]\ncentroids = tests_centroids:Centroids\n"
    (package / "centroids-1.dist-info" / "entry_points.txt").write_text(entry)
    (package / "tests_centroids.py").write_text(LEARNER)
    monkeypatch.syspath_prepend(str(package))
    yield "centroids"
    sys.modules.pop("tests_centroids", None)


LEARNER = '''
import hashlib
import numpy as np

class Centroids:
    """The nearest mean of a class."""
    reads_features = True

    def __init__(self, *, seed=0):
        pass

    def fit(self, batch, probabilities, weights=None, progress=None):
        assert np.isfinite(batch.features).all()
        self.means = (probabilities * weights[:, None]).T @ batch.features
        return self

    def predict_proba(self, batch):
        assert np.isfinite(batch.features).all()
        scores = np.exp(batch.features @ self.means.T)
        return scores / scores.sum(axis=1, keepdims=True)

    def cross_predict_proba(self, batch, probabilities, weights=None, *, n_folds=3):
        return type(self)().fit(batch, probabilities, weights).predict_proba(batch)

    def save(self, folder):
        np.save(folder / "means.npy", self.means)

    @classmethod
    def load(cls, folder):
        learner = cls()
        learner.means = np.load(folder / "means.npy")
        return learner

    @property
    def fingerprint(self):
        return hashlib.sha256(self.means.tobytes()).hexdigest()
'''


def hashed(folder: Path, n_items: int, encoder: str = "hashing") -> Workspace:
    """A project whose encoder is `hashing`."""
    project(folder, n_items)
    path = folder / "labelmill.toml"
    path.write_text(f'{path.read_text()}[features]\nencoder = "{encoder}"\noptions = {{dimensions = {DIMENSIONS}}}\n')
    return Workspace.open(folder)


def picture_project(folder: Path) -> Workspace:
    """A project with one picture, `inside.png`, an encoder of pictures and no items."""
    project(folder, 1)
    shutil.rmtree(folder / ".labelmill")
    path = folder / "labelmill.toml"
    model = tiny_encoders.image_onnx(folder)
    features = f'[features]\nencoder = "image_onnx:{model.name}"\n'
    path.write_text(path.read_text().replace("[schema]", '[schema]\nmodality = "image"') + features)
    Image.new("RGB", (8, 8), "red").save(folder / "inside.png")
    return Workspace.open(folder)


def files(workspace: Workspace) -> dict[str, str]:
    """Hash of every file of embeddings."""
    folder = Path(workspace.lake.uri) / "embeddings"
    found = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()}


@pytest.mark.parametrize(("engine", "workers"), [ENGINES[1], ENGINES[2]])
def test_the_same_files_on_every_engine(engine: str, workers: int | None, tmp_path: Path) -> None:
    """Vectors and manifest have the bytes that one plain process writes."""
    plain, other = hashed(tmp_path / "plain", 100), hashed(tmp_path / "other", 100)

    embed(plain)
    result = embed(other, engine=engine, workers=workers)

    assert (100, 100, DIMENSIONS) == (result.n_items, result.n_new, result.n_dimensions)
    assert files(plain) == files(other)
    assert len(files(plain)) == 8 + 1  # of three files in pieces of 16, and the manifest


def test_vectors_are_those_of_the_items(tmp_path: Path) -> None:
    """A partition's vectors are what the encoder makes of its items, wherever its borders lie."""
    workspace = hashed(tmp_path / "p", 100)
    embed(workspace)
    features, lake = features_of_project(workspace), workspace.lake
    direct = Hashing(dimensions=DIMENSIONS)

    for partition in [*lake.item_partitions(), *lake.item_partitions(max_rows=7)]:
        expected = direct.encode(lake.read_items(partition)).features
        np.testing.assert_array_equal(expected, features.of(lake, partition))
    np.testing.assert_array_equal(direct.encode(lake.items()).features, features.of_all(lake))


def test_only_new_items_are_encoded(tmp_path: Path) -> None:
    """Files of earlier runs stay as they are; items that came since get theirs."""
    workspace = hashed(tmp_path / "p", 40)
    embed(workspace)
    before = {name: path.stat().st_mtime_ns for name, path in _paths(workspace).items()}
    add_items(workspace, 40, 25)

    again = embed(workspace)
    once_more = embed(workspace)

    after = {name: path.stat().st_mtime_ns for name, path in _paths(workspace).items()}
    assert (25, 0) == (again.n_new, once_more.n_new)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 2


def test_other_options_are_another_folder(tmp_path: Path) -> None:
    """Vectors of one encoder never stand for those of another."""
    workspace = hashed(tmp_path / "p", 20)

    one = embed(workspace)
    other = embed(workspace, encoder="hashing")
    path = tmp_path / "p" / "labelmill.toml"
    path.write_text(path.read_text().replace("dimensions = 32", "dimensions = 64"))
    longer = embed(Workspace.open(tmp_path / "p"))

    assert one.fingerprint == other.fingerprint
    assert one.fingerprint != longer.fingerprint
    assert 64 == longer.n_dimensions


def test_faults_are_data(tmp_path: Path) -> None:
    """An empty text has a row of NaN; the run is finished and names it, again each time."""
    workspace = hashed(tmp_path / "p", 20)
    with workspace.lake.append_items(source="test") as appender:
        appender.write(pl.DataFrame({"id": ["void", "last"], "data": ["  ", "some text"]}))

    first, again = embed(workspace), embed(workspace)

    for result in (first, again):
        assert [("void", "the text is empty")] == [(fault.item, fault.error) for fault in result.faults]
        assert {"hashing": 1} == result.run.faults
        assert ["void"] == [fault.item for fault in faults_of_run(workspace, result.run)]
    vectors = features_of_items(workspace.lake, first.fingerprint, ["last", "void", "i3"])
    assert vectors is not None
    assert [True, False, True] == np.isfinite(vectors).all(axis=1).tolist()


def test_a_lost_piece_is_made_again(tmp_path: Path) -> None:
    """What somebody removed is missing, and made anew with the same bytes."""
    workspace = hashed(tmp_path / "p", 60)
    embed(workspace)
    before = files(workspace)
    lost = next(name for name in before if name.endswith(".parquet"))
    (Path(workspace.lake.uri) / "embeddings" / lost).unlink()

    result = embed(workspace)

    assert 16 == result.n_new
    assert before == files(workspace)


def test_a_learner_reads_features_in_training_and_prediction(centroids: str, tmp_path: Path) -> None:
    """It is given the vectors of all items when it learns, and of new ones when it votes again; it abstains on none."""
    workspace = hashed(tmp_path / "p", 60)
    machine_votes(workspace, 2)
    trained = train(workspace, learner=centroids)
    with workspace.lake.append_items(source="test") as appender:
        appender.write(pl.DataFrame({"id": ["new 1", "new 2"], "data": ["text i7", ""]}))

    predicted = predict(workspace)

    assert 2 == predicted.n_items
    (votes,) = [v for v in workspace.lake.vote_sets() if centroids in v.annotators]
    column = workspace.lake.read_votes(votes.digest, votes.partitions[-1].id)
    assert column[centroids][0] in {0, 1, 2}
    assert -1 == column[centroids][1]
    assert column[f"p.{centroids}"][1] is None
    assert votes.annotators[centroids]["fingerprint"] == trained.fingerprint
    assert {"embed", "train", "predict"} == {seen.run.verb for seen in look_at(workspace)}
    aggregate(workspace)


def test_a_learner_that_reads_features_needs_an_encoder(centroids: str, tmp_path: Path) -> None:
    """The error says what to set."""
    workspace = project(tmp_path / "p", 20)
    machine_votes(workspace, 2)

    with pytest.raises(UsageError, match=r'\[features\] encoder = "hashing"'):
        train(workspace, learner=centroids)


def test_a_model_remembers_its_encoder(centroids: str, tmp_path: Path) -> None:
    """With another encoder in the project's settings, a trained model still reads the vectors it learned from."""
    workspace = hashed(tmp_path / "p", 40)
    machine_votes(workspace, 2)
    train(workspace, learner=centroids)
    path = tmp_path / "p" / "labelmill.toml"
    path.write_text(path.read_text().replace("dimensions = 32", "dimensions = 64"))
    changed = Workspace.open(tmp_path / "p")
    add_items(changed, 40, 3)

    assert 3 == predict(changed).n_items


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('encoder = "hashin"', "did you mean 'hashing'"),
        ('encoder = ["hashing"]', "must be a text"),
        ('encoder = "hashing"\noptions = {nested = {a = 1}}', "features.options.nested must be a text, a number"),
    ],
)
def test_wrong_settings_are_refused(setting: str, message: str, tmp_path: Path) -> None:
    """An unknown encoder, a wrong type and nested options are refused when the project is opened."""
    folder = tmp_path / "p"
    project(folder, 1)
    path = folder / "labelmill.toml"
    path.write_text(f"{path.read_text()}[features]\n{setting}\n")

    with pytest.raises(ProjectError, match=message):
        Workspace.open(folder)


@pytest.mark.parametrize(
    ("spoken", "options", "message"),
    [
        ("hashing", {"dimension": 64}, "did you mean 'dimensions'"),
        ("hashing", {"dimensions": 3}, "dimensions must be"),
        ("hashing:folder", {}, "takes nothing after its name"),
    ],
)
def test_wrong_options_are_refused(spoken: str, options: dict[str, int], message: str, tmp_path: Path) -> None:
    """An encoder's own options are checked before any work."""
    with pytest.raises(UsageError, match=message):
        chosen_encoder(project(tmp_path / "p", 1), spoken, options)


def test_an_encoder_of_another_modality_is_refused(tmp_path: Path) -> None:
    """Texts are not read from pictures."""
    hashed(tmp_path / "p", 1)
    path = tmp_path / "p" / "labelmill.toml"
    path.write_text(path.read_text().replace("[schema]", '[schema]\nmodality = "image"'))

    with pytest.raises(UsageError, match="reads texts, and the items of this project are images"):
        embed(Workspace.open(tmp_path / "p"))


def test_without_items_there_is_nothing_to_embed(tmp_path: Path) -> None:
    """The error says how to bring some."""
    hashed(tmp_path / "p", 1)
    shutil.rmtree(tmp_path / "p" / ".labelmill")

    with pytest.raises(FailedError, match="labelmill import"):
        embed(Workspace.open(tmp_path / "p"))


def test_neighbours_by_features(tmp_path: Path) -> None:
    """The nearest vectors come first, items without one last; without embeddings nobody guesses."""
    workspace = hashed(tmp_path / "p", 5)
    texts = ["win free money", "see you at noon", "", "free money to win"]
    with workspace.lake.append_items(source="test") as appender:
        appender.write(pl.DataFrame({"id": ["a", "b", "c", "d"], "data": texts}))

    before = by_features(tmp_path / "p", "a", ["b", "c", "d"])
    embed(workspace)

    assert before is None
    assert [2, 0, 1] == by_features(tmp_path / "p", "a", ["b", "c", "d"])
    assert by_features(tmp_path / "p", "c", ["b", "d"]) is None


def test_parts_of_a_batch_keep_their_features_and_files() -> None:
    """A slice, and items taken by their places, have the rows of features that are theirs."""
    batch = ItemBatch.from_texts(["a", "b", "c"])
    whole = ItemBatch(batch.frame, np.arange(6, dtype=np.float32).reshape(3, 2), {"a": b"1"}.__getitem__)

    part, taken = whole.slice(1, 2), whole.take(np.array([2, 0]))

    assert [[2, 3], [4, 5]] == part.features.tolist()  # type: ignore[union-attr]  # given above
    assert [[4, 5], [0, 1]] == taken.features.tolist()  # type: ignore[union-attr]  # given above
    assert b"1" == part.read("a") == taken.read("a")


def _paths(workspace: Workspace) -> dict[str, Path]:
    folder = Path(workspace.lake.uri) / "embeddings"
    return {path.name: path for path in folder.rglob("*.parquet")}


def test_pictures_are_opened_below_the_media_folders_only(tmp_path: Path) -> None:
    """A picture beside the project, a link that leads out and a missing one are faults; the other has its vector."""
    workspace = picture_project(tmp_path / "p")
    Image.new("RGB", (8, 8), "red").save(tmp_path / "outside.png")
    (tmp_path / "p" / "link.png").symlink_to(tmp_path / "outside.png")
    names = ["inside.png", "../outside.png", "link.png", "missing.png"]
    with workspace.lake.append_items(source="test", modality="image") as appender:
        appender.write(pl.DataFrame({"id": names, "data": names}))

    result = embed(workspace)

    assert names[1:] == [fault.item for fault in result.faults]
    vectors = features_of_items(workspace.lake, result.fingerprint, names)
    assert vectors is not None
    assert [True, False, False, False] == np.isfinite(vectors).all(axis=1).tolist()


def test_items_at_fault_are_tried_again_on_request(tmp_path: Path) -> None:
    """A file that was missing is looked for again when somebody asks for it; only its piece is made anew."""
    workspace = picture_project(tmp_path / "p")
    with workspace.lake.append_items(source="test", modality="image") as appender:
        appender.write(pl.DataFrame({"id": ["late"], "data": ["late.png"]}))
    with workspace.lake.append_items(source="test", modality="image") as appender:
        appender.write(pl.DataFrame({"id": ["there"], "data": ["inside.png"]}))
    first = embed(workspace)
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "p" / "late.png")

    unasked, asked = embed(workspace), embed(workspace, retry=True)

    assert (1, 1, 0) == tuple(len(result.faults) for result in (first, unasked, asked))
    assert (2, 0, 1) == tuple(result.n_new for result in (first, unasked, asked))
