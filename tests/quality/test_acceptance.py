"""The promise behind the certificate: proved by enumeration on small sets, by simulation on realistic ones."""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import combinations, product

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from labelmill.quality.acceptance import accepted_wrongs, bound_on_wrongs, kept_prefix, smallest_audits
from labelmill.quality.audit_size import cheapest_audit
from labelmill.quality.bounds import clopper_pearson_upper

N_ITEMS, N_SETS = 2000, 1000
RATES = (0.01, 0.05, 0.1, 0.3)
KINDS = ("calibrated", "overconfident", "uninformative", "inverted")
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def unaudited_wrong(wrong: Bools, positions: npt.NDArray[np.intp], cut: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """How many wrong labels stand, shape (n_sets,)."""
    stand = wrong & (np.arange(wrong.shape[1]) < cut[:, None])
    return np.asarray(stand.sum(1) - np.take_along_axis(stand, positions, 1).sum(1))


def reported_bounds(
    found: Bools,
    positions: npt.NDArray[np.intp],
    cut: npt.NDArray[np.int64],
    design: tuple[int, int, int, int],
    risk: float,
) -> npt.NDArray[np.int64]:
    """The bound a certificate would report for each audit, shape (n_sets,)."""
    n_items, n_allowed, n_audit, n_accepted = design
    n_kept = cut - (positions < cut[:, None]).sum(1)
    seen = cache(
        lambda k, kept: bound_on_wrongs(
            n_items, n_allowed, n_audit, n_found=k, n_accepted=n_accepted, n_kept=kept, risk=risk
        )
    )
    found_kept = zip(
        np.minimum(found.sum(1), n_accepted + 1).tolist(), np.minimum(n_kept, n_allowed + 1).tolist(), strict=True
    )
    return np.array([seen(k, kept) for k, kept in found_kept])


@lru_cache(maxsize=1)  # 50 MB each
def machine(kind: str, rate: float) -> tuple[Floats, Bools, npt.NDArray[np.intp]]:
    """Uncertainties (ascending) and wrong labels of 1,000 data sets, and the order in which items are drawn."""
    rng = np.random.default_rng([KINDS.index(kind), int(rate * 1000)])
    chance = np.sort(rng.beta(0.5, 0.5 / rate - 0.5, size=(N_SETS, N_ITEMS)), axis=1)
    wrong = rng.random(chance.shape) < chance
    if kind == "uninformative":
        wrong, chance = rng.permuted(wrong, axis=1), np.sort(rng.random(chance.shape), axis=1)
    elif kind == "inverted":
        wrong, chance = wrong[:, ::-1], 1 - chance[:, ::-1]
    elif kind == "overconfident":
        chance = chance**3
    draws = np.argsort(rng.random(chance.shape, dtype=np.float32), axis=1)
    return chance, wrong, draws


@pytest.mark.parametrize(
    ("n_items", "n_allowed", "n_audit", "risk"),
    [(8, 1, 4, 0.25), (8, 2, 3, 0.4), (9, 1, 6, 0.1), (9, 2, 4, 0.2), (9, 0, 7, 0.3), (9, 3, 5, 0.05), (7, 2, 1, 0.5)],
)
def test_no_pattern_of_errors_breaks_the_promise(n_items: int, n_allowed: int, n_audit: int, risk: float) -> None:
    """Over all draws of all sets of wrong labels, both the target and the reported bound fail at most at the risk."""
    audits = np.array(list(combinations(range(n_items), n_audit)))
    accepted = accepted_wrongs(n_items, n_allowed, n_audit, risk=risk)
    worst_target, worst_bound = 0.0, 0.0
    for pattern in product([False, True], repeat=n_items):
        wrong = np.broadcast_to(np.array(pattern), (len(audits), n_items))
        found = np.take_along_axis(wrong, audits, 1)
        cut = kept_prefix(audits, found, n_items=n_items, n_allowed=n_allowed, n_accepted=accepted)
        standing = unaudited_wrong(wrong, audits, cut)
        bound = reported_bounds(found, audits, cut, (n_items, n_allowed, n_audit, accepted), risk)
        worst_target = max(worst_target, float((standing > n_allowed).mean()))
        worst_bound = max(worst_bound, float((standing > bound).mean()))

    assert worst_target <= risk
    assert worst_bound <= risk


def test_the_promise_leaves_little_room() -> None:
    """At the least favourable number of errors the risk is nearly spent: no answer is wasted on slack."""
    n_allowed, n_audit = 100, 213
    c = accepted_wrongs(N_ITEMS, n_allowed, n_audit, risk=0.05)
    rng = np.random.default_rng(5)
    wrong = np.zeros((20_000, N_ITEMS), dtype=np.bool_)
    wrong[:, : n_allowed + 1 + c] = True
    positions = np.sort(np.array([rng.choice(N_ITEMS, n_audit, replace=False) for _ in range(len(wrong))]), axis=1)

    cut = kept_prefix(
        positions, np.take_along_axis(wrong, positions, 1), n_items=N_ITEMS, n_allowed=n_allowed, n_accepted=c
    )

    assert 0.04 < float((unaudited_wrong(wrong, positions, cut) > n_allowed).mean()) < 0.055


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate", RATES)
def test_simulated_releases_keep_the_promise(kind: str, rate: float) -> None:
    """Of 1,000 releases no more break the promise than the 99.9 % quantile of Binomial(1000, risk)."""
    uncertainty, wrong, draws = machine(kind, rate)
    for target, risk in product((0.01, 0.05, 0.1), (0.05, 0.1)):
        n_allowed = round(N_ITEMS * target)
        size = cheapest_audit(uncertainty[0], n_allowed=n_allowed, target=target, risk=risk)
        n_audit = size.n_audit or 500
        accepted = accepted_wrongs(N_ITEMS, n_allowed, n_audit, risk=risk)
        positions = np.sort(draws[:, :n_audit], axis=1)
        found = np.take_along_axis(wrong, positions, 1)

        cut = kept_prefix(positions, found, n_items=N_ITEMS, n_allowed=n_allowed, n_accepted=accepted)

        standing = unaudited_wrong(wrong, positions, cut)
        reported = reported_bounds(found, positions, cut, (N_ITEMS, n_allowed, n_audit, accepted), risk)
        most = int(stats.binom.ppf(0.999, N_SETS, risk))
        assert most >= int((standing > n_allowed).sum()), (target, risk)
        assert most >= int((standing > reported).sum()), (target, risk)


@pytest.mark.parametrize("people", [0.02, 0.05])
@pytest.mark.parametrize("kind", ["calibrated", "inverted"])
@pytest.mark.parametrize("rate", [0.05, 0.1])
def test_the_promise_covers_people_who_err(kind: str, people: float, rate: float) -> None:
    """With people wrong on 2-5 % and 400 answers checked, the true error exceeds target + h as rarely as promised."""
    uncertainty, wrong, draws = machine(kind, rate)
    rng = np.random.default_rng([int(people * 100), int(rate * 100)])
    people_wrong = rng.random(wrong.shape) < people
    differs = wrong ^ people_wrong  # two classes: of two wrong answers each is the other
    target, risk, n_checked = 0.05, 0.1, 400
    n_allowed = round(N_ITEMS * target)
    size = cheapest_audit(uncertainty[0], n_allowed=n_allowed, target=target, risk=risk / 2)
    positions = np.sort(draws[:, : size.n_audit], axis=1)
    checks = np.argsort(rng.random(wrong.shape, dtype=np.float32), axis=1)[:, :n_checked]
    h = np.array([clopper_pearson_upper(k, n_checked, risk=risk / 2) for k in range(n_checked + 1)])

    found = np.take_along_axis(differs, positions, 1)
    cut = kept_prefix(positions, found, n_items=N_ITEMS, n_allowed=n_allowed, n_accepted=size.n_accepted)

    is_machine = np.arange(N_ITEMS) < cut[:, None]
    np.put_along_axis(is_machine, positions, values=False, axis=1)
    share = np.where(is_machine, wrong, people_wrong).mean(1)
    promised = target + h[np.take_along_axis(people_wrong, checks, 1).sum(1)]
    assert int(stats.binom.ppf(0.999, N_SETS, risk)) >= int((share > promised).sum())


@pytest.mark.parametrize("kind", ["calibrated", "uninformative"])
def test_certifying_a_good_machine_costs_few_answers(kind: str) -> None:
    """1 % wrong, target 5 %, risk 5 %: the median of 1,000 data sets needs under 15 % of the answers, at half risk."""
    uncertainty, wrong, draws = machine(kind, 0.01)
    n_answers = np.zeros(N_SETS)
    for i in range(N_SETS):
        size = cheapest_audit(uncertainty[i], n_allowed=100, target=0.05, risk=0.025)
        positions = np.sort(draws[i, : size.n_audit])
        cut = int(
            kept_prefix(positions, wrong[i, positions], n_items=N_ITEMS, n_allowed=100, n_accepted=size.n_accepted)
        )
        n_answers[i] = size.n_audit + N_ITEMS - cut - (positions >= cut).sum()

    assert float(np.median(n_answers)) <= 0.12 * N_ITEMS
    assert float(np.mean(n_answers)) <= 0.15 * N_ITEMS


def test_each_size_is_the_smallest_for_what_it_accepts() -> None:
    """One audited item fewer would accept fewer wrong labels."""
    for c, n_audit in smallest_audits(2000, 100, 0.05)[:30]:
        assert c == accepted_wrongs(2000, 100, n_audit, risk=0.05)
        assert c - 1 >= accepted_wrongs(2000, 100, n_audit - 1, risk=0.05)


def test_an_audit_of_nearly_everything_accepts_anything() -> None:
    """What is left unaudited may all be wrong."""
    assert accepted_wrongs(10, 3, 7, risk=0.05) == 7


def test_no_item_is_no_trouble() -> None:
    """Without items or audit nothing is kept, or what may be wrong anyway."""
    nothing = np.zeros(0, dtype=np.int64)

    kept = [
        int(kept_prefix(nothing, nothing.astype(np.bool_), n_items=n, n_allowed=2, n_accepted=-1)) for n in (0, 1, 5)
    ]

    assert kept == [0, 1, 2]


def test_planning_for_millions_of_items_is_quick_and_small() -> None:
    """A million items of a good machine need a few hundred audits."""
    uncertainty = np.full(1_000_000, 0.01)

    size = cheapest_audit(uncertainty, n_allowed=50_000, target=0.05, risk=0.05)

    assert size.n_audit < 2_000
