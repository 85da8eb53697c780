"""Keyword rules: one of some words occurs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labelmill.annotators._declared import Answer, declared_classes, listed, votes_of_rule
from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._matcher import Evaluation
from labelmill.annotators._texts import texts_of
from labelmill.annotators._words import Words
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import AnnotatorKind, VoteBatch

__all__ = ["Keyword"]


class Keyword:
    """Votes for a class where any of the words occurs as a whole word.

    A word is whole when what stands beside it does not make it longer: letters, digits, `_`, combining marks. At an
    edge that is punctuation (`c++`, `$`) or of a script written without spaces (Chinese, Japanese, Korean, Thai ...)
    nothing is asked. Spelling is taken as it is, spaces included.

    Parameters
    ----------
    label : str, int or sequence of these
        What it votes for; several classes only for `multi_choice`.
    words : sequence of str
        One is enough.
    field : str
        Where to look: `text`, `id`, or a name in the item's meta or facts.
    name : str, optional
        Name of the annotator; in a rules file, the variable's without it.
    ignore_case : bool
        As `re.IGNORECASE` does.

    Raises
    ------
    RulesError
        If `words` is a single text, empty, or holds something else.

    >>> from labelmill import ItemBatch, LabelSchema, keyword
    >>> money = keyword("spam", ["free", "prize"])
    >>> batch = ItemBatch.from_texts(["Free entry!", "freedom", "see you"])
    >>> money.annotate(batch, LabelSchema("spam", ("ham", "spam"))).labels.tolist()
    [1, -1, -1]
    """

    kind: AnnotatorKind = "rule"

    def __init__(
        self,
        label: Answer,
        words: Sequence[str],
        *,
        field: str = "text",
        name: str | None = None,
        ignore_case: bool = True,
    ) -> None:
        self.label = label
        self.classes = declared_classes(label)
        self.field = field
        self.name = name or ""
        self.ignore_case = ignore_case
        self.resources = Resources()
        self.words = listed(words, "words")
        self._words = Words(self.words, ignore_case=ignore_case)

    def __repr__(self) -> str:
        return f"keyword({self.label!r}, {list(self.words)!r})"

    @property
    def fingerprint(self) -> str:
        """Hash of its parameters."""
        return fingerprint_of(*self.fingerprint_parts())

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What its votes depend on."""
        return ("keyword", self.label, self.field, self.ignore_case, set(self.words))

    @property
    def evaluation(self) -> Evaluation:
        """Whether texts are read by the compiled engine or by Python."""
        return self._words.evaluation

    @property
    def reason(self) -> str:
        """Why Python has a part in it; empty if it has none."""
        return self._words.reason

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """One vote or abstention for each item, in order."""
        return votes_of_rule(
            self.name, batch, schema, self.label, lambda: self._words.occur_in(texts_of(batch, self.field))
        )
