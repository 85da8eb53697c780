"""A person who answers from gold: for demonstrations and benchmarks, never for a real release."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from labelmill.domain.strict_json import dumps, loads

__all__ = ["SimulatedMarker", "SimulatedPerson", "read_gold"]


def read_gold(path: Path) -> dict[str, str]:
    """Item -> true label, from a Parquet file with the columns `id` and `label`."""
    return dict(pl.read_parquet(path).select("id", "label").iter_rows())


class SimulatedPerson:
    """Answers what gold says, and errs as often as asked.

    The same person gives the same answer to the same item whenever asked, as a person mostly would.

    Parameters
    ----------
    gold : Path
        File with the true labels; nobody else but the final score may open it.
    classes : sequence of str
        What a wrong answer is drawn from.
    error_rate : float
        Share of items this person gets wrong, between 0 and 1.
    seed : int
    """

    def __init__(self, gold: Path, classes: Sequence[str], *, error_rate: float = 0.0, seed: int = 0) -> None:
        self._gold = read_gold(gold)
        self.classes = tuple(classes)
        self.error_rate = error_rate
        self.seed = seed
        self.n_answers = 0

    def answer(self, items: Iterable[str]) -> dict[str, str]:
        """Item -> answer."""
        answers = {item: self._answer(item) for item in items}
        self.n_answers += len(answers)
        return answers

    def _answer(self, item: str) -> str:
        truth = self._gold[item]
        rng = _draws(self.seed, item)
        if rng.random() >= self.error_rate:
            return truth
        return str(rng.choice([name for name in self.classes if name != truth]))


class SimulatedMarker:
    """Marks what gold marks, at the same places, and overlooks as many of the elements as asked.

    Parameters
    ----------
    gold : Path
        File with the true values, as JSON; nobody else but the final score may open it.
    overlooks : float
        Share of the elements that this person does not see, between 0 and 1.
    seed : int
    """

    def __init__(self, gold: Path, *, overlooks: float = 0.0, seed: int = 0) -> None:
        self._gold = read_gold(gold)
        self.overlooks = overlooks
        self.seed = seed
        self.n_answers = 0

    def answer(self, items: Iterable[str]) -> dict[str, str]:
        """Item -> answer, as JSON."""
        answers = {item: self._answer(item) for item in items}
        self.n_answers += len(answers)
        return answers

    def _answer(self, item: str) -> str:
        value = loads(self._gold[item])
        if not isinstance(value, list):
            return self._gold[item]
        rng = _draws(self.seed, item)
        return dumps([element for element in value if rng.random() >= self.overlooks])


def _draws(seed: int, item: str) -> np.random.Generator:
    """The same for the same item, whenever it is asked about."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(f"{seed}-{item}".encode()).digest()[:8]))
