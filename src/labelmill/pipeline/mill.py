"""The mill: a project with every verb as a method, named as in the shell."""

from __future__ import annotations

from labelmill.pipeline.aggregate import aggregate
from labelmill.pipeline.analyze import analyze
from labelmill.pipeline.annotate import annotate, plan_annotate
from labelmill.pipeline.certify import certify, plan_certificate
from labelmill.pipeline.check import check
from labelmill.pipeline.distill import distill
from labelmill.pipeline.embed import embed
from labelmill.pipeline.export import export
from labelmill.pipeline.ingest import ingest
from labelmill.pipeline.mine import mine
from labelmill.pipeline.predict import plan_predict, predict
from labelmill.pipeline.repair import repair
from labelmill.pipeline.report import report
from labelmill.pipeline.run import run
from labelmill.pipeline.runs import cancel, resume
from labelmill.pipeline.select import select
from labelmill.pipeline.train import train
from labelmill.pipeline.work import work
from labelmill.pipeline.workspace import Workspace

__all__ = ["Mill"]


class Mill(Workspace):
    """A project opened for work; `Mill.open(folder)`, then the verbs in any order that makes sense.

    Each verb is a function of its own file in `labelmill.pipeline`; its documentation is there.
    """

    aggregate = aggregate
    analyze = analyze
    annotate = annotate
    cancel = cancel
    certify = certify
    check = check
    distill = distill
    embed = embed
    export = export
    ingest = ingest
    mine = mine
    plan_annotate = plan_annotate
    plan_certificate = plan_certificate
    plan_predict = plan_predict
    predict = predict
    repair = repair
    report = report
    resume = resume
    run = run
    select = select
    train = train
    work = work
