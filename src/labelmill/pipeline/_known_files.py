"""Files of what is known beforehand: gold answers, and the history of annotators."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labelmill.domain.history import History
from labelmill.errors import BadInputError, BadRow, StorageError, UsageError, nearest
from labelmill.pipeline._columns import column_of, text_of
from labelmill.pipeline._data_files import NOTHING, format_of

__all__ = ["known_answers", "read_history", "write_history"]


def known_answers(path: Path, classes: Sequence[str]) -> dict[str, str]:
    """Item -> true class, of a file with the columns `item` (or `task`) and `label`; rows without a label are none.

    Raises
    ------
    BadInputError
        If a column or an item is missing, a label is no class, or an item has two answers.
    """
    reader = format_of(path)
    gold: dict[str, str] = {}
    bad: list[BadRow] = []
    for chunk in reader.read(path):
        bad += chunk.bad_rows
        items, labels = (
            text_of(str(path), chunk, column_of(str(path), chunk.frame.columns, names, NOTHING), NOTHING).to_list()
            for names in (("item", "task"), ("label",))
        )
        for line, item, label in zip(chunk.lines, items, labels, strict=True):
            if not item:
                bad.append(BadRow(str(path), line, "item", "is missing"))
            elif not label or label == "ABSTAIN":
                continue
            elif label not in classes:
                bad.append(BadRow(str(path), line, "label", f"unknown class {label!r}: {nearest(label, classes)}"))
            elif gold.setdefault(item, label) != label:
                bad.append(BadRow(str(path), line, "label", f"{item!r} is {gold[item]!r} further up: one answer each"))
    if bad:
        raise BadInputError(bad, f"{NOTHING} Mend these rows.")
    return gold


def read_history(path: Path) -> dict[str, Any]:
    """The history that `write_history` wrote.

    Raises
    ------
    UsageError
        If the file cannot be read, or holds no history.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot read a history there: {error}. {NOTHING}") from error
    try:
        return History.from_dict(data).to_dict()
    except UsageError as error:
        raise UsageError(f"{path}: {error}. {NOTHING}") from error


def write_history(path: Path, history: Mapping[str, Any]) -> None:
    """The history as JSON; the file appears whole or not at all.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    private = path.with_name(f".labelmill-{secrets.token_hex(8)}.tmp")
    try:
        private.write_text(json.dumps(history, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        private.replace(path)
    except OSError as error:
        private.unlink(missing_ok=True)
        raise StorageError(f"{path}: cannot write the history there: {error.strerror}") from error
