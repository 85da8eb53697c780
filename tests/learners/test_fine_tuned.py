"""Fine-tuning of texts with a tiny model: adapters, files, going on, several processes, models that are not here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import load_file
from tests.learners.torch_models import tiny_text_model

from labelmill.domain.item import ItemBatch
from labelmill.errors import FailedError, StorageError, UsageError
from labelmill.learners._torchrun import run_job, write_job
from labelmill.learners.fine_tuned import FineTuned

TEXTS = ["goal match", "bank profit", "team goal again", "market bank here"] * 6
BATCH = ItemBatch.from_texts(TEXTS)
TARGETS = np.array([[0.9, 0.1], [0.1, 0.9]] * 12)
FEW: dict[str, Any] = {"n_epochs": 2, "precision": "float32", "batch_size": 8}


def tuned(**options: Any) -> FineTuned:
    """A learner of the tiny model."""
    return FineTuned(**{"model": tiny_text_model(), **FEW, **options})


class BrokenOffError(Exception):
    """Stands for a death."""


def test_adapters_leave_the_model_as_it_is_and_are_all_that_is_saved(tmp_path: Path) -> None:
    """The file has adapters and the head; the model's own weights are found again where they were."""
    learner = tuned(rank=2, n_epochs=6, learning_rate=2e-2).fit(BATCH, TARGETS)
    learner.save(tmp_path)

    saved = load_file(tmp_path / "model.safetensors")
    loaded = FineTuned.load(tmp_path)

    assert {"head.weight", "head.bias"} == {name for name in saved if "lora" not in name}
    assert any("lora_B" in name and tensor.abs().sum() > 0 for name, tensor in saved.items())
    assert learner.fingerprint == loaded.fingerprint
    np.testing.assert_array_equal(learner.predict_proba(BATCH), loaded.predict_proba(BATCH))


def test_adapters_on_another_model_are_refused(tmp_path: Path) -> None:
    """They fit the weights that they were learned beside, and no others."""
    tuned().fit(BATCH, TARGETS).save(tmp_path)
    state = json.loads((tmp_path / "model.json").read_text())
    state["made_of"] = dict.fromkeys(state["made_of"], "another")
    (tmp_path / "model.json").write_text(json.dumps(state))

    with pytest.raises(StorageError, match="has changed: train again"):
        FineTuned.load(tmp_path)


def test_a_fully_tuned_model_stands_alone(tmp_path: Path) -> None:
    """Settings and vocabulary lie beside its weights; the folder it came from is not asked for."""
    learner = tuned(method="full").fit(BATCH, TARGETS)
    learner.save(tmp_path)
    state = json.loads((tmp_path / "model.json").read_text())
    state["options"]["model"] = "/nowhere"
    (tmp_path / "model.json").write_text(json.dumps(state))

    loaded = FineTuned.load(tmp_path)

    np.testing.assert_array_equal(learner.predict_proba(BATCH), loaded.predict_proba(BATCH))


def test_a_model_that_is_no_sentence_encoder_has_the_classifier_of_its_kind() -> None:
    """Its head is new, starts at zero and learns beside the adapters."""
    model = tiny_text_model(is_pooled=False)

    learner = tuned(model=model, head_rate=5e-2).fit(BATCH, TARGETS)

    learning = {name for name, p in learner.module_.named_parameters() if p.requires_grad}
    assert "backbone.classifier.weight" in learning
    assert not np.allclose(0.5, learner.predict_proba(BATCH))


def test_a_training_that_broke_off_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    """Another learner with the same options and the same folder for checkpoints takes it up."""

    def die(done: int, total: int, detail: Mapping[str, Any] | None = None, /) -> None:
        if done == 3:
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        tuned(checkpoints=tmp_path, batch_size=12).fit(BATCH, TARGETS, progress=die)
    n_steps: list[int] = []
    resumed = tuned(checkpoints=tmp_path, batch_size=12)
    resumed.fit(BATCH, TARGETS, progress=lambda done, *_: n_steps.append(done))

    assert [3, 4] == n_steps
    assert tuned(batch_size=12).fit(BATCH, TARGETS).fingerprint == resumed.fingerprint


def test_other_targets_are_another_training(tmp_path: Path) -> None:
    """A checkpoint is taken up by the training that it is of, and by no other."""
    tuned(checkpoints=tmp_path).fit(BATCH, TARGETS)

    other = tuned(checkpoints=tmp_path).fit(BATCH, TARGETS[:, ::-1])

    assert tuned().fit(BATCH, TARGETS[:, ::-1]).fingerprint == other.fingerprint
    assert 2 == len(list(tmp_path.iterdir()))


def test_a_job_in_a_folder_is_the_same_training(tmp_path: Path) -> None:
    """What torchrun starts reads all that it needs from plain files, and leaves its state in the checkpoint."""
    learner, rows = tuned(), np.arange(len(BATCH))
    goals, _ = learner._goals(BATCH, TARGETS, None, None)
    file = tmp_path / "state.safetensors"
    write_job(tmp_path, learner, BATCH, goals, rows, file)

    run_job(tmp_path, learner._place())

    weights = {name: tensor for name, tensor in load_file(file).items() if name.startswith("now/")}
    learner.fit(BATCH, TARGETS)
    expected = {name: p for name, p in learner.module_.named_parameters() if p.requires_grad}
    assert {f"now/{name}" for name in expected} == set(weights)
    for name, parameter in expected.items():
        assert torch.equal(parameter.detach(), weights[f"now/{name}"])


@pytest.mark.slow
def test_two_processes_learn_what_one_learns() -> None:
    """DDP over gloo: the same but for the rounding of sums."""
    one = tuned(dropout=0.0, method="full").fit(BATCH, TARGETS)
    told: list[int] = []

    two = tuned(dropout=0.0, method="full", n_processes=2)
    two.fit(BATCH, TARGETS, progress=lambda done, *_: told.append(done))

    assert list(range(1, 7)) == told
    np.testing.assert_allclose(one.predict_proba(BATCH), two.predict_proba(BATCH), atol=0.05)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("sentence-transformers/no-such", "hf download sentence-transformers/no-such"),
        ("/nowhere/model", "there is no model in /nowhere/model"),
        (str(Path(__file__).parent), r"has no config\.json"),
    ],
)
def test_a_model_that_is_not_here_is_not_fetched(model: str, said: str) -> None:
    """The error names the command that fetches it, or what is wrong with the folder."""
    with pytest.raises(UsageError, match=said):
        FineTuned(model=model).fit(BATCH, TARGETS)


def test_a_model_whose_weights_are_a_pickle_is_not_opened(tmp_path: Path) -> None:
    """Such files run code when they are opened."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")

    with pytest.raises(UsageError, match="pickles, which are never opened"):
        FineTuned(model=tmp_path).fit(BATCH, TARGETS)


def test_a_training_that_diverges_says_so() -> None:
    """No prediction is ever NaN for want of a better learning rate."""
    with pytest.raises(FailedError, match=r"diverged.*choose a learning_rate below"):
        tuned(method="full", learning_rate=1e30, warmup=0.0).fit(BATCH, TARGETS)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "lore"}, "did you mean 'lora'"),
        ({"n_epochs": 0}, "n_epochs must be at least 1"),
        ({"held_out": 1.0}, "held_out must be at least 0 and below 1"),
        ({"precision": "half"}, "unknown precision"),
        ({"device": "abacus"}, "there is no device 'abacus' here"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], said: str) -> None:
    """Before anything is read or trained."""
    with pytest.raises(UsageError, match=said):
        tuned(**options).fit(BATCH, TARGETS)


def test_a_teacher_is_followed_where_nothing_else_is_known() -> None:
    """Items without a consensus teach what the teacher thinks of them."""
    teacher: npt.NDArray[np.float64] = TARGETS[:, ::-1].copy()
    options: dict[str, Any] = {"method": "full", "n_epochs": 8, "learning_rate": 1e-2, "head_rate": 5e-2}

    learner = tuned(**options).fit(BATCH, TARGETS, np.zeros(24), teacher=teacher)

    assert (teacher.argmax(axis=1) == learner.predict_proba(BATCH).argmax(axis=1)).all()
