"""What a run has to do, as data: it can be kept in the lake and done by others, elsewhere and later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.domain.ports import Engine, Stage
from labelmill.domain.schema import LabelSchema
from labelmill.engines._versions import versions
from labelmill.errors import StorageError
from labelmill.pipeline._annotate_stage import AnnotateStage
from labelmill.pipeline._ballots import Machine
from labelmill.pipeline._code_bundle import Code
from labelmill.pipeline._features import Features
from labelmill.pipeline._media_here import MediaFolders
from labelmill.pipeline._predict_stage import PredictStage
from labelmill.pipeline._stage_run import Tally, receipts_of, side_by_side
from labelmill.pipeline.workspace import Workspace

__all__ = ["Job", "Plan", "delete_plan", "execute", "read_plan", "write_plan"]


@dataclass(frozen=True)
class Job:
    """Annotators that need the same from a worker, and the partitions they have to vote on.

    Parameters
    ----------
    digest : str
        Name of the set of votes they make.
    entries : mapping of str to mapping
        Annotator -> {"fingerprint", "kind"}, as the set of votes is sealed.
    loaded : mapping of str to str
        Annotator -> fingerprint of what a worker loads: a rule, or a model's folder.
    partitions : tuple of Partition
    need : Resources
        What a worker has.
    """

    digest: str
    entries: Mapping[str, Mapping[str, str]]
    loaded: Mapping[str, str]
    partitions: tuple[Partition, ...]
    need: Resources


@dataclass(frozen=True)
class Plan:
    """Everything a worker needs to know, and what is written when all is done.

    Parameters
    ----------
    verb : {"annotate", "predict"}
    schema : LabelSchema
    jobs : tuple of Job
    machines : tuple of Machine
        Rules whose votes count from the end of the run on, beside the models'.
    code : Code or None
        The user's code, for annotators that are rules.
    timeout : float
        Seconds a labeling function may take on one item.
    versions : mapping of str to str
        What the driver has of Python and the libraries that votes depend on.
    features : mapping of str to Features
        Where the vectors come from, for each learner that reads them.
    media : MediaFolders
        The way to pictures and recordings, for learners that read them.
    """

    verb: str
    schema: LabelSchema
    jobs: tuple[Job, ...]
    machines: tuple[Machine, ...] = ()
    code: Code | None = None
    timeout: float = 0.0
    versions: Mapping[str, str] = field(default_factory=versions)
    features: Mapping[str, Features] = field(default_factory=dict)
    media: MediaFolders = field(default_factory=lambda: MediaFolders(()))

    @property
    def n_partitions(self) -> int:
        """Pieces of work."""
        return sum(len(job.partitions) for job in self.jobs)

    def stage(self, job: Job, lake: str, *, isolated: bool) -> Stage:
        """What a worker does with a partition of a job."""
        if self.code is not None:
            fingerprints = dict(job.loaded)
            return AnnotateStage(lake, self.code, fingerprints, job.digest, self.schema, self.timeout, isolated)
        ((name, model),) = job.loaded.items()
        return PredictStage(lake, name, model, job.digest, self.schema, self.features.get(name), self.media)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The plan that `to_dict` wrote."""
        schema, code = data["schema"], data["code"]
        return cls(
            data["verb"],
            LabelSchema.of(schema),
            tuple(_job(job) for job in data["jobs"]),
            tuple(Machine(**machine) for machine in data["machines"]),
            None if code is None else _code(code),
            data["timeout"],
            data["versions"],
            {name: Features.from_dict(told) for name, told in data.get("features", {}).items()},
            MediaFolders(tuple(data.get("media", {}).get("folders", ()))),
        )


def _job(data: Mapping[str, Any]) -> Job:
    partitions = tuple(Partition(*partition) for partition in data["partitions"])
    return Job(data["digest"], data["entries"], data["loaded"], partitions, Resources(*data["need"]))


def _code(data: Mapping[str, Any]) -> Code:
    pairs = {name: tuple(tuple(pair) for pair in data[name]) for name in ("files", "libraries")}
    plain = {name: tuple(data.get(name, ())) for name in ("paths", "declared", "media")}
    return Code(**{**data, **pairs, **plain})


def write_plan(workspace: Workspace, run_id: str, plan: Plan) -> None:
    """Keep the plan of a run in the lake."""
    workspace.lake.write_document(_name(run_id), plan.to_dict())


def read_plan(workspace: Workspace, run_id: str) -> Plan | None:
    """The plan of a run; None if it was not planned for others.

    Raises
    ------
    StorageError
        If it was written by another version.
    """
    data = workspace.lake.read_document(_name(run_id))
    if data is None:
        return None
    try:
        return Plan.from_dict(data)
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(
            f"the plan of {run_id} cannot be read by this version of labelmill ({error!r}): plan the work again"
        ) from error


def delete_plan(workspace: Workspace, run_id: str) -> None:
    """Forget a plan whose work is done."""
    workspace.lake.delete_document(_name(run_id))


def execute(
    workspace: Workspace,
    plan: Plan,
    engine: Engine,
    *,
    workers: int | None,
    mine: Mapping[str, set[str]] | None = None,
    seals: bool = True,
) -> Tally:
    """Do what a plan says and has not been done yet.

    Jobs that need different workers run side by side on an engine with workers of its own.

    Parameters
    ----------
    engine : Engine
    workers : int, optional
        How many workers at most.
    mine : mapping of str to set of str, optional
        Digest of a job -> partitions to do; all without it.
    seals : bool
        Make the votes of each job count as soon as it is done.

    Raises
    ------
    AnnotationError
        If a partition could not be finished; the others are kept.
    """
    todo = {job.digest: _todo(workspace, job, mine) for job in plan.jobs}
    about = [p for job in plan.jobs for p in job.partitions if mine is None or p.id in mine[job.digest]]
    n_open = sum(map(len, todo.values()))
    rows_open = sum(partition.n_rows for group in todo.values() for partition in group)
    total = sum(partition.n_rows for partition in about)
    tally = Tally(total, len(about), n_rows_before=total - rows_open, n_before=len(about) - n_open)
    progress = workspace.watch(plan.verb)
    progress(tally.n_rows, total, tally.detail())
    lanes = [
        _lane(workspace, plan, jobs, todo, engine, workers)
        for jobs in _lanes(plan.jobs, isolated=getattr(engine, "isolates", False))
    ]
    for job, receipt in side_by_side(lanes, engine.close):
        if receipt is not None:
            tally.add(receipt)
            progress(tally.n_rows, total, tally.detail())
        elif seals:
            workspace.lake.seal_votes(job.digest, job.entries, job.partitions)
    return tally


def _todo(workspace: Workspace, job: Job, mine: Mapping[str, set[str]] | None) -> list[Partition]:
    done = workspace.lake.done_partitions(job.digest)
    return [p for p in job.partitions if p.id not in done and (mine is None or p.id in mine[job.digest])]


def _lanes(jobs: Sequence[Job], *, isolated: bool) -> list[list[Job]]:
    """Jobs that run one after another; between the lists, side by side."""
    lanes: dict[Resources, list[Job]] = {}
    for job in jobs:
        lanes.setdefault(job.need if isolated else Resources(), []).append(job)
    return list(lanes.values()) or [[]]


def _lane(
    workspace: Workspace,
    plan: Plan,
    jobs: Sequence[Job],
    todo: Mapping[str, list[Partition]],
    engine: Engine,
    workers: int | None,
) -> Iterator[tuple[Job, Receipt | None]]:
    """Pairs (job, receipt), and (job, None) when the job is done."""
    for job in jobs:
        stage = plan.stage(job, workspace.lake.uri, isolated=getattr(engine, "isolates", False))
        given = [n for n in (workers, job.need.workers) if n is not None]
        need = job.need._replace(workers=min(given, default=None))
        for receipt in receipts_of(workspace, stage, todo[job.digest], engine, need, digest=job.digest):
            yield job, receipt
        yield job, None


def _name(run_id: str) -> str:
    return f"plan-{run_id}"
