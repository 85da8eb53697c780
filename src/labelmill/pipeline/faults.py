"""The faults of a run, with item and traceback."""

from __future__ import annotations

from collections.abc import Mapping

from labelmill.domain.run import Run
from labelmill.domain.vote import Fault
from labelmill.pipeline.votes import current_machines
from labelmill.pipeline.workspace import Workspace

__all__ = ["current_faults", "faults_of_run"]


def faults_of_run(workspace: Workspace, run: Run) -> list[Fault]:
    """The faults of the annotators of a run, at the fingerprints it ran; or of its encoder."""
    if run.verb == "embed":
        return [fault for encoder in run.annotators.values() for fault in workspace.lake.embeddings.faults(encoder)]
    return _faults(workspace, run.annotators)


def current_faults(workspace: Workspace) -> list[Fault]:
    """The faults of the annotators whose votes count at present."""
    return _faults(workspace, {machine.name: machine.fingerprint for machine in current_machines(workspace)})


def _faults(workspace: Workspace, fingerprints: Mapping[str, str]) -> list[Fault]:
    faults = []
    for votes in workspace.lake.vote_sets():
        names = {n for n, entry in votes.annotators.items() if fingerprints.get(n) == entry["fingerprint"]}
        if names:
            rows = workspace.lake.read_faults(votes.digest).select("item", "annotator", "error", "traceback")
            faults += [Fault(*row) for row in rows.iter_rows() if row[1] in names]
    return faults
