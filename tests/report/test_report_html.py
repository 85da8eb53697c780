"""The page: complete, closed, and deaf to what is written in the data."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from labelmill.report.html import render
from labelmill.report.story import (
    AnnotatorRow,
    Calibration,
    CertificateCard,
    ConflictMatrix,
    Curve,
    DoubtfulItem,
    Fact,
    Headline,
    ItemVote,
    RunRow,
    Story,
)
from labelmill.report.wording import SPACE, bound_percent, column_percent, count, percent

VOID = {"meta", "br", "wbr", "input", "link", "img", "hr"}
ATTACKS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    '"onload="alert(1)',
    "'><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "--></title><svg onload=alert(1)>",
    "javascript:alert(1)",
]


class Page(HTMLParser):
    """The page taken apart: tags balanced, attributes and visible text collected."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.anchors: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count the tag, keep it open unless it is void."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.anchors += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count a tag that closes itself."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Close the last open tag, which must be this one."""
        assert tag == self.open.pop(), f"</{tag}> closes the wrong tag"

    def handle_data(self, data: str) -> None:
        """Collect text that is seen."""
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All visible text, its blanks made one."""
        return re.sub(r"\s+", " ", "".join(self.texts).replace(SPACE, " "))


def spam_story() -> Story:
    return Story.from_dict(json.loads(Path(__file__).with_name("spam_story.json").read_text(encoding="utf-8")))


def bare_story() -> Story:
    return Story("nothing yet", Headline(n_items=0))


def poisoned(value: Any, poison: str) -> Any:
    """The same record with the poison in every text, closed sets of words excepted."""
    if isinstance(value, list):
        return [poisoned(entry, poison) for entry in value]
    if is_dataclass(value) and not isinstance(value, type):
        closed = {"kind", "kinds", "step", "evaluation"}
        changes = {
            entry.name: poisoned(getattr(value, entry.name), poison)
            for entry in fields(value)
            if entry.name not in closed
        }
        return replace(value, **changes)
    return value + poison if isinstance(value, str) else value


@pytest.mark.parametrize("story", [spam_story(), bare_story()], ids=["full", "bare"])
def test_the_page_is_balanced(story: Story) -> None:
    """Every tag that opens closes, in order, and every anchor has its place once."""
    page = Page(render(story))

    assert page.open == []
    assert len(page.anchors) == len(set(page.anchors))
    linked = {value.removeprefix("#") for name, value in page.attributes if name == "href"}
    assert linked <= set(page.anchors)


def test_the_page_asks_the_network_for_nothing() -> None:
    """No address, no import, no source, no font; and a policy that forbids them."""
    html = render(spam_story())
    page = Page(html)

    assert re.search(r"(?:https?|ftp|wss?|data):|url\(|@import|//[a-z]+\.", html.replace("// Conv", "")) is None
    assert not {"img", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in {"src", "srcset", "style", "action", "xlink:href"}]
    assert not [value for name, value in page.attributes if name == "href" and not value.startswith("#")]


def test_the_policy_knows_the_one_style_and_the_one_script() -> None:
    """Both hashes in the policy are those of what stands in the page."""
    html = render(spam_story())

    policy = next(value for name, value in Page(html).attributes if name == "content" and "default-src" in value)
    for tag in ("style", "script"):
        inline = re.findall(rf"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
        assert len(inline) == 1
        digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_becomes_markup(attack: str) -> None:
    """Whatever is written into every text of the story, the page keeps its tags and attributes."""
    clean, dirty = Page(render(poisoned(spam_story(), "x"))), Page(render(poisoned(spam_story(), attack)))

    assert [tag for tag in clean.tags if tag != "wbr"] == [tag for tag in dirty.tags if tag != "wbr"]
    assert {name for name, _ in clean.attributes} == {name for name, _ in dirty.attributes}
    assert dirty.open == []


def test_no_text_turns_or_cuts_what_stands_beside_it() -> None:
    """NUL, escapes, lone surrogates and bidi controls are shown, never obeyed."""
    html = render(poisoned(spam_story(), "\0\x1b[2J\ud800\u202e\u2067\u2069"))

    html.encode("utf-8")
    assert not any(character in html for character in "\0\x1b\u202e\u2067\u2069")
    assert "[U+202E]" in html


def test_names_of_the_data_are_isolated() -> None:
    """A right-to-left name cannot reorder its neighbours: it stands in a <bdi>."""
    story = spam_story()
    row = replace(story.annotators[0], name="כלל")

    html = render(replace(story, annotators=[row]))

    assert "<bdi>כלל</bdi>" in html


def test_the_numbers_shown_are_the_storys() -> None:
    """Headline, certificate, annotators, balance and candidates say what the story says."""
    story = spam_story()
    text = Page(render(story)).text

    headline, card = story.headline, story.certificate
    assert card is not None
    wanted = [count(headline.n_items), count(headline.answers.total), count(headline.n_machine_votes)]
    wanted += [percent(headline.real_error), percent(headline.random_error), bound_percent(card.epsilon)]
    wanted += [f"{card.n_sample} random mails, {card.n_sample_wrong} found wrong"]
    for row in story.annotators:
        wanted += [column_percent(v) for v in (row.coverage, row.conflicts, row.learned_accuracy, row.true_accuracy)]
    wanted += [percent(share) for series in story.balance.series for share in series.shares] if story.balance else []
    wanted += [item.id for item in story.doubtful]
    assert [number for number in wanted if number.replace(SPACE, " ") not in text] == []


def test_sections_without_data_disappear_and_say_how_to_come_back() -> None:
    """A bare story shows no empty figure and names the commands that fill the page."""
    page = Page(render(bare_story()))

    assert not {"curve", "annotators", "conflicts", "balance", "calibration", "doubtful"} & set(page.anchors)
    assert {"certificate", "missing"} <= set(page.anchors)
    assert "labelmill certify" in page.text
    assert "--purpose gold" in page.text


def test_degenerate_sections_disappear_too() -> None:
    """Present but empty parts are treated as absent."""
    story = replace(
        bare_story(), conflicts=ConflictMatrix([], [], [], []), curves=[Curve("a")], calibration=Calibration([])
    )

    assert not {"curve", "conflicts", "calibration"} & set(Page(render(story)).anchors)


def test_a_refused_certificate_says_why_and_promises_nothing() -> None:
    """The card of a refusal carries the reason, not the promise."""
    card = CertificateCard(issued=False, epsilon=0.01, confidence=0.95, n_items=9, reason="audit 200 more")

    text = Page(render(replace(bare_story(), certificate=card))).text

    assert "Not issued." in text
    assert "audit 200 more" in text
    assert "With 95 % confidence, at most" not in text


def test_doubtful_items_show_who_voted_what() -> None:
    """Votes stand beside their class; a label that differs from gold says so; foreign labels are not lost."""
    votes = [ItemVote("r", "rule", "a", is_correct=True), ItemVote("m", "model", "odd"), ItemVote("p", "person", None)]
    item = DoubtfulItem("i1", "text", "b", [0.4, 0.6], votes, gold="a")

    text = Page(render(replace(bare_story(), classes=["a", "b"], doubtful=[item]))).text

    assert re.search(r"a 40 % ?r ✓", text)
    assert re.search(r"b 60 % ?nobody", text)
    assert re.search(r"odd ?m", text)
    assert "gold says a" in text
    assert "1 abstained" in text


def test_a_huge_story_stays_small() -> None:
    """Hundreds of annotators, long texts and many runs stay below 500 kB, and what is hidden is counted."""
    story = spam_story()
    rows = [replace(story.annotators[i % 12], name=f"annotator_{i:04d}_{'x' * 300}") for i in range(400)]
    names = [row.name for row in rows]
    matrix = ConflictMatrix(
        names, [row.kind for row in rows], [[i + j for j in range(400)] for i in range(400)], [[999] * 400] * 400
    )
    votes = [ItemVote(name, "rule", "spam") for name in names[:40]]
    items = [replace(item, text="long " * 5000, votes=votes) for item in story.doubtful * 5]
    runs = [RunRow(f"run-{i}", "annotate", did="x" * 200) for i in range(1000)]
    prints = [Fact(name, "f" * 64) for name in names]

    html = render(replace(story, annotators=rows, conflicts=matrix, doubtful=items, runs=runs, fingerprints=prints))

    assert len(html.encode()) < 500_000
    text = Page(html).text
    assert "300 more annotators" in text
    assert "376 annotators with the fewest conflicts" in text
    assert "950 older runs" in text


def test_unknown_numbers_are_dashes() -> None:
    """NaN never reaches the page."""
    row = AnnotatorRow("a", "rule", coverage=float("nan"), learned_accuracy=float("nan"), seconds=float("inf"))

    text = Page(render(replace(bare_story(), annotators=[row]))).text

    assert "nan" not in text
    assert "inf " not in text
