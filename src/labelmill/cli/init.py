"""`labelmill init`: a new project."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from labelmill.cli._door import Door, json_option, line, split_names
from labelmill.cli._values import PluginName
from labelmill.errors import UsageError


@click.command("init", short_help="Make a new project folder.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--classes", help="Class names: ham,spam.  [default: asked for]")
@click.option(
    "--kind",
    type=PluginName("label_kind"),
    default="choice",
    show_default=True,
    help="Kind of label: choice, multi_choice, span, box, segment, rating, number, text, ...",
)
@click.option(
    "--modality",
    default="text",
    show_default=True,
    type=click.Choice(["text", "image", "audio"]),
    help="What an item's data is.",
)
@click.option("--name", default="", help="Name of the project and the question.")
@json_option
def command(folder: Path, classes: str | None, kind: str, modality: str, name: str, as_json: bool) -> None:
    """Make a new project folder: labelmill.toml and a first rules.py.

    \b
    Examples:
      labelmill init mails --classes ham,spam
      labelmill init cells --kind box --classes red,white --modality image
    """
    from labelmill.domain.schema import WITHOUT_CLASSES
    from labelmill.pipeline.init import init

    names = split_names(_asked_for() if classes is None and kind not in WITHOUT_CLASSES else classes) or []
    project = init(folder, classes=names, kind=kind, modality=modality, name=name)  # type: ignore[arg-type]  # click checked the modality
    is_structured = project.schema.is_structured
    source = "ITEMS.csv" if modality == "text" else "FOLDER"
    then = "labelmill import VOTES.csv && labelmill aggregate" if modality == "text" else "labelmill serve"
    Door(folder, as_json=as_json).show(
        {"folder": str(folder), "classes": list(project.schema.classes)},
        line("Made ", (str(folder), "bold"), f" with labelmill.toml{'' if is_structured else ' and rules.py'}."),
        f"Next: cd {folder} && labelmill import {source} && {then}"
        if is_structured
        else f"Next: edit {folder / 'rules.py'}, then  cd {folder} && labelmill import {source} && labelmill run",
    )


def _asked_for() -> str:
    """What the person at the terminal says."""
    if not sys.stdin.isatty():
        raise UsageError("--classes is missing: name at least two classes, e.g. --classes ham,spam")
    answer: str = click.prompt("Classes, separated by commas", err=True)
    return answer
