"""Small models with weights drawn from a seed, as files that encoders read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

__all__ = [
    "audio_onnx",
    "image_onnx",
    "image_tflite",
    "model2vec_folder",
    "sentence_folder",
    "sentence_onnx",
    "tokenizer",
    "vision_folder",
]

WIDTH = 32


def tokenizer() -> Tokenizer:
    """Words in pieces of single characters, with marks at both ends."""
    characters = [chr(code) for code in range(33, 127)]
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *characters, *(f"##{c}" for c in characters)]
    vocabulary = {piece: i for i, piece in enumerate(known)}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=200))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made


def sentence_folder(folder: Path, *, pooling: dict[str, object] | None = None) -> Path:
    """A BERT of two layers, as sentence-transformers saves it."""
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=tokenizer().get_vocab_size(),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    fast: Any = cast("Any", PreTrainedTokenizerFast)(tokenizer_object=tokenizer(), pad_token="[PAD]", unk_token="[UNK]")
    fast.save_pretrained(folder)
    kinds = ("Transformer", "Pooling", "Normalize")
    paths = ("", "1_Pooling", "2_Normalize")
    modules = [
        {"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in zip(paths, kinds, strict=True)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling or {"pooling_mode_mean_tokens": True}))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 48}))
    return folder


def vision_folder(folder: Path) -> Path:
    """A vision transformer of one layer for pictures of 32 by 32."""
    import torch
    from transformers import ViTConfig, ViTModel

    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=48,
        image_size=32,
        patch_size=8,
    )
    ViTModel(config).save_pretrained(folder)
    told = {"size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(told))
    return folder


def model2vec_folder(folder: Path) -> Path:
    """A table of 16 numbers for each piece of a word, with weights."""
    from model2vec import StaticModel

    rng = np.random.default_rng(0)
    plain = tokenizer()
    plain.post_processor = processors.TemplateProcessing(single="$A", special_tokens=[])
    n_tokens = plain.get_vocab_size()
    vectors, weights = rng.normal(size=(n_tokens, 16)).astype(np.float32), rng.uniform(0.5, 1.5, n_tokens)
    StaticModel(vectors, plain, weights=weights).save_pretrained(folder)
    return folder


def sentence_onnx(folder: Path) -> Path:
    """A table of vectors of tokens, plus that of the token's place, and its tokenizer."""
    table = _weights((tokenizer().get_vocab_size(), WIDTH))
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["words", "column"], ["last_hidden_state"]),
    ]
    inputs = [_tensor(name, TensorProto.INT64, ["n", "t"]) for name in ("input_ids", "attention_mask")]
    output = _tensor("last_hidden_state", TensorProto.FLOAT, ["n", "t", WIDTH])
    constants = [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([2]), "last")]
    tokenizer().save(str(folder / "tokenizer.json"))
    return _saved(folder / "model.onnx", nodes, inputs, output, constants)


def image_onnx(folder: Path) -> Path:
    """Eight maps of edges, of a picture of 32 by 32."""
    nodes = [
        helper.make_node("Conv", ["pictures", "kernels"], ["edges"], strides=[4, 4]),
        helper.make_node("Relu", ["edges"], ["maps"]),
    ]
    inputs = [_tensor("pictures", TensorProto.FLOAT, ["n", 3, 32, 32])]
    output = _tensor("maps", TensorProto.FLOAT, ["n", 8, 7, 7])
    constants = [numpy_helper.from_array(_weights((8, 3, 8, 8)), "kernels")]
    return _saved(folder / "picture.onnx", nodes, inputs, output, constants)


def audio_onnx(folder: Path) -> Path:
    """Eight filters of 25 milliseconds each, over time."""
    nodes = [
        helper.make_node("Unsqueeze", ["samples", "middle"], ["channels"]),
        helper.make_node("Conv", ["channels", "filters"], ["heard"], strides=[160]),
        helper.make_node("Abs", ["heard"], ["loud"]),
        helper.make_node("Transpose", ["loud"], ["steps"], perm=[0, 2, 1]),
    ]
    inputs = [_tensor("samples", TensorProto.FLOAT, [1, "n"])]
    output = _tensor("steps", TensorProto.FLOAT, [1, "t", 8])
    constants = [
        numpy_helper.from_array(_weights((8, 1, 400)), "filters"),
        numpy_helper.from_array(np.array([1]), "middle"),
    ]
    return _saved(folder / "sound.onnx", nodes, inputs, output, constants)


def image_tflite(folder: Path) -> Path:
    """The mean colour of each fourth of a picture of 8 by 8, in a TensorFlow Lite file."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as tflite

    def tensor(name: str, shape: list[int]) -> Any:
        one = tflite.TensorT()
        one.name, one.shape, one.type, one.buffer = name.encode(), shape, tflite.TensorType.FLOAT32, 0
        return one

    code, options, operator = tflite.OperatorCodeT(), tflite.Pool2DOptionsT(), tflite.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = tflite.BuiltinOperator.AVERAGE_POOL_2D
    options.padding = tflite.Padding.VALID
    options.strideW = options.strideH = options.filterWidth = options.filterHeight = 4
    operator.inputs, operator.outputs = [0], [1]
    operator.builtinOptionsType, operator.builtinOptions = tflite.BuiltinOptions.Pool2DOptions, options
    graph, model = tflite.SubGraphT(), tflite.ModelT()
    graph.tensors = [tensor("picture", [1, 8, 8, 3]), tensor("colours", [1, 2, 2, 3])]
    graph.inputs, graph.outputs, graph.operators = [0], [1], [operator]
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [tflite.BufferT()]
    builder = flatbuffers.Builder(256)
    builder.Finish(model.Pack(builder), b"TFL3")
    path = folder / "picture.tflite"
    path.write_bytes(bytes(builder.Output()))
    return path


def _weights(shape: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


_tensor: Callable[..., onnx.ValueInfoProto] = helper.make_tensor_value_info


def _saved(
    path: Path,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    output: onnx.ValueInfoProto,
    constants: list[onnx.TensorProto],
) -> Path:
    graph = helper.make_graph(nodes, "tiny", inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path
