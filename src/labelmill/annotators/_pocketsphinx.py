"""Forced alignment with pocketsphinx, whose English model and dictionary are inside its package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pocketsphinx import Decoder

from labelmill.errors import RulesError, SchemaError

__all__ = ["Aligned", "Aligner", "opened"]

FRAMES: Final = 100
"""Of a second."""


class Aligned(NamedTuple):
    """A word and its phones, with start and end in seconds."""

    word: str
    start: float
    end: float
    phones: list[tuple[str, float, float]]


def opened(pronunciations: Mapping[str, str]) -> Aligner:
    """An aligner that knows some more words.

    Raises
    ------
    RulesError
        If a pronunciation is none.
    """
    # The mean of a whole recording is taken off: nothing is left of the recordings before.
    decoder = Decoder(lm=None, loglevel="FATAL", cmn="batch", bestpath=False)
    for word, phones in pronunciations.items():
        try:
            decoder.add_word(word.lower(), phones.upper(), update=True)
        except RuntimeError:
            raise RulesError(f"pronunciations: {phones!r} are no phones of ARPAbet, for {word!r}") from None
    return Aligner(decoder)


class Aligner:
    """Finds when the words of a transcript, and their phones, are said."""

    rate = 16_000
    """Samples a second that it listens to."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder

    def knows(self, word: str) -> bool:
        """Whether it has a pronunciation of the word."""
        return self._decoder.lookup_word(word) is not None

    def align(self, samples: npt.NDArray[np.float32], words: Sequence[str]) -> Iterator[Aligned]:
        """The words and silences of a recording, in order.

        Raises
        ------
        SchemaError
            If the words cannot be found in it.
        """
        sound = (samples * 32767).astype("<i2").tobytes()
        try:
            self._decoder.set_align_text(" ".join(words))
            self._listen(sound)
            self._decoder.set_alignment()
            self._listen(sound)
            found = self._decoder.get_alignment()
        except RuntimeError as error:
            raise SchemaError(f"the transcript cannot be found in the recording: {error}") from None
        if found is None:
            raise SchemaError("the transcript cannot be found in the recording: is it what is said there?")
        for word in found:
            phones = [(phone.name, _seconds(phone.start), _seconds(phone.start + phone.duration)) for phone in word]
            yield Aligned(word.name, _seconds(word.start), _seconds(word.start + word.duration), phones)

    def _listen(self, sound: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(sound, full_utt=True)
        self._decoder.end_utt()


def _seconds(n_frames: int) -> float:
    return float(n_frames / FRAMES)
