"""Scores of objects from comparisons of two, against crowd-kit, which runs in a virtual environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

PEER = "crowd-kit"
SIZES = ((500, 15_000, 100), (2_000, 60_000, 500), (9_150, 250_000, 4_091))
"""Objects, comparisons and people; crowd-kit is left out of the last."""


def report(cache: Path) -> str:
    """Scores of objects from who preferred which of two, against crowd-kit."""
    lines = [
        "Comparisons of pairs, made up: scores with sd 1.5; 15 % of the people hardly look and lean to the left, the "
        "others look six times in seven. Spearman's rho to the true scores.",
        "",
        "| objects | comparisons | method | CPU s | rho |",
        "|--:|--:|---|--:|--:|",
    ]
    for size in SIZES:
        data = preferences(*size)
        for system, method in (
            ("labelmill", "BradleyTerry(annotators=False)"),
            ("labelmill", "BradleyTerry"),
            (PEER, "BradleyTerry"),
            (PEER, "NoisyBradleyTerry"),
        ):
            if system == "labelmill" or size != SIZES[-1]:
                seconds, rho = compared(system, method, data, cache)
                lines.append(f"| {size[0]:,} | {size[1]:,} | {system} {method} | {seconds:.2f} | {rho:.4f} |")
    return "\n".join(lines)


def preferences(n_objects: int, n_comparisons: int, n_people: int) -> dict[str, Any]:
    """Left, right, who, whether the left one won, and the true scores."""
    draw = np.random.default_rng(0)
    score = draw.normal(0, 1.5, n_objects)
    left = draw.integers(n_objects, size=n_comparisons)
    right = (left + draw.integers(1, n_objects, size=n_comparisons)) % n_objects
    who = draw.integers(n_people, size=n_comparisons)
    is_careless = np.arange(n_people) < 0.15 * n_people
    looks = np.where(is_careless, 0.05, draw.beta(12, 2, n_people))
    leans = np.where(is_careless, draw.beta(2, 1, n_people), 0.5)
    seen = draw.random(n_comparisons) < logistic(score[left] - score[right])
    unseen = draw.random(n_comparisons) < leans[who]
    won = np.where(draw.random(n_comparisons) < looks[who], seen, unseen)
    return {"left": left, "right": right, "who": who, "left_won": won, "score": score}


def compared(system: str, method: str, data: dict[str, Any], cache: Path) -> tuple[float, float]:
    """CPU seconds in a process of its own, and the correlation with the truth."""
    from aggregation import interpreter
    from labelmill.quality.rank_correlation import spearman

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.npz"), Path(folder, "out.json")
        np.savez(source, **data)
        single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        command = [interpreter(system, cache), __file__, f"{system}:{method}", str(source), str(target)]
        subprocess.run(command, check=True, env=os.environ | single)
        seconds, objects, scores = json.loads(target.read_text())
    return seconds, spearman(data["score"][objects], scores) or 0.0


def work(method: str, source: str, target: str) -> None:
    """In the system's own process: fit, and write the seconds and the scores."""
    data = dict(np.load(source))
    system, name = method.split(":")
    solve = fit_labelmill if system == "labelmill" else fit_crowd_kit
    Path(target).write_text(json.dumps(solve(name, data)))


def fit_labelmill(name: str, data: dict[str, Any]) -> tuple[float, list[int], list[float]]:
    from labelmill import BradleyTerry

    left, right, who = (data[column].astype(str).astype(object) for column in ("left", "right", "who"))
    said = {"left": left, "right": right, "annotator": who, "winner": np.where(data["left_won"], left, right)}
    started = time.process_time()
    model = BradleyTerry(annotators=name == "BradleyTerry").fit(said)
    return time.process_time() - started, [int(name) for name in model.objects_], model.scores_.tolist()


def fit_crowd_kit(name: str, data: dict[str, Any]) -> tuple[float, list[int], list[float]]:
    import crowdkit.aggregation
    import pandas as pd

    winner = np.where(data["left_won"], data["left"], data["right"])
    said = pd.DataFrame({"worker": data["who"], "left": data["left"], "right": data["right"], "label": winner})
    started = time.process_time()
    scores = getattr(crowdkit.aggregation, name)(n_iter=100).fit_predict(said)
    return time.process_time() - started, scores.index.tolist(), scores.tolist()


def logistic(x: Any) -> Any:
    """From log odds to a probability."""
    return 1.0 / (1.0 + np.exp(-x))


if __name__ == "__main__":
    work(*sys.argv[1:])
