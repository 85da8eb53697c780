"""Makes pictures/, pictures.csv and gold.parquet from the picture `coins` of the PyPI package scikit-image 0.26.0.

    python prepare.py                                   # fetches the package with pip
    python prepare.py scikit_image-0.26.0-....whl

What is taken and how it was marked is told in ATTRIBUTION.md. The same package gives the same bytes again.
"""

import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import polars as pl
from PIL import Image

PACKAGE = "scikit-image==0.26.0"
PICTURE = "skimage/data/coins.png"

WIDTH, HEIGHT = 192, 152
LEFTS, TOPS = (0, 64, 128, 192), (0, 75, 151)
"""Pixels: the size of a piece, and where pieces begin. They overlap, so that every coin is whole in some piece."""

COINS = [
    (22, 34, 67, 74), (81, 39, 120, 74), (132, 28, 179, 74), (192, 29, 240, 73), (255, 33, 297, 72),
    (305, 15, 365, 72), (25, 104, 67, 145), (84, 107, 122, 145), (133, 110, 174, 145), (185, 105, 227, 145),
    (245, 95, 296, 144), (317, 105, 357, 145), (25, 177, 63, 217), (80, 174, 125, 218), (135, 179, 174, 218),
    (189, 170, 237, 217), (251, 172, 297, 217), (315, 156, 380, 219), (18, 232, 75, 288), (92, 244, 136, 287),
    (144, 236, 202, 288), (219, 240, 269, 288), (275, 239, 327, 289), (335, 247, 381, 289),
]  # fmt: skip
"""Left, top, right and bottom edge of each coin, drawn by hand in the whole picture at three times its size."""


def main(argv: list[str]) -> None:
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        package = Path(argv[1]) if len(argv) > 1 else fetch(Path(folder))
        with zipfile.ZipFile(package) as archive:
            plate = Image.open(io.BytesIO(archive.read(PICTURE)))
            plate.load()
    (here / "pictures").mkdir(exist_ok=True)
    items, gold = [], []
    for left, top in [(left, top) for top in TOPS for left in LEFTS]:
        name = f"coins-{left}-{top}"
        plate.crop((left, top, left + WIDTH, top + HEIGHT)).save(here / "pictures" / f"{name}.png", optimize=True)
        items.append({"id": name, "image": f"pictures/{name}.png", "width": WIDTH, "height": HEIGHT})
        gold.append({"id": name, "label": json.dumps(coins_in(left, top))})
    pl.DataFrame(items).write_csv(here / "pictures.csv")
    pl.DataFrame(gold).write_parquet(here / "gold.parquet", compression="zstd")
    print(f"{len(items)} pictures, {sum(len(json.loads(one['label'])) for one in gold)} coins in them")


def fetch(folder: Path) -> Path:
    """The package, from PyPI; the picture is the same in that of every platform."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*command, "--dest", folder, PACKAGE], check=True)
    return next(folder.glob("*.whl"))


def coins_in(left: int, top: int) -> list[dict[str, float | str]]:
    """A box around what is there of each coin, if that is at least half of its own."""
    found = []
    for x0, y0, x1, y1 in COINS:
        a, b = max(x0 - left, 0), max(y0 - top, 0)
        c, d = min(x1 - left, WIDTH), min(y1 - top, HEIGHT)
        if c > a and d > b and (c - a) * (d - b) >= (x1 - x0) * (y1 - y0) / 2:
            found.append({"label": "coin", "x": float(a), "y": float(b), "width": float(c - a), "height": float(d - b)})
    return sorted(found, key=lambda box: (box["x"], box["y"]))


if __name__ == "__main__":
    main(sys.argv)
