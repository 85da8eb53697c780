"""When each phone or word of a transcript is said: segments by forced alignment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from labelmill.annotators._batches import Rows, prepared_rows, values_by_batches
from labelmill.annotators._column_map import checked_rename
from labelmill.annotators._declared import all_faulty
from labelmill.annotators._faults import FaultLog
from labelmill.annotators._fingerprint import fingerprint_of, version_of
from labelmill.annotators._matcher import Evaluation
from labelmill.annotators._places import ItemFiles, resources_of
from labelmill.annotators._sessions import require
from labelmill.domain.item import ItemBatch
from labelmill.domain.partition import Resources
from labelmill.domain.schema import LabelSchema
from labelmill.domain.vote import AnnotatorKind, VoteBatch
from labelmill.errors import LabelmillError, RulesError, SchemaError, nearest

__all__ = ["Alignment", "spoken_words"]

Units = Literal["phones", "words"]

SILENCES = {"SIL", "+SPN+", "+NSN+", "<s>", "</s>", "<sil>", "[NOISE]", "[SPEECH]"}


class Alignment:
    """Marks where each phone, or each word, of an English transcript is said.

    The transcript is looked up in a dictionary of pronunciations, and an acoustic model finds the times that make it
    most probable (`pocketsphinx`, whose model and dictionary are in its package). Phones are ARPAbet without stress.

    Parameters
    ----------
    units : {"phones", "words"}
        A segment's class is the phone, renamed by `rename`; words have the class `label`, and the word as their text.
    transcript : str
        Column with what is said.
    label : str, optional
        Class of words.
    rename : mapping of str to str, optional
        ARPAbet (upper case) -> class of the schema; with it, phones that are neither renamed nor in the schema are left
        out. Without it the phones are the classes, in whichever case the schema writes them.
    pronunciations : mapping of str to str, optional
        Words that the dictionary lacks -> their phones: `{"labelmill": "L EY B AH L M IH L"}`.
    folder, name, resources
        See `onnx_predictor`.

    Raises
    ------
    RulesError
        If an option is none.
    MissingDependencyError
        When it is first asked: `pip install 'labelmill[speech]'`.
    """

    kind: AnnotatorKind = "model"
    evaluation: Evaluation = "python"
    reason = "an acoustic model listens to recordings"

    def __init__(
        self,
        units: Units = "phones",
        *,
        transcript: str = "transcript",
        label: str | None = None,
        rename: Mapping[str, str] | None = None,
        pronunciations: Mapping[str, str] | None = None,
        folder: Any = None,
        name: str | None = None,
        resources: Resources | Mapping[str, Any] | None = None,
    ) -> None:
        if units not in ("phones", "words"):
            raise RulesError(f"units={units!r}: {nearest(str(units), ['phones', 'words'])}")
        if units == "words" and not label:
            raise RulesError('units="words" needs label=, the class that words have; the word itself is their text')
        self.units = units
        self.transcript = transcript
        self.label = label
        self.rename = checked_rename(rename)
        self.pronunciations = checked_rename(pronunciations) or {}
        self.files = ItemFiles(folder)
        self.name = name or ""
        self.resources = resources_of(resources)
        self._aligner: Any = None

    def __repr__(self) -> str:
        return f"alignment({self.units!r})"

    @property
    def fingerprint(self) -> str:
        """Of the acoustic model's version and the options."""
        return fingerprint_of(*self.fingerprint_parts())

    def fingerprint_parts(self) -> tuple[Any, ...]:
        """What its votes depend on."""
        told = (self.units, self.transcript, self.label, self.rename, self.pronunciations)
        return ("alignment", *told, version_of("pocketsphinx"))

    def check(self, schema: LabelSchema, *, here: bool = True) -> None:
        """Look before a run whether the model is installed and the question asks for such segments.

        Parameters
        ----------
        schema : LabelSchema
        here : bool
            Whether it will vote on this machine; if not, its file is not opened and its server not asked.

        Raises
        ------
        LabelmillError
            If not; says what to do.
        """
        self._class_of(schema)
        if here:
            self._opened()

    def annotate(self, batch: ItemBatch, schema: LabelSchema) -> VoteBatch:
        """A list of segments, or a fault, for each item, in order; an item without a transcript abstains."""
        try:
            classes = self._class_of(schema)
            told = batch.column(self.transcript).to_list()
        except LabelmillError as error:
            return all_faulty(self.name, batch, schema, error)
        places = batch.frame["data"]

        def segments(rows: Rows, log: FaultLog) -> tuple[Rows, list[Any]]:
            with_words = np.array([row for row in rows.tolist() if told[row] is not None], dtype=np.intp)
            return prepared_rows(with_words, log.add, lambda row: self._segments(places[row], told[row], classes))

        return values_by_batches(self.name, batch, 1, segments)

    def _segments(self, place: str, transcript: str, classes: Mapping[str, str] | None) -> list[dict[str, Any]]:
        words = spoken_words(transcript)
        if not words:
            return []
        aligner = self._opened()
        heard = require("labelmill.annotators._recordings", "alignment").heard
        samples = heard(self.files.path(place), aligner.rate)
        unknown = sorted({word for word in words if not aligner.knows(word)})
        if unknown:
            raise SchemaError(
                f"the dictionary lacks {', '.join(unknown[:8])}: say how it is pronounced, "
                f'pronunciations = {{ "{unknown[0]}" = "..." }}'
            )
        duration = len(samples) / aligner.rate
        found = []
        for word, start, end, phones in aligner.align(samples, words):
            if word in SILENCES:
                continue
            if classes is None:
                said = re.sub(r"\(\d+\)$", "", word)  # the dictionary's second pronunciation is `word(2)`
                found.append({"label": self.label, "start": start, "end": end, "text": said})
                continue
            for phone, first, last in phones:
                if phone not in SILENCES and phone in classes:
                    found.append({"label": classes[phone], "start": first, "end": last})
        for segment in found:
            segment["end"] = min(segment["end"], duration)
        return [segment for segment in found if segment["end"] > segment["start"]]

    def _class_of(self, schema: LabelSchema) -> dict[str, str] | None:
        """Phone -> class of the schema; None for words."""
        if schema.kind != "segment":
            raise RulesError(f"{self.name!r} marks segments, and the question is of the kind {schema.kind!r}")
        if self.units == "words":
            if self.label not in schema.classes:
                raise RulesError(
                    f"{self.name!r} marks the unknown class {self.label!r}: {nearest(str(self.label), schema.classes)}"
                )
            return None
        own = {name.upper(): name for name in schema.classes}
        if self.rename is None:
            missing = [phone for phone in PHONES if phone not in own]
            if missing:
                raise RulesError(
                    f"the schema has no class for the phones {', '.join(missing[:8])}{'...' * (len(missing) > 8)}: "
                    "name all 39, or say which phone is which class, rename = { ... }; the others are left out then"
                )
            return {phone: own[phone] for phone in PHONES}
        for phone, name in self.rename.items():
            if phone.upper() not in PHONES:
                raise RulesError(f"rename: no phone of ARPAbet is called {phone!r}: {nearest(phone.upper(), PHONES)}")
            if name not in schema.classes:
                raise RulesError(f"rename leads to the unknown class {name!r}: {nearest(name, schema.classes)}")
        kept = {phone: own[phone] for phone in PHONES if phone in own}
        return kept | {phone.upper(): name for phone, name in self.rename.items()}

    def _opened(self) -> Any:
        if self._aligner is None:
            module = require("labelmill.annotators._pocketsphinx", "alignment")
            self._aligner = module.opened(self.pronunciations)
        return self._aligner


def spoken_words(transcript: str) -> Sequence[str]:
    """The words of a transcript as the dictionary writes them: lower case, apostrophes kept, no other marks.

    Examples
    --------
    >>> spoken_words("“It's late,” she said.")
    ["it's", 'late', 'she', 'said']
    """
    plain = transcript.lower().replace("\u2019", "'")
    return [word for found in re.findall(r"[\w']+", plain) if (word := found.strip("'_"))]


PHONES = (
    *(
        "AA",
        "AE",
        "AH",
        "AO",
        "AW",
        "AY",
        "B",
        "CH",
        "D",
        "DH",
        "EH",
        "ER",
        "EY",
        "F",
        "G",
        "HH",
        "IH",
        "IY",
        "JH",
        "K",
    ),
    *("L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"),
)
"""ARPAbet as the CMU dictionary uses it, without stress."""
