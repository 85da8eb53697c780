"""The report's first sentence: what was labelled, what it cost, what is promised, what is true."""

from __future__ import annotations

from typing import NamedTuple

from labelmill.report.story import Headline
from labelmill.report.wording import amount, bound_percent, known, percent

__all__ = ["Phrase", "saved_by_learner", "split_of_answers", "told"]


class Phrase(NamedTuple):
    """A piece of the sentence; `is_strong` pieces are set in bold."""

    text: str
    is_strong: bool = False


def told(headline: Headline) -> list[Phrase]:
    """The headline in plain words, clause by clause, without what is not known.

    >>> story = Headline(n_items=3, noun="mail", nouns="mails")
    >>> "".join(phrase.text for phrase in told(story))
    '3 mails labelled without a human answer; no certificate yet.'
    """
    clauses = [
        _what_and_cost(headline),
        _promise(headline),
        _truth(headline),
        _alternative(headline),
        _learner(headline),
    ]
    told_clauses = [clause for clause in clauses if clause]
    phrases: list[Phrase] = []
    for clause in told_clauses:
        phrases += [*([Phrase("; ")] if phrases else []), *clause]
    return [*phrases, Phrase(".")]


def split_of_answers(headline: Headline) -> list[tuple[str, int]]:
    """Why people were asked, and how often; reasons that did not occur are left out."""
    answers = headline.answers
    split = [
        ("chosen by the query strategy", answers.selected),
        ("random audit", answers.audit),
        ("left to people by the certificate", answers.deferred),
        ("came with the data", answers.imported),
    ]
    return [(reason, n) for reason, n in split if n > 0]


def _what_and_cost(headline: Headline) -> list[Phrase]:
    items = Phrase(amount(headline.n_items, headline.noun, headline.nouns), is_strong=True)
    if headline.answers.total == 0:
        return [items, Phrase(" labelled without a human answer")]
    cost = Phrase(amount(headline.answers.total, "human answer", "human answers"), is_strong=True)
    return [items, Phrase(" labelled with "), cost]


def _promise(headline: Headline) -> list[Phrase]:
    bound, confidence = known(headline.certified_bound), known(headline.confidence)
    if bound is None:
        return [Phrase("no certificate yet")]
    promise = [Phrase("at most "), Phrase(bound_percent(bound), is_strong=True), Phrase(" wrong")]
    return promise if confidence is None else [*promise, Phrase(f" with {percent(confidence)} confidence")]


def _truth(headline: Headline) -> list[Phrase]:
    if known(headline.real_error) is None:
        return []
    return [Phrase("measured against gold: "), Phrase(percent(headline.real_error), is_strong=True)]


def _alternative(headline: Headline) -> list[Phrase]:
    if known(headline.random_error) is None or headline.answers.total == 0:
        return []
    return [
        Phrase("the same number of random answers would have given "),
        Phrase(percent(headline.random_error), is_strong=True),
    ]


def saved_by_learner(headline: Headline) -> int | None:
    """Answers that the learner saved until the certificate; below 0 where it cost some, None if not measured."""
    if headline.answers_without_learner is None or headline.certified_bound is None:
        return None
    return headline.answers_without_learner - headline.answers.total


def _learner(headline: Headline) -> list[Phrase]:
    saved = saved_by_learner(headline)
    if saved is None:
        return []
    without = amount(headline.answers_without_learner or 0, "answer", "answers")
    return [Phrase("without the learner the same certificate takes "), Phrase(without, is_strong=True)]
