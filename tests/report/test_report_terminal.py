"""The summary in the terminal."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from labelmill.report.story import AnnotatorRow, CertificateCard, Headline, Story
from labelmill.report.terminal import summary


def spam_story() -> Story:
    return Story.from_dict(json.loads(Path(__file__).with_name("spam_story.json").read_text(encoding="utf-8")))


def shown(story: Story, *, encoding: str = "utf-8", width: int = 80) -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    Console(file=stream, width=width, no_color=True, legacy_windows=False).print(summary(story))
    stream.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [80, 100, 60])
def test_it_fits_the_terminal(encoding: str, width: int) -> None:
    """No line is wider than the terminal, with and without Unicode."""
    lines = shown(spam_story(), encoding=encoding, width=width).splitlines()

    assert max(cell_len(line) for line in lines) <= width


def test_no_number_is_cut_in_eighty_columns() -> None:
    """Every column of numbers is whole in 80 columns."""
    text = shown(spam_story())

    assert "html_only_with_big_font" in text
    assert "67.0 ± 2.2" in text
    assert "conflicts" in text
    assert "…" not in text


def test_it_tells_the_headline_and_the_certificate() -> None:
    """The first sentence, the accuracy and the promise are there."""
    text = " ".join(shown(spam_story()).replace("\N{NO-BREAK SPACE}", " ").split())

    assert "6,046 mails labelled with 412 human answers; at most 5 % wrong" in text
    assert "97.9 % on 6,046 gold labels" in text
    assert "at most 5 % wrong, 95 % confidence; 3 of 180 audited labels wrong" in text
    assert "out/spam-2026-11-21/labels.csv" in text


def test_it_tells_what_the_learner_saved() -> None:
    """Answers of the same certificate with and without the learner, where both were measured."""
    story = spam_story()
    n = story.headline.answers.total
    measured = replace(story, headline=replace(story.headline, answers_without_learner=n + 1_200))

    told = " ".join(shown(measured).split())

    assert f"saved 1,200 answers: the same certificate takes {n + 1_200:,} without it" in told
    assert f"without the learner the same certificate takes {n + 1_200:,} answers" in told
    assert "learner" not in shown(story)


def test_names_are_text_and_not_commands() -> None:
    """Neither rich's markup nor a control sequence in a name is obeyed."""
    row = AnnotatorRow("[red]x[/red]\x1b[2J", "rule", ["[bold]"])

    text = shown(Story("t", Headline(1), annotators=[row]))

    assert "[red]x[/red]␛[2J" in text
    assert "[bold]" in text
    assert "\x1b" not in text


def test_without_anything_it_says_what_to_do() -> None:
    """A bare story names the command for a certificate."""
    assert "labelmill certify" in shown(Story("t", Headline(0)))


def test_a_refusal_is_shown_as_one() -> None:
    """A certificate that was not issued shows its reason."""
    card = CertificateCard(issued=False, epsilon=0.01, confidence=0.95, n_items=9, reason="audit 200 more")

    assert "not issued: audit 200 more" in shown(replace(Story("t", Headline(9)), certificate=card))


def test_wide_names_do_not_push_numbers_out() -> None:
    """Chinese and very long names are cut to their column."""
    rows = [
        AnnotatorRow("垃圾邮件规则" * 9, "rule", ["垃圾"], learned_accuracy=0.91),
        AnnotatorRow("y" * 200, "person"),
    ]

    text = shown(Story("t", Headline(1), annotators=rows))

    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "91.0" in text
