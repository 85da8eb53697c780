"""Pattern rules: a regular expression matches somewhere."""

from __future__ import annotations

import re
from typing import Any

from labelmill.annotators._declared import Answer, declared_classes, votes_of_rule
from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._matcher import Evaluation, Matcher
from labelmill.annotators._texts import texts_of
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import AnnotatorKind, VoteBatch
from labelmill.errors import RulesError

__all__ = ["Regex"]


class Regex:
    r"""Votes for a class where `re.search` would find the pattern; the texts are read by a compiled engine.

    The meaning is that of Python's `re`, to the letter; `evaluation` and `reason` say where `re` itself has to help.

    Parameters
    ----------
    label : str, int or sequence of these
        What it votes for; several classes only for `multi_choice`.
    pattern : str
        Python regular expression.
    field : str
        Where to look: `text`, `id`, or a name in the item's meta or facts.
    name : str, optional
        Name of the annotator; in a rules file, the variable's without it.
    ignore_case, multiline, dotall, verbose, ascii : bool
        The flags of `re` with these names; as there, capitals count unless told otherwise.

    Raises
    ------
    RulesError
        If the pattern is none; says where.

    Examples
    --------
    >>> from labelmill import ItemBatch, LabelSchema, regex
    >>> number = regex("spam", r"\b\d{5,}\b")
    >>> number.annotate(ItemBatch.from_texts(["call 80086", "call me"]), LabelSchema("s", ("ham", "spam"))).labels
    array([ 1, -1], dtype=int16)
    """

    kind: AnnotatorKind = "rule"

    def __init__(
        self,
        label: Answer,
        pattern: str,
        *,
        field: str = "text",
        name: str | None = None,
        ignore_case: bool = False,
        multiline: bool = False,
        dotall: bool = False,
        verbose: bool = False,
        ascii: bool = False,  # noqa: A002 - the flag's name in `re`
    ) -> None:
        self.label = label
        self.classes = declared_classes(label)
        self.field = field
        self.name = name or ""
        self.resources = Resources()
        self.pattern = pattern
        chosen = {
            re.IGNORECASE: ignore_case,
            re.MULTILINE: multiline,
            re.DOTALL: dotall,
            re.VERBOSE: verbose,
            re.ASCII: ascii,
        }
        self.flags = sum(int(flag) for flag, is_on in chosen.items() if is_on)
        try:
            self._matcher = Matcher(pattern, self.flags)
        except (re.error, TypeError) as error:
            raise RulesError(f"{pattern!r} is no regular expression of Python's re: {error}") from error

    def __repr__(self) -> str:
        return f"regex({self.label!r}, {self.pattern!r})"

    @property
    def fingerprint(self) -> str:
        """Hash of its parameters."""
        return fingerprint_of(*self.fingerprint_parts())

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What its votes depend on."""
        return ("regex", self.label, self.field, self.flags, self.pattern)

    @property
    def evaluation(self) -> Evaluation:
        """Whether texts are read by the compiled engine or by Python."""
        return self._matcher.evaluation

    @property
    def reason(self) -> str:
        """Why Python has a part in it; empty if it has none."""
        return self._matcher.reason

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """One vote or abstention for each item, in order."""
        return votes_of_rule(
            self.name, batch, schema, self.label, lambda: self._matcher.matches(texts_of(batch, self.field))
        )
