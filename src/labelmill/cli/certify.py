"""`labelmill certify`: how wrong the labels can be, proved by an audit."""

from __future__ import annotations

from pathlib import Path

import click

from labelmill.cli._door import Door, counted, project_options, refuse_given
from labelmill.cli._outputs import OutFile
from labelmill.cli._values import SEED, SHARE
from labelmill.errors import UsageError


@click.command("certify", short_help="Plan an audit, then certify the labels by it.")
@click.option("--plan", is_flag=True, help="Draw and freeze the audit sample.")
@click.option("--error", type=SHARE, help="Share of wrong labels, at most.  [default: the project's]")
@click.option("--confidence", type=SHARE, help="Probability with which it holds.  [default: the project's]")
@click.option("--out", type=OutFile(), help="File to fill in: the sample, or the items left to people.")
@click.option("--sample-size", type=click.IntRange(1), help="Items to audit.  [default: the cheapest number]")
@click.option("--people-checked", type=click.IntRange(1), help="Answers of people that an expert checked.")
@click.option("--people-wrong", type=click.IntRange(0), help="How many of these were wrong.")
@click.option("--seed", type=SEED, help="Of the draw.  [default: the project's]")
@click.option("--new-release", is_flag=True, help="Begin a new promise although an earlier audit was answered.")
@project_options
def command(
    door: Door,
    plan: bool,
    error: float | None,
    confidence: float | None,
    out: Path | None,
    sample_size: int | None,
    people_checked: int | None,
    people_wrong: int | None,
    seed: int | None,
    new_release: bool,
) -> None:
    """Certify the share of wrong labels: first plan an audit, have people answer it, then certify.

    \b
    Example:
      labelmill certify --plan --error 0.02 --confidence 0.95 --out audit.csv
      labelmill import audit.csv --votes-by reviewer-1 --purpose audit
      labelmill certify
    """
    if not plan:
        refuse_given(
            "goes with --plan: the certificate rests on what was planned",
            error=error,
            confidence=confidence,
            sample_size=sample_size,
            people_checked=people_checked,
            people_wrong=people_wrong,
            seed=seed,
            new_release=new_release,
        )
        _prove(door, out)
        return
    if (people_checked is None) != (people_wrong is None):
        raise UsageError("--people-checked and --people-wrong go together")
    if people_checked is not None and people_wrong is not None and people_wrong > people_checked:
        raise UsageError(f"--people-wrong counts some of --people-checked: found {people_wrong} of {people_checked}")
    with door.mill() as mill:
        audit = mill.plan_certificate(
            error=error,
            confidence=confidence,
            out=out,
            sample_size=sample_size,
            seed=seed,
            people_error=None if people_checked is None else (people_checked, people_wrong or 0),
            new_release=new_release,
        )
    lines = [
        f"Audit planned: {len(audit.sample):,} of {counted(audit.n_items, 'item')}, drawn at random, for at most "
        f"{audit.error:.1%} wrong at {audit.confidence:.0%} confidence."
    ]
    if not audit.sample:
        lines.append("No machine's label is to be audited: people answer what is left. Next: labelmill certify")
    elif out:
        lines.append(f"Fill in {out}, then: labelmill import {out} --votes-by YOUR-NAME --purpose audit")
    else:
        lines.append("To ask people, plan with --out audit.csv.")
    door.show(
        {"sample": list(audit.sample), "error": audit.error, "confidence": audit.confidence, "plan": audit.digest},
        *lines,
    )


def _prove(door: Door, out: Path | None) -> None:
    with door.mill() as mill:
        result = mill.certify(out=out)
    lines = [result.certificate.statement]
    if result.missing and out:
        lines.append(f"Fill in {out}, then: labelmill import {out} --votes-by YOUR-NAME  and  labelmill certify")
    elif result.missing:
        lines.append(f"{counted(len(result.missing), 'item')} wait for people: labelmill certify --out deferred.csv")
    else:
        lines.append("It holds now: labelmill export")
    door.show({**result.certificate.to_dict(), "issued_at": result.issued_at, "missing": result.missing}, *lines)
