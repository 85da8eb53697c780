"""Aggregate from file to file, without a project."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from labelmill import registry
from labelmill.domain.ports import Chunk
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import ANNOTATOR_KINDS, AnnotatorKind
from labelmill.domain.vote_columns import VOTE_COLUMNS, Repeats, contradictions
from labelmill.errors import BadInputError, BadRow, UsageError, nearest
from labelmill.pipeline._columns import column_of, text_of
from labelmill.pipeline._data_files import NOTHING, format_of, refuse_bad_rows
from labelmill.pipeline._known_files import known_answers, read_history, write_history
from labelmill.pipeline._vote_times import TIME_COLUMNS, wrong_times
from labelmill.pipeline.aggregate import Aggregated, aggregate_votes
from labelmill.pipeline.ingest import OnBadRows

__all__ = [
    "AggregatedFile",
    "aggregate_files",
    "check_different",
    "kinds_of",
    "published_together",
    "read_vote_file",
]


@dataclass(frozen=True)
class AggregatedFile(Aggregated):
    """What was written, the rows that were left out (`on_bad_rows="skip"`), and how many votes were repeated."""

    bad_rows: list[BadRow] = field(default_factory=list)
    n_repeated: int = 0


def aggregate_files(
    votes: Path,
    out: Path,
    *,
    model: str = "auto",
    seed: int = 0,
    classes: Sequence[str] | None = None,
    kind: AnnotatorKind | None = None,
    annotators: Path | None = None,
    reliabilities: Path | None = None,
    gold: Path | None = None,
    history: Path | None = None,
    save_history: Path | None = None,
    repeats: Repeats = "last",
    encoding: str | None = None,
    on_bad_rows: OnBadRows = "error",
) -> AggregatedFile:
    """The consensus of a file of votes, written to a file of labels.

    Parameters
    ----------
    votes : Path
        Columns `item`, `annotator`, `label` (`task` and `worker` are aliases); optional `kind`.
    out : Path
        Gets `item`, `label`, `confidence`, `tied` and one `p_<class>` per class; format by its ending.
    classes : sequence of str, optional
        Class order; without it the labels seen, sorted by code point.
    kind : {"person", "rule", "model"}, optional
        What all annotators are.
    annotators : Path, optional
        A file with columns `annotator`, `kind`.
    reliabilities : Path, optional
        Gets what was learned of each annotator.
    gold : Path, optional
        Columns `item`, `label`: answers that are right.
    history : Path, optional
        What is known of the annotators from before, as `save_history` wrote it (JSON).
    save_history : Path, optional
        Gets what is known of the annotators now, earlier history included.
    repeats : {"last", "first", "all", "refuse"}
        What counts where an annotator voted on an item more than once; `refuse` takes a vote that contradicts an
        earlier one for a bad row.
    on_bad_rows : {"error", "skip"}
        Refuse the file at a bad row, or leave bad rows out and list them.

    Raises
    ------
    UsageError
        If a name is unknown, or two of the files are the same.
    BadInputError
        If a column is missing or a row cannot be taken. Then, and whenever it fails, no output is written.
    """
    if classes is not None:
        LabelSchema("label", tuple(classes))
    registry.find("label_model", model)
    check_different(
        {
            "--votes": votes,
            "--annotators": annotators,
            "--gold": gold,
            "--out": out,
            "--reliabilities": reliabilities,
            "--save-history": save_history,
        }
    )
    with published_together(out), ExitStack() as outputs:
        # Opened before the work, so that a folder that cannot be written is told at once.
        learned, labels = (
            None if path is None else outputs.enter_context(format_of(path).writer(path))
            for path in (reliabilities, out)
        )
        frame, bad = read_vote_file(votes, classes=classes, encoding=encoding, on_bad_rows=on_bad_rows, repeats=repeats)
        kinds: dict[str, AnnotatorKind] = {}
        if kind is not None:
            kinds = dict.fromkeys(frame["annotator"].unique().to_list(), kind)
        if annotators is not None:
            kinds |= kinds_of(annotators)
        known = {} if gold is None else known_answers(gold, classes or _named(frame))
        past = None if history is None else read_history(history)
        result = aggregate_votes(
            frame, model=model, classes=classes, kinds=kinds, gold=known, history=past, repeats=repeats, seed=seed
        )
        if save_history is not None:
            write_history(save_history, result.history)
        if labels is not None:
            labels.write(result.consensus.to_frame())
        if learned is not None:
            learned.write(result.annotators)
    n_repeated = frame.height - frame.select("item", "annotator").n_unique()
    return AggregatedFile(result.annotators, result.summary, result.load, bad_rows=bad, n_repeated=n_repeated)


def read_vote_file(
    path: Path,
    *,
    classes: Sequence[str] | None = None,
    encoding: str | None = None,
    on_bad_rows: OnBadRows = "error",
    least: float | None = None,
    with_times: bool = False,
    repeats: Repeats = "last",
) -> tuple[pl.DataFrame, list[BadRow]]:
    """The votes of a file as `item`, `annotator`, `label` and, if the file has it, `kind`; and its bad rows.

    Parameters
    ----------
    with_times : bool
        Give `at` and `seconds` too, if the file has them; see `labelmill.pipeline._vote_times`.
    least : float, optional
        Labels must be finite numbers from here up; without it any text.
    repeats : str
        `refuse` takes a vote for a bad row that contradicts an earlier one; otherwise all votes are given.

    Raises
    ------
    BadInputError
        If a column is missing or a row cannot be taken; names file, line and field.
    """
    reader = format_of(path)
    frames: list[pl.DataFrame] = []
    bad: list[BadRow] = []
    for chunk in reader.read(path, encoding=encoding):
        rows = _rows(str(path), chunk, with_times=with_times)
        wrong = [*_wrong(str(path), rows, classes), *wrong_times(str(path), rows)]
        if least is not None:
            wrong += _no_numbers(str(path), rows, least)
        wrong = sorted(wrong, key=lambda row: row.line or 0)
        bad += [*chunk.bad_rows, *wrong]
        lines = [row.line for row in wrong]
        frames.append(rows.filter(~pl.col("_line").is_in(lines)) if lines else rows)
    empty = {"item": pl.String, "annotator": pl.String, "label": pl.String, "_line": pl.Int64}
    votes = pl.concat(frames, how="diagonal") if frames else pl.DataFrame(schema=empty)
    if repeats == "refuse":
        odd = contradictions(votes)
        bad = sorted([*bad, *_contradicting(str(path), odd)], key=lambda row: row.line or 0)
        votes = votes.join(odd.select("_line"), on="_line", how="anti", maintain_order="left")
    refuse_bad_rows(bad, on_bad_rows)
    _check_kinds(str(path), votes)
    return votes.drop("_line"), bad


def _contradicting(source: str, odd: pl.DataFrame) -> list[BadRow]:
    """Votes that say something else than the annotator said before."""
    return [
        BadRow(source, line, "label", f"{annotator!r} says {label!r} of item {item!r}, and said {earlier!r} further up")
        for line, item, annotator, label, earlier in odd.select(
            "_line", "item", "annotator", "label", "earlier"
        ).iter_rows()
    ]


def _rows(source: str, chunk: Chunk, *, with_times: bool) -> pl.DataFrame:
    columns = chunk.frame.columns
    if not columns and chunk.bad_rows:
        raise BadInputError(chunk.bad_rows, f"{NOTHING} No row could be read: mend it; its ending says its format.")
    names = {role: column_of(source, columns, known, NOTHING) for role, known in VOTE_COLUMNS.items()}
    if "kind" in columns:
        names["kind"] = "kind"
    for role, known in TIME_COLUMNS.items() if with_times else ():
        there = [name for name in known if name in columns]
        names |= {role: there[0]} if there else {}
    texts = [text_of(source, chunk, name, NOTHING).alias(role) for role, name in names.items()]
    return pl.DataFrame([*texts, pl.Series("_line", list(chunk.lines), dtype=pl.Int64)])


def _named(votes: pl.DataFrame) -> list[str]:
    """The classes of the votes."""
    return sorted(set(votes["label"].drop_nulls()) - {"", "ABSTAIN"})


def _check_kinds(source: str, votes: pl.DataFrame) -> None:
    """Each annotator is of one kind."""
    if "kind" not in votes.columns:
        return
    kinds = votes.filter(pl.col("kind").fill_null("") != "").group_by("annotator").agg(pl.col("kind").unique().sort())
    several = kinds.filter(pl.col("kind").list.len() > 1).sort("annotator")
    for name, found in several.iter_rows():
        reason = f"annotator {name!r} is called {' and '.join(found)}: one kind each"
        raise BadInputError([BadRow(source, None, "kind", reason)], NOTHING)


@contextmanager
def published_together(out: Path) -> Iterator[None]:
    """The labels are published first; they go again if another file cannot follow."""
    is_new = not out.exists()
    try:
        yield
    except BaseException:
        if is_new:
            with suppress(OSError):  # the error that brought us here is the one to tell
                out.unlink(missing_ok=True)
        raise


def check_different(paths: Mapping[str, Path | None]) -> None:
    """What is read is not what is written, and no two outputs are one file."""
    seen: dict[Path, str] = {}
    for flag, path in paths.items():
        if path is None:
            continue
        other = seen.setdefault(path.resolve(), flag)
        if other != flag and {other, flag} != {"--votes", "--annotators"}:
            raise UsageError(f"{flag} and {other} are the same file, {path}: give {flag} a name of its own")


def _wrong(source: str, rows: pl.DataFrame, classes: Sequence[str] | None) -> list[BadRow]:
    bad = []
    for role in ("item", "annotator"):
        missing = rows.filter(pl.col(role).is_null() | (pl.col(role) == ""))
        bad += [BadRow(source, line, role, "is missing") for line in missing["_line"]]
    if classes is not None:
        named = pl.col("label").is_not_null() & ~pl.col("label").is_in(["", "ABSTAIN", *classes])
        unknown = rows.filter(named).select("_line", "label")
        bad += [
            BadRow(source, line, "label", f"unknown class {label!r}: {nearest(label, classes)}")
            for line, label in unknown.iter_rows()
        ]
    if "kind" in rows.columns:
        odd = rows.filter(pl.col("kind").is_not_null() & ~pl.col("kind").is_in(["", *ANNOTATOR_KINDS]))
        bad += [
            BadRow(source, line, "kind", f"unknown kind {kind!r}: {nearest(kind, ANNOTATOR_KINDS)}")
            for line, kind in odd.select("_line", "kind").iter_rows()
        ]
    return bad


def _no_numbers(source: str, rows: pl.DataFrame, least: float) -> list[BadRow]:
    """Labels that are no finite numbers, or below the least that is allowed."""
    given = rows.filter(~pl.col("label").fill_null("").is_in(["", "ABSTAIN"])).select("_line", "label")
    number = pl.col("label").cast(pl.Float64, strict=False)
    odd = given.filter(~(number.is_finite() & (number >= least)).fill_null(value=False))
    wanted = "a finite number" if least == -math.inf else f"a finite number from {least:g} up"
    return [BadRow(source, line, "label", f"expected {wanted}, found {label!r}") for line, label in odd.iter_rows()]


def kinds_of(path: Path) -> Mapping[str, AnnotatorKind]:
    """Annotator -> kind, of a file with these columns.

    Raises
    ------
    BadInputError
        If a column is missing or a row cannot be taken.
    """
    reader = format_of(path)
    kinds: dict[str, AnnotatorKind] = {}
    bad: list[BadRow] = []
    for chunk in reader.read(path):
        bad += chunk.bad_rows
        names, found = (
            text_of(str(path), chunk, column_of(str(path), chunk.frame.columns, [name], NOTHING), NOTHING).to_list()
            for name in ("annotator", "kind")
        )
        for line, name, kind in zip(chunk.lines, names, found, strict=True):
            if kind not in ANNOTATOR_KINDS:
                bad.append(
                    BadRow(str(path), line, "kind", f"unknown kind {kind!r}: {nearest(str(kind), ANNOTATOR_KINDS)}")
                )
            elif kinds.setdefault(name, kind) != kind:
                reason = f"annotator {name!r} is called a {kinds[name]} further up: one kind each"
                bad.append(BadRow(str(path), line, "kind", reason))
    if bad:
        raise BadInputError(bad, f"{NOTHING} Mend these rows.")
    return kinds
