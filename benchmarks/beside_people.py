"""A classifier beside people: the answers of `joint`, against people alone, the classifier alone and a simple majority.

    python benchmarks/beside_people.py

Votes and gold are real, read from ../shared/data where present; the classifier is made up from gold as in
vote_quality.py: calibrated, too sure, too modest, or echoing the majority on half of the items; or skewed: log
probabilities times a number for each class (log-normal, sd 0.5), and one more added (sd 1.5), two draws.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from label_errors import DATA
from vote_quality import CLASSIFIERS, Crowd, beside, real_crowds

SKEWED: dict[str, dict[str, Any]] = {" by class": {}, " by class, `by_class=False`": {"by_class": False}}
MANY = 6000
"""Sets with more items are left out: they say the same and take longer."""


def main() -> str:
    """Measure, print Markdown and return it."""
    if not (DATA / "crowd").is_dir():
        return ""
    crowds = [crowd for crowd in real_crowds() if (crowd.gold >= 0).all() and len(crowd.gold) < MANY]
    lines = [
        f"**{len(crowds)} real sets of votes with gold for every item; mean accuracy %**",
        "",
        "| classifier | alone | people alone, `auto` | majority, classifier as one more | `joint` | its worst set "
        "against people | temperature, median | weight of people, median | CPU s, all |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [line(kind, [measured(beside(crowd, kind)) for crowd in crowds]) for kind in CLASSIFIERS]
    drawn = [skewed(beside(crowd, "calibrated"), seed) for crowd in crowds for seed in range(2)]
    lines += [line(f"skewed{told}", [measured(one, **how) for one in drawn]) for told, how in SKEWED.items()]
    text = "\n".join(lines)
    print(text)
    return text


report = main


def skewed(crowd: Crowd, seed: int) -> Crowd:
    """The set with a classifier that is too sure of some classes and leans to others."""
    draw, n_classes = np.random.default_rng(100 + seed), crowd.probabilities.shape[1]
    scale, lead = np.exp(draw.normal(0.0, 0.5, n_classes)), draw.normal(0.0, 1.5, n_classes)
    scores = scale * np.log(np.maximum(crowd.probabilities, 1e-300)) + lead
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return crowd._replace(probabilities=p / p.sum(axis=1, keepdims=True), classifier="skewed")


def measured(crowd: Crowd, **options: Any) -> dict[str, float]:
    """What each way gets right on one set, in percent, and what `joint` learned."""
    from labelmill.aggregation.auto import Auto
    from labelmill.aggregation.joint import Joint
    from labelmill.aggregation.majority_vote import MajorityVote

    people, both = table_of(crowd, with_classifier=False), table_of(crowd, with_classifier=True)
    started = time.process_time()
    joint = Joint(**options).fit(both)
    answers = {"joint": joint.predict_proba(both)}
    seconds = time.process_time() - started
    answers["alone"] = crowd.probabilities
    answers["people"] = Auto().fit(people).predict_proba(people)
    answers["majority"] = MajorityVote().fit(both).predict_proba(both)
    right = {name: 100.0 * float((p.argmax(axis=1) == crowd.gold).mean()) for name, p in answers.items()}
    learned = {"temperature": float(joint.temperatures_[-1]), "weight": joint.people_weight_}
    return right | learned | {"seconds": seconds}


def table_of(crowd: Crowd, *, with_classifier: bool) -> Any:
    """The votes of people, and the classifier as one more annotator."""
    from labelmill.domain.vote_table import VoteTable

    n, n_people = len(crowd.gold), crowd.n_annotators
    item, annotator, label = crowd.item, crowd.annotator, crowd.label
    if with_classifier:
        item, annotator = np.append(item, np.arange(n)), np.append(annotator, np.full(n, n_people))
        label = np.append(label, crowd.probabilities.argmax(axis=1))
    return VoteTable(
        [str(i) for i in range(n)],
        [f"a{j}" for j in range(n_people + with_classifier)],
        [f"c{k}" for k in range(crowd.probabilities.shape[1])],
        item,
        annotator,
        label,
        kinds=["person"] * n_people + ["model"] * with_classifier,
        soft={n_people: crowd.probabilities} if with_classifier else None,
    )


def line(kind: str, rows: list[dict[str, float]]) -> str:
    """One line of the table."""
    mean = {name: float(np.mean([row[name] for row in rows])) for name in ("alone", "people", "majority", "joint")}
    worst = min(row["joint"] - row["people"] for row in rows)
    temperature, weight = (float(np.median([row[name] for row in rows])) for name in ("temperature", "weight"))
    accuracies = " | ".join(f"{value:.2f}" for value in mean.values())
    return (
        f"| {kind} | {accuracies} | {worst:+.2f} | {temperature:.2f} | {weight:.2f} | "
        f"{sum(row['seconds'] for row in rows):.2f} |"
    )


if __name__ == "__main__":
    main()
