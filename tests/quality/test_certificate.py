"""What a plan freezes, what `certify` refuses, and what the certificate says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelmill.errors import CertificateError, SchemaError, UsageError
from labelmill.quality.audit_plan import AuditPlan, attempt_risk, plan_audit
from labelmill.quality.certificate import Certificate, certify, final_labels

N_ITEMS = 400
ITEMS = [f"item-{i}" for i in range(N_ITEMS)]
LABELS = ["spam"] * N_ITEMS
UNCERTAINTY = np.linspace(0, 0.2, N_ITEMS)
TRUTH = {x: "ham" if i >= 380 else "spam" for i, x in enumerate(ITEMS)}


def plan_of(**options: Any) -> AuditPlan:
    return plan_audit(ITEMS, UNCERTAINTY, LABELS, **options)


def answers_of(plan: AuditPlan, truth: Mapping[str, str] = TRUTH) -> dict[str, str | None]:
    return {x: truth[x] for x in plan.sample}


def test_a_faultless_audit_defers_nobody() -> None:
    """When all sampled labels are right every machine label stands."""
    plan = plan_of(error=0.1)

    certificate = certify(plan, answers_of(plan, dict(zip(ITEMS, LABELS, strict=True))))

    assert certificate.deferred == ()
    assert certificate.threshold is None
    assert certificate.n_machine + certificate.n_audit == N_ITEMS
    assert certificate.bound < 0.1
    assert certificate.statement.startswith("With at least 95 % confidence at most 10 % of the 400 labels are wrong.")


def test_wrong_labels_among_the_uncertain_are_deferred() -> None:
    """Enough errors at the uncertain end cut it off: people get it, the certain ones stay the machine's."""
    plan = plan_of(error=0.02, sample_size=250)

    certificate = certify(plan, answers_of(plan))

    assert 0 < certificate.n_deferred < 50
    assert certificate.threshold is not None
    assert {x for x in ITEMS if UNCERTAINTY[ITEMS.index(x)] >= certificate.threshold} >= set(certificate.deferred)
    assert f"once people have answered the {certificate.n_deferred} deferred items" in certificate.statement


def test_a_hopeless_machine_leaves_what_may_be_wrong_anyway() -> None:
    """Where every audited label is wrong, only so many stand as may all be wrong, and the statement says so."""
    plan = plan_of(error=0.05, sample_size=100)

    certificate = certify(plan, dict.fromkeys(plan.sample, "ham"))

    assert certificate.n_machine == 20
    assert certificate.bound == 0.05
    assert "people answer the rest" in certificate.statement


def test_final_labels_say_who_gave_them() -> None:
    """Machine, audit and deferred answers, in the plan's order; the share of wrong ones is within the promise."""
    plan = plan_of(error=0.02, sample_size=250)
    certificate = certify(plan, answers_of(plan))

    final = final_labels(plan, certificate, TRUTH)

    assert tuple(ITEMS) == final.items
    sources = [final.sources.count(s) for s in ("machine", "people (audit)", "people (deferred)")]
    assert sources == [certificate.n_machine, 250, certificate.n_deferred]
    assert sum(a != TRUTH[x] for x, a in zip(final.items, final.labels, strict=True)) <= 0.02 * N_ITEMS


def test_deferred_items_must_be_answered_before_the_release() -> None:
    """The promise speaks of people's answers to the deferred: without them there are no final labels."""
    plan = plan_of(error=0.02, sample_size=250)
    certificate = certify(plan, answers_of(plan))

    with pytest.raises(CertificateError, match=rf"{certificate.n_deferred} of {certificate.n_deferred} deferred items"):
        final_labels(plan, certificate, answers_of(plan))


def test_final_labels_take_only_the_certified_answers() -> None:
    """Audit answers that were changed after the certificate are refused, and so is another plan's certificate."""
    plan, other = plan_of(), plan_of(seed=1)
    answers = answers_of(plan)
    certificate = certify(plan, answers)

    with pytest.raises(CertificateError, match="not those that were certified"):
        final_labels(plan, certificate, TRUTH | {plan.sample[0]: "eggs"})
    with pytest.raises(CertificateError, match="belongs to plan"):
        final_labels(other, certificate, TRUTH)


def test_answers_people_had_given_are_kept_and_not_audited() -> None:
    """Items answered before are out of the draw, keep the answer, and their share makes the audit smaller."""
    answered = {x: TRUTH[x] for x in ITEMS[200:]}
    plan = plan_of(error=0.05, answered=answered)

    certificate = certify(plan, answers_of(plan))
    final = final_labels(plan, certificate, TRUTH)

    assert not set(answered) & set(plan.sample)
    assert len(plan_of(error=0.05).sample) > len(plan.sample)
    assert final.sources.count("people (before)") == certificate.n_before == 200
    assert [final.labels[ITEMS.index(x)] for x in answered] == list(answered.values())


def test_items_without_a_label_go_to_people() -> None:
    """What the machine declined is deferred, whatever its uncertainty."""
    plan = plan_audit(["a", "b", "c"], [np.nan, 0.1, 0.1], [None, "x", "x"], error=0.7)

    certificate = certify(plan, {})

    assert certificate.deferred == ("a",)
    assert final_labels(plan, certificate, {"a": "x"}).sources == ("people (deferred)", "machine", "machine")
    assert "No audit was needed" in certificate.statement


def test_a_declined_audit_answer_counts_against_the_machine() -> None:
    """None is an answer: the machine named a class where a person could not."""
    plan = plan_of(error=0.1)

    certificate = certify(plan, dict.fromkeys(plan.sample, None))

    assert certificate.n_wrong == len(plan.sample)


@pytest.mark.parametrize("labels", [["x"], ["x", "y"], ["x"] * 7])
def test_a_target_too_strict_for_an_audit_is_a_census(labels: Sequence[str]) -> None:
    """Where no wrong label is allowed and items are few, people answer everything, and the statement says so."""
    items = [str(i) for i in range(len(labels))]
    plan = plan_audit(items, np.zeros(len(labels)), labels, error=0.001)

    certificate = certify(plan, {})

    assert plan.is_census
    assert sorted(certificate.deferred) == items
    assert "people answer all but 0 items" in certificate.statement


def test_everything_answered_before_needs_no_audit() -> None:
    """Nothing is a machine's: the certificate is free."""
    plan = plan_audit(["a", "b"], [0, 0], ["x", "y"], answered={"a": "x", "b": "x"})

    certificate = certify(plan, {})

    assert (certificate.n_machine, certificate.n_deferred, certificate.bound) == (0, 0, 0)
    assert final_labels(plan, certificate, {}).labels == ("x", "x")


def test_equal_uncertainties_are_cut_at_random_places() -> None:
    """Ties are broken by the draw's seed, so that a part of them can stand."""
    plan = plan_audit(ITEMS, np.full(N_ITEMS, 0.5), LABELS, error=0.1, sample_size=100)
    truth = {x: "ham" if i % 6 == 0 else "spam" for i, x in enumerate(ITEMS)}

    certificate = certify(plan, answers_of(plan, truth))

    assert list(plan.order) != sorted(plan.order)
    assert 40 < certificate.n_machine < 300


def test_an_incomplete_audit_is_refused_with_the_count() -> None:
    """Certifying half an audit would be peeking."""
    plan = plan_of(error=0.1)
    answers = answers_of(plan)
    for x in plan.sample[:3]:
        del answers[x]

    with pytest.raises(CertificateError, match=f"3 of {len(plan.sample)} audited items have no answer"):
        certify(plan, answers)


def test_answers_outside_the_sample_are_refused() -> None:
    """Only the random sample is evidence."""
    plan = plan_of(error=0.1)
    outside = next(x for x in ITEMS if x not in plan.sample)

    with pytest.raises(CertificateError, match="1 answers are to items outside"):
        certify(plan, answers_of(plan) | {outside: "spam"})


def test_labels_outside_the_classes_are_refused() -> None:
    """A misspelt class is named with the nearest known one, in the plan and among the answers."""
    plan = plan_of(error=0.1, classes=("spam", "ham"))

    with pytest.raises(SchemaError, match="did you mean 'spam'"):
        certify(plan, answers_of(plan) | {plan.sample[0]: "spamm"})
    with pytest.raises(SchemaError, match="unknown label 'spam'"):
        plan_of(classes=("eggs", "ham"))


def test_a_plan_is_read_once() -> None:
    """The same answers give the same certificate again; other answers are refused."""
    plan = plan_of(error=0.1)
    answers = answers_of(plan)
    first = certify(plan, answers)

    assert first == certify(plan, answers, earlier=first)
    with pytest.raises(CertificateError, match="read once"):
        certify(plan, answers | {plan.sample[0]: "eggs"}, earlier=first)


def test_labels_that_moved_since_the_plan_are_refused() -> None:
    """A consensus refitted on the audit's answers is not the one that was audited."""
    plan = plan_of(error=0.1)
    now = dict(zip(ITEMS, LABELS, strict=True))

    certify(plan, answers_of(plan), labels=now)
    with pytest.raises(CertificateError, match="1 labels changed since the audit was planned and 0 items are new"):
        certify(plan, answers_of(plan), labels=now | {"item-7": "ham"})


def test_a_plan_survives_json() -> None:
    """Plan and certificate come back from JSON unchanged."""
    plan = plan_of(error=0.1, classes=("spam", "ham"), people_error=(200, 3), answered={"item-3": "ham"})
    certificate = certify(plan, answers_of(plan))

    assert plan == AuditPlan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert certificate == Certificate.from_dict(json.loads(json.dumps(certificate.to_dict())))


@pytest.mark.parametrize(
    "change",
    [
        {"error": 0.2},
        {"confidence": 0.5},
        {"n_accepted": 9},
        {"sample": ["item-1"]},
        {"labels": ["ham"] * N_ITEMS},
        {"seed": 3},
        {"attempt": 2},
        {"digest": "0" * 64},
    ],
)
def test_a_changed_plan_is_refused(change: dict[str, Any]) -> None:
    """Any field changed after the freeze breaks the digest, in a file as in memory."""
    plan = plan_of()

    with pytest.raises(CertificateError, match="changed after it was frozen"):
        AuditPlan.from_dict(plan.to_dict() | change)
    with pytest.raises(CertificateError, match="changed after it was frozen"):
        certify(replace(plan, **change), answers_of(plan))


def test_a_plan_with_foreign_or_missing_fields_is_refused() -> None:
    """Something else than a plan is named by what it lacks or has too many."""
    data = plan_of().to_dict()

    with pytest.raises(CertificateError, match=r"no audit plan .*: extra"):
        AuditPlan.from_dict(data | {"extra": 1})
    with pytest.raises(CertificateError, match=r"no audit plan .*: order"):
        AuditPlan.from_dict({k: v for k, v in data.items() if k != "order"})
    with pytest.raises(CertificateError, match="no certificate"):
        Certificate.from_dict({})


def test_attempts_together_spend_no_more_than_the_risk() -> None:
    """Halves, quarters, ...; the last takes all that is left."""
    spent = [attempt_risk(0.95, attempt=k, last=False) for k in range(1, 30)]

    assert sum(spent) <= 0.05
    assert sum(spent[:3]) + attempt_risk(0.95, attempt=4, last=True) == pytest.approx(0.05)
    assert attempt_risk(0.95, attempt=1, last=True) == 0.05


def test_a_further_attempt_draws_anew() -> None:
    """Another attempt has another sample, less risk and says what it is."""
    first, second = plan_of(error=0.1, sample_size=100), plan_of(error=0.1, sample_size=100, attempt=2)

    assert set(first.sample) != set(second.sample)
    assert first.n_accepted > second.n_accepted
    assert "attempt 2" in certify(second, answers_of(second)).statement


def test_the_same_seed_gives_the_same_plan() -> None:
    """A plan is a function of its arguments."""
    assert plan_of(seed=4) == plan_of(seed=4)
    assert plan_of(seed=4).sample != plan_of(seed=5).sample


def test_people_who_err_widen_the_promise() -> None:
    """Checked answers add an upper bound on people's error, and share the risk with the audit."""
    plan = plan_of(error=0.1, people_error=(400, 8))

    certificate = certify(plan, answers_of(plan))

    assert plan.audit_risk == plan.risk / 2
    assert certificate.people_bound is not None
    assert 0.02 < certificate.people_bound < 0.045
    assert certificate.certified_error == 0.1 + certificate.people_bound
    assert "a check of 400 answers found 8" in certificate.statement


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"error": 0}, "error must lie between 0 and 1"),
        ({"confidence": 95}, "confidence must lie between"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"attempt": 0}, "attempt counts from 1"),
        ({"sample_size": 401}, r"sample_size must lie in 0..400"),
        ({"people_error": (3, 4)}, "people_error is"),
        ({"answered": {"ghost": "x"}}, "1 answered items are not among the items, first 'ghost'"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], message: str) -> None:
    """Each message names the option, the value and what is allowed."""
    with pytest.raises(UsageError, match=message):
        plan_of(**options)


@pytest.mark.parametrize(
    ("items", "uncertainty", "labels", "message"),
    [
        ([], [], [], "no items"),
        (["a", "a"], [0, 0], ["x", "x"], "'a' is given twice"),
        (["a"], [0, 1], ["x"], "one uncertainty and one label each"),
        (["a"], [np.nan], ["x"], "the uncertainty of item 'a' is nan"),
    ],
)
def test_malformed_columns_are_refused(
    items: list[str], uncertainty: list[float], labels: list[str | None], message: str
) -> None:
    """Ids are unique, columns equally long and uncertainties finite."""
    with pytest.raises(UsageError, match=message):
        plan_audit(items, uncertainty, labels)


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.9]), st.sampled_from(["x", "y", None])), min_size=1, max_size=40),
    st.floats(0.01, 0.6),
    st.integers(0, 3),
)
def test_every_item_gets_exactly_one_answer(rows: list[tuple[float, str | None]], error: float, seed: int) -> None:
    """Whatever the data, audited, deferred and kept items make up the release, and the target is met on a census."""
    items = [str(i) for i in range(len(rows))]
    plan = plan_audit(items, [u for u, _ in rows], [a for _, a in rows], error=error, seed=seed)
    truth = dict.fromkeys(items, "x")

    certificate = certify(plan, answers_of(plan, truth))
    final = final_labels(plan, certificate, truth)

    assert len(items) == certificate.n_machine + certificate.n_audit + certificate.n_deferred
    assert certificate.n_machine == final.sources.count("machine")
    assert error >= certificate.bound - 1e-9
    assert not set(plan.sample) & set(certificate.deferred)
