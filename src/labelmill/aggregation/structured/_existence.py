"""Which candidates are real objects, and of which class: learned from who drew them and who did not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labelmill.aggregation.structured._drawings import Drawings, Grouped, joined, summed
from labelmill.aggregation.structured._scores import Calibration, fitted_calibration, flat_calibration

__all__ = ["Believed", "Candidates", "Habits", "believe", "candidates_of", "learned_habits", "start_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

SMALLEST = 1e-6
PRIOR_OBJECTS = 4.0
"""Objects at the crowd's rate that every annotator starts with."""

PRIOR_OF_CLASS = 10.0
"""Objects at the annotator's own rate that each of its classes starts with."""

PRIOR_FOUND, PRIOR_MISSED = 4.0, 1.0
"""What the crowd's rates of finding an object, and of naming it, start with."""

LEAST_SEEN = 0.2
"""At least this share of objects is taken to be drawn by somebody."""

PRIOR_FOLLOWED = 20.0
"""False alarms of others, none of them joined, that the crowd starts with."""


class Candidates(NamedTuple):
    """Clusters of drawings, and the classes that each may be of: those that somebody named.

    Rows of `cluster`, `label` are options: a cluster being of a class. `drawing`, `option` pair each drawing with the
    options of its cluster; `option_asked`, `asked` each option with the answers on its item; `cluster_asked`,
    `answer` each cluster with the same.
    """

    cluster: Ints
    label: Ints
    drawing: Ints
    option: Ints
    option_asked: Ints
    asked: Ints
    cluster_asked: Ints
    answer: Ints


class Habits(NamedTuple):
    """What is known of everybody, one row an annotator and a last one for strangers; labels have one for unknown ones.

    Attributes
    ----------
    found : ndarray, shape (n_annotators + 1, n_labels + 1)
        Chance to draw an object that is there, by class.
    alarms : ndarray, shape (n_annotators + 1,)
        False alarms on an item that nobody else began.
    followed : ndarray, shape (n_annotators + 1,)
        Chance to draw what is another's false alarm.
    right : ndarray, shape (n_annotators + 1,)
        Chance to name an object's class.
    named_key, named : ndarray, shape (n_seen,)
        Confusions that were seen, `_key` of annotator, class and label, with their counts; `named_all` by annotator and
        class.
    objects : float
        Real objects on an item.
    classes : ndarray, shape (n_labels + 1,)
        Share of each class of real objects.
    labels : ndarray, shape (n_labels + 1,)
        Share of each label of all drawings.
    calibrations : sequence of Calibration
        What each annotator's scores mean.
    """

    found: Floats
    alarms: Floats
    followed: Floats
    right: Floats
    named_key: Ints
    named: Floats
    named_all: Floats
    objects: float
    classes: Floats
    labels: Floats
    calibrations: Sequence[Calibration]


class Believed(NamedTuple):
    """`exists`, shape (n_clusters,); `options`, shape (n_options,): chance of being an object of that class."""

    exists: Floats
    options: Floats


def candidates_of(drawings: Drawings, groups: Grouped, n_labels: int) -> Candidates:
    """The options of every cluster."""
    width = n_labels + 1
    keys = np.unique(groups.cluster * width + drawings.label)
    cluster, label = np.divmod(keys, width)
    drawing, option = joined(groups.cluster, cluster)
    option_asked, asked = joined(groups.item[cluster], drawings.asked_item)
    cluster_asked, answer = joined(groups.item, drawings.asked_item)
    return Candidates(cluster, label, drawing, option, option_asked, asked, cluster_asked, answer)


def start_of(drawings: Drawings, groups: Grouped, candidates: Candidates) -> Believed:
    """Before anything is known: the share of those asked who drew it, and who named the class.

    A drawing with a score counts by it: a detector's many boxes that it is not sure of are no objects because another
    detector has them too.
    """
    n = len(groups.item)
    sure = np.where(np.isnan(drawings.score), 1.0, drawings.score)
    drew = summed(groups.cluster, sure, n)
    could = np.bincount(candidates.cluster_asked, minlength=n)
    same = drawings.label[candidates.drawing] == candidates.label[candidates.option]
    named = summed(candidates.option, same * sure[candidates.drawing], len(candidates.cluster))
    return Believed(drew / np.maximum(could, 1), named / np.maximum(could, 1)[candidates.cluster])


def learned_habits(
    drawings: Drawings,
    groups: Grouped,
    candidates: Candidates,
    believed: Believed,
    machines: Bools,
    n_labels: int,
    before: Habits | None = None,
) -> Habits:
    """The M-step: everybody's habits when so much is believed of the candidates.

    Each annotator's are shrunk to its crowd's: the machines, which give scores, or the people. Strangers are taken for
    people, or for machines where there are no others.
    """
    width, n_annotators = n_labels + 1, len(machines)
    label_counts = np.bincount(drawings.label, minlength=width) + 1.0 / width
    class_counts = summed(candidates.label, believed.options, width) + 1.0 / width
    stand_for = _stand_for(drawings, groups, candidates, machines, before)
    alarms, followed = _false_alarms(drawings, groups, candidates, believed, machines, before)
    right, key, named, named_all = _confusions(drawings, candidates, believed, machines, width)
    return Habits(
        _found(drawings, candidates, believed, stand_for, machines, width),
        alarms,
        followed,
        right,
        key,
        named,
        named_all,
        float((believed.exists * stand_for).sum() + SMALLEST) / max(_n_seen(drawings, machines), 1),
        class_counts / class_counts.sum(),
        label_counts / label_counts.sum(),
        _calibrations(drawings, groups, believed, n_annotators),
    )


def believe(drawings: Drawings, groups: Grouped, candidates: Candidates, habits: Habits) -> Believed:
    """The E-step: the chance of each candidate to be real and of each class; looks at each item alone."""
    n = len(groups.item)
    named = _log_named(drawings, candidates, habits)
    real = named + _log_real(drawings, candidates, habits)
    alarm = named + _log_alarm(drawings, groups, candidates, habits)[candidates.cluster]
    highest = np.full(n, -np.inf)
    np.maximum.at(highest, candidates.cluster, np.maximum(real, alarm))
    share = np.exp(real - highest[candidates.cluster])
    real_sum = summed(candidates.cluster, share, n)
    alarm_sum = summed(candidates.cluster, np.exp(alarm - highest[candidates.cluster]), n)
    total = real_sum + alarm_sum
    return Believed(real_sum / total, share / total[candidates.cluster])


def _log_named(drawings: Drawings, candidates: Candidates, habits: Habits) -> Floats:
    """The class, and what everybody called it; for what only looks like an object of the class it is the same."""
    j, k = drawings.annotator[candidates.drawing], candidates.label[candidates.option]
    called = np.log(_named(habits, j, k, drawings.label[candidates.drawing]))
    return np.asarray(
        np.log(habits.classes[candidates.label]) + summed(candidates.option, called, len(candidates.cluster))
    )


def _log_real(drawings: Drawings, candidates: Candidates, habits: Habits) -> Floats:
    """Who found an object and who missed it, and with which scores."""
    n = len(candidates.cluster)
    found = habits.found[drawings.annotator[candidates.drawing], candidates.label[candidates.option]]
    gain = np.log(found / (1.0 - found)) + _score_gain(drawings, habits)[candidates.drawing]
    who, which = drawings.asked_annotator[candidates.asked], candidates.label[candidates.option_asked]
    missed = np.log1p(-habits.found[who, which])
    return np.asarray(
        np.log(habits.objects) + summed(candidates.option, gain, n) + summed(candidates.option_asked, missed, n)
    )


def _log_alarm(drawings: Drawings, groups: Grouped, candidates: Candidates, habits: Habits) -> Floats:
    """Who began or followed a false alarm, and who did not."""
    n = len(groups.item)
    j = drawings.annotator
    followed = habits.followed[j]
    gain = np.log(followed / (1.0 - followed))
    began = summed(groups.cluster, habits.alarms[j] / followed, n)
    alone = np.log1p(-habits.followed[drawings.asked_annotator[candidates.answer]])
    return np.asarray(np.log(began) + summed(groups.cluster, gain, n) + summed(candidates.cluster_asked, alone, n))


def _found(
    drawings: Drawings, candidates: Candidates, believed: Believed, stand_for: Floats, machines: Bools, width: int
) -> Floats:
    """Shares of objects found; what only machines saw says nothing about people."""
    n, each = len(machines), 1.0 / max(len(machines), 1)
    j, k = drawings.annotator[candidates.drawing], candidates.label[candidates.option]
    counts = believed.options[candidates.option]
    drew = summed(j * width + k, counts, n * width)
    j, k = drawings.asked_annotator[candidates.asked], candidates.label[candidates.option_asked]
    counts = believed.options[candidates.option_asked]
    counts = np.where(machines[j], counts, counts * stand_for[candidates.cluster[candidates.option_asked]])
    could = summed(j * width + k, counts, n * width)
    drew, could = drew.reshape(n, width), np.maximum(could, drew).reshape(n, width)
    all_drew, all_could = drew.sum(axis=1), could.sum(axis=1)
    crowd = _crowd(all_drew + PRIOR_FOUND * each, all_could + (PRIOR_FOUND + PRIOR_MISSED) * each, machines)
    own = (all_drew + PRIOR_OBJECTS * crowd[:n]) / (all_could + PRIOR_OBJECTS)
    found = (drew + PRIOR_OF_CLASS * own[:, None]) / (could + PRIOR_OF_CLASS)
    return np.asarray(np.clip(np.vstack([found, np.full(width, crowd[n])]), SMALLEST, 1.0 - 1e-3))


def _stand_for(
    drawings: Drawings, groups: Grouped, candidates: Candidates, machines: Bools, before: Habits | None
) -> Floats:
    """How many objects each object that people have drawn stands for, others being overlooked by all people asked.

    0 for clusters without people, so that what machines alone see cannot make people blind. Where there are no people
    machines stand in for them.
    """
    people = ~machines if (~machines).any() else machines
    n = len(groups.item)
    drawn = summed(groups.cluster, people[drawings.annotator], n) > 0
    if before is None:
        return drawn.astype(np.float64)
    typical = before.found @ before.classes
    asked = drawings.asked_annotator[candidates.answer]
    logs = np.where(people, np.log1p(-typical[:-1]), 0.0)[asked]
    overlooked = np.exp(summed(candidates.cluster_asked, logs, n))
    return drawn / np.maximum(1.0 - overlooked, LEAST_SEEN)


def _n_seen(drawings: Drawings, machines: Bools) -> int:
    """On how many items objects are counted: those that people looked at, or machines where there are no people."""
    people = ~machines if (~machines).any() else machines
    return len(np.unique(drawings.asked_item[people[drawings.asked_annotator]]))


def _crowd(counts: Floats, of: Floats, machines: Bools) -> Floats:
    """The rate of each annotator's crowd; at last that of strangers."""
    rate = np.ones(2)
    for kind in (0, 1):
        total = float(of[machines == kind].sum())
        rate[kind] = float(counts[machines == kind].sum()) / total if total > 0 else np.nan
    if np.isnan(rate).all():
        rate[:] = 1.0
    return np.append(rate[machines.astype(np.intp)], rate[1] if np.isnan(rate[0]) else rate[0])


def _false_alarms(
    drawings: Drawings,
    groups: Grouped,
    candidates: Candidates,
    believed: Believed,
    machines: Bools,
    before: Habits | None,
) -> tuple[Floats, Floats]:
    """Of each false alarm, one who drew it began it, by the rates so far; the others followed."""
    n, each = len(machines), 1.0 / max(len(machines), 1)
    j, false = drawings.annotator, 1.0 - believed.exists
    odds = np.ones(len(j)) if before is None else before.alarms[j] / before.followed[j]
    total = summed(groups.cluster, odds, len(groups.item))
    began = false[groups.cluster] * odds / total[groups.cluster]
    begun = summed(j, began, n)
    drawn = summed(j, false[groups.cluster], n)
    who = drawings.asked_annotator[candidates.answer]
    could = np.maximum(summed(who, false[candidates.cluster_asked], n) - begun, 0.0)
    joined_in: Floats = np.minimum(np.maximum(drawn - begun, 0.0), could)
    crowd = _crowd(joined_in + each, could + PRIOR_FOLLOWED * each, machines)
    followed = (joined_in + PRIOR_FOLLOWED * crowd[:n]) / (could + PRIOR_FOLLOWED)
    seen: Floats = np.bincount(drawings.asked_annotator, minlength=n).astype(np.float64)
    typical = _crowd(begun + 0.5 * each, seen + each, machines)
    alarms = (begun + PRIOR_OBJECTS * typical[:n]) / (seen + PRIOR_OBJECTS)
    return (
        np.maximum(np.append(alarms, typical[n]), SMALLEST),
        np.clip(np.append(followed, crowd[n]), SMALLEST, 0.9),
    )


def _confusions(
    drawings: Drawings, candidates: Candidates, believed: Believed, machines: Bools, width: int
) -> tuple[Floats, Ints, Floats, Floats]:
    n, each = len(machines), 1.0 / max(len(machines), 1)
    j, k = drawings.annotator[candidates.drawing], candidates.label[candidates.option]
    said, weight = drawings.label[candidates.drawing], believed.options[candidates.option]
    right = summed(j, weight * (said == k), n)
    total = summed(j, weight, n)
    crowd = _crowd(right + PRIOR_FOUND * each, total + (PRIOR_FOUND + PRIOR_MISSED) * each, machines)
    own = np.append((right + PRIOR_OBJECTS * crowd[:n]) / (total + PRIOR_OBJECTS), crowd[n])
    key, inverse = np.unique(_key(j, k, said, width), return_inverse=True)
    named = summed(inverse, weight, len(key))
    named_all = summed(j * width + k, weight, (n + 1) * width)
    right_share: Floats = np.clip(own, SMALLEST, 1.0 - 1e-3)
    return right_share, key, named, named_all.reshape(n + 1, width)


def _named(habits: Habits, j: Ints, k: Ints, said: Ints) -> Floats:
    """Chance that annotator j names the label, of an object of class k: its counts, shrunk to one rate of errors."""
    width = len(habits.labels)
    key = _key(j, k, said, width)
    place = np.minimum(np.searchsorted(habits.named_key, key), max(len(habits.named_key) - 1, 0))
    count = np.where(habits.named_key[place] == key, habits.named[place], 0.0) if len(habits.named_key) else 0.0
    elsewhere = (1.0 - habits.right[j]) * habits.labels[said] / np.maximum(1.0 - habits.labels[k], SMALLEST)
    expected = np.where(said == k, habits.right[j], elsewhere)
    chance = (count + PRIOR_OF_CLASS * expected) / (habits.named_all[j, k] + PRIOR_OF_CLASS)
    return np.asarray(np.maximum(chance, SMALLEST))


def _key(j: Ints, k: Ints, said: Ints, width: int) -> Ints:
    return (j * width + k) * width + said


def _calibrations(drawings: Drawings, groups: Grouped, believed: Believed, n_annotators: int) -> list[Calibration]:
    found = [flat_calibration()] * (n_annotators + 1)
    for j, rows in _scored(drawings):
        found[j] = fitted_calibration(drawings.score[rows], believed.exists[groups.cluster[rows]])
    return found


def _score_gain(drawings: Drawings, habits: Habits) -> Floats:
    """Log of how much likelier each drawing's score is for a real object than for a false alarm; 0 without a score."""
    gain = np.zeros(len(drawings.score))
    for j, rows in _scored(drawings):
        gain[rows] = habits.calibrations[j].log_ratio(drawings.score[rows])
    return gain


def _scored(drawings: Drawings) -> list[tuple[int, Ints]]:
    """Each annotator that gives scores, with the rows that have one."""
    rows = np.flatnonzero(~np.isnan(drawings.score))
    rows = rows[np.argsort(drawings.annotator[rows], kind="stable")]
    who, first = np.unique(drawings.annotator[rows], return_index=True)
    return list(zip(who.tolist(), np.split(rows, first[1:]), strict=False))
