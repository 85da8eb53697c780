"""Vectors of items, from the shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.journeys.conftest import Shell


@pytest.fixture
def mails(project: Path, shell: Shell) -> Path:
    """A project with five mails, one of them empty."""
    (project / "mails.csv").write_text('id,text\n1,win a prize\n2,lunch at noon\n3,free winner\n4," "\n5,thanks\n')
    shell("import", project / "mails.csv", "-p", project)
    return project


def test_embed_tells_what_it_did(mails: Path, shell: Shell) -> None:
    """Vectors, what was there before, and the items at fault; the same as JSON, and in the record of the run."""
    first = shell("embed", "-p", mails, "--encoder", "hashing")
    again = shell("embed", "-p", mails, "--encoder", "hashing", "--json").json
    run = shell("runs", "show", again["run"], "-p", mails)

    assert "hashing made 5 vectors of 1,024 numbers each." in first.out
    assert "  4: the text is empty" in first.out
    assert (5, 0, 1) == (again["items"], again["new"], again["faults"])
    assert [{"item": "4", "error": "the text is empty"}] == again["fault_list"]
    assert "the text is empty" in run.out


def test_embed_without_an_encoder_says_what_to_set(mails: Path, shell: Shell) -> None:
    """Exit status 2, and the line for labelmill.toml."""
    refused = shell("embed", "-p", mails)

    assert 2 == refused.status
    assert '[features] encoder = "hashing"' in refused.err
