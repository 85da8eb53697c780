from __future__ import annotations

from labelmill.domain.grouping import grouped


def test_the_most_alike_go_together_first() -> None:
    """Two of one owner never share a group, so the less alike of them stays alone."""
    groups = grouped([0, 0, 1], {(0, 2): 0.5, (1, 2): 0.9}, least=0.3)

    assert groups == [[0], [1, 2]]


def test_chains_do_not_drag_strangers_in() -> None:
    """A is like B and B like C, but A is not like C: on average too little for one group."""
    assert grouped([0, 1, 2], {(0, 1): 0.9, (1, 2): 0.5}, least=0.4) == [[0, 1], [2]]
    assert grouped([0, 1, 2], {(0, 1): 0.9, (1, 2): 0.9}, least=0.4) == [[0, 1, 2]]


def test_nothing_to_group() -> None:
    """No elements, no groups; elements like no other stand alone."""
    assert grouped([], {}, least=0.5) == []
    assert grouped([0, 1], {(0, 1): 0.1}, least=0.5) == [[0], [1]]
