"""Items with the facts that drawing on them needs: the size of a picture, the length of a recording."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from labelmill.domain.item import Item
from labelmill.errors import AccessError, BadInputError, StorageError
from labelmill.pipeline._merging import known_facts
from labelmill.pipeline.workspace import Workspace
from labelmill.stores.media.decoding import decode, picture_sizes
from labelmill.stores.media.roots import open_listed

__all__ = ["measured"]

AT_ONCE = 100


def measured(workspace: Workspace, items: Iterable[Item]) -> Iterator[Item]:
    """The items in their order, with width and height, or duration, where the files tell and nobody had told."""
    measure = {"image": _pictures, "audio": _recordings}.get(workspace.schema.modality)
    rest = (known_facts(item) for item in items)
    while piece := list(islice(rest, AT_ONCE)):
        yield from piece if measure is None else measure(workspace, piece)


def _pictures(workspace: Workspace, items: Sequence[Item]) -> list[Item]:
    files = {i: _opened(workspace, item) for i, item in enumerate(items) if "width" not in item.facts}
    found = {i: fd for i, fd in files.items() if fd is not None}
    try:
        sizes = dict(zip(found, picture_sizes(list(found.values())), strict=True))
    finally:
        for fd in found.values():
            os.close(fd)
    known = {i: size for i, size in sizes.items() if size is not None}
    return [
        replace(item, facts={**item.facts, "width": known[i][0], "height": known[i][1]}) if i in known else item
        for i, item in enumerate(items)
    ]


def _recordings(workspace: Workspace, items: Sequence[Item]) -> list[Item]:
    return [item if "duration" in item.facts else _with_duration(workspace, item) for item in items]


def _with_duration(workspace: Workspace, item: Item) -> Item:
    fd = _opened(workspace, item)
    if fd is None:
        return item
    try:
        facts = decode(fd, item.data, "recording").facts
    except BadInputError:
        return item
    finally:
        os.close(fd)
    return replace(item, facts={**item.facts, "duration": facts["duration"]})


def _opened(workspace: Workspace, item: Item) -> int | None:
    folders = [workspace.project.folder / name for name in workspace.project["storage.media"]]
    try:
        return open_listed(folders, item.data)
    except (AccessError, StorageError):
        return None
