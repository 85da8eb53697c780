"""What the deaths of workers prove: where to look closer, and which item is at fault.

A death proves little by itself: machines are lost, and workers are killed by people and by the system. So nothing is
held against an item that died in company, or between deaths elsewhere. An item that kills does so whenever its turn
comes: it is convicted when worker after worker, without another death in between, ended at this item alone. Two are
enough where the worker left a traceback of how it died of itself (a fatal signal, a time limit); three are needed where
it vanished, and for each earlier death that neither this item nor a convicted one explains two more, up to nine:
somebody else kills here too.

What cannot be told apart is an item that kills in silence, and one that takes so long that whoever kills workers from
outside, again and again, finds them at it each time.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

__all__ = ["BEGIN", "BLOCK", "Convicted", "Death", "Place", "convicted", "key_of", "pieces"]

WITNESSED: Final = 2
"""Deaths in a row, with a traceback, that convict an item."""

SILENT: Final = 3
"""Deaths in a row that convict an item where the worker vanished without a word."""

PER_RIDDLE: Final = 2
"""Deaths in a row that are needed in addition for each death that no item explains."""

MOST_DOUBT: Final = 6
"""As many more at most, or an item that kills could hide behind an outsider for ever."""

BLOCK: Final = 64
"""Rows of a first, coarse look where every note is a request to an object store."""


class Place(NamedTuple):
    """What an attempt was at.

    Parameters
    ----------
    annotator : int
        `key_of` its name; the place of an annotator in a list may change between two runs.
    start, stop : int
        Rows of the file, whatever batches they came in.
    """

    annotator: int
    start: int
    stop: int

    @property
    def n_rows(self) -> int:
        """How many items were at work together."""
        return self.stop - self.start

    def explained_by(self, items: Iterable[tuple[int, int]]) -> bool:
        """Whether one of the items, as (annotator, row), was at work here; or nothing is known of what was."""
        return self == BEGIN or any(at == self.annotator and self.start <= row < self.stop for at, row in items)


BEGIN: Final = Place(0, -1, -1)
"""No annotator is at work: reading, publishing."""

_CELLS: Final = struct.Struct("<qQqq8s")
"""How many attempts were left over when this one began; annotator; start; stop; the attempt's own name."""


class Death(NamedTuple):
    """An attempt that did not end (or has not yet: in a race it counts like a silent death).

    `number` says how many were left over when it began, which puts them in order.
    """

    number: int
    place: Place
    name: str
    words: str = ""

    def packed(self) -> bytes:
        """As a note of the ledger; without the words."""
        return _CELLS.pack(self.number, *self.place, bytes.fromhex(self.name))

    @classmethod
    def unpacked(cls, note: bytes) -> Death | None:
        """What `packed` made; None for a note of another version."""
        if len(note) != _CELLS.size:
            return None
        number, annotator, start, stop, name = _CELLS.unpack(note)
        return cls(number, Place(annotator, start, stop), name.hex())


class Convicted(NamedTuple):
    """How often an item killed, and the last traceback of it."""

    n_deaths: int
    words: str

    @property
    def is_hang(self) -> bool:
        """Whether the watchdog ended the worker."""
        return self.words.startswith("Timeout")


def key_of(annotator: str) -> int:
    """A number for an annotator's name; never that of BEGIN."""
    return int.from_bytes(hashlib.sha256(annotator.encode()).digest()[:8], "little") or 1


def convicted(deaths: Iterable[Death]) -> dict[tuple[int, int], Convicted]:
    """(annotator, row) of the items that are at fault."""
    found: dict[tuple[int, int], Convicted] = {}
    before: list[Place] = []
    streak: list[Death] = []
    for death in sorted(deaths, key=lambda death: death.number):
        place = death.place
        streak = [*streak, death] if streak and streak[-1].place == place else [death]
        if place.n_rows == 1:
            words = [death.words for death in streak if death.words]
            suspects = [*found, (place.annotator, place.start)]
            doubt = min(PER_RIDDLE * sum(not p.explained_by(suspects) for p in before), MOST_DOUBT)
            if len(streak) >= SILENT + doubt or len(words) >= WITNESSED:
                found[place.annotator, place.start] = Convicted(len(streak), words[-1] if words else "")
        before.append(place)
    return found


def pieces(start: int, stop: int, died: Sequence[Place], *, block: int) -> list[tuple[int, int]]:
    """The steps in which an annotator takes the rows from `start` to `stop`, by where it died there before.

    Rows that somebody died at are taken apart: many rows into blocks, a block (or, with `block` 1, all) into rows. As
    soon as a later death says where in there to look, the rest is taken in one again.

    Examples
    --------
    >>> pieces(0, 6, [Place(1, 0, 6)], block=2)
    [(0, 2), (2, 4), (4, 6)]
    >>> pieces(0, 6, [Place(1, 0, 6), Place(1, 2, 4)], block=2)
    [(0, 2), (2, 3), (3, 4), (4, 6)]
    """
    ranges = {(max(p.start, start), min(p.stop, stop)) for p in died if p.start < stop and p.stop > start}
    cuts = {start, stop}
    for first, last in ranges:
        cuts |= {first, last}
        if not any((a, b) != (first, last) and first <= a and b <= last for a, b in ranges):
            cuts.update(range(first, last, block if last - first > block else 1))
    return list(pairwise(sorted(cuts)))
