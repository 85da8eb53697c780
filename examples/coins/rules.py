"""Where are the coins? Two ways to tell metal from the ground it lies on."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from labelmill import labeling_function

HERE = Path(__file__).parent
SMALLEST = 150
"""Pixels of metal below which it is dust."""


def grey(item):
    """The picture's brightness, 0 to 255, a row a line."""
    with Image.open(HERE / item.image) as picture:
        return np.asarray(picture.convert("L"), dtype=np.float64)


def split_in_two(values):
    """The brightness between dark and bright: that of the least variance on either side (Otsu 1979)."""
    counts, edges = np.histogram(values, bins=256)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    mass = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = below * above * (mass / below - (mass[-1] - mass) / above) ** 2
    return middles[np.nanargmax(apart[:-1])]


def boxes_around(metal):
    """A box around each connected piece that is large enough; holes are filled, thin bridges cut."""
    pieces, _ = ndimage.label(ndimage.binary_opening(ndimage.binary_fill_holes(metal), iterations=2))
    found = []
    for number, (down, across) in enumerate(ndimage.find_objects(pieces), start=1):
        if np.count_nonzero(pieces[down, across] == number) >= SMALLEST:
            left, top = float(across.start), float(down.start)
            width, height = float(across.stop - across.start), float(down.stop - down.start)
            found.append({"label": "coin", "x": left, "y": top, "width": width, "height": height})
    return found


@labeling_function()
def brighter_than_the_ground(x):
    """Metal is bright. One threshold for the picture: it goes wrong where the light does."""
    picture = ndimage.gaussian_filter(grey(x), 1)
    return boxes_around(picture > split_in_two(picture))


@labeling_function()
def restless_surface(x):
    """Metal is stamped, the ground is smooth: much changes within a few pixels. It cannot say exactly where."""
    picture = grey(x)
    changes = np.hypot(ndimage.sobel(picture, axis=0), ndimage.sobel(picture, axis=1))
    busy = ndimage.gaussian_filter(changes, REACH)
    return boxes_around(ndimage.binary_erosion(busy > split_in_two(busy), iterations=REACH, border_value=1))


REACH = 3
"""Pixels that changes are blurred over, and taken back at the borders."""
