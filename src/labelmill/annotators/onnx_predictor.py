"""Classifiers in ONNX files vote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labelmill.annotators._file_classifier import FileClassifier
from labelmill.annotators._item_inputs import ItemInputs, Takes
from labelmill.annotators._model_file import ModelFile
from labelmill.annotators._places import class_names, resources_of
from labelmill.annotators._scores import Gives
from labelmill.annotators.predictor import Predictor
from labelmill.domain.partition import Resources

__all__ = ["OnnxPredictor"]


class OnnxPredictor(Predictor):
    """Votes by a classifier in an ONNX file; its votes are of the file's bytes and the options.

    Parameters
    ----------
    file : str or Path
        The model, relative to the rules or the project file. Weights beside it (`model.onnx_data`) belong to it.
    classes : sequence of str, or path
        Class names in the order of the model's outputs, or a file that holds them: JSON, or one a line.
    rename : mapping of str to str, optional
        The model's class -> the schema's; see `predictor`.
    takes : {"text", "image", "numbers"}
        What the model is given: the text itself (a model that holds its own vectoriser) or its tokens, a picture, or
        columns of numbers.
    field : str
        Where the text, or the path of the picture, is.
    fields : sequence of str
        Where the numbers are, in the model's order.
    tokenizer : path, optional
        A `tokenizer.json`; with it the model gets `input_ids`, `attention_mask` and, if it asks, `token_type_ids`.
    max_tokens : int
        Longer texts are cut.
    picture : Picture or mapping
        How a picture becomes numbers: size, fit, resample, scale, mean, std, channels, layout.
    folder : path or sequence of paths, optional
        Where pictures lie; the folder of the rules, or the project's media folders, without it.
    gives : {"probabilities", "logits", "log_probabilities"}
        What the model's numbers are.
    output : str or int, optional
        Which output holds them, if there are several.
    min_confidence : float
        Below this probability the model abstains.
    batch_size : int
        Items at once. A model whose batch has a fixed size is run as often as it takes.
    name : str, optional
        Name of the annotator; in a rules file, the variable's without it.
    resources : Resources or mapping, optional
        What a worker needs: its cores are the model's threads, with `gpus` an accelerator is used if there is one.

    Raises
    ------
    RulesError
        If a file is missing, or an option is none.
    MissingDependencyError
        When it is first asked: `pip install 'labelmill[onnx]'`.
    """

    runtime = "onnxruntime"
    reason = "a model is run on batches"

    def __init__(
        self,
        file: str | Path,
        *,
        classes: Sequence[str] | str | Path,
        rename: Mapping[str, str] | None = None,
        takes: Takes = "text",
        field: str = "text",
        fields: Sequence[str] = (),
        tokenizer: str | Path | None = None,
        max_tokens: int = 256,
        picture: Any = None,
        folder: Any = None,
        gives: Gives = "probabilities",
        output: str | int | None = None,
        min_confidence: float = 0.0,
        batch_size: int = 32,
        name: str | None = None,
        resources: Resources | Mapping[str, Any] | None = None,
    ) -> None:
        names = class_names(classes)
        need = resources_of(resources)
        inputs = ItemInputs(
            takes,
            field=field,
            fields=fields,
            tokenizer=tokenizer,
            max_tokens=max_tokens,
            picture=picture,
            folder=folder,
        )
        self.file = ModelFile(file)
        model = FileClassifier(
            self.file, inputs, output=output, runtime=self.runtime, n_classes=len(names), resources=need
        )
        super().__init__(
            model,
            classes=names,
            rename=rename,
            takes="items",
            field=field,
            gives=gives,
            min_confidence=min_confidence,
            batch_size=batch_size,
            name=name,
            resources=need,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.file)!r})"
