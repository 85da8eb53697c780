"""Embeddings: one folder for each encoder, one file for each piece of the items, row for row with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from labelmill.domain.partition import Partition
from labelmill.domain.ports import Encoded
from labelmill.domain.vote import Fault
from labelmill.errors import StorageError
from labelmill.stores._files import Files
from labelmill.stores._frames import ROW_GROUP, to_parquet
from labelmill.stores._names import checked_name
from labelmill.stores.item_set import ItemSet
from labelmill.stores.lock import WritingLock

__all__ = ["PIECE_ROWS", "Embeddings"]

PIECE_ROWS: Final = ROW_GROUP
"""Items of a piece: a row group of their file, and a minute of work for an encoder of sentences."""

FOLDER: Final = "embeddings"
SUFFIX: Final = ".parquet"
FAULTS: Final = ".faults.parquet"
VECTOR: Final = "vector"

_FAULT_COLUMNS: Final = {"item": pl.String, "annotator": pl.String, "error": pl.String, "traceback": pl.String}


class Embeddings:
    """What encoders made of the items.

    A vector follows from the encoder and the item alone, so a file is right from the moment it is there, whoever wrote
    it; the manifest, written last, says of which encoder they are and how many items were at fault.

    Parameters
    ----------
    files : Files
        The lake's files.
    lock : WritingLock
        Held while a manifest is written.
    items : ItemSet
        Whose pieces they are.
    """

    def __init__(self, files: Files, lock: WritingLock, items: ItemSet) -> None:
        self._files = files
        self._lock = lock
        self._items = items

    def pieces(self, part: Partition | None = None) -> list[Partition]:
        """The plan of work over all items, or what of it holds rows of a partition; in lake order."""
        every = self._items.partitions(PIECE_ROWS)
        if part is None:
            return every
        return [p for p in every if p.uri == part.uri and p.start < part.stop and part.start < p.stop]

    def has(self, encoder: str, piece: Partition) -> bool:
        """True if the vectors of a piece are there."""
        return self._files.exists(_key(encoder, piece))

    def done(self, encoder: str) -> set[str]:
        """Ids of all pieces that an encoder's vectors are there for, by one listing."""
        names = self._files.names(_folder(encoder))
        return {name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX) and not name.endswith(FAULTS)}

    def publish(self, encoder: str, piece: Partition, encoded: Encoded) -> str:
        """Put a piece's vectors there; of racing attempts the first wins, and all have the same.

        Faults go first, so that vectors are never there without them.

        Parameters
        ----------
        encoder : str
            Its fingerprint.
        piece : Partition
            One of `pieces`.
        encoded : Encoded
            One vector for each of its items.

        Returns
        -------
        str
            Key of the file.
        """
        key = _key(encoder, piece)
        if self._files.exists(key):
            return key
        if encoded.faults:
            rows = [(fault.item, fault.annotator, fault.error, fault.traceback) for fault in encoded.faults]
            self._files.replace(
                _faults_key(encoder, piece), to_parquet(pl.DataFrame(rows, schema=_FAULT_COLUMNS, orient="row"))
            )
        n_dimensions = encoded.features.shape[1]
        vectors = pl.Series(VECTOR, encoded.features, dtype=pl.Array(pl.Float32, n_dimensions))
        self._files.publish(key, to_parquet(vectors.to_frame()))
        return key

    def read(self, encoder: str, part: Partition) -> npt.NDArray[np.float32] | None:
        """The vectors of a partition, shape (n_items, n_dimensions); None if some of them are not there."""
        pieces = self.pieces(part)
        if not all(self._files.exists(_key(encoder, piece)) for piece in pieces):
            return None
        return np.concatenate([self.read_piece(encoder, piece, part) for piece in pieces])

    def read_piece(self, encoder: str, piece: Partition, part: Partition | None = None) -> npt.NDArray[np.float32]:
        """The vectors of a piece, or those of its rows that lie in a partition."""
        start = piece.start if part is None else max(piece.start, part.start)
        stop = piece.stop if part is None else min(piece.stop, part.stop)
        frame = self._files.read_frame(_key(encoder, piece), start=start - piece.start, length=stop - start)
        vectors: npt.NDArray[np.float32] = frame[VECTOR].to_numpy()
        return vectors

    def seal(self, encoder: str, told: Mapping[str, Any], pieces: Sequence[Partition]) -> int:
        """Put on record that these pieces are there, beside those sealed before; how many items were at fault in all.

        Parameters
        ----------
        encoder : str
            Its fingerprint.
        told : mapping
            How it is spoken of, and its options.
        pieces : sequence of Partition

        Raises
        ------
        StorageError
            If a piece is not there.
        """
        there = set(self._files.names(_folder(encoder)))
        missing = [piece.id for piece in pieces if f"{piece.id}{SUFFIX}" not in there]
        if missing:
            raise StorageError(
                f"{self._files.place(_folder(encoder))}: the vectors of {len(missing)} pieces are not there, first "
                f"{missing[0]!r}: run `labelmill embed` again"
            )
        with self._lock.held():
            old = self._manifest(encoder)["pieces"]
            entries = old | {
                piece.id: {
                    "uri": piece.uri,
                    "start": piece.start,
                    "stop": piece.stop,
                    "faults": self._count_faults(encoder, piece, there),
                }
                for piece in pieces
                if piece.id not in old
            }
            if entries != old:
                self._files.write_json(_manifest_key(encoder), {**told, "pieces": entries})
        return sum(entry["faults"] for entry in entries.values())

    def forget_faulty(self, encoder: str) -> None:
        """Remove the pieces with items at fault, so that they are encoded again: a file may have been mended."""
        with self._lock.held():
            manifest = self._manifest(encoder)
            faulty = {name: entry for name, entry in manifest["pieces"].items() if entry["faults"]}
            if not faulty:
                return
            kept = {name: entry for name, entry in manifest["pieces"].items() if name not in faulty}
            self._files.write_json(_manifest_key(encoder), {**manifest, "pieces": kept})
            for name, entry in faulty.items():
                piece = Partition(name, entry["uri"], entry["start"], entry["stop"])
                self._files.delete(_key(encoder, piece))
                self._files.delete(_faults_key(encoder, piece))

    def sealed(self, encoder: str) -> set[str]:
        """Ids of the pieces that an encoder's manifest names."""
        return set(self._manifest(encoder)["pieces"])

    def faults(self, encoder: str) -> list[Fault]:
        """The items that an encoder could not encode, and why."""
        found = []
        for name, entry in self._manifest(encoder)["pieces"].items():
            if entry["faults"]:
                piece = Partition(name, entry["uri"], entry["start"], entry["stop"])
                found += [Fault(*row) for row in self._files.read_frame(_faults_key(encoder, piece)).iter_rows()]
        return found

    def _manifest(self, encoder: str) -> dict[str, Any]:
        return self._files.read_json(_manifest_key(encoder)) or {"pieces": {}}

    def _count_faults(self, encoder: str, piece: Partition, there: set[str]) -> int:
        if f"{piece.id}{FAULTS}" not in there:
            return 0
        return self._files.count_rows(_faults_key(encoder, piece))


def _folder(encoder: str) -> str:
    return f"{FOLDER}/{checked_name('encoder', encoder)}"


def _key(encoder: str, piece: Partition) -> str:
    return f"{_folder(encoder)}/{piece.id}{SUFFIX}"


def _faults_key(encoder: str, piece: Partition) -> str:
    return f"{_folder(encoder)}/{piece.id}{FAULTS}"


def _manifest_key(encoder: str) -> str:
    return f"{_folder(encoder)}/manifest.json"
