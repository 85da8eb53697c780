"""Is it a face? What anybody sees who looks at a few of these pictures, said in 25 by 25 pixels."""

from pathlib import Path

import numpy as np
from PIL import Image

from labelmill import labeling_function

HERE = Path(__file__).parent
SIDE = 25

EYE_ROWS, CHEEK_ROWS = slice(7, 11), slice(13, 17)
LEFT, MIDDLE, RIGHT = slice(4, 10), slice(10, 15), slice(15, 21)


def grey(item):
    """Brightness, 0 to 1, shape (25, 25)."""
    with Image.open(HERE / item.image) as picture:
        small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64) / 255


def detail(picture):
    """How much changes from pixel to pixel, in each of 5 by 5 cells."""
    down = np.abs(np.diff(picture, axis=0, prepend=picture[:1]))
    across = np.abs(np.diff(picture, axis=1, prepend=picture[:, :1]))
    changes = down + across
    return changes.reshape(5, 5, 5, 5).mean(axis=(1, 3))


@labeling_function()
def black_border(x):
    """Where a photograph ends it goes on in black; faces were taken from the middle."""
    return "other" if (grey(x) < 0.02).mean() > 0.15 else None


@labeling_function()
def smooth(x):
    """A wall, the sky, a jacket: hardly anything changes in most of it."""
    return "other" if np.median(detail(grey(x))) < 0.04 else None


@labeling_function()
def busy(x):
    """Eyes, nose, mouth, hair: something changes nearly everywhere."""
    return "face" if (detail(grey(x)) > 0.05).mean() > 0.7 else None


@labeling_function()
def dark_eyes(x):
    """Both eyes are clearly darker than the cheeks below them."""
    picture = grey(x)
    margins = [picture[CHEEK_ROWS, side].mean() - picture[EYE_ROWS, side].mean() for side in (LEFT, RIGHT)]
    return "face" if min(margins) > 0.04 else "other" if max(margins) < -0.04 else None


@labeling_function()
def bright_nose(x):
    """The bridge of the nose is clearly brighter than the eyes on both sides."""
    picture = grey(x)
    bridge = picture[EYE_ROWS, MIDDLE].mean()
    margins = [bridge - picture[EYE_ROWS, side].mean() for side in (LEFT, RIGHT)]
    return "face" if min(margins) > 0.03 else None
