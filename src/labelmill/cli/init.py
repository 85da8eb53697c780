"""`labelmill init`: a new project."""

from __future__ import annotations

from pathlib import Path

import click

from labelmill.cli._door import Door, json_option, split_names


@click.command("init", short_help="Make a new project folder.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--classes", prompt="Classes, separated by commas", help="Class names: ham,spam")
@click.option("--kind", default="choice", show_default=True, help="Kind of label: choice, multi_choice.")
@click.option(
    "--modality",
    default="text",
    show_default=True,
    type=click.Choice(["text", "image", "audio"]),
    help="What an item's data is.",
)
@click.option("--name", default="", help="Name of the project and the question.")
@json_option
def command(folder: Path, classes: str, kind: str, modality: str, name: str, as_json: bool) -> None:
    """Make a new project folder: labelmill.toml and a first rules.py.

    \b
    Example:
      labelmill init mails --classes ham,spam
    """
    from labelmill.pipeline.init import init

    project = init(folder, classes=split_names(classes) or [], kind=kind, modality=modality, name=name)  # type: ignore[arg-type]  # click checked the modality
    Door(folder, as_json=as_json).show(
        {"folder": str(folder), "classes": list(project.schema.classes)},
        f"Made [bold]{folder}[/bold] with labelmill.toml and rules.py.",
        f"Next: edit {folder / 'rules.py'}, then  cd {folder} && labelmill import ITEMS.csv && labelmill run",
    )
