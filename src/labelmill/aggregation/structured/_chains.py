"""Hidden chains of tags: forward and backward over all chains at once, and the probability of each span."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["LEAST", "Found", "Posterior", "Shape", "legal_steps", "posterior"]

Floats = npt.NDArray[np.float64]

LEAST = 0.02
"""Probability below which a span is not looked at."""

FAINTEST = -140.0
"""Log likelihood, against the likeliest tag, that every tag has at least."""

Found = tuple[float, int, int, int]
"""Probability, first token, token after the last (both within the chain), class."""


@dataclass(frozen=True)
class Shape:
    """Chains laid end to end, longest first.

    Parameters
    ----------
    lengths : ndarray of int, shape (n_chains,)
        Tokens of each, descending, at least 1.
    """

    lengths: npt.NDArray[np.intp]

    @cached_property
    def offset(self) -> npt.NDArray[np.intp]:
        """Where each chain begins, shape (n_chains + 1,)."""
        return np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.intp)

    @property
    def n_tokens(self) -> int:
        """Of all chains."""
        return int(self.offset[-1])

    @cached_property
    def steps(self) -> list[npt.NDArray[np.intp]]:
        """The t-th token of every chain that has one, for each t."""
        longest = int(self.lengths[0]) if len(self.lengths) else 0
        running = np.searchsorted(-self.lengths, -np.arange(longest), side="left")
        return [self.offset[:n] + t for t, n in enumerate(running.tolist())]


def legal_steps(n_classes: int) -> npt.NDArray[np.bool_]:
    """Which tag may follow which, shape (n_tags, n_tags): a span goes on only with its own class."""
    n_tags = 1 + 2 * n_classes
    legal = np.ones((n_tags, n_tags), dtype=np.bool_)
    for c in range(n_classes):
        legal[:, 2 + 2 * c] = False
        legal[[1 + 2 * c, 2 + 2 * c], 2 + 2 * c] = True
    return legal


@dataclass(frozen=True)
class Posterior:
    """What the chains look like, given the evidence.

    Parameters
    ----------
    tag : ndarray of float64, shape (n_tokens, n_tags)
        Probability of each tag.
    follows : ndarray of float64, shape (n_tags, n_tags)
        Expected number of times a tag follows another.
    ahead, behind, evidence : ndarray of float64, shape (n_tokens, n_tags)
        Scaled forward and backward messages, scaled likelihoods.
    scale : ndarray of float64, shape (n_tokens,)
    step : ndarray of float64, shape (n_tags, n_tags)
        Transition probabilities.
    """

    tag: Floats
    follows: Floats
    ahead: Floats
    behind: Floats
    evidence: Floats
    scale: Floats
    step: Floats

    def spans(self, start: int, length: int) -> list[Found]:
        """All spans of the chain at `start` that have at least `LEAST` probability, each with its exact one."""
        found: list[Found] = []
        begins = (self.ahead * self.behind)[start : start + length, 1::2]
        for i, c in np.argwhere(begins >= LEAST).tolist():
            found += [(p, i, j, c) for p, j in self._ends(start, length, i, c)]
        return found

    def _ends(self, start: int, length: int, i: int, c: int) -> list[tuple[float, int]]:
        """Probability of each end of the span of class c that begins at token i."""
        inside, tag = 2 + 2 * c, 1 + 2 * c
        mass, ends = float(self.ahead[start + i, tag]), []
        for j in range(i + 1, length):
            at = start + j
            onward = self.step[tag] * self.evidence[at] / self.scale[at]
            stays = onward[inside]
            closes = float(onward @ self.behind[at] - stays * self.behind[at, inside])
            ends.append((mass * closes, j))
            mass, tag = mass * float(stays), inside
            if mass * self.behind[at, inside] < LEAST:
                break
        else:
            ends.append((mass, length))
        return [(min(p, 1.0), j) for p, j in ends if p >= LEAST]

    def path(self, start: int, tags: npt.NDArray[np.intp]) -> float:
        """Probability that the chain at `start` has exactly these tags."""
        at = np.arange(start, start + len(tags))
        share = self.tag[start, tags[0]]
        here, there = at[:-1], at[1:]
        top = self.step[tags[:-1], tags[1:]] * self.evidence[there, tags[1:]] * self.behind[there, tags[1:]]
        low = self.scale[there] * self.behind[here, tags[:-1]]
        return min(float(share * np.prod(np.divide(top, low, out=np.zeros_like(top), where=low > 0))), 1.0)


def posterior(shape: Shape, log_evidence: Floats, step: Floats, first: Floats) -> Posterior:
    """Forward-backward (Rabiner 1989, doi:10.1109/5.18626), each step for all chains at once.

    Parameters
    ----------
    log_evidence : ndarray of float64, shape (n_tokens, n_tags)
        Log likelihood of what was said of each token, for each tag.
    step : ndarray of float64, shape (n_tags, n_tags)
        Transition probabilities, rows sum to 1.
    first : ndarray of float64, shape (n_tags,)
        Probabilities of the first tag.
    """
    # Never quite 0: where hundreds speak for what cannot follow, all messages would vanish.
    evidence = np.exp(np.maximum(log_evidence - log_evidence.max(axis=1, keepdims=True), FAINTEST))
    ahead, behind = np.empty_like(evidence), np.ones_like(evidence)
    scale = np.ones(len(evidence))
    steps = shape.steps
    for t, here in enumerate(steps):
        message = (first if t == 0 else ahead[here - 1] @ step) * evidence[here]
        scale[here] = message.sum(axis=1)
        ahead[here] = message / scale[here][:, None]
    for here in steps[:0:-1]:
        behind[here - 1] = (evidence[here] * behind[here] / scale[here][:, None]) @ step.T
    tag = ahead * behind
    tag /= tag.sum(axis=1, keepdims=True)
    later = np.concatenate([np.empty(0, dtype=np.intp), *steps[1:]])
    follows = step * (ahead[later - 1].T @ (evidence[later] * behind[later] / scale[later][:, None]))
    return Posterior(tag, follows, ahead, behind, evidence, scale, step)
