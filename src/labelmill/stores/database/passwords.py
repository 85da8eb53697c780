"""Passwords, hashed so that a stolen database does not tell them.

Argon2id with 19 MiB, two passes and one lane: the first profile of the OWASP Password Storage Cheat Sheet.
"""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from labelmill.errors import UsageError
from labelmill.stores.database._checks import checked_text

__all__ = ["LONGEST", "SHORTEST", "hash_password", "is_right", "needs_new_hash"]

SHORTEST, LONGEST = 8, 1_000
"""Characters of a password."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hash_password(password: str) -> str:
    """What to store.

    Raises
    ------
    UsageError
        If it is too short, too long or no text.
    """
    checked_text("password", password, longest=LONGEST)
    if len(password) < SHORTEST:
        raise UsageError(f"a password has at least {SHORTEST} characters; longer is better than stranger")
    return _HASHER.hash(password)


def is_right(stored: str | None, password: str) -> bool:
    """Whether it is the password; takes as long when there is none to compare with, so that time tells nothing."""
    try:
        _HASHER.verify(stored or _nobodys(), password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
    return stored is not None


def needs_new_hash(stored: str) -> bool:
    """Whether it was hashed with other settings than today's."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _nobodys() -> str:
    return _HASHER.hash("the password of nobody")
