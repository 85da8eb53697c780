"""Ranking: classes in order of preference."""

from __future__ import annotations

from labelmill.labels.ranking.kind import Ranking

__all__ = ["Ranking"]
