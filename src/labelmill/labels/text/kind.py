"""What an answer that is a text is: a transcription, a caption, a translation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from labelmill.domain.item import Item
from labelmill.domain.rover import text_distance, voted_text
from labelmill.domain.schema import LabelSchema
from labelmill.errors import SchemaError
from labelmill.labels._weights import checked_weights

__all__ = ["Text"]


class Text:
    """A text; the value is a string, `""` for "nothing is said". Words are what white space separates.

    In scripts without spaces (Chinese, Japanese, Thai, Khmer, Burmese, Lao) each character counts as a word.

    Parameters
    ----------
    classes : sequence of str
        Not used: a text names no class.
    """

    name: ClassVar[str] = "text"
    widget: ClassVar[str] = "labelmill-text"
    right_from: ClassVar[float] = 0.9
    """Likeness from which an answer is as good as the known one: one word in ten may differ."""

    def __init__(self, *, classes: Sequence[str] = ()) -> None:
        self.classes = classes

    def validate(self, value: Any, schema: LabelSchema, item: Item | None = None) -> str:  # noqa: ARG002 - the role's signature
        """The text as it is.

        Raises
        ------
        SchemaError
            If it is no string, is "ABSTAIN", or holds what no database takes: NUL or half of a surrogate pair.

        Examples
        --------
        >>> Text().validate("good morning", LabelSchema("said", (), kind="text"))
        'good morning'
        """
        if not isinstance(value, str):
            raise SchemaError(f"{value!r:.80} is no answer to {schema.name!r}: expected a text")
        if value == "ABSTAIN":
            raise SchemaError(f'"ABSTAIN" is an abstention, not an answer to {schema.name!r}: expected a text')
        for position, character in enumerate(value):
            if character == "\0" or "\ud800" <= character <= "\udfff":
                raise SchemaError(
                    f"{value!r:.80} is no answer to {schema.name!r}: character {position} is {character!r}, "
                    "which files and databases do not keep; take it out"
                )
        return value

    def distance(self, a: str, b: str) -> float:
        """Word error rate made symmetric: word edits over the number of words of the longer text."""
        return text_distance(a, b)

    def merge(self, values: Sequence[str], weights: Sequence[float]) -> str:
        """A vote on each word of the aligned texts (ROVER); the text nearest to all where they are too far apart.

        Fiscus, J. (1997). doi:10.1109/ASRU.1997.659110. Texts that share less than a quarter of their words with
        the nearest one, in the mean, are no versions of one text. The order of the values changes nothing.

        Raises
        ------
        UsageError
            If there are no values, or the weights do not fit them.

        Examples
        --------
        >>> Text().merge(["the cat sat", "the bat sat down", "a cat sat down"], [1, 1, 1])
        'the cat sat down'
        """
        return voted_text(values, checked_weights(values, weights))

    def examples(self, schema: LabelSchema) -> list[str]:
        """Some valid values, for promise suites and forms."""
        names = [*schema.classes, "one", "two", "three"][:3]
        return ["", names[0], " ".join(names), f"{names[0]} {names[2]}", "你好", "你很好"]
