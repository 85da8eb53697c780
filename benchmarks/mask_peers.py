"""What crowd-kit makes of the same masks; runs in its environment, reads and writes JSON.

    python benchmarks/mask_peers.py IN OUT

In come pictures as `[[annotator, class, pixels], ...]`, pixels as a text of 0 and 1, row by row; one class at a time,
since the peers know inside and outside only. Out go, by method, such texts by picture and class, and CPU seconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def main(source: str, target: str) -> None:
    """Answer every table of the file."""
    asked = json.loads(Path(source).read_text())
    Path(target).write_text(json.dumps([merged(table) for table in asked]))


def merged(table: dict[str, Any]) -> dict[str, Any]:
    """Each method's masks for each picture and class."""
    import pandas as pd
    from crowdkit.aggregation import SegmentationEM, SegmentationMajorityVote, SegmentationRASA

    rows = [
        (f"{picture} {label}", annotator, _pixels(text, table["shape"]))
        for picture, answers in enumerate(table["pictures"])
        for annotator, label, text in answers
    ]
    frame = pd.DataFrame(rows, columns=["task", "worker", "segmentation"])
    told: dict[str, Any] = {}
    for method in (SegmentationMajorityVote, SegmentationEM, SegmentationRASA):
        before = time.process_time()
        found = method().fit_predict(frame)
        told[method.__name__] = {
            "seconds": time.process_time() - before,
            "masks": {task: "".join("01"[int(x)] for x in np.asarray(mask).ravel()) for task, mask in found.items()},
        }
    return told


def _pixels(text: str, shape: list[int]) -> Any:
    return (np.frombuffer(text.encode("ascii"), dtype=np.uint8) == ord("1")).reshape(shape)


if __name__ == "__main__":
    main(*sys.argv[1:])
