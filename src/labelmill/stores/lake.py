"""The lake: a project's items, votes, consensus and records as files under one folder or URI."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from labelmill.domain.item import ItemBatch, Modality
from labelmill.domain.partition import Partition
from labelmill.domain.run import Run
from labelmill.domain.vote import Fault
from labelmill.stores._files import ORPHAN_AGE
from labelmill.stores._local_files import LocalFiles
from labelmill.stores._places import open_files
from labelmill.stores.attempts import Attempts, Token
from labelmill.stores.code_bundles import CodeBundles
from labelmill.stores.consensus_versions import ConsensusVersion, ConsensusVersions
from labelmill.stores.embeddings import Embeddings
from labelmill.stores.folders import Models, Releases
from labelmill.stores.imported_votes import ImportedVotes
from labelmill.stores.item_set import ItemsAppender, ItemSet
from labelmill.stores.lock import WritingLock
from labelmill.stores.records import Documents, Runs
from labelmill.stores.tables import Tables
from labelmill.stores.vote_sets import VoteSet, VoteSets

__all__ = ["Lake"]


class Lake:
    """Everything a project knows, in files.

    ::

        items/manifest.json               the files of items that count, in order
        items/<n>-<hash>.parquet          columns id, data, meta.<name>, facts.<name>
        votes/<digest>/manifest.json      the annotators and the partitions that count
        votes/<digest>/<partition>.parquet         one column an annotator, row for row with the items
        votes/<digest>/<partition>.faults.parquet  item, annotator, error, traceback; only where there are faults
        votes/<digest>/_try/<partition>~<random>   attempts that began and did not end
        votes/imported/manifest.json      files of votes in the order they came
        embeddings/<encoder>/             <piece>.parquet, row for row with the items; see `Embeddings`
        consensus/<digest>/               <partition>.parquet and meta.json; consensus/manifest.json names the current
        reduce/<digest>/<name>.parquet    statistics of partitions and their merges; may be removed at any time
        code/<digest>.zip                 the user's code, for workers that do not have it
        documents/<name>.json             plans, certificates and the like
        runs/<id>.json                    what ran
        models/<name>/<fingerprint>/      trained models; models/<name>/current.json names the current
        releases/<name>/                  frozen datasets, with manifest.json

    A set of files counts from the moment its manifest, written last, names them; every file appears whole or not at
    all. A killed writer leaves the old state or the new one, and perhaps temporary files, which `writing` sweeps.
    An object of this class holds no open files, and travels to workers by pickle.

    Parameters
    ----------
    place : Path or str
        A folder, which is made when something is first written, and whose parent exists; or a URI: `s3://bucket/prefix`,
        `gs://bucket/prefix`, `az://container/prefix`, `hdfs://namenode:port/path`, `file:///path`.

    Raises
    ------
    StorageError
        From every method that touches files: what could not be read or written, why, and what to do.
    """

    def __init__(self, place: Path | str) -> None:
        self._files = open_files(place)
        self._lock = WritingLock(self._files)
        self._items = ItemSet(self._files, self._lock)
        self._votes = VoteSets(self._files, self._lock)
        self._imported = ImportedVotes(self._files, self._lock)
        self._consensus = ConsensusVersions(self._files, self._lock)
        self._documents = Documents(self._files)
        self._runs = Runs(self._files)
        self._models = Models(self._files)
        self._releases = Releases(self._files)
        self._attempts = Attempts(self._files)
        self._tables = Tables(self._files)
        self._code = CodeBundles(self._files)
        self.embeddings = Embeddings(self._files, self._lock, self._items)

    def __reduce__(self) -> tuple[type[Lake], tuple[str]]:
        return Lake, (self.uri,)

    def __repr__(self) -> str:
        return f"Lake({self._files.place('')!r})"

    @property
    def root(self) -> Path:
        """Its folder, if it lies in one.

        Raises
        ------
        AttributeError
            If it lies on an object store.
        """
        if isinstance(self._files, LocalFiles):
            return self._files.root
        raise AttributeError(f"{self.uri} is no folder: a lake on an object store has a `uri` and no `root`")

    @property
    def uri(self) -> str:
        """Where it lies, as workers elsewhere can open it: `Lake(uri)`."""
        return self._files.uri

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only one who writes: one verb at a time, held until the block or the process ends.

        The thread that holds it may enter again. On an object store the right to write is a lease: it is renewed
        while the block runs, and what a killed process held runs out within a minute.

        Raises
        ------
        StorageError
            If another process or thread is writing; names it. At the end of the block, if the lease was lost.
        """
        with self._lock.held() as is_new:
            if is_new:
                self._items.look_again()
                self._files.sweep()
            yield

    def is_being_written(self) -> bool:
        """True if some process or thread is inside `writing` at the moment."""
        return self._lock.is_held()

    def check_lease(self) -> None:
        """Raise StorageError if this lake was held for writing and another has taken over: stop what is under way.

        It asks nobody, so a loop may call it as often as it likes.
        """
        self._lock.check()

    def sweep(self, *, older_than: float = ORPHAN_AGE) -> int:
        """Remove what killed writers left behind, if it is older than so many seconds; how many were removed."""
        return self._files.sweep(older_than=older_than)

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self._items)

    def item_partitions(self, *, max_rows: int | None = None) -> list[Partition]:
        """The plan of work over all items, the same each time it is asked for.

        Parameters
        ----------
        max_rows : int, optional
            Most items of a partition; without it, a partition is a file (at most 100,000 items, or 8 MB of text and
            an item, or 2,000 images or recordings).
        """
        return self._items.partitions(max_rows)

    def read_items(self, partition: Partition, columns: Sequence[str] | None = None) -> ItemBatch:
        """The items of a partition, with all columns the lake has or the ones named."""
        return self._items.read(partition, columns)

    def item_ids(self) -> pl.Series:
        """All ids in lake order."""
        return self._items.ids()

    def items(self, ids: Sequence[str] | None = None) -> ItemBatch:
        """All items, or those with the given ids in the given order.

        Raises
        ------
        UsageError
            If an id is unknown.
        """
        return self._items.batch(ids)

    def append_items(self, *, source: str, modality: Modality = "text") -> ItemsAppender:
        """A context manager that takes frames of items; they count when its block ends well, all at once.

        Parameters
        ----------
        source : str
            Where they come from, for the manifest.
        modality : {"text", "image", "audio"}
            What their data is: files of images and recordings have fewer rows.
        """
        return self._items.append(source=source, modality=modality)

    def has_votes(self, digest: str, partition_id: str) -> bool:
        """True if the partition's votes are published."""
        return self._votes.has(digest, partition_id)

    def done_partitions(self, digest: str) -> set[str]:
        """Ids of all partitions whose votes are published, by one listing."""
        return self._votes.done(digest)

    def publish_votes(self, digest: str, partition_id: str, votes: pl.DataFrame, faults: Sequence[Fault]) -> str:
        """Put a partition's votes there; of racing attempts the first wins.

        Parameters
        ----------
        digest : str
            Hash of the annotators' names and fingerprints.
        partition_id : str
        votes : polars.DataFrame
            Row for row with the partition's items: one Int16 column an annotator (ABSTAIN = -1), List(Int16) for
            `multi_choice`, String (JSON) where answers are more than classes; a model's class probabilities as
            `p.<annotator>`.
        faults : sequence of Fault

        Returns
        -------
        str
            Key of the file, relative to the root.
        """
        return self._votes.publish(digest, partition_id, votes, faults)

    def seal_votes(
        self, digest: str, annotators: Mapping[str, Mapping[str, str]], partitions: Sequence[Partition]
    ) -> None:
        """Make the votes on these partitions count, beside those sealed before under this digest.

        Parameters
        ----------
        digest : str
        annotators : mapping of str to mapping
            Name -> {"fingerprint", "kind"}.
        partitions : sequence of Partition
            All published; StorageError otherwise.
        """
        self._votes.seal(digest, annotators, partitions)

    def vote_sets(self) -> list[VoteSet]:
        """All sealed sets of machine votes, by digest."""
        return self._votes.sealed()

    def read_votes(self, digest: str, partition_id: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """A partition's votes, row for row with its items."""
        return self._votes.read(digest, partition_id, columns)

    def read_faults(self, digest: str) -> pl.DataFrame:
        """Faults of a sealed set: columns `item`, `annotator`, `error`, `traceback`."""
        return self._votes.faults(digest)

    def begin_attempt(self, digest: str, partition_id: str, note: bytes) -> Token:
        """Put on record that work on a partition begins; the token takes notes of how far it is."""
        return self._attempts.begin(digest, partition_id, note)

    def end_attempt(self, token: Token) -> None:
        """Put on record that an attempt ended, well or badly: its worker lives."""
        self._attempts.end(token)

    def left_over_attempts(self, digest: str, partition_id: str) -> list[bytes]:
        """Last notes of attempts that began and did not end, because they run still or their worker died."""
        return self._attempts.left_over(digest, partition_id)

    def clear_attempts(self, digest: str, partition_id: str) -> None:
        """Forget all attempts on a partition."""
        self._attempts.clear(digest, partition_id)

    def append_votes(self, frame: pl.DataFrame, *, source: str) -> None:
        """Add votes that come from a file.

        Parameters
        ----------
        frame : polars.DataFrame
            Columns `item`, `annotator`, `value` (class name or JSON list, null = abstain), `confidence`, `at`,
            `purpose`, `kind`.
        source : str
            Where they come from, for the manifest.
        """
        self._imported.append(frame, source=source)

    def imported_votes(self) -> pl.DataFrame:
        """All votes that came from files, in order of import."""
        return self._imported.frame()

    def publish_consensus(self, digest: str, partition_id: str, frame: pl.DataFrame) -> str:
        """Put a partition's consensus there, row for row with its items; its key. Of racing attempts the first wins.

        Parameters
        ----------
        digest : str
            Hash of everything the consensus follows from.
        partition_id : str
        frame : polars.DataFrame
        """
        return self._consensus.publish(digest, partition_id, frame)

    def done_consensus(self, digest: str) -> set[str]:
        """Ids of the partitions whose consensus is published, by one listing."""
        return self._consensus.done(digest)

    def seal_consensus(self, digest: str, partitions: Sequence[Partition], meta: Mapping[str, Any]) -> int:
        """Make a consensus current; the number of its version.

        Numbers in `meta` that are not finite are kept as null.
        """
        return self._consensus.seal(digest, partitions, meta)

    def consensus(self) -> ConsensusVersion | None:
        """The current consensus: its digest, partitions and meta; None if there is none."""
        return self._consensus.current()

    def read_consensus(self, digest: str, partition_id: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """A partition's consensus, row for row with its items."""
        return self._consensus.read(digest, partition_id, columns)

    def publish_table(self, reduce: str, name: str, frame: pl.DataFrame) -> str:
        """Put a small table of a reduce there; its key. Of racing attempts the first wins."""
        return self._tables.publish(reduce, name, frame)

    def read_table(self, reduce: str, name: str) -> pl.DataFrame:
        """A table of a reduce."""
        return self._tables.read(reduce, name)

    def table_names(self, reduce: str) -> set[str]:
        """Names of all tables of a reduce, by one listing."""
        return self._tables.names(reduce)

    def delete_tables(self, reduce: str) -> None:
        """Remove all tables of a reduce."""
        self._tables.delete(reduce)

    def publish_code(self, content: bytes) -> str:
        """Put an archive of the user's code there; its digest."""
        return self._code.publish(content)

    def read_code(self, digest: str) -> bytes:
        """An archive of the user's code."""
        return self._code.read(digest)

    def write_document(self, name: str, data: Mapping[str, Any]) -> None:
        """Put a JSON document there, in place of one of the same name."""
        self._documents.write(name, data)

    def read_document(self, name: str) -> dict[str, Any] | None:
        """A JSON document; None if there is none of that name."""
        return self._documents.read(name)

    def delete_document(self, name: str) -> None:
        """Remove a JSON document if there is one."""
        self._documents.delete(name)

    def save_run(self, run: Run) -> None:
        """Put a run on record, in place of the same run's older record."""
        self._runs.save(run)

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        return self._runs.all()

    def run(self, run_id: str) -> Run:
        """The run with an id.

        Raises
        ------
        UsageError
            If there is none; names the nearest.
        """
        return self._runs.read(run_id)

    def model_folder(self, name: str, fingerprint: str) -> Path:
        """A folder of this machine with a model's files: the lake's own, or a copy, fetched once a process."""
        return self._models.folder(name, fingerprint)

    def publish_model(self, name: str, write: Callable[[Path], None], *, fingerprint: str | None = None) -> Path:
        """Make what `write` puts into the folder it is given the current model of that name; its folder.

        Without a fingerprint the folder is named by a hash of the files.
        """
        return self._models.publish(name, write, fingerprint=fingerprint)

    def current_model(self, name: str) -> Path | None:
        """Folder of the current model of that name, called by its fingerprint; None if there is none."""
        return self._models.current(name)

    def publish_release(self, name: str, write: Callable[[Path], None]) -> Path:
        """Freeze what `write` puts into the folder it is given, with a manifest of its files.

        Raises
        ------
        UsageError
            If there is a release of that name with other content.

        Returns
        -------
        Path
            A folder of this machine with the release: the lake's own, or a copy that goes when the process ends.
        """
        return self._releases.publish(name, write)

    def release_place(self, name: str) -> str:
        """Where a release lies, for people to read: a path or a URI."""
        return self._releases.place(name)

    def release_names(self) -> list[str]:
        """Sorted names of all releases."""
        return self._releases.names()
