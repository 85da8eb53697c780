"""What the server did, in numbers for Prometheus: no names, no texts."""

from __future__ import annotations

import threading
from collections import Counter

__all__ = ["Traffic"]

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds; upper bounds of the histogram."""


class Traffic:
    """Counts of requests by route and status, of votes by what became of them, and how long answers took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._votes: Counter[str] = Counter()
        self._within: Counter[float] = Counter()
        self._seconds, self._n = 0.0, 0

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is its pattern, so that ids stay out."""
        with self._lock:
            self._requests[method, route, status] += 1
            self._seconds += seconds
            self._n += 1
            for bound in BOUNDS:
                self._within[bound] += seconds <= bound

    def voted(self, status: str) -> None:
        """Count one vote."""
        with self._lock:
            self._votes[status] += 1

    def text(self) -> str:
        """All of it in Prometheus' text format 0.0.4."""
        with self._lock:
            lines = ["# TYPE labelmill_requests_total counter"]
            for (method, route, status), n in sorted(self._requests.items()):
                lines.append(f'labelmill_requests_total{{method="{method}",route="{route}",status="{status}"}} {n}')
            lines.append("# TYPE labelmill_votes_total counter")
            lines += [f'labelmill_votes_total{{status="{status}"}} {n}' for status, n in sorted(self._votes.items())]
            lines.append("# TYPE labelmill_request_seconds histogram")
            lines += [f'labelmill_request_seconds_bucket{{le="{bound}"}} {self._within[bound]}' for bound in BOUNDS]
            lines.append(f'labelmill_request_seconds_bucket{{le="+Inf"}} {self._n}')
            lines += [f"labelmill_request_seconds_sum {self._seconds}", f"labelmill_request_seconds_count {self._n}"]
        return "\n".join(lines) + "\n"
