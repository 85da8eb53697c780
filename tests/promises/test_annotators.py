"""Every annotator keeps the promises of its role."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pytest
from tests.annotators.model_server import serving
from tests.promises.model_annotators import MODELS, Shelf, answered, filled

from labelmill import registry
from labelmill.annotators.dictionary import Dictionary
from labelmill.annotators.keyword import Keyword
from labelmill.annotators.labeling_function import labeling_function, preprocessor
from labelmill.annotators.predictor import Predictor
from labelmill.annotators.regex import Regex
from labelmill.annotators.threshold import Threshold
from labelmill.domain.item import Item
from labelmill.domain.schema import LabelSchema
from labelmill.testing.annotator import PROMISES, Example, Factory

ONE = LabelSchema("spam", ("ham", "spam"))
MANY = LabelSchema("spam", ("ham", "spam"), kind="multi_choice")
ITEMS = (
    Item("a", "Free prize, claim it now", meta={"links": "7"}),
    Item("b", "see you at lunch", meta={"links": "0"}),
    Item("c", "Gewinn! FREE Straße", meta={"links": ""}),
    Item("d", "", meta={"links": "1e3"}),
    Item("e", "free lunch", meta={"links": " 12 "}),
)
POISON = Item("poison", "poison", meta={"links": "many"})


class Model:
    """Counts letters; fails on the word poison."""

    classes_ = ("spam", "ham")

    def predict_proba(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Longer texts are more like spam."""
        if "poison" in texts:
            raise ValueError("cannot read this")
        spam = np.array([min(len(text), 20) / 25 for text in texts])
        return np.column_stack([spam, 1 - spam])


@preprocessor(memoize=True)
def words(x: Item) -> dict[str, list[str]]:
    """Words of the text."""
    return {"words": x.text.lower().split()}


def _labeling_function(schema: LabelSchema) -> Example:
    @labeling_function(pre=[words])
    def lunch(x: Item) -> str | None:
        if x.words == ["poison"]:
            raise ValueError("poison")
        return "ham" if "lunch" in x.words else None

    return Example(lunch, ITEMS, schema, POISON)


EXAMPLES: dict[str, Callable[[LabelSchema], Example]] = {
    "labeling_function": _labeling_function,
    "keyword": lambda schema: Example(Keyword("spam", ["free", "straße"], name="keyword"), ITEMS, schema),
    "regex": lambda schema: Example(Regex("spam", r"(?i)\bfree\b(?! lunch)", name="regex"), ITEMS, schema),
    "dictionary": lambda schema: Example(
        Dictionary({"spam": ["free", "prize"], "ham": ["lunch"]}, name="dictionary"), ITEMS, schema
    ),
    "threshold": lambda schema: Example(
        Threshold("spam", field="links", above=5, name="threshold"), ITEMS, schema, POISON
    ),
    "predictor": lambda schema: Example(
        Predictor(Model(), min_confidence=0.7, name="predictor"), ITEMS, schema, POISON
    ),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """Models, pictures, recordings, and a server."""
    with serving(answered) as asked:
        yield Shelf(filled(tmp_path_factory.mktemp("shelf")), asked.url)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("schema", [ONE, MANY], ids=["choice", "multi_choice"])
@pytest.mark.parametrize("name", [name for name in registry.names("annotator", installed=False) if name not in MODELS])
def test_annotator_keeps_promise(name: str, schema: LabelSchema, promise: Callable[[Factory], None]) -> None:
    """The annotator called `name` keeps the promise."""
    promise(lambda: EXAMPLES[name](schema))


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("schema", [ONE, MANY], ids=["choice", "multi_choice"])
@pytest.mark.parametrize("name", MODELS)
def test_model_keeps_promise(name: str, schema: LabelSchema, promise: Callable[[Factory], None], shelf: Shelf) -> None:
    """The model called `name` keeps the promise, for its own kind of label if it has one."""
    if schema is MANY and MODELS[name](shelf, schema).schema is not MANY:
        pytest.skip("it has a kind of label of its own")
    promise(lambda: MODELS[name](shelf, schema))


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_a_function_that_marks_keeps_promise(promise: Callable[[Factory], None]) -> None:
    """A labeling function whose answers are lists of spans keeps them too."""

    def example() -> Example:
        @labeling_function
        def free(x: Item) -> list[dict[str, object]] | None:
            if x.text == "poison":
                raise ValueError("poison")
            start = x.text.lower().find("free")
            return None if not x.text else [{"start": start, "end": start + 4, "label": "spam"}] if start >= 0 else []

        return Example(free, ITEMS, LabelSchema("offer", ("offer", "spam"), kind="span"), POISON)

    promise(example)
