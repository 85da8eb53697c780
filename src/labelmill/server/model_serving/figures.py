"""What served models did, in numbers for Prometheus: no texts, no labels."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Final

__all__ = ["ModelFigures", "model_figures"]

SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Items; upper bounds of the histogram of batches."""

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)
"""Upper bounds of the histograms of times."""


class ModelFigures:
    """Requests by what became of them, sizes and times of batches, and how long answers took, for one model.

    Parameters
    ----------
    model : str
        Name of the annotator.
    """

    def __init__(self, model: str) -> None:
        self._model = model.replace("\\", "").replace('"', "").replace("\n", "")
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._n_faults = 0
        self._batches, self._computing = _Histogram(SIZES), _Histogram(SECONDS)
        self._answering = _Histogram(SECONDS)

    def answered(self, protocol: str, outcome: str, seconds: float) -> None:
        """Count a request; outcomes are ok, refused, busy, late, gone and failed."""
        with self._lock:
            self._requests[protocol, outcome] += 1
            self._answering.add(seconds)

    def computed(self, n_items: int, seconds: float, n_faults: int) -> None:
        """Count a batch."""
        with self._lock:
            self._batches.add(n_items)
            self._computing.add(seconds)
            self._n_faults += n_faults

    def lines(self) -> dict[str, list[str]]:
        """Name and type of a metric -> its lines in Prometheus' text format 0.0.4."""
        own = f'model="{self._model}"'
        with self._lock:
            requests = [
                f'labelmill_model_requests_total{{{own},protocol="{protocol}",outcome="{outcome}"}} {n}'
                for (protocol, outcome), n in sorted(self._requests.items())
            ]
            return {
                "labelmill_model_requests_total counter": requests,
                "labelmill_model_faults_total counter": [f"labelmill_model_faults_total{{{own}}} {self._n_faults}"],
                **self._batches.lines("labelmill_model_batch_items", own),
                **self._computing.lines("labelmill_model_batch_seconds", own),
                **self._answering.lines("labelmill_model_answer_seconds", own),
            }


def model_figures(figures: Sequence[ModelFigures]) -> str:
    """All of them in Prometheus' text format, each metric with its type once."""
    gathered: dict[str, list[str]] = {}
    for one in figures:
        for named, lines in one.lines().items():
            gathered.setdefault(named, []).extend(lines)
    return "".join(f"# TYPE {named}\n" + "".join(f"{line}\n" for line in of) for named, of in gathered.items())


class _Histogram:
    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._within = [0] * len(bounds)
        self._sum, self._n = 0.0, 0

    def add(self, value: float) -> None:
        self._sum += value
        self._n += 1
        for i, bound in enumerate(self._bounds):
            self._within[i] += value <= bound

    def lines(self, name: str, own: str) -> dict[str, list[str]]:
        counts = zip([*self._bounds, "+Inf"], [*self._within, self._n], strict=True)
        lines = [f'{name}_bucket{{{own},le="{bound}"}} {n}' for bound, n in counts]
        return {f"{name} histogram": [*lines, f"{name}_sum{{{own}}} {self._sum}", f"{name}_count{{{own}}} {self._n}"]}
