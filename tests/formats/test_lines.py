from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from labelmill.formats._text import count_line_ends, line_lists

TEXTS = st.text(st.sampled_from("ab\r\n\u2028\x85\x0c"), max_size=40)


def cut(text: str, places: list[int]) -> list[str]:
    borders = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[i:j] for i, j in pairwise(borders)]


def expected_lines(text: str) -> list[str]:
    return [line for line in re.findall(r"[^\r\n]*(?:\r\n|\r|\n|$)", text) if line]


@given(TEXTS, st.lists(st.integers(0, 40), max_size=6))
def test_lines_do_not_depend_on_blocks(text: str, places: list[int]) -> None:
    r"""However the text is cut, lines end in \n, \r\n, \r and nothing else, and together they are the text."""
    assert [line for lines in line_lists(cut(text, places)) for line in lines] == expected_lines(text)


@given(TEXTS, st.lists(st.integers(0, 40), max_size=6))
def test_too_long_lines_keep_their_place(text: str, places: list[int]) -> None:
    """A line beyond the limit is still one line beyond the limit, and the others are as they were."""
    limit = 5

    found = [line for lines in line_lists(cut(text, places), limit) for line in lines]

    expected = expected_lines(text)
    assert [line if len(line) <= limit else "long" for line in expected] == [
        line if len(line) <= limit else "long" for line in found
    ]


@given(TEXTS)
def test_line_ends_are_counted(text: str) -> None:
    r"""\r\n is one end."""
    assert count_line_ends(text) == sum(line.endswith(("\r", "\n")) for line in expected_lines(text))
