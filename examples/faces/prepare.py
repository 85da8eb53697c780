"""Makes pictures/, pictures.csv and gold.parquet from `lfw_subset` of the PyPI package scikit-image.

    python prepare.py                                   # of the installed package
    python prepare.py lfw_subset.npy

`labelmill demo faces` runs it; the pictures do not ship with labelmill, and ATTRIBUTION.md says why.
"""

import hashlib
import importlib.util
import sys
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

N_FACES = 100
"""The first pictures of the file; the rest show something else."""

TIMES = 8
"""The pictures are 25 by 25 pixels: too small to look at."""


def main(argv: list[str]) -> None:
    here = Path.cwd()
    rows = sorted(made(Path(argv[1]) if len(argv) > 1 else installed(), here / "pictures"))
    names, labels, sides = zip(*rows, strict=True)
    files = [f"pictures/{name}.png" for name in names]
    pl.DataFrame({"id": names, "image": files, "width": sides, "height": sides}).write_csv(here / "pictures.csv")
    pl.DataFrame({"id": names, "label": labels}).write_parquet(here / "gold.parquet")
    print(f"{len(names)} pictures")


def installed() -> Path:
    """The file in the installed package, which need not be imported for it."""
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        sys.exit("the pictures come from scikit-image, which is not installed: pip install 'labelmill[examples]'")
    path = Path(package.origin).parent / "data" / "lfw_subset.npy"
    if not path.is_file():
        sys.exit(f"{path} is not there: install another release of scikit-image, such as 0.26")
    return path


def made(source: Path, folder: Path) -> list[tuple[str, str, int]]:
    """Name, class and side of each picture; the names tell neither its class nor its place in the file."""
    folder.mkdir(exist_ok=True)
    rows = []
    for number, values in enumerate(np.load(source, allow_pickle=False)):
        small = np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)
        name = hashlib.sha256(small.tobytes()).hexdigest()[:12]
        side = small.shape[0] * TIMES
        Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC).save(folder / f"{name}.png")
        rows.append((name, "face" if number < N_FACES else "other", side))
    return rows


if __name__ == "__main__":
    main(sys.argv)
