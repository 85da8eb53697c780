"""The example of coins: pictures, gold, and how they are made."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from tests.examples.programs import program

from labelmill import registry
from labelmill.domain.item import Item
from labelmill.pipeline.project import Project

EXAMPLE = Path(__file__).parents[2] / "examples" / "coins"


def test_pictures_and_gold_are_of_the_same_items() -> None:
    """Twelve small pictures of the size that is told, each with coins that lie inside."""
    items, gold = pl.read_csv(EXAMPLE / "pictures.csv"), pl.read_parquet(EXAMPLE / "gold.parquet")
    schema = Project.open(EXAMPLE).schema
    kind = registry.find("label_kind", "box")()

    assert items["id"].to_list() == gold["id"].to_list()
    assert items.height == 12
    for row, text in zip(items.iter_rows(named=True), gold["label"], strict=True):
        with Image.open(EXAMPLE / row["image"]) as picture:
            assert picture.size == (row["width"], row["height"])
        facts = {"width": row["width"], "height": row["height"]}
        assert len(kind.validate(text, schema, Item(row["id"], row["image"], facts))) >= 4
    assert sum(path.stat().st_size for path in EXAMPLE.rglob("*") if path.is_file()) < 1_000_000


def test_the_same_package_gives_the_same_items(tmp_path: Path) -> None:
    """`prepare.py` cuts any such picture, and gold follows from where it cuts."""
    folder = tmp_path / "coins"
    folder.mkdir()
    shutil.copy(EXAMPLE / "prepare.py", folder)
    plate = Image.fromarray(np.zeros((303, 384), dtype=np.uint8))
    content = io.BytesIO()
    plate.save(content, "PNG")
    with zipfile.ZipFile(tmp_path / "package.whl", "w") as package:
        package.writestr("skimage/data/coins.png", content.getvalue())

    program(folder / "prepare.py").main(["prepare.py", str(tmp_path / "package.whl")])

    assert (folder / "pictures.csv").read_bytes() == (EXAMPLE / "pictures.csv").read_bytes()
    made, kept = (pl.read_parquet(place / "gold.parquet") for place in (folder, EXAMPLE))
    assert made.equals(kept)


@pytest.mark.parametrize("rule", ["brighter_than_the_ground", "restless_surface"])
def test_a_rule_finds_two_bright_discs(rule: str, tmp_path: Path) -> None:
    """Two discs on dark ground are two boxes, each near its disc; noise on bare ground need not be none."""
    rng = np.random.default_rng(0)
    down, across = np.mgrid[0:100, 0:160]
    picture = np.full((100, 160), 40.0)
    for x, y in ((40, 50), (115, 45)):
        disc = (across - x) ** 2 + (down - y) ** 2 < 20**2
        picture[disc] = 170 + rng.normal(0, 40, int(disc.sum()))
    Image.fromarray(np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)).save(
        tmp_path / "p.png"
    )

    found = getattr(program(EXAMPLE / "rules.py"), rule)(Item("p", str(tmp_path / "p.png")))

    assert len(found) == 2
    for box, (x, y) in zip(sorted(found, key=lambda one: float(one["x"])), ((40, 50), (115, 45)), strict=True):
        edges = (box["x"] - (x - 20), box["y"] - (y - 20), box["width"] - 40, box["height"] - 40)
        assert max(map(abs, edges)) <= 8


def test_gold_is_told_as_json() -> None:
    """A label is a list of boxes."""
    first = json.loads(pl.read_parquet(EXAMPLE / "gold.parquet")["label"][0])

    assert set(first[0]) == {"label", "x", "y", "width", "height"}
