"""Export: a release, frozen and named, with its certificate and where every label came from."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

import labelmill
from labelmill import registry
from labelmill.domain.strict_json import dumps
from labelmill.errors import CertificateError, StorageError, UsageError, nearest
from labelmill.pipeline._asked import asked_items
from labelmill.pipeline.aggregate import read_consensus
from labelmill.pipeline.certify import Certified, certificate_record, certify, read_plan
from labelmill.pipeline.votes import current_machines, people_votes
from labelmill.pipeline.workspace import Workspace

__all__ = ["Exported", "export", "release_frame"]


@dataclass(frozen=True, slots=True)
class Exported:
    """A release on disk.

    Parameters
    ----------
    name : str
    place : str
        Path or URI of a folder with `labels.<format>`, `provenance.json` and, if there is one, `certificate.json`.
    files : list of str
    n_items : int
    certified : bool
    """

    name: str
    place: str
    files: list[str]
    n_items: int
    certified: bool


def export(
    workspace: Workspace, out: Path | None = None, *, formats: Sequence[str] | None = None, name: str | None = None
) -> Exported:
    """Freeze the labels as a release.

    Parameters
    ----------
    out : Path, optional
        Folder that gets a copy; the release itself stays in the lake.
    formats : sequence of str, optional
        Names of formats; the project's without them.
    name : str, optional
        Name of the release; `release-<n>` without it.

    Raises
    ------
    StorageError
        If `out` holds something already.
    """
    chosen = list(formats or workspace.project["export.formats"])
    for each in chosen:
        if each not in registry.names("format") or each == "folders":
            raise UsageError(
                f"--format {each!r}: {nearest(each, [n for n in registry.names('format') if n != 'folders'])}"
            )
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StorageError(f"{out} is there already: choose another folder, or remove it")
    frame, certified = release_frame(workspace)
    title = name or f"release-{len(list(workspace.lake.release_names())) + 1}"
    with workspace.lake.writing():
        run = workspace.begin("export", parameters={"formats": chosen, "name": title})
        provenance = _provenance(workspace, title, run.id)

        def write(folder: Path) -> None:
            for each in chosen:
                plugin = registry.find("format", each)()
                with plugin.writer(folder / f"labels{plugin.suffixes[0]}") as writer:
                    writer.write(frame)
            (folder / "provenance.json").write_text(dumps(provenance, indent=2) + "\n", encoding="utf-8")
            if certified is not None:
                text = dumps(certificate_record(certified), indent=2)
                (folder / "certificate.json").write_text(text + "\n", encoding="utf-8")

        folder = workspace.lake.publish_release(title, write)
        workspace.end(run, counts={"items": frame.height})
    place = workspace.lake.release_place(title)
    if out is not None:
        place = str(_copy(folder, out))
    return Exported(title, place, sorted(p.name for p in folder.iterdir()), frame.height, certified is not None)


def release_frame(workspace: Workspace) -> tuple[pl.DataFrame, Certified | None]:
    """The labels as they would be released now, and the certificate that holds for them.

    Columns `item`, `label`, `confidence`, one `p_<class>` per class, `decided_by` (machine, or people and why)
    and `model` (the label model).
    """
    result = read_consensus(workspace)
    certified = _certified(workspace)
    frame = result.consensus.to_frame().drop("tied")
    if "parts" in frame.columns:  # as JSON: not every file holds lists
        frame = frame.with_columns(pl.Series("parts", [dumps(parts) for parts in frame["parts"].to_list()], pl.String))
    if certified is not None and certified.final is not None:
        final = certified.final
        plan = read_plan(workspace)
        certified_labels = pl.DataFrame(
            {"item": final.items, "label": final.labels, "decided_by": final.sources},
            schema={"item": pl.String, "label": pl.String, "decided_by": pl.String},
        )
        sure = pl.DataFrame({"item": [] if plan is None else list(plan.items)}, schema={"item": pl.String})
        frame = sure.join(frame.drop("label"), on="item", how="left", maintain_order="left")
        frame = frame.join(certified_labels, on="item", how="left", maintain_order="left")
    else:
        asked = asked_items(workspace)
        answered = [item for item in people_votes(workspace)["item"].unique() if item in asked]
        decided = pl.when(pl.col("item").is_in(answered)).then(pl.lit("people (asked)")).otherwise(pl.lit("machine"))
        frame = frame.with_columns(decided_by=decided)
    frame = frame.with_columns(model=pl.lit(result.consensus.model))
    figures = [c for c in frame.columns if c == "parts" or c.startswith("p_")]
    order = ["item", "label", "confidence", *figures, "decided_by", "model"]
    return frame.select(order), certified


def _certified(workspace: Workspace) -> Certified | None:
    """The certificate, if it has been proved and every deferred item has its answer."""
    try:
        certified = certify(workspace)
    except CertificateError:
        return None
    return certified if certified.final is not None else None


def _provenance(workspace: Workspace, name: str, run_id: str) -> dict[str, Any]:
    return {
        "release": name,
        "made_at": workspace.now(),
        "labelmill": labelmill.__version__,
        "project": workspace.project.name,
        "schema": {
            "name": workspace.schema.name,
            "kind": workspace.schema.kind,
            "classes": list(workspace.schema.classes),
            "version": workspace.schema.version,
            "attributes": [attribute.to_dict() for attribute in workspace.schema.attributes],
        },
        "settings": dict(workspace.project.settings),
        "annotators": [
            {"name": machine.name, "kind": machine.kind, "fingerprint": machine.fingerprint}
            for machine in current_machines(workspace)
        ],
        "run": run_id,
        "runs": [run.to_dict() for run in workspace.lake.runs() if run.id != run_id],
    }


def _copy(folder: Path, out: Path) -> Path:
    """The release at `out`, whole or not at all."""
    private = out.parent / f".labelmill-{secrets.token_hex(8)}.tmp"
    try:
        shutil.copytree(folder, private)
        private.rename(out)  # an empty folder gives way
    except OSError as error:
        shutil.rmtree(private, ignore_errors=True)
        raise StorageError(f"{out}: cannot write the release there: {error.strerror or error}") from error
    return out
