"""The network of the segmenter: four sizes down, four up, with skips between them."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["SegmenterNet"]

_SIZES = 4


class SegmenterNet(nn.Module):
    """Scores of each class for each pixel.

    Normalised by groups of channels: unlike batch normalisation that says the same in small batches, and of a picture
    whatever else is predicted with it.

    Parameters
    ----------
    n_classes : int
        With the one for "nothing".
    width : int
        Channels at full size.
    """

    def __init__(self, n_classes: int, width: int) -> None:
        super().__init__()
        widths = [width * 2**i for i in range(_SIZES)]
        self.down = nn.ModuleList(_block(n, m) for n, m in zip([3, *widths], widths, strict=False))
        self.up = nn.ModuleList(_block(n + m, m) for n, m in zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.last = nn.Conv2d(width, n_classes, 1)
        nn.init.zeros_(self.last.weight)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Shape (n_pictures, n_classes, height, width), of pixels of shape (n_pictures, 3, height, width)."""
        seen: list[torch.Tensor] = []
        x = pixels
        for i, block in enumerate(self.down):
            x = block(x if i == 0 else nn.functional.max_pool2d(x, 2))
            seen.append(x)
        for block, skip in zip(self.up, seen[-2::-1], strict=True):
            larger = nn.functional.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([larger, skip], dim=1))
        scores: torch.Tensor = self.last(x)
        return scores


def _block(n_in: int, n_out: int) -> nn.Module:
    groups = next(n for n in (8, 4, 2, 1) if n_out % n == 0)
    layers: list[nn.Module] = []
    for n in (n_in, n_out):
        layers += [nn.Conv2d(n, n_out, 3, padding=1, bias=False), nn.GroupNorm(groups, n_out), nn.ReLU()]
    return nn.Sequential(*layers)
