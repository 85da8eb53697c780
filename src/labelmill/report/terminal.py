"""The report in the terminal: the headline, who voted how well, what is certified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from labelmill.report.headline import saved_by_learner, split_of_answers, told
from labelmill.report.story import AnnotatorRow, Story
from labelmill.report.wording import amount, bound_percent, column_percent, count, known, percent, safe, shortened

__all__ = ["annotator_table", "summary"]

MARKS = {"rule": "■", "model": "◆", "person": "●"}
COLOURS = {"rule": "yellow", "model": "blue", "person": "green"}
PLAIN = str.maketrans(
    {
        "■": "r",
        "◆": "m",
        "●": "p",
        "█": "#",
        "▌": "#",
        "·": ".",
        "–": "-",
        "…": "~",
        "±": "+-",
        "\N{NO-BREAK SPACE}": " ",
    }
)
"""What a terminal without Unicode gets instead."""

BAR = 6
"""Length of a coverage bar, characters."""

CLASSES = 9
OTHER_COLUMNS = CLASSES + 12 + 9 + 7 + 5
"""Room of the columns beside the names, with their gaps, without the true accuracy; characters."""

TRUE_COLUMN = 13

PLAIN_BOX = box.Box("    \n    \n -- \n" + 5 * "    \n", ascii=True)

MOST_ANNOTATORS = 40


def summary(story: Story) -> RenderableType:
    """The end of a run as the terminal shows it; fits 80 columns, needs no colour and no Unicode.

    Names are foreign: they are drawn as text, never as rich's markup or as control sequences.
    """
    return _Summary(story)


def annotator_table(rows: Sequence[AnnotatorRow]) -> RenderableType:
    """The annotators alone: reach, conflicts, learned and, with gold, true accuracy."""
    return _AnnotatorTable(rows)


class _AnnotatorTable:
    """Drawn when the console is known."""

    def __init__(self, rows: Sequence[AnnotatorRow]) -> None:
        self.rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield _annotators(self.rows, width=options.max_width, is_plain=options.ascii_only)


class _Summary:
    """Drawn when the console is known, so that a terminal without Unicode gets plain signs."""

    def __init__(self, story: Story) -> None:
        self.story = story

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        is_plain = options.ascii_only
        yield Text()
        yield _headline(self.story, is_plain=is_plain)
        if self.story.annotators:
            yield Text()
            yield _annotators(self.story.annotators, width=options.max_width, is_plain=is_plain)
        yield Text()
        for name, value in _lines(self.story):
            yield _hanging(_text(name, is_plain=is_plain, style="dim"), _text(value, is_plain=is_plain))


def _headline(story: Story, *, is_plain: bool) -> Text:
    sentence = Text()
    for phrase in told(story.headline):
        sentence.append(_text(phrase.text, is_plain=is_plain, style="bold" if phrase.is_strong else ""))
    return sentence


def _annotators(everybody: Sequence[AnnotatorRow], *, width: int, is_plain: bool) -> Table:
    busiest = sorted(everybody, key=lambda row: -row.n_votes)[:MOST_ANNOTATORS]
    rows = [row for row in everybody if row in busiest]
    has_truth = any(known(row.true_accuracy) is not None for row in rows)
    table = Table(box=PLAIN_BOX if is_plain else box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    name_room = max(width - OTHER_COLUMNS - (TRUE_COLUMN if has_truth else 0), 12)
    table.add_column("annotator", max_width=name_room, no_wrap=True, overflow="crop")
    table.add_column("votes for", max_width=CLASSES, no_wrap=True, overflow="crop")
    for heading in ["coverage %", "conflicts", "learned", *(["true"] if has_truth else [])]:
        table.add_column(heading, justify="right", no_wrap=True, overflow="crop")
    for row in rows:
        numbers = [_number(row.conflicts), _number(row.learned_accuracy), *([_truth(row)] if has_truth else [])]
        table.add_row(
            _fitted(_name(row, is_plain=is_plain), name_room, is_plain=is_plain),
            _fitted(_text(", ".join(row.classes), is_plain=is_plain), CLASSES, is_plain=is_plain),
            _coverage(row, is_plain=is_plain),
            *[_text(number, is_plain=is_plain) for number in numbers],
        )
    hidden = len(everybody) - len(rows)
    if hidden:
        table.caption = f"and {count(hidden)} more with fewer votes"
    return table


def _name(row: AnnotatorRow, *, is_plain: bool) -> Text:
    name = _text(MARKS.get(row.kind, "●") + " ", is_plain=is_plain, style=COLOURS.get(row.kind, ""))
    return name.append(_text(shortened(row.name, 60), is_plain=is_plain))


def _fitted(text: Text, room: int, *, is_plain: bool) -> Text:
    text.truncate(room, overflow="crop" if is_plain else "ellipsis")
    return text


def _coverage(row: AnnotatorRow, *, is_plain: bool) -> Text:
    share = min(max(known(row.coverage) or 0.0, 0.0), 1.0)
    halves = round(share * BAR * 2) or int(share > 0)
    filled = "█" * (halves // 2) + "▌" * (halves % 2)
    bar = _text(filled, is_plain=is_plain, style=COLOURS.get(row.kind, ""))
    bar.append(_text("·" * (BAR - len(filled)), is_plain=is_plain, style="dim"))
    return bar.append(_text(f" {_number(row.coverage):>5}", is_plain=is_plain))


def _truth(row: AnnotatorRow) -> str:
    """The true accuracy and half the width of its interval, in percentage points."""
    if row.true_interval is None or known(row.true_accuracy) is None:
        return _number(row.true_accuracy)
    half = 50 * (row.true_interval.high - row.true_interval.low)
    return f"{_number(row.true_accuracy)} ±{half:4.1f}"


def _number(share: float | None) -> str:
    """Per cent without the sign, which stands in the heading."""
    return column_percent(share).removesuffix("%").rstrip()


def _lines(story: Story) -> Iterator[tuple[str, str]]:
    headline, card, choice = story.headline, story.certificate, story.label_model
    if headline.answers.total:
        yield "people", ", ".join(f"{count(n)} {reason}" for reason, n in split_of_answers(headline))
    if choice is not None:
        yield "label model", f"{choice.chosen}. {choice.reason}".removesuffix(". ")
    if known(headline.real_error) is not None:
        gold = "" if headline.n_gold is None else f" on {count(headline.n_gold)} gold labels"
        yield "accuracy", f"{percent(1 - (headline.real_error or 0.0))}{gold}"
    n_faults = sum(row.n_faults for row in story.annotators)
    if n_faults:
        failed = sum(row.n_faults > 0 for row in story.annotators)
        yield (
            "faults",
            f"{count(n_faults)} by {amount(failed, 'annotator', 'annotators')}; the items went on without them",
        )
    if story.repairs:
        yield "repairs", f"{amount(len(story.repairs), 'vote', 'votes')} that were likely wrong superseded"
    if card is None:
        yield "certificate", "none yet: labelmill certify --plan --out audit.csv"
    elif card.issued:
        promise = f"at most {bound_percent(card.epsilon)} wrong, {percent(card.confidence)} confidence"
        sample = (
            f"; {count(card.n_sample_wrong)} of {count(card.n_sample)} audited labels wrong" if card.n_sample else ""
        )
        yield "certificate", promise + sample
    else:
        yield "certificate", f"not issued: {card.reason}"
    saved = saved_by_learner(headline)
    if saved is not None:
        without = f"the same certificate takes {count(headline.answers_without_learner)} without it"
        yield "learner", f"{'saved' if saved >= 0 else 'cost'} {amount(abs(saved), 'answer', 'answers')}: {without}"
    if headline.release_path:
        yield "release", headline.release_path


def _hanging(name: Text, value: Text) -> Table:
    """A name and a text beside it that wraps in its own column."""
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_column(no_wrap=True, width=12)
    line.add_column(overflow="fold")
    line.add_row(name, value)
    return line


def _text(text: str, *, is_plain: bool, style: str = "") -> Text:
    spoken = safe(text).replace("\n", " ").replace("\t", " ")
    if is_plain:
        spoken = spoken.translate(PLAIN).encode("ascii", "backslashreplace").decode("ascii")
    return Text(spoken, style=style)
