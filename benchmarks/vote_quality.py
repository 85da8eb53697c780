"""Quality of consensus labels, votes and annotators against cleanlab's CROWDLAB: how real errors are ranked.

    python benchmarks/vote_quality.py [--cache FOLDER]

Both systems run in a process of their own on the same votes, cleanlab in a virtual environment that label_errors.py
makes. Real sets are read from ../shared/data where present. A classifier beside a crowd is made up from gold, and one
of them from the majority too: no set of votes comes with a real one.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from aggregation import real_sets
from label_errors import DATA, SYSTEMS, ask, auroc

CLASSIFIERS = {
    "calibrated": (1.0, 0.0),
    "overconfident": (3.0, 0.0),
    "underconfident": (0.3, 0.0),
    "echoing": (1.0, 0.5),
}
"""Made-up classifiers beside a crowd: the power their probabilities are raised to, and the share of items on which they
take the majority's label for the true one, as if they had learned from it."""


HONESTLY = """\
Votes and gold are real; a classifier beside them is made up from gold, with errors of its own, and so better than most
that are learned. The echoing one takes the majority's label for the true one on half of the items. The support without
a classifier (square root, even parts) was chosen on these 16 sets; choosing it with each set left out in turn gave
0.816 / 0.544 (AUROC / AP, cleanlab's wrong labels), 0.822 / 0.581 (majority's) and 0.883 / 0.795 (votes). What is
learned beside a classifier has no such choice."""


class Crowd(NamedTuple):
    """Votes with gold, and a classifier's probabilities: uniform where there is none."""

    name: str
    item: Any
    annotator: Any
    label: Any
    gold: Any
    probabilities: Any
    n_annotators: int
    classifier: str = ""


def main(arguments: list[str] | None = None) -> str:
    """Measure, print Markdown and return it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=["", *CLASSIFIERS], help="of classifiers; empty for none")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "labelmill-peers")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        text = "\n\n".join([*crowds(Path(folder), options), HONESTLY])
    print(text)
    return text


def report() -> str:
    """The tables, as Markdown."""
    return main([])


def crowds(folder: Path, options: argparse.Namespace) -> list[str]:
    """Ranking of wrong consensus labels and wrong votes, means over sets."""
    if not (DATA / "crowd").is_dir():
        return []
    sets, rows = real_crowds(), {}
    whole = [crowd for crowd in sets if (crowd.gold >= 0).all()]
    asked_of = {kind: [beside(crowd, kind) for crowd in whole] if kind else sets for kind in options.kinds}
    for crowd in itertools.chain.from_iterable(asked_of.values()):
        arrays = {name: getattr(crowd, name) for name in ("item", "annotator", "label", "probabilities")}
        asked = {"crowd": crowd.n_annotators, "uses_classifier": bool(crowd.classifier), "repeats": 1}
        found = ask(folder, arrays, asked, options)
        found["labelmill"] |= rescored(found["labelmill"], found["cleanlab"])
        rows[crowd.name, crowd.classifier] = judged(crowd, found)
    return [table_of_crowds(rows, kind) for kind in options.kinds]


COLUMNS = (
    ("own labels right", "accuracy"),
    ("AUROC, own wrong labels", "own_auroc"),
    ("AUROC, cleanlab's wrong labels", "theirs_auroc"),
    ("AP", "theirs_ap"),
    ("AUROC, majority's wrong labels", "majority_auroc"),
    ("AP", "majority_ap"),
    ("AUROC, wrong votes", "votes_auroc"),
    ("AP", "votes_ap"),
    ("rank correlation with annotators' accuracy", "annotators"),
    ("CPU s, all", "cpu"),
)


def table_of_crowds(rows: dict[tuple[str, str], dict[str, dict[str, float]]], kind: str) -> str:
    """Means over the sets, one row a system."""
    mine = {name: row for (name, classifier), row in rows.items() if classifier == kind}
    title = f"made-up {kind} classifier beside them" if kind else "no classifier (cleanlab: uniform probabilities)"
    lines = [
        f"**{len(mine)} real sets of votes, {title}**",
        "",
        "| | " + " | ".join(name for name, _ in COLUMNS) + " |",
        "|---|" + "--:|" * len(COLUMNS),
    ]
    for system in SYSTEMS:
        cells = []
        for _, key in COLUMNS:
            values = [row[system][key] for row in mine.values() if key in row[system]]
            cells.append("" if not values else f"{sum(values):.2f}" if key == "cpu" else f"{np.nanmean(values):.3f}")
        lines.append(f"| {system} | " + " | ".join(cells) + " |")
    better = {
        key: sum(row["labelmill"][key] > row["cleanlab"][key] for row in mine.values())
        for key in ("theirs_auroc", "votes_auroc")
    }
    lines += [
        "",
        f"labelmill ranks better on {better['theirs_auroc']} of {len(mine)} sets (cleanlab's labels) and on "
        f"{better['votes_auroc']} (votes).",
    ]
    return "\n".join(lines)


def judged(crowd: Crowd, found: dict[str, Any]) -> dict[str, dict[str, float]]:
    """How well each system's scores tell wrong labels and votes from right ones."""
    counts = np.zeros((len(crowd.gold), crowd.probabilities.shape[1]))
    np.add.at(counts, (crowd.item, crowd.label), 1)
    has, vote_has = (crowd.gold >= 0) & (counts.sum(axis=1) > 0), crowd.gold[crowd.item] >= 0
    vote_is_wrong = (crowd.label != crowd.gold[crowd.item])[vote_has]
    skill = accuracies(crowd, vote_has)
    theirs, majority = found["cleanlab"]["label"], found["cleanlab"]["majority"]
    result = {}
    for system in SYSTEMS:
        answer = found[system]
        row = {"accuracy": float((answer["label"] == crowd.gold)[has].mean()), "cpu": answer["cpu"]}
        scored = {"own": (answer["label"], answer["of_label"]), "theirs": (theirs, answer["of_theirs"])}
        scored["majority"] = (majority, answer["of_majority"])
        for name, (labels, quality) in scored.items():
            row |= ranked(name, (labels != crowd.gold)[has], quality[has])
        row |= ranked("votes", vote_is_wrong, answer["of_votes"][vote_has])
        known = np.isfinite(skill)
        row["annotators"] = correlation(skill[known], answer["of_annotators"][known])
        result[system] = row
    return result


def ranked(name: str, is_wrong: Any, quality: Any) -> dict[str, float]:
    """Both measures of a ranking that puts low quality first."""
    from sklearn.metrics import average_precision_score

    area = auroc(is_wrong, quality)
    return {f"{name}_auroc": area, f"{name}_ap": float(average_precision_score(is_wrong, -quality))}


def accuracies(crowd: Crowd, vote_has: Any) -> Any:
    """Share of right votes of each annotator with ten or more on items with gold, else NaN."""
    who, right = crowd.annotator[vote_has], (crowd.label == crowd.gold[crowd.item])[vote_has]
    n = np.bincount(who, minlength=crowd.n_annotators)
    return np.where(n >= 10, np.bincount(who, weights=right, minlength=crowd.n_annotators) / np.maximum(n, 1), np.nan)


def correlation(one: Any, other: Any) -> float:
    """Spearman's rank correlation; NaN without spread."""
    from scipy.stats import spearmanr

    return float(spearmanr(one, other).statistic) if len(one) > 2 and np.ptp(other) > 0 else float("nan")


def real_crowds() -> list[Crowd]:
    """Every set of people's votes."""
    return [
        Crowd(
            votes.name,
            *(
                np.asarray(column)[np.asarray(votes.label) >= 0]
                for column in (votes.item, votes.annotator, votes.label)
            ),
            votes.gold,
            np.full((len(votes.gold), votes.n_classes), 1.0 / votes.n_classes),
            votes.n_annotators,
        )
        for votes in real_sets("crowd", "people")
    ]


def beside(crowd: Crowd, classifier: str) -> Crowd:
    """The set with a classifier made up from gold and, if it echoes, from the majority."""
    rng = np.random.default_rng(7)
    n, n_classes = crowd.probabilities.shape
    scores = rng.normal(size=(n, n_classes))
    power, echo = CLASSIFIERS[classifier]
    counts = np.zeros((n, n_classes))
    np.add.at(counts, (crowd.item, crowd.label), 1)
    taken = np.where(rng.random(n) < echo, counts.argmax(axis=1), crowd.gold)
    scores[np.arange(n), taken] += 2.0
    p = np.exp(2.0 * power * scores)
    return crowd._replace(probabilities=p / p.sum(axis=1, keepdims=True), classifier=classifier)


def rescored(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Our quality of cleanlab's labels, read off the support for every class."""
    rows = np.arange(len(ours["support"]))
    return {
        f"of_{name}": ours["support"][rows, theirs[label]]
        for name, label in (("theirs", "label"), ("majority", "majority"))
    }


if __name__ == "__main__":
    main()
