"""Rows of a file of votes, checked and brought into the lake's form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from labelmill import registry
from labelmill.domain.ports import Chunk, LabelKind
from labelmill.domain.strict_json import dumps
from labelmill.domain.vote import ANNOTATOR_KINDS, AnnotatorKind, Purpose
from labelmill.errors import BadInputError, BadRow, SchemaError, nearest
from labelmill.pipeline.workspace import Workspace

__all__ = ["VOTE_SCHEMA", "VoteRows"]

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

ABSTENTION = "ABSTAIN"


class VoteRows:
    """Turns rows with `item`, `label` (and `annotator`, `confidence`, `kind`, `at`) into votes.

    Parameters
    ----------
    votes_by : str or None
        Everything is this annotator's answer, and a row without a label is not answered yet. None: the file's
        column `annotator` (or `worker`) says, and an empty label is an abstention.
    """

    def __init__(
        self,
        workspace: Workspace,
        source: str,
        *,
        votes_by: str | None,
        purpose: Purpose,
        kind: AnnotatorKind,
    ) -> None:
        self.source = source
        self.votes_by = votes_by
        self.purpose = purpose
        self.kind = kind
        self.now = workspace.now()
        self.schema = workspace.schema
        self.label_kind: LabelKind = registry.find("label_kind", workspace.schema.kind)()
        self._workspace = workspace

    def frame(self, chunk: Chunk) -> tuple[pl.DataFrame, list[BadRow]]:
        """The good rows as votes, and the bad rows."""
        rows = self._selected(chunk)
        if self.votes_by is not None:
            rows = rows.filter(pl.col("label").is_not_null() & (pl.col("label") != ""))
        values, reasons = self._values(rows["label"].unique().to_list())
        checked = rows.with_columns(
            pl.col("label").replace_strict(values, default=None, return_dtype=pl.String).alias("value"),
            pl.col("label").replace_strict(reasons, default="", return_dtype=pl.String).alias("wrong label"),
            pl.col("confidence").cast(pl.Float64, strict=False).alias("number"),
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

    def _selected(self, chunk: Chunk) -> pl.DataFrame:
        columns = chunk.frame.columns
        if not columns and chunk.bad_rows:
            raise BadInputError(chunk.bad_rows, "Nothing was imported.")
        item = self._column(columns, ("item", "task", "id") if self.votes_by is not None else ("item", "task"))
        label = self._column(columns, ("label",))
        text = pl.String
        author: Any = pl.lit(self.votes_by)
        if self.votes_by is None:
            author = pl.col(
                self._column(columns, ("annotator", "worker"), "or name the one who answered: --votes-by NAME")
            )
        optional = {
            name: pl.col(name).cast(text) if name in columns else pl.lit(None, dtype=text)
            for name in ("confidence", "at", "kind")
        }
        kind = optional.pop("kind")
        return chunk.frame.select(
            pl.col(item).cast(text).alias("item"),
            author.cast(text).alias("annotator"),
            _as_text(chunk.frame[label]).alias("label"),
            *(column.alias(name) for name, column in optional.items()),
            pl.when(kind.is_null() | (kind == "")).then(pl.lit(self.kind)).otherwise(kind).alias("kind"),
            pl.Series("_line", list(chunk.lines), dtype=pl.Int64),
        )

    def _column(self, columns: Sequence[str], names: Sequence[str], else_do: str = "") -> str:
        for name in names:
            if name in columns:
                return name
        raise BadInputError(
            [BadRow(self.source, 1, names[0], f"no such column; the file has: {', '.join(columns) or 'none'}")], else_do
        )

    def _values(self, labels: Sequence[str | None]) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Label as written -> canonical value; label as written -> why it is none."""
        values, reasons = {}, {}
        for label in labels:
            if label is None or label in {"", ABSTENTION}:
                continue
            try:
                value = self.label_kind.validate(label, self.schema)
            except SchemaError as error:
                reasons[label] = str(error)
            else:
                values[label] = value if isinstance(value, str) else dumps(value)
        return values, reasons

    def _bad_rows(self, rows: pl.DataFrame) -> list[BadRow]:
        known = self._workspace.lake.item_ids()
        wrong = {
            "item": pl.when(~pl.col("item").is_in(known.implode()))
            .then(pl.format("unknown item '{}': import the items first", pl.col("item").fill_null("")))
            .otherwise(pl.lit("")),
            "label": pl.col("wrong label"),
            "annotator": pl.when(pl.col("annotator").fill_null("") == "")
            .then(pl.lit("is missing"))
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


def _as_text(labels: pl.Series) -> pl.Series:
    """Labels as they would stand in a CSV file: several classes as a JSON list."""
    if isinstance(labels.dtype, pl.List):
        return pl.Series(labels.name, [None if v is None else dumps(v) for v in labels.to_list()], dtype=pl.String)
    return labels.cast(pl.String)
