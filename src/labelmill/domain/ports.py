"""The roles: what a plugin of each kind promises. Each has a promise suite in `labelmill.testing`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from labelmill.domain.answers import AnswerTable, Merged
from labelmill.domain.item import Item, ItemBatch, Modality
from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.domain.schema import LabelSchema
from labelmill.domain.sums import Rounds
from labelmill.domain.vote import AnnotatorKind, Fault, VoteBatch
from labelmill.domain.vote_table import VoteTable
from labelmill.errors import BadRow

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "Annotator",
    "BatchStrategy",
    "Chunk",
    "Encoded",
    "Encoder",
    "Engine",
    "Format",
    "LabelKind",
    "LabelModel",
    "Learner",
    "LearnsByRounds",
    "Pool",
    "Progress",
    "QueryStrategy",
    "Respondent",
    "Stage",
    "StructuredModel",
    "ValueLearner",
    "Writer",
]


class Progress(Protocol):
    """Called as work advances."""

    def __call__(self, done: int, total: int, detail: Mapping[str, Any] | None = None, /) -> None:
        """So many of so many are done; total 0 when it is not known.

        What engines do comes with a detail: `partitions` ({"done", "total", "failed", "retried"}), `faults`, `hosts`
        (machine -> partitions done) and `shares` (annotator -> share of the time).
        """


@runtime_checkable
class Annotator(Protocol):
    """Any source of labels: a rule, a keyword list, a model.

    Same input, same votes. A failure on an item is a `Fault` in the batch, never an exception.
    """

    name: str
    kind: AnnotatorKind
    resources: Resources

    @property
    def fingerprint(self) -> str:
        """Hash of code, parameters and data files: equal exactly when the votes would be."""

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """One vote (or abstention, or fault) for each item, in order."""


class LabelModel(Protocol):
    """Learns from the votes alone how far each annotator can be trusted.

    The order of items, annotators and classes changes nothing; unanimous votes never flip; rows sum to 1; empty and
    all-abstain input works; the same seed gives the same answer; `fit` does not change its input. A row counts as many
    times as its multiplicity says. Prediction looks at each row alone, so that a table predicted in parts gets the same
    bits; a fitted model can be pickled.
    """

    reliability_: npt.NDArray[np.float64]
    """Shape (n_annotators,): probability that a vote of annotator j names the true class; NaN without votes."""
    details_: dict[str, Any]
    """What the fit says about itself: iterations, choice, reasons. JSON-able."""

    def fit(self, votes: Any) -> Self:
        """Learn from a VoteTable or any table that `VoteTable.of` takes."""

    def predict_proba(self, votes: Any) -> npt.NDArray[np.float64]:
        """Class probabilities, shape (n_items, n_classes), for votes by the annotators fitted."""


class StructuredModel(Protocol):
    """Makes one value of many structured answers (spans, boxes, segments, numbers, texts) on each item.

    The order of items and annotators changes nothing; the answer of a sole annotator, and one that all share, is
    returned unchanged; an item without answers gets None; empty tables work; the same seed gives the same answer;
    `fit` does not change its input. Prediction looks at each item alone, so that a table predicted in parts gets the
    same. An annotator that was not among those fitted is trusted like an average one.
    """

    reliability_: npt.NDArray[np.float64]
    """Shape (n_annotators,), 0 to 1: how far each is trusted, as the class says; NaN without answers."""
    details_: dict[str, Any]
    """What the fit says about itself: iterations, what was learned of each annotator. JSON-able."""

    def fit(self, answers: AnswerTable) -> Self:
        """Learn how far each annotator can be trusted."""

    def predict(self, answers: AnswerTable) -> list[Merged]:
        """One merged value for each item, in order."""


class LearnsByRounds(Protocol):
    """A label model that needs only sums over the items: shards of a table too large for one machine will do."""

    def learning(
        self, annotators: Sequence[str], classes: Sequence[str], kinds: Sequence[AnnotatorKind | None]
    ) -> Rounds[None]:
        """Yields what must be summed over all shards, is sent the sums; at its end the model is fitted.

        `drive` in `labelmill.domain.sums` runs it; there must be at least one shard, which may be empty.
        """


@dataclass(frozen=True, slots=True)
class Respondent:
    """Somebody, or something, that can be asked.

    Parameters
    ----------
    name : str
    accuracy : float
        Probability that the answer is right; wrong ones are spread evenly over the other classes.
    cost : float
        Of one answer, in any unit, above 0.
    """

    name: str
    accuracy: float = 1.0
    cost: float = 1.0


@dataclass(frozen=True)
class Pool:
    """The items a query strategy chooses from.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n_items, n_classes)
        The consensus so far.
    votes : VoteTable
        The votes behind it, same items in the same order.
    seed : int
        For strategies that draw.
    features : ndarray of float32, shape (n_items, n_dimensions), optional
        What an encoder made of the items; a row of NaN where it could not.
    known : ndarray of bool, shape (n_items,), optional
        Items whose answer people gave already: they are there to be kept away from, and never asked again.
    weights : ndarray of float64, shape (n_items,), optional
        How many items each stands for; 1 without it. Where a few were chosen from each part of a large pool, each
        stands for those of its part that lie nearest to it.
    respondents : sequence of Respondent
        Whom one could ask; without any, everybody is right and costs the same.
    """

    probabilities: npt.NDArray[np.float64]
    votes: VoteTable
    seed: int = 0
    features: npt.NDArray[np.float32] | None = None
    known: npt.NDArray[np.bool_] | None = None
    weights: npt.NDArray[np.float64] | None = None
    respondents: Sequence[Respondent] = ()


@runtime_checkable
class QueryStrategy(Protocol):
    """Says which items are worth a human: higher = ask sooner.

    It may say why in words: `reason`, a text for people in which {margin}, {confidence} and {score} stand for the
    item's. One that cannot score without `Pool.features` has `needs_features = True`, one that uses them where there
    are any `reads_features = True`.
    """

    def score(self, pool: Pool) -> npt.NDArray[np.float64]:
        """One finite number per item, shape (n_items,); class order is irrelevant."""


@runtime_checkable
class BatchStrategy(Protocol):
    """Chooses a batch of items that are worth a human together, so that they are not all alike.

    A pool that is too large for one machine is cut into parts: the batch is picked among what was picked from each
    part, or, where it has a method `shortlist(pool, count)` like `pick`, among what that named. One that counts for
    how many items each of those stands has `reads_weights = True`. It may say why in words as a `QueryStrategy` may, or
    by a method `reasons(pool, places)`, and may use features where there are any as that may. Where it has a
    `random_share`, so much of each batch is drawn at random from the whole pool instead.
    """

    needs_features: ClassVar[bool]
    """Whether it cannot choose without `Pool.features`."""

    def pick(self, pool: Pool, count: int) -> npt.NDArray[np.intp]:
        """Places of different items whose answer is not known, best first; as many as asked for, or all there are.

        Memory is proportional to the pool. The same seed gives the same places; class order is irrelevant.
        """


@dataclass(frozen=True)
class Encoded:
    """What an encoder made of a batch.

    Parameters
    ----------
    features : ndarray of float32, shape (n_items, n_dimensions)
        Finite, or a row of NaN for an item that could not be encoded.
    faults : list of Fault
        Why not, for each such row.
    """

    features: npt.NDArray[np.float32]
    faults: list[Fault] = field(default_factory=list)


class Encoder(Protocol):
    """Turns items into vectors that learners and query strategies read; learns nothing from labels.

    Made from an argument (a name, a file or a folder; an encoder may have none) and options. Each item is encoded by
    itself: neither the order of the items nor what else is in the batch changes a vector beyond rounding. An item that
    cannot be encoded is a fault and not an exception. Nothing is ever downloaded.
    """

    modality: ClassVar[Modality]
    resources: Resources

    @property
    def n_dimensions(self) -> int:
        """Length of a vector."""

    @property
    def fingerprint(self) -> str:
        """Hash of weights and settings: equal exactly when the vectors would be."""

    def encode(self, batch: ItemBatch) -> Encoded:
        """One vector for each item, in order."""


class LabelKind(Protocol):
    """What an answer of this kind is, how far two are apart, and how many become one."""

    name: ClassVar[str]
    widget: ClassVar[str]
    """Tag of the custom element that shows and edits it in the browser."""

    def validate(self, value: Any, schema: LabelSchema, item: Item | None = None) -> Any:
        """The value in canonical form. Raises SchemaError when it is none."""

    def distance(self, a: Any, b: Any) -> float:
        """Between 0 (equal) and 1; symmetric."""

    def merge(self, values: Sequence[Any], weights: Sequence[float]) -> Any:
        """The one value that stands for many; the merge of equals is the value."""

    def examples(self, schema: LabelSchema) -> Sequence[Any]:
        """Some different valid values, for promise suites and forms."""


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file, as they stand in it.

    Parameters
    ----------
    frame : polars.DataFrame
        The good rows; columns named as in the file. CSV columns are all text, an empty field is "".
    lines : sequence of int
        Line (or record, from 1) of each row, for messages.
    bad_rows : list of BadRow
        Rows that could not be read; never dropped in silence.
    """

    frame: pl.DataFrame
    lines: Sequence[int]
    bad_rows: list[BadRow] = field(default_factory=list)


class Writer(Protocol):
    """Takes frames, publishes the file at `close`; leaving the block by an exception leaves nothing behind."""

    def write(self, frame: pl.DataFrame) -> None:
        """Append rows."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...


class Format(Protocol):
    """One kind of file, both directions. Reading streams with bounded memory and reports bad rows."""

    suffixes: ClassVar[tuple[str, ...]]
    """File endings it claims, without compression, e.g. (".csv",)."""

    def read(self, source: Path, *, encoding: str | None = None, chunk_rows: int = 50_000) -> Iterator[Chunk]:
        """The file's rows in order."""

    def writer(self, target: Path) -> Writer:
        """Opens the target for writing; it appears whole or not at all."""


class Learner(Protocol):
    """Learns classes from items with probabilistic labels; its predictions come back as a model's votes.

    One that has `reads_features = True` is given batches whose `features` an encoder made. One that has
    `resumes = True` has its attribute `checkpoints` set to a folder for what a killed training goes on from. One whose
    `fit` and `cross_predict_proba` take `teacher` (probabilities of shape (n_items, n_classes), NaN where there are
    none) can be a student; one whose `cross_predict_proba` takes `progress` tells how far it is.
    """

    def fit(
        self,
        batch: ItemBatch,
        probabilities: npt.NDArray[np.float64],
        weights: npt.NDArray[np.float64] | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Learn from targets of shape (n_items, n_classes) and weights of shape (n_items,)."""

    def predict_proba(self, batch: ItemBatch) -> npt.NDArray[np.float64]:
        """Class probabilities, shape (n_items, n_classes)."""

    def cross_predict_proba(
        self,
        batch: ItemBatch,
        probabilities: npt.NDArray[np.float64],
        weights: npt.NDArray[np.float64] | None = None,
        *,
        n_folds: int = 3,
    ) -> npt.NDArray[np.float64]:
        """Class probabilities for the items learned from, each predicted by a fit that did not see it.

        A vote on an item must not be an echo of the target it was trained on. Same targets and weights as `fit`.
        """

    def save(self, folder: Path) -> None:
        """Write the fitted state as plain arrays and JSON; never a pickle."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The learner that `save` wrote."""

    @property
    def fingerprint(self) -> str:
        """Hash of the fitted state."""


class ValueLearner(Protocol):
    """Learns answers that are more than classes (masks, spans) from those of the consensus; votes them as a model."""

    label_kinds: ClassVar[tuple[str, ...]]
    """Kinds of label it learns."""

    def fit_values(
        self,
        batch: ItemBatch,
        values: Sequence[Any],
        schema: LabelSchema,
        weights: npt.NDArray[np.float64] | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Learn from one value for each item, in canonical form; None where there is no answer."""

    def predict_values(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """One value (or abstention, or fault) for each item, in order."""

    def cross_predict_values(
        self,
        batch: ItemBatch,
        values: Sequence[Any],
        schema: LabelSchema,
        weights: npt.NDArray[np.float64] | None = None,
        *,
        n_folds: int = 3,
        progress: Progress | None = None,
    ) -> VoteBatch:
        """Values for the items learned from, each predicted by a fit that did not see it."""

    def save(self, folder: Path) -> None:
        """Write the fitted state as plain arrays and JSON; never a pickle."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The learner that `save` wrote."""

    @property
    def fingerprint(self) -> str:
        """Hash of the fitted state."""


class Stage(Protocol):
    """Reads a partition, does its work, publishes the output, returns a receipt. Travels to workers by pickle."""

    def __call__(self, partition: Partition) -> Receipt:
        """Do the partition's work."""


class Engine(Protocol):
    """Where work runs. Moves descriptors and receipts, never rows.

    Every partition exactly once in effect; a raising stage comes back as a receipt with `error`; a killed worker is
    replaced and its partition retried, after three deaths it comes back with `died`.
    """

    def map(self, stage: Stage, partitions: Iterable[Partition], need: Resources) -> Iterator[Receipt]:
        """Receipts in any order, as partitions finish. Closing the iterator cancels the rest."""

    def close(self) -> None:
        """Let go of every worker."""
