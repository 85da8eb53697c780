"""A model server over HTTP: asked with a time limit, again where that may help, and not at all once it is gone."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from labelmill.annotators._places import positive
from labelmill.errors import AccessError, FailedError, RulesError, SchemaError
from labelmill.fetch import Fetched, fetch

__all__ = ["ModelServer", "NotAboutItemsError"]

# A secret is read where the work is done: on a worker it is the worker's own, and never travels with the code.
_ENVIRONMENT: Final = os.environ  # noqa: TID251 -- see above

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 20.0
"""Seconds before the second try, which double from try to try, and at most."""

HOPELESS: Final = 3
"""Questions in a row without an answer, after all their tries, after which nobody asks for a while."""

REST: Final = 30.0
"""Seconds of that while."""

PAUSE = time.sleep
"""How a pause is made; tests do not wait."""

MOST_BYTES: Final = 50_000_000
"""Of an answer."""

PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""What may be over when it is asked again."""

WRONG_CALL: Final = frozenset({401, 403, 404, 405})
"""What no other items would change."""


class NotAboutItemsError(FailedError):
    """The server is gone or refuses: no smaller batch would help. Start it, or mend the address or the secret."""


class ModelServer:
    """One address that answers with JSON.

    Parameters
    ----------
    url : str
        Where the server's paths begin.
    timeout : float
        Seconds that one answer may take.
    tries : int
        How often a question is asked before it is given up.
    private : bool
        Whether the address may lie on this machine or in its own network.
    token_env : str, optional
        Name of the environment variable with the secret; sent as `Authorization: Bearer ...`.

    Raises
    ------
    RulesError
        If an option is none.
    """

    def __init__(
        self,
        url: Any,
        *,
        timeout: Any = 20.0,
        tries: int = 4,
        private: bool = False,
        token_env: str | None = None,
    ) -> None:
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise RulesError(f"url must begin with http:// or https://, found {url!r}")
        parts = urlsplit(url)
        if parts.username or parts.password or parts.query:
            raise RulesError(  # and the address is not quoted
                "url holds a name, a password or a query: leave it out, and name the environment variable with the "
                "secret, token_env = ..."
            )
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= 3600:
            raise RulesError(f"timeout must be seconds, up to an hour, found {timeout!r}")
        self.url = url.rstrip("/")
        self.timeout = float(timeout)
        self.tries = positive(tries, "tries")
        self.private = bool(private)
        self.token_env = token_env
        self._n_silent = 0
        self._silent_until = 0.0

    def post(self, path: str, question: Mapping[str, Any]) -> Any:
        """The JSON of the answer to a question.

        Raises
        ------
        NotAboutItemsError
            If there is none after all tries, or the server refuses whatever is asked.
        SchemaError
            If the server refuses this question, or its answer is no JSON.
        """
        return _json_of(self._answered(path, json.dumps(question).encode()), self.url + path)

    def get(self, path: str) -> Any:
        """The JSON that lies there; raises like `post`."""
        return _json_of(self._answered(path, None), self.url + path)

    def check(self, path: str) -> None:
        """Ask whether it is there, before a run.

        Raises
        ------
        RulesError
            If it is not; says what to do.
        """
        try:
            self._answered(path, None)
        except (FailedError, SchemaError) as error:
            raise RulesError(str(error)) from None

    def _answered(self, path: str, body: bytes | None) -> Fetched:
        if time.monotonic() < self._silent_until:
            raise NotAboutItemsError(
                f"{self.url} gave no answer to {HOPELESS} questions in a row, and is left alone for {REST:g} s"
            )
        reason = ""
        for n in range(1, self.tries + 1):
            wait = FIRST_PAUSE * 2 ** (n - 1)
            try:
                answer = self._once(path, body)
            except AccessError as error:
                hint = "" if self.private else "; if that is where your server runs, say private = true"
                raise NotAboutItemsError(f"{self.url}: {error}{hint}") from None
            except FailedError as error:
                reason = str(error)
            else:
                if answer.status not in PASSING:
                    self._n_silent = 0
                    return self._accepted(answer, path)
                reason = f"status {answer.status}{_told(answer)}"
                wait = max(wait, _asked_pause(answer))
            if n < self.tries:
                # Workers that failed together must not come back together.
                PAUSE(min(wait, LONGEST_PAUSE) * random.uniform(0.5, 1.0))
        self._n_silent += 1
        if self._n_silent >= HOPELESS:
            self._silent_until = time.monotonic() + REST
            self._n_silent = 0
        raise NotAboutItemsError(
            f"{self.url}{path} gave no answer in {self.tries} {'try' if self.tries == 1 else 'tries'} of at most "
            f"{self.timeout:g} s: {reason}; start the server or mend its address, or allow it more time: timeout = ..."
        )

    def _once(self, path: str, body: bytes | None) -> Fetched:
        headers = {"accept": "application/json", "user-agent": "labelmill"}
        if body is not None:
            headers["content-type"] = "application/json"
        if self.token_env is not None:
            headers["authorization"] = f"Bearer {self._secret()}"
        return fetch(
            self.url + path,
            method="GET" if body is None else "POST",
            headers=headers,
            body=body or b"",
            seconds=self.timeout,
            most_bytes=MOST_BYTES,
            allow_private=self.private,
        )

    def _secret(self) -> str:
        secret = _ENVIRONMENT.get(str(self.token_env), "").strip()
        if not secret:
            raise NotAboutItemsError(
                f"the environment variable {self.token_env} is not set: it holds {self.url}'s secret"
            )
        return secret

    def _accepted(self, answer: Fetched, path: str) -> Fetched:
        if 200 <= answer.status < 300:
            return answer
        told = f"{self.url}{path} refuses: status {answer.status}{_told(answer)}"
        if answer.status in {401, 403}:
            told += "; name the environment variable that holds its secret: token_env = ..."
        if answer.status in WRONG_CALL:
            raise NotAboutItemsError(told)
        raise SchemaError(told)


def _asked_pause(answer: Fetched) -> float:
    """Seconds that the server asks for."""
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else 0.0


def _told(answer: Fetched) -> str:
    """The server's own words, if they are a few."""
    try:
        data = json.loads(answer.body)
        words = data.get("error") or data.get("detail") or ""
    except (ValueError, AttributeError):
        return ""
    return f" ({words:.200})" if isinstance(words, str) and words else ""


def _json_of(answer: Fetched, place: str) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"{place} answered with something that is no JSON: {error!s:.100}") from None
