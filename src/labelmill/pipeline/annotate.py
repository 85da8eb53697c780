"""Annotate: every rule votes on every item it has not voted on at its present fingerprint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from labelmill import registry
from labelmill.domain.partition import Partition, Resources
from labelmill.domain.ports import Annotator
from labelmill.domain.run import Run
from labelmill.domain.schema import LabelSchema
from labelmill.errors import (
    FailedError,
    LabelmillError,
    MissingDependencyError,
    ProjectError,
    RulesError,
    nearest,
)
from labelmill.pipeline._code_bundle import LoadedCode, load_code, publish_code
from labelmill.pipeline._digests import digest_of
from labelmill.pipeline._engines import open_engine, stays_here
from labelmill.pipeline._plan import Job, Plan, execute, write_plan
from labelmill.pipeline._stage_run import Tally
from labelmill.pipeline.faults import current_faults
from labelmill.pipeline.project import PROJECT_FILE
from labelmill.pipeline.votes import CURRENT, Machine, current_machines, schema_fingerprint
from labelmill.pipeline.workspace import Workspace

__all__ = [
    "Annotated",
    "Planned",
    "annotate",
    "check_classes",
    "finish_annotate",
    "plan_annotate",
    "planned",
]


@dataclass(frozen=True, slots=True)
class Annotated:
    """What a run of the annotators did.

    Parameters
    ----------
    run : Run
        Its record; `labelmill runs show` lists its faults.
    n_items : int
        Items in the lake.
    n_partitions, n_done_before : int
        Pieces of work in the plan, and how many of them an earlier run had finished.
    ran : list of str
        Annotators that had something to vote on.
    faults : mapping of str to int
        Annotator -> items it failed on.
    printed : str
        Start of what the user's code printed.
    """

    run: Run
    n_items: int
    n_partitions: int
    n_done_before: int
    ran: list[str]
    faults: Mapping[str, int] = field(default_factory=dict)
    printed: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """Work that is planned for `labelmill work`.

    Parameters
    ----------
    run : Run
        Its record, in state `planned`.
    n_items : int
        Items that it is about.
    n_partitions : int
        Pieces of work.
    """

    run: Run
    n_items: int
    n_partitions: int


def annotate(
    workspace: Workspace,
    *,
    engine: str | None = None,
    workers: int | None = None,
    timeout: float | None = None,
) -> Annotated:
    """Run every rule that has not voted yet; what an earlier run finished is not done again.

    Parameters
    ----------
    engine : str, optional
        Name or address of an engine; the project's without it.
    workers : int, optional
        How many workers at most.
    timeout : float, optional
        Seconds a labeling function may take on one item.

    Raises
    ------
    AnnotationError
        If a partition could not be finished; the others are kept.
    RulesError
        If the rules cannot be loaded, name a class the schema does not have, or are named like another annotator.
    """
    rules = _rules(workspace)
    name = engine or workspace.project["annotate.engine"]
    with workspace.lake.writing(), closing(open_engine(name)) as opened:
        given = {"workers": workers, "timeout": timeout}
        parameters = {key: value for key, value in given.items() if value is not None}
        fingerprints = _fingerprints(workspace, rules)
        with workspace.running("annotate", engine=name, annotators=fingerprints, parameters=parameters) as run:
            plan = _plan(workspace, rules, timeout, must_travel=not stays_here(name))
            most = workspace.most_workers(workers)
            tally = execute(workspace, plan, opened, workers=most)
            ended = finish_annotate(workspace, run, plan, tally)
    ran = sorted({name for job in plan.jobs for name in job.entries}, key=list(fingerprints).index)
    n_before, printed = ended.counts["partitions_done_before"], tally.printed
    return Annotated(ended, workspace.lake.n_items, plan.n_partitions, n_before, ran, ended.faults, printed)


def plan_annotate(workspace: Workspace, *, timeout: float | None = None) -> Planned:
    """Put on record what `annotate` would do, for `labelmill work` on any number of machines.

    Parameters
    ----------
    timeout : float, optional
        Seconds a labeling function may take on one item.
    """
    rules = _rules(workspace)
    plan = _plan(workspace, rules, timeout, must_travel=True)
    parameters = {} if timeout is None else {"timeout": timeout}
    return planned(workspace, plan, annotators=_fingerprints(workspace, rules), parameters=parameters)


def planned(workspace: Workspace, plan: Plan, **details: Any) -> Planned:
    """A plan on record, as a run that waits for workers."""
    partitions = {partition for job in plan.jobs for partition in job.partitions}
    n_items = sum(partition.n_rows for partition in partitions)
    run = workspace.begin(plan.verb, state="planned", **details)
    write_plan(workspace, run.id, plan)
    return Planned(run, n_items, plan.n_partitions)


def finish_annotate(workspace: Workspace, run: Run, plan: Plan, tally: Tally) -> Run:
    """From now on the votes of exactly these rules count, beside those of the models; the run is finished.

    Votes of a plan that newer rules have overtaken are kept, and do not count.
    """
    finished = [r for r in workspace.lake.runs() if r.verb == run.verb and r.state == "finished"]
    if not any(other.started > run.started for other in finished):
        learned = [machine for machine in current_machines(workspace) if machine.evaluation == "learned"]
        machines = [asdict(machine) for machine in [*plan.machines, *learned]]
        workspace.lake.write_document(CURRENT, {"machines": machines})
    found = Counter(fault.annotator for fault in current_faults(workspace))
    faults = {name: n for name, n in sorted(found.items()) if name in run.annotators}
    counts = {
        "items": workspace.lake.n_items,
        "partitions": plan.n_partitions,
        "partitions_done_before": tally.n_before,
        "faults": sum(faults.values()),
    }
    code = plan.code.bundle if plan.code else ""
    return workspace.end(run, counts=counts, faults=faults, timings=tally.seconds, hosts=dict(tally.hosts), code=code)


def _rules(workspace: Workspace) -> LoadedCode:
    """The rules, if they fit the project."""
    project = workspace.project
    if not project.has_annotators:
        raise ProjectError(
            f"{project.folder / project['annotators.code']}: no such file; write labeling functions there, "
            "name their file in labelmill.toml: [annotators] code = ..., or declare a model: [[annotators.declared]]"
        )
    rules = load_code(project, project.code)
    place = project.code or project.folder / PROJECT_FILE
    check_classes(rules.annotators, workspace.schema, place)
    _check_names(workspace, rules.annotators, place)
    if workspace.lake.n_items == 0:
        raise FailedError("there are no items yet: bring some with `labelmill import FILE`")
    return rules


def _fingerprints(workspace: Workspace, rules: LoadedCode) -> dict[str, str]:
    """Annotator -> fingerprint of its votes: of itself and the question, with the attributes that values may have."""
    asked = schema_fingerprint(workspace.schema)
    if workspace.schema.attributes:
        asked += digest_of([attribute.to_dict() for attribute in workspace.schema.attributes])[:8]
    return {name: f"{fingerprint}-{asked}" for name, fingerprint in rules.fingerprints.items()}


def check_classes(annotators: Sequence[Annotator], schema: LabelSchema, code: Path) -> None:
    """Refuse rules that declare a class which the schema does not have; functions are only known by their answers.

    Raises
    ------
    RulesError
        Names the rule, the class and the nearest known one. Also if answers are more than classes, and the rule can
        only name one.
    """
    for annotator in annotators:
        if schema.is_structured and hasattr(annotator, "classes"):
            raise RulesError(
                f"{code}: {annotator.name!r} names classes, and an answer to a question of the kind {schema.kind!r} is "
                "more than that: write a function with @labeling_function that returns it"
            )
        for name in getattr(annotator, "classes", ()):
            if name not in schema.classes:
                raise RulesError(
                    f"{code}: {annotator.name!r} votes for the unknown class {name!r}: {nearest(name, schema.classes)}"
                )


def _check_names(workspace: Workspace, annotators: Sequence[Annotator], code: Path) -> None:
    """A name stands for one annotator: no rule is called like a person whose votes are there, or like a learner."""
    people = set(workspace.lake.imported_votes()["annotator"].unique())
    for annotator in annotators:
        if annotator.name in people:
            raise RulesError(
                f"{code}: the rule {annotator.name!r} is named like an annotator whose votes were imported: "
                "give the rule another name"
            )
        if annotator.name in registry.names("learner"):
            raise RulesError(
                f"{code}: the rule {annotator.name!r} is named like a learner, which votes under that name: "
                "give the rule another name"
            )


def _plan(workspace: Workspace, rules: LoadedCode, timeout: float | None, *, must_travel: bool) -> Plan:
    fingerprints = _fingerprints(workspace, rules)
    by_name = {annotator.name: annotator for annotator in rules.annotators}
    jobs = []
    waiting = _open(workspace, fingerprints)
    asked = [by_name[name] for name in fingerprints if any(name in missing for missing in waiting)]
    _look_before(workspace, asked, here=not must_travel)
    for missing, partitions in waiting.items():
        for need, names in _by_need(by_name[name] for name in missing):
            entries = {name: {"fingerprint": fingerprints[name], "kind": by_name[name].kind} for name in names}
            loaded = {name: rules.fingerprints[name] for name in names}
            digest = digest_of(sorted((name, fingerprints[name]) for name in names))
            jobs.append(Job(digest, entries, loaded, tuple(partitions), need))
    return Plan(
        "annotate",
        workspace.schema,
        _merged(jobs),
        _machines(workspace, rules.annotators, fingerprints),
        publish_code(workspace.lake, rules, must_travel=must_travel),
        workspace.project["annotate.timeout"] if timeout is None else timeout,
    )


def _open(workspace: Workspace, fingerprints: Mapping[str, str]) -> dict[tuple[str, ...], list[Partition]]:
    """Names of annotators that still have to vote -> the partitions they have to vote on."""
    voted: dict[str, set[tuple[str, str]]] = {}
    for votes in workspace.lake.vote_sets():
        entries = {(name, entry["fingerprint"]) for name, entry in votes.annotators.items()}
        for partition in votes.partitions:
            voted.setdefault(partition.id, set()).update(entries)
    plan: dict[tuple[str, ...], list[Partition]] = {}
    for partition in workspace.lake.item_partitions():
        there = voted.get(partition.id, set())
        missing = tuple(name for name, fingerprint in fingerprints.items() if (name, fingerprint) not in there)
        if missing:
            plan.setdefault(missing, []).append(partition)
    return plan


def _look_before(workspace: Workspace, annotators: Sequence[Annotator], *, here: bool) -> None:
    """Ask models that will be run whether they can be: before the first item, not at each of them.

    Parameters
    ----------
    here : bool
        Whether the work is done on this machine. Others may have the memory, the libraries and the network for it.

    Raises
    ------
    RulesError
        Names the annotator, and says what to do.
    """
    for annotator in annotators:
        look = getattr(annotator, "check", None)
        if not callable(look):
            continue
        try:
            look(workspace.schema, here=here)
        except MissingDependencyError as error:
            raise MissingDependencyError(f"{annotator.name!r}: {error}") from None
        except LabelmillError as error:
            raise RulesError(f"{annotator.name!r} cannot vote: {error}") from error


def _by_need(annotators: Iterator[Annotator]) -> list[tuple[Resources, list[str]]]:
    """Annotators that need the same from a worker, in the order of the first of each kind."""
    groups: dict[Resources, list[str]] = {}
    for annotator in annotators:
        groups.setdefault(Resources(*annotator.resources), []).append(annotator.name)
    return list(groups.items())


def _merged(jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Jobs of the same annotators as one: their partitions differed only in what other annotators had to do."""
    merged: dict[str, Job] = {}
    for job in jobs:
        before = merged.get(job.digest)
        partitions = (*before.partitions, *job.partitions) if before else job.partitions
        merged[job.digest] = replace(job, partitions=partitions)
    return tuple(merged.values())


def _machines(
    workspace: Workspace, annotators: Sequence[Annotator], fingerprints: Mapping[str, str]
) -> tuple[Machine, ...]:
    return tuple(
        Machine(
            a.name,
            a.kind,
            fingerprints[a.name],
            getattr(a, "evaluation", "python"),
            getattr(a, "reason", "") or "",
            schema_fingerprint(workspace.schema),
        )
        for a in annotators
    )
