"""Dictionary rules: a list of terms for each class, usually in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from labelmill.annotators._declared import RULES_FOLDER, all_faulty, listed
from labelmill.annotators._fingerprint import fingerprint_of
from labelmill.annotators._matcher import Evaluation
from labelmill.annotators._reading import Reading
from labelmill.annotators._texts import Mask, Texts, texts_of
from labelmill.annotators._words import Words
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.schema import ABSTAIN, LabelSchema
from labelmill.domain.vote import AnnotatorKind, VoteBatch
from labelmill.errors import LabelmillError, RulesError

__all__ = ["Dictionary"]


class Dictionary:
    """Votes for the class most of whose terms occur as whole words.

    A term counts once however often it occurs; classes with equally many abstain. For `multi_choice` every class with
    a term is named. What a whole word is, is said at `keyword`.

    Parameters
    ----------
    terms : mapping of class to path or sequence of str
        For each class a UTF-8 file with one term a line (`#` starts a comment line), or the terms themselves. A
        relative path starts at the folder of the rules file, or else at the working folder.
    field : str
        Where to look: `text`, `id`, or a name in the item's meta or facts.
    name : str, optional
        Name of the annotator; in a rules file, the variable's without it.
    ignore_case : bool
        As `re.IGNORECASE` does.

    Raises
    ------
    RulesError
        If a file is missing, is not UTF-8, or names no term.

    >>> from labelmill import ItemBatch, LabelSchema, dictionary
    >>> mood = dictionary({"good": ["fine", "superb"], "bad": ["dull", "poor"]})
    >>> batch = ItemBatch.from_texts(["A superb film", "dull, poor, fine print", "fine but dull"])
    >>> mood.annotate(batch, LabelSchema("mood", ("bad", "good"))).labels.tolist()
    [1, 0, -1]
    """

    kind: AnnotatorKind = "rule"

    def __init__(
        self,
        terms: Mapping[str | int, str | Path | Sequence[str]],
        *,
        field: str = "text",
        name: str | None = None,
        ignore_case: bool = True,
    ) -> None:
        if not terms:
            raise RulesError("a dictionary maps classes to files of terms, found none")
        self.classes = tuple(label for label in terms if isinstance(label, str))
        self.field = field
        self.name = name or ""
        self.ignore_case = ignore_case
        self.resources = Resources()
        self.terms = {label: _terms(source, label) for label, source in terms.items()}
        self._words = {label: Words(words, ignore_case=ignore_case) for label, words in self.terms.items()}

    def __repr__(self) -> str:
        return f"dictionary({', '.join(f'{label!r}: {len(words)} terms' for label, words in self.terms.items())})"

    @property
    def fingerprint(self) -> str:
        """Hash of its parameters and of the terms in its files."""
        return fingerprint_of(*self.fingerprint_parts())

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What its votes depend on."""
        terms = {(label, frozenset(words)) for label, words in self.terms.items()}
        return ("dictionary", terms, self.field, self.ignore_case)

    @property
    def evaluation(self) -> Evaluation:
        """Whether texts are read by the compiled engine or by Python."""
        found = {words.evaluation for words in self._words.values()}
        return "python" if "python" in found else "compiled"

    @property
    def reason(self) -> str:
        """Why Python has a part in it; empty if it has none."""
        return next((words.reason for words in self._words.values() if words.reason), "")

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """One vote or abstention for each item, in order."""
        try:
            classes = np.array([schema.index(label) for label in self._words], dtype=np.int16)
            texts = texts_of(batch, self.field)
        except LabelmillError as error:
            return all_faulty(self.name, batch, schema, error)
        found = np.column_stack([words.occur_in(texts) for words in self._words.values()])
        if schema.kind == "multi_choice":
            return VoteBatch([tuple(sorted(classes[row].tolist())) or None for row in found])
        return VoteBatch(self._most(found, classes, texts))

    def _most(self, found: Mask, classes: npt.NDArray[np.int16], texts: Texts) -> npt.NDArray[np.int16]:
        n_classes = found.sum(axis=1)
        labels = np.where(n_classes == 1, classes[found.argmax(axis=1)], np.int16(ABSTAIN)).astype(np.int16)
        rows = np.flatnonzero(n_classes > 1)
        if len(rows):
            disputed = Reading(texts.column.gather(rows).to_list(), ignore_case=self.ignore_case)
            counts = np.column_stack([words.counts_in(disputed) for words in self._words.values()])
            is_sole = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) == 1
            labels[rows] = np.where(is_sole, classes[counts.argmax(axis=1)], np.int16(ABSTAIN))
        return labels


def _terms(source: str | Path | Sequence[str], label: str | int) -> tuple[str, ...]:
    if not isinstance(source, str | Path):
        return listed(source, f"the terms of {label!r}")
    path = _found(Path(source), label)
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise RulesError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8") from error
    except OSError as error:
        raise RulesError(f"{path} cannot be read: {error.strerror}") from error
    terms = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not terms:
        raise RulesError(f"{path} names no term for {label!r}: write one term a line")
    return tuple(dict.fromkeys(terms))


def _found(path: Path, label: str | int) -> Path:
    folder = RULES_FOLDER.get()
    for candidate in ([folder / path] if folder is not None else []) + [path]:
        if candidate.is_file():
            return candidate
    raise RulesError(
        f"the terms of {label!r}: no file {path} in {folder or Path.cwd()}: name a file, or list the terms"
    )
