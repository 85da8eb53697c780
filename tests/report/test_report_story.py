"""The story is plain data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labelmill.errors import UsageError
from labelmill.report.story import Answers, Interval, Story

SPAM = Path(__file__).with_name("spam_story.json")


def test_a_story_survives_json() -> None:
    """What `to_dict` writes, `from_dict` reads back, through JSON."""
    story = Story.from_dict(json.loads(SPAM.read_text(encoding="utf-8")))

    again = Story.from_dict(json.loads(json.dumps(story.to_dict())))

    assert story == again


def test_nested_records_are_rebuilt() -> None:
    """Lists, optional records and records in records come back as records."""
    story = Story.from_dict(json.loads(SPAM.read_text(encoding="utf-8")))

    assert isinstance(story.headline.answers, Answers)
    assert isinstance(story.annotators[0].true_interval, Interval)
    assert story.certificate is not None
    assert story.certificate.epsilon == 0.05


def test_an_unknown_key_is_named() -> None:
    """A misspelt key is refused with the nearest known one."""
    with pytest.raises(UsageError, match=r"'headlin'.*did you mean 'headline'"):
        Story.from_dict({"title": "t", "headlin": {}})


def test_answers_add_up() -> None:
    """The total counts every reason once."""
    assert Answers(selected=1, audit=20, deferred=300, imported=4000).total == 4321
