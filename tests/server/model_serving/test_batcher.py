from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from tests.server.model_serving.served import Counting, model_of

from labelmill.errors import FailedError
from labelmill.server.model_serving.batcher import Batcher, BusyError, LateError, Limits
from labelmill.server.model_serving.figures import ModelFigures, model_figures

Run = Callable[..., Any]


@pytest.fixture
def worker() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def run(worker: ThreadPoolExecutor) -> Run:
    """Runs a story with a batcher of four items that may wait for 20."""

    def told(story: Callable[[Batcher], Awaitable[Any]], **limits: Any) -> Any:
        given = {"max_batch": 4, "max_wait": 0.05, "max_waiting": 20, "time_limit": 10.0, **limits}
        batcher = Batcher(Limits(**given), worker, ModelFigures("m"))
        # In a thread: where tests have opened a browser before, this one has a loop of its own.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, _under(story, batcher)).result()

    return told


async def _under(story: Callable[[Batcher], Awaitable[Any]], batcher: Batcher) -> Any:
    async with asyncio.timeout(20):
        return await story(batcher)


async def _held(batcher: Batcher, learner: Counting, model: Any, *texts: str) -> list[asyncio.Task[Any]]:
    """One call that the model is busy with, and others that wait behind it."""
    learner.hold.clear()
    first = asyncio.create_task(batcher.predict(model, ["first"]))
    await asyncio.sleep(0.02)
    others = [asyncio.create_task(batcher.predict(model, [text])) for text in texts]
    await asyncio.sleep(0.02)
    return [first, *others]


def test_what_waits_together_is_one_batch(run: Run) -> None:
    """While the model is busy, calls gather; each gets its own answer, and no batch is larger than it may be."""
    learner = Counting()

    async def story(batcher: Batcher) -> Any:
        calls = await _held(batcher, learner, model_of(learner), *("!" * i for i in range(6)))
        learner.hold.set()
        return [(await call).probabilities[0, 1] for call in calls]

    assert run(story) == pytest.approx([0, 0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert [len(batch) for batch in learner.batches] == [1, 4, 2]


def test_a_lone_client_waits_for_nobody(run: Run) -> None:
    """Calls one after the other are computed at once: ten take less than the wait of one."""

    async def story(batcher: Batcher) -> float:
        model, started = model_of(Counting()), asyncio.get_running_loop().time()
        for _ in range(10):
            await batcher.predict(model, ["a"])
        return asyncio.get_running_loop().time() - started

    assert run(story, max_wait=5.0) < 5.0


def test_a_large_request_is_cut(run: Run) -> None:
    """Ten texts at once come back in order, by batches of four at most."""
    learner = Counting()

    async def story(batcher: Batcher) -> Any:
        return await batcher.predict(model_of(learner), ["!" * (i % 10) for i in range(10)])

    assert run(story).probabilities[:, 1] == pytest.approx([i / 10 for i in range(10)])
    assert [len(batch) for batch in learner.batches] == [4, 4, 2]


def test_a_bad_item_spoils_no_other(run: Run) -> None:
    """A text on which the model fails, and one for which it gives NaN, are faults; their neighbours are answered."""
    learner = Counting(bad="bad")

    async def story(batcher: Batcher) -> Any:
        calls = await _held(batcher, learner, model_of(learner), "!", "bad", "!!", "nothing")
        learner.hold.set()
        return [await call for call in calls]

    _, one, bad, two, nothing = run(story)
    assert (one.probabilities[0, 1], two.probabilities[0, 1]) == pytest.approx((0.1, 0.2))
    assert "cannot read this" in bad.faults[0]
    assert "no probabilities" in nothing.faults[0]
    assert np.isfinite(nothing.probabilities).all()


def test_too_many_are_told_to_come_again(run: Run) -> None:
    """When as many wait as may, the next is refused at once, and those who wait are answered."""
    learner = Counting()

    async def story(batcher: Batcher) -> Any:
        calls = await _held(batcher, learner, model_of(learner), *["a"] * 20)
        with pytest.raises(BusyError, match="20 items wait"):
            await batcher.predict(model_of(learner), ["one more"])
        learner.hold.set()
        return await asyncio.gather(*calls)

    assert len(run(story)) == 21


def test_whoever_goes_is_not_computed_for(run: Run) -> None:
    """A call that is cancelled while it waits never reaches the model, and makes room for others."""
    learner = Counting()

    async def story(batcher: Batcher) -> None:
        calls = await _held(batcher, learner, model_of(learner), "gone", "stays")
        calls[1].cancel()
        await asyncio.sleep(0.02)
        learner.hold.set()
        await asyncio.gather(calls[0], calls[2])

    run(story)
    assert learner.batches == [["first"], ["stays"]]


def test_no_answer_in_time_is_told(run: Run) -> None:
    """A model that hangs is not waited for longer than the limit says."""
    learner = Counting()
    learner.hold.clear()

    async def story(batcher: Batcher) -> None:
        with pytest.raises(LateError, match=r"within 0.05 s"):
            await batcher.predict(model_of(learner), ["a"])
        learner.hold.set()

    run(story, time_limit=0.05)


def test_versions_do_not_mix(run: Run) -> None:
    """What was asked of the old version is answered by it, also when the new one came meanwhile."""
    old, new = Counting(), Counting()
    old_model, new_model = model_of(old), model_of(new, version="v2")

    async def story(batcher: Batcher) -> None:
        calls = await _held(batcher, old, old_model, "old")
        later = asyncio.create_task(batcher.predict(new_model, ["new"]))
        await asyncio.sleep(0.02)
        old.hold.set()
        await asyncio.gather(*calls, later)

    run(story)
    assert (old.batches, new.batches) == ([["first"], ["old"]], [["new"]])


def test_a_broken_model_does_not_end_the_batcher(run: Run) -> None:
    """An error outside any item reaches whoever waits, and the next call is computed."""

    class Broken:
        def predict(self, batch: Any) -> Any:
            raise RuntimeError("no memory")

    async def story(batcher: Batcher) -> Any:
        with pytest.raises(FailedError, match="no memory"):
            await batcher.predict(Broken(), ["a"])
        return await batcher.predict(model_of(Counting()), ["!"])

    assert run(story).probabilities[0, 1] == pytest.approx(0.1)


def test_features_and_texts_do_not_mix(run: Run) -> None:
    """Vectors are a batch of their own, joined in the order they came."""
    seen = []

    class Vectors(Counting):
        def predict_proba(self, batch: Any) -> Any:
            if batch.features is not None:
                seen.append(batch.features.tolist())
            return super().predict_proba(batch)

    learner = Vectors()
    model = model_of(learner)

    async def story(batcher: Batcher) -> None:
        calls = await _held(batcher, learner, model, "text")
        calls += [
            asyncio.create_task(batcher.predict(model, [""], np.array([[x]], dtype=np.float32))) for x in (1.0, 2.0)
        ]
        await asyncio.sleep(0.02)
        learner.hold.set()
        await asyncio.gather(*calls)

    run(story)
    assert seen == [[[1.0], [2.0]]]


def test_figures_name_each_metric_once() -> None:
    """Two models share the head of a metric; buckets count what is below their bound."""
    one, two = ModelFigures("one"), ModelFigures('t"wo')
    one.computed(3, 0.02, 1)
    two.answered("json", "ok", 0.004)

    text = model_figures([one, two])

    assert text.count("# TYPE labelmill_model_batch_items histogram\n") == 1
    assert 'labelmill_model_batch_items_bucket{model="one",le="2"} 0\n' in text
    assert 'labelmill_model_batch_items_bucket{model="one",le="4"} 1\n' in text
    assert 'labelmill_model_requests_total{model="two",protocol="json",outcome="ok"} 1\n' in text
