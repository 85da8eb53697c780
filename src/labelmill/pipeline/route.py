"""Routes: who should answer what, by what each source costs and how far it can be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from labelmill.pipeline.votes import current_machines
from labelmill.pipeline.workspace import Workspace
from labelmill.pipeline.worth import gains_of, people_accuracy, posterior_of
from labelmill.quality.routes import Source, cheapest_sources
from labelmill.stores.consensus_versions import ConsensusVersion

__all__ = ["AS_IT_IS", "CROWD", "Route", "Routes", "asks_people", "overlap_of", "routes_of"]

CROWD: Final = 3
"""People who answer by themselves where one is not enough."""

ONE, THREE, EXPERT = PEOPLE = ("one person", "three people", "an expert")

AS_IT_IS: Final = "nobody"
"""No source pays: the label stays as it is."""


@dataclass(frozen=True, slots=True)
class Route:
    """Who should be asked about an item.

    Parameters
    ----------
    item : str
    source : str
        A model's name, "one person", "three people", "an expert", or "nobody".
    gain : float
        Wrong labels that this is expected to avoid, 0 to 1.
    cost : float
    """

    item: str
    source: str
    gain: float
    cost: float


@dataclass(frozen=True, slots=True)
class Routes:
    """Routes of some items.

    Parameters
    ----------
    routes : list of Route
        In the order of the items.
    sources : list of Source
        Everybody who could be asked, the cheapest first.
    price : float
        What a wrong label costs.
    """

    routes: list[Route]
    sources: list[Source]
    price: float

    def rows(self) -> list[dict[str, Any]]:
        """For each source: its cost and accuracy, how many items go to it, what that avoids and what it costs."""
        counts = Counter(route.source for route in self.routes)
        known = [*((one.name, one.cost, one.accuracy) for one in self.sources), (AS_IT_IS, 0.0, None)]
        return [
            {
                "source": name,
                "cost": cost,
                "accuracy": accuracy,
                "items": counts[name],
                "avoided": sum(route.gain for route in self.routes if route.source == name),
                "spent": sum(route.cost for route in self.routes if route.source == name),
            }
            for name, cost, accuracy in known
        ]


def routes_of(workspace: Workspace, stored: ConsensusVersion, picked: pl.DataFrame) -> Routes:
    """For each picked item the cheapest source whose gain pays; see `labelmill.quality.routes.cheapest_sources`.

    A model can be asked about items that came after it was trained, as long as it has not voted on them; everybody
    else about any.

    Parameters
    ----------
    picked : polars.DataFrame
        Columns `item`, `partition`, `row`, `confidence`.
    """
    probabilities = posterior_of(workspace, stored, picked)
    confidence = picked["confidence"].to_numpy()
    people, models = _people(workspace, stored), _models(workspace, stored)
    sources = sorted([*people, *(source for source, _ in models)], key=lambda one: one.cost)
    has_voted = {source.name: picked["partition"].is_in(list(seen)).to_numpy() for source, seen in models}
    gains = np.stack([gains_of(workspace, probabilities, confidence, source) for source in sources], axis=1)
    for j, source in enumerate(sources):
        if source.name in has_voted:
            gains[has_voted[source.name], j] = 0.0
    price = workspace.project["select.wrong_price"]
    chosen = cheapest_sources(gains, [source.cost for source in sources], price)
    routes = [
        Route(item, AS_IT_IS, 0.0, 0.0) if j < 0 else Route(item, sources[j].name, float(gains[i, j]), sources[j].cost)
        for i, (item, j) in enumerate(zip(picked["item"], chosen.tolist(), strict=True))
    ]
    return Routes(routes, sources, price)


def asks_people(route: Route | None) -> bool:
    """Whether people should answer the item: yes where nothing was routed."""
    return route is None or route.source in PEOPLE


def overlap_of(route: Route | None, usual: int) -> int:
    """How many people shall answer an item that goes this way."""
    if route is None:
        return usual
    return CROWD if route.source == THREE else 1


def _people(workspace: Workspace, stored: ConsensusVersion) -> Sequence[Source]:
    accuracy = people_accuracy(stored)
    cost, expert_cost = workspace.project["people.cost"], workspace.project["people.expert_cost"]
    expert = max(workspace.project["people.expert_accuracy"], accuracy)
    return [
        Source(ONE, cost, accuracy),
        Source(THREE, CROWD * cost, accuracy, CROWD),
        Source(EXPERT, expert_cost, expert),
    ]


def _models(workspace: Workspace, stored: ConsensusVersion) -> list[tuple[Source, set[str]]]:
    """Trained models, and the partitions on which each has voted."""
    learned = {row["annotator"]: row["reliability"] for row in stored.meta.get("annotators", [])}
    found = []
    for machine in current_machines(workspace):
        accuracy = learned.get(machine.name)
        if machine.kind != "model" or accuracy is None or not np.isfinite(accuracy):
            continue
        seen = {
            partition.id
            for votes in workspace.lake.vote_sets()
            if votes.annotators.get(machine.name, {}).get("fingerprint") == machine.fingerprint
            for partition in votes.partitions
        }
        found.append((Source(machine.name, workspace.project["annotators.cost"], float(accuracy)), seen))
    return found
