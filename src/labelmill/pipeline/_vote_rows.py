"""Rows of a file of votes, checked and brought into the lake's form."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from labelmill.domain.item import Item
from labelmill.domain.ports import Chunk
from labelmill.domain.strict_json import dumps
from labelmill.domain.vote import ANNOTATOR_KINDS, AnnotatorKind, Purpose
from labelmill.domain.vote_columns import VOTE_COLUMNS
from labelmill.errors import BadInputError, BadRow, SchemaError, nearest
from labelmill.pipeline._answer_rows import element_columns, raw_answers
from labelmill.pipeline._columns import column_of, text_of
from labelmill.pipeline._kinds import kind_of
from labelmill.pipeline._merging import known_facts
from labelmill.pipeline.votes import current_machines
from labelmill.pipeline.workspace import Workspace

__all__ = ["NOTHING", "VOTE_SCHEMA", "VoteRows"]

VOTE_SCHEMA = {
    "item": pl.String,
    "annotator": pl.String,
    "value": pl.String,
    "confidence": pl.Float64,
    "at": pl.String,
    "purpose": pl.String,
    "kind": pl.String,
}
"""Columns of people's votes in the lake."""

NOTHING = "Nothing was imported."
"""What every refusal of a file says."""

ABSTENTION = "ABSTAIN"


class VoteRows:
    """Turns rows with `item`, `label` (and `annotator`, `confidence`, `kind`, `at`) into votes.

    Parameters
    ----------
    votes_by : str or None
        Everything is this annotator's answer, and a row without a label is not answered yet. None: the file's
        column `annotator` (or `worker`) says, and an empty label is an abstention.
    of_new_items : bool
        The items come with the votes and are not in the lake yet.
    """

    def __init__(
        self,
        workspace: Workspace,
        source: str,
        *,
        votes_by: str | None,
        purpose: Purpose,
        kind: AnnotatorKind,
        of_new_items: bool = False,
    ) -> None:
        self.source = source
        self.votes_by = votes_by
        self.purpose = purpose
        self.kind = kind
        self.now = workspace.now()
        # What a detector draws tells no direction, however much people are asked for it.
        self.schema = workspace.schema if kind == "person" else workspace.schema.without_demands()
        self.label_kind = kind_of(self.schema)
        self.n_unanswered = 0
        self._lake = workspace.lake
        self._items = None if of_new_items else workspace.lake.item_ids()
        self._machines = {machine.name: machine.kind for machine in current_machines(workspace)}

    def frame(self, chunk: Chunk) -> tuple[pl.DataFrame, list[BadRow]]:
        """The good rows as votes, and the bad rows."""
        rows = self._selected(chunk)
        if self.votes_by is not None:
            answered = rows.filter(pl.col("label").is_not_null() & (pl.col("label") != ""))
            self.n_unanswered += rows.height - answered.height
            rows = answered
        checked = self._with_values(rows).with_columns(
            pl.col("confidence").cast(pl.Float64, strict=False).alias("number")
        )
        bad = self._bad_rows(checked)
        lines = {row.line for row in bad}
        good = checked.filter(~pl.col("_line").is_in(list(lines))) if lines else checked
        return (
            good.select(
                "item",
                "annotator",
                "value",
                pl.col("number").alias("confidence"),
                pl.when(pl.col("at").is_null() | (pl.col("at") == ""))
                .then(pl.lit(self.now))
                .otherwise("at")
                .alias("at"),
                pl.lit(self.purpose).alias("purpose"),
                "kind",
            ).cast(VOTE_SCHEMA),  # type: ignore[arg-type]  # a mapping of names to types is what cast documents
            bad,
        )

    def whole_answers(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The chunks; of a file with one element a row, one chunk with an answer a row.

        The whole file is read before: the elements of an answer may stand anywhere in it.
        """
        first = next(chunks, None)
        if first is None:
            return
        kind, rest = self.schema.kind, itertools.chain([first], chunks)
        if not (self.schema.is_structured and element_columns(kind, first.frame.columns)):
            yield from rest
            return
        raw, bad = raw_answers(rest, self.source, kind, annotator=self.votes_by)
        columns = {
            "item": [answer.item for answer in raw.answers],
            "annotator": [answer.annotator for answer in raw.answers],
            "label": [dumps(answer.value) for answer in raw.answers],
            "confidence": [None if math.isnan(a.confidence) else str(a.confidence) for a in raw.answers],
            "kind": [raw.kinds.get(answer.annotator) for answer in raw.answers],
        }
        frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
        yield Chunk(frame, [(answer.lines[0] if answer.lines else None) or 1 for answer in raw.answers], bad)

    def _selected(self, chunk: Chunk) -> pl.DataFrame:
        columns = chunk.frame.columns
        if not columns and chunk.bad_rows:
            raise BadInputError(chunk.bad_rows, NOTHING)
        item = self._column(columns, [*VOTE_COLUMNS["item"], *(["id"] if self.votes_by is not None else [])])
        label = self._column(columns, VOTE_COLUMNS["label"])
        texts = {
            name: text_of(self.source, chunk, name, NOTHING) for name in ("confidence", "at", "kind") if name in columns
        }
        if self.votes_by is None:
            advice = "Name the one who answered: --votes-by NAME"
            author = text_of(self.source, chunk, self._column(columns, VOTE_COLUMNS["annotator"], advice), NOTHING)
        else:
            author = pl.repeat(self.votes_by, chunk.frame.height, dtype=pl.String, eager=True)
        labels = chunk.frame[label]
        blank = pl.repeat(None, chunk.frame.height, dtype=pl.String, eager=True)
        kind = pl.col("kind")
        return pl.DataFrame(
            [
                text_of(self.source, chunk, item, NOTHING).alias("item"),
                author.alias("annotator"),
                (_as_json(labels) if _is_list(labels) else text_of(self.source, chunk, label, NOTHING)).alias("label"),
                *(texts.get(name, blank).alias(name) for name in ("confidence", "at", "kind")),
                pl.Series("_line", list(chunk.lines), dtype=pl.Int64),
            ]
        ).with_columns(pl.when(kind.is_null() | (kind == "")).then(pl.lit(self.kind)).otherwise(kind).alias("kind"))

    def _column(self, columns: Sequence[str], names: Sequence[str], else_do: str = "") -> str:
        return column_of(self.source, columns, names, f"{NOTHING} {else_do}".rstrip())

    def _with_values(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with canonical values, and why there is none."""
        if self.schema.is_structured and self._items is not None:
            return self._with_values_on_items(rows)
        values, reasons = self._values(rows["label"].unique().to_list())
        return rows.with_columns(
            pl.col("label").replace_strict(values, default=None, return_dtype=pl.String).alias("value"),
            pl.col("label").replace_strict(reasons, default="", return_dtype=pl.String).alias("wrong label"),
        )

    def _with_values_on_items(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The same, where what is an answer depends on the item: a span must lie in its text."""
        known = rows["item"].unique(maintain_order=True).drop_nulls()
        known = known.filter(known.is_in(self._items.implode())) if self._items is not None else known
        items = {item.id: known_facts(item) for item in self._lake.items(known.to_list())}
        found = [self._value(label, items.get(item)) for item, label in rows.select("item", "label").iter_rows()]
        return rows.with_columns(
            pl.Series("value", [value for value, _ in found], dtype=pl.String),
            pl.Series("wrong label", [reason for _, reason in found], dtype=pl.String),
        )

    def _value(self, label: str | None, item: Item | None) -> tuple[str | None, str]:
        """Canonical value, or why there is none; neither for an abstention."""
        if label is None or label in {"", ABSTENTION}:
            return None, ""
        try:
            value = self.label_kind.validate(label, self.schema, item)
        except SchemaError as error:
            return None, str(error)
        return (value if isinstance(value, str) else dumps(value)), ""

    def _values(self, labels: Sequence[str | None]) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Label as written -> canonical value; label as written -> why it is none."""
        found = {label: self._value(label, None) for label in labels if label is not None}
        values = {label: value for label, (value, _) in found.items() if value is not None}
        reasons = {label: reason for label, (_, reason) in found.items() if reason}
        return values, reasons

    def _bad_rows(self, rows: pl.DataFrame) -> list[BadRow]:
        author = pl.col("annotator").fill_null("")
        wrong = {
            "item": self._wrong_item(),
            "label": pl.col("wrong label"),
            "annotator": pl.when(author == "")
            .then(pl.lit("is missing"))
            .when(author.is_in(list(self._machines)))
            .then(
                pl.format(
                    "'{}' is the name of a {} of this project: choose another for this annotator",
                    author,
                    author.replace_strict(self._machines, default="machine", return_dtype=pl.String),
                )
            )
            .otherwise(pl.lit("")),
            "confidence": pl.when(
                (pl.col("confidence").fill_null("") != "") & ~pl.col("number").is_between(0, 1).fill_null(value=False)
            )
            .then(pl.format("expected a number between 0 and 1, found '{}'", "confidence"))
            .otherwise(pl.lit("")),
            "kind": pl.when(~pl.col("kind").is_in(ANNOTATOR_KINDS))
            .then(pl.format("'{}' is no kind of annotator: " + nearest("", ANNOTATOR_KINDS), "kind"))
            .otherwise(pl.lit("")),
        }
        faults = rows.select("_line", *(fault.fill_null("").alias(f"wrong {name}") for name, fault in wrong.items()))
        bad = []
        for name in wrong:
            found = faults.filter(pl.col(f"wrong {name}") != "").select("_line", f"wrong {name}")
            bad += [BadRow(self.source, line, name, reason) for line, reason in found.iter_rows()]
        return sorted(bad, key=lambda row: row.line or 0)

    def _wrong_item(self) -> pl.Expr:
        item = pl.col("item").fill_null("")
        if self._items is None:
            return pl.lit("")
        return (
            pl.when(item == "")
            .then(pl.lit("is missing"))
            .when(~item.is_in(self._items.implode()))
            .then(pl.format("unknown item '{}': import the items first", item))
            .otherwise(pl.lit(""))
        )


def _is_list(labels: pl.Series) -> bool:
    return isinstance(labels.dtype, pl.List)


def _as_json(labels: pl.Series) -> pl.Series:
    """Lists of classes as they would stand in a CSV file."""
    return pl.Series([None if value is None else dumps(value) for value in labels.to_list()], dtype=pl.String)
