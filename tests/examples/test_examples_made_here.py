"""The examples that are made of packages: what their programs make, where the packages are there and without them."""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile
from PIL import Image
from tests.examples.programs import program

from labelmill import registry
from labelmill.domain.item import Item
from labelmill.pipeline.project import Project
from labelmill.quality.segments import boundary_scores

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_faces_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each picture of the file is one item; its name tells neither class nor place, gold tells the class."""
    rng = np.random.default_rng(1)
    np.save(tmp_path / "faces.npy", rng.random((104, 25, 25)))
    monkeypatch.chdir(tmp_path)

    program(EXAMPLES / "faces" / "prepare.py").main(["prepare.py", "faces.npy"])

    items, gold = pl.read_csv("pictures.csv"), pl.read_parquet("gold.parquet")
    assert items["id"].to_list() == gold["id"].to_list() == sorted(items["id"])
    assert dict(gold["label"].value_counts().iter_rows()) == {"face": 100, "other": 4}
    with Image.open(items["image"][0]) as picture:
        assert picture.size == (200, 200)


def test_rules_about_faces(tmp_path: Path) -> None:
    """A drawn face is one by every rule that has an opinion; a slope that ends in black is none by any."""
    drawn = 170 + np.random.default_rng(3).integers(-25, 25, (25, 25))
    drawn[7:11, 4:10] -= 90
    drawn[7:11, 15:21] -= 90
    slope = np.tile(np.linspace(100, 160, 25), (25, 1))
    slope[:, :6] = 0
    for name, picture in (("face", drawn), ("slope", slope)):
        Image.fromarray(picture.astype(np.uint8)).save(tmp_path / f"{name}.png")
    rules = program(EXAMPLES / "faces" / "rules.py")
    names = ("black_border", "smooth", "busy", "dark_eyes", "bright_nose")

    votes = {
        name: [getattr(rules, rule)(Item(name, str(tmp_path / f"{name}.png"))) for rule in names]
        for name in ("face", "slope")
    }

    assert votes["face"] == [None, None, "face", "face", "face"]
    assert votes["slope"] == ["other", "other", None, None, None]


def test_phones_become_stretches() -> None:
    """Neighbours of one class are one stretch, stress marks say nothing, pauses are left out."""
    prepare = program(EXAMPLES / "phones" / "prepare.py")

    found = prepare.stretches(
        [(0.0, "_"), (0.1, "s"), (0.2, "t"), (0.25, "'i:"), (0.3, "@"), (0.4, "n"), (0.5, "_:")], 0.7
    )

    assert found == [
        {"label": "fricative", "start": 0.1, "end": 0.2},
        {"label": "stop", "start": 0.2, "end": 0.25},
        {"label": "vowel", "start": 0.25, "end": 0.4},
        {"label": "sonorant", "start": 0.4, "end": 0.5},
    ]


@pytest.fixture
def spoken(tmp_path: Path) -> tuple[Path, list[dict[str, Any]]]:
    """A hiss, a vowel of three formants, a silence, a vowel, with what is when."""
    rate, rng = 22_050, np.random.default_rng(2)
    times = np.arange(int(0.2 * rate)) / rate
    vowel = sum(np.sin(2 * np.pi * 120 * k * times) * _formants(120 * k) for k in range(1, 40))
    vowel = 0.3 * vowel / np.abs(vowel).max()
    hiss = np.diff(rng.normal(0, 0.06, len(times) + 2), n=2)
    hold = np.zeros(int(0.08 * rate))
    soundfile.write(tmp_path / "word.flac", np.concatenate([hiss, vowel, hold, vowel]), rate)
    edges = np.cumsum([0, len(hiss), len(vowel), len(hold), len(vowel)]) / rate
    labels = ["fricative", "vowel", "stop", "vowel"]
    gold = [
        {"label": name, "start": float(start), "end": float(end)}
        for name, start, end in zip(labels, edges, edges[1:], strict=False)
    ]
    return tmp_path / "word.flac", gold


def _formants(pitch: float) -> float:
    return float(sum(np.exp(-(((pitch - middle) / 120) ** 2)) for middle in (500, 1500, 2500)))


@pytest.mark.parametrize("rule", ["by_bands", "by_crossings"])
def test_rules_about_sounds(rule: str, spoken: tuple[Path, list[dict[str, Any]]]) -> None:
    """Both hear the hiss, the vowels and the hold between them, with borders to 30 ms."""
    path, gold = spoken
    duration = gold[-1]["end"]

    item = Item("word", str(path), {"duration": duration})
    found = getattr(program(EXAMPLES / "phones" / "rules.py"), rule)(item)

    assert [one["label"] for one in found] == [one["label"] for one in gold]
    assert boundary_scores([gold], [found], collar=0.03).f1 == 1.0


def test_the_voice_tells_when_it_says_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recordings and gold of the speaking program belong together: stretches lie inside, in order, without holes."""
    if importlib.util.find_spec("espeakng_loader") is None:
        pytest.skip("espeakng-loader is not installed: pip install 'labelmill[examples]'")
    monkeypatch.chdir(tmp_path)
    schema = Project.open(EXAMPLES / "phones").schema
    kind = registry.find("label_kind", "segment")()

    program(EXAMPLES / "phones" / "prepare.py").main()

    items, gold = pl.read_csv("recordings.csv"), pl.read_parquet("gold.parquet")
    assert items["id"].to_list() == gold["id"].to_list()
    for row, text in zip(items.iter_rows(named=True), gold["label"], strict=True):
        info = soundfile.info(row["audio"])
        assert abs(info.frames / info.samplerate - row["duration"]) < 1e-6
        segments = kind.validate(text, schema, Item(row["id"], row["audio"], {"duration": row["duration"]}))
        assert len({one["label"] for one in segments}) >= 3
        assert all(a["end"] <= b["start"] for a, b in pairwise(segments))
    assert sum(path.stat().st_size for path in Path("recordings").iterdir()) < 1_000_000
