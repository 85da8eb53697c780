"""Annotate: every rule votes on every item it has not voted on at its present fingerprint."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from labelmill import registry
from labelmill.annotators._rules_file import load_rules
from labelmill.domain.partition import Partition, Receipt, Resources
from labelmill.domain.ports import Annotator, Engine, Progress, Stage
from labelmill.domain.run import Run
from labelmill.domain.schema import LabelSchema
from labelmill.errors import AnnotationError, FailedError, ProjectError, RulesError, nearest
from labelmill.pipeline._annotate_stage import AnnotateStage
from labelmill.pipeline._attempts import deaths
from labelmill.pipeline.faults import current_faults
from labelmill.pipeline.votes import CURRENT, Machine, current_machines, schema_fingerprint
from labelmill.pipeline.workspace import Workspace

__all__ = ["Annotated", "annotate", "check_classes", "run_stage"]

logger = logging.getLogger(__name__)


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
        Name of an engine; the project's without it.
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
    project = workspace.project
    if project.code is None:
        raise ProjectError(
            f"{project.folder / project['annotators.code']}: no such file; write labeling functions there "
            "or name their file in labelmill.toml: [annotators] code = ..."
        )
    annotators = load_rules(project.code)
    check_classes(annotators, workspace.schema, project.code)
    _check_names(workspace, annotators, project.code)
    fingerprints = {a.name: f"{a.fingerprint}-{schema_fingerprint(workspace.schema)}" for a in annotators}
    if workspace.lake.n_items == 0:
        raise FailedError("there are no items yet: bring some with `labelmill import FILE`")
    name = engine or project["annotate.engine"]
    with workspace.lake.writing():
        run = workspace.begin("annotate", engine=name, annotators=fingerprints)
        try:
            result = _annotate(
                workspace,
                run,
                annotators,
                fingerprints,
                registry.find("engine", name)(),
                Resources(workers=workers or project["annotate.workers"] or None),
                project["annotate.timeout"] if timeout is None else timeout,
            )
        except BaseException as error:
            workspace.fail(run, error)
            raise
    return result


def check_classes(annotators: Sequence[Annotator], schema: LabelSchema, code: Path) -> None:
    """Refuse rules that declare a class which the schema does not have; functions are only known by their answers.

    Raises
    ------
    RulesError
        Names the rule, the class and the nearest known one.
    """
    for annotator in annotators:
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


def run_stage(
    workspace: Workspace,
    stage: Stage,
    partitions: Sequence[Partition],
    engine: Engine,
    need: Resources,
    *,
    digest: str,
    progress: Progress,
) -> list[Receipt]:
    """Receipts of all partitions; one whose worker keeps dying is tried again as long as the ledger learns of it.

    Raises
    ------
    AnnotationError
        If some partitions could not be finished. The finished ones are published.
    """
    receipts: dict[str, Receipt] = {}
    todo = list(partitions)
    known: dict[str, int] = {}
    while todo:
        with closing(_iterator(engine.map(stage, todo, need))) as arriving:
            for receipt in arriving:
                receipts[receipt.partition] = receipt
                progress(sum(r.rows for r in receipts.values() if r.error is None), 0)
        todo = []
        for partition in partitions:
            if receipts[partition.id].died:
                convicted = len(deaths(workspace.lake, digest, partition.id))
                if convicted > known.get(partition.id, 0):
                    known[partition.id] = convicted
                    todo.append(partition)
    failed = [receipt for receipt in receipts.values() if receipt.error is not None]
    if failed:
        raise AnnotationError(
            f"{len(failed)} of {len(partitions)} partitions could not be finished: {failed[0].error}\n"
            "The others are kept: run the same command again to go on."
        )
    return list(receipts.values())


def _iterator(receipts: Iterable[Receipt]):  # type: ignore[no-untyped-def]  # a generator, for its close()
    yield from receipts


def _annotate(
    workspace: Workspace,
    run: Run,
    annotators: Sequence[Annotator],
    fingerprints: Mapping[str, str],
    engine: Engine,
    need: Resources,
    timeout: float,
) -> Annotated:
    lake = workspace.lake
    by_name = {annotator.name: annotator for annotator in annotators}
    plan = _plan(workspace, fingerprints)
    total = sum(partition.n_rows for group in plan.values() for partition in group)
    watch = workspace.watch("annotate")
    n_done = n_before = 0
    printed = ""
    try:
        for names, group in plan.items():
            digest = _digest({name: fingerprints[name] for name in names})
            finished = lake.done_partitions(digest)
            todo = [partition for partition in group if partition.id not in finished]
            n_before += len(group) - len(todo)
            n_done += sum(partition.n_rows for partition in group if partition.id in finished)
            code = workspace.project.code
            stage = AnnotateStage(
                lake.uri,
                Path(code).resolve() if code else Path(),
                {name: by_name[name].fingerprint for name in names},
                digest,
                workspace.schema,
                timeout,
            )
            progress = _offset(watch, n_done, total)
            receipts = run_stage(workspace, stage, todo, engine, need, digest=digest, progress=progress)
            printed = printed or next((receipt.printed for receipt in receipts if receipt.printed), "")
            n_done += sum(partition.n_rows for partition in todo)
            entries = {name: {"fingerprint": fingerprints[name], "kind": by_name[name].kind} for name in names}
            lake.seal_votes(digest, entries, group)
    finally:
        engine.close()
    _remember(workspace, annotators, fingerprints)
    found = Counter(fault.annotator for fault in current_faults(workspace))
    faults = {name: n for name, n in sorted(found.items()) if name in fingerprints}
    counts = {
        "items": lake.n_items,
        "partitions": sum(map(len, plan.values())),
        "partitions_done_before": n_before,
        "faults": sum(faults.values()),
    }
    ended = workspace.end(run, counts=counts, faults=faults)
    ran = sorted({name for names in plan for name in names}, key=list(fingerprints).index)
    return Annotated(ended, lake.n_items, counts["partitions"], n_before, ran, faults, printed)


def _plan(workspace: Workspace, fingerprints: Mapping[str, str]) -> dict[tuple[str, ...], list[Partition]]:
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


def _digest(fingerprints: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(fingerprints.items())).encode()).hexdigest()[:16]


def _offset(watch: Progress, before: int, total: int) -> Progress:
    watch(before, total)
    return lambda done, _: watch(before + done, total)


def _remember(workspace: Workspace, annotators: Sequence[Annotator], fingerprints: Mapping[str, str]) -> None:
    """From now on the votes of exactly these rules count, beside those of the models."""
    rules = [
        Machine(
            a.name,
            a.kind,
            fingerprints[a.name],
            getattr(a, "evaluation", "python"),
            getattr(a, "reason", "") or "",
            schema_fingerprint(workspace.schema),
        )
        for a in annotators
    ]
    learned = [m for m in current_machines(workspace) if m.evaluation == "learned"]
    workspace.lake.write_document(CURRENT, {"machines": [asdict(machine) for machine in [*rules, *learned]]})
