"""Models of a few numbers, made where they are needed: their answers are known by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

__all__ = [
    "classifier_of_numbers",
    "classifier_of_pictures",
    "classifier_of_texts",
    "classifier_of_tokens",
    "constant_outputs",
    "floats",
    "picture",
    "scores_of_pixels",
    "tflite_softmax",
    "wholes",
    "written",
]


def floats(values: Any) -> npt.NDArray[np.float32]:
    """An array of floats as models hold them."""
    return np.array(values, dtype=np.float32)


def wholes(values: Any) -> npt.NDArray[np.int64]:
    """An array of whole numbers as models hold them."""
    return np.array(values, dtype=np.int64)


FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING


def written(path: Path, nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], **arrays: Any) -> Path:
    """A model of these nodes in a file."""
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in arrays.items()]
    graph = helper.make_graph(list(nodes), "tiny", list(inputs), list(outputs), constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def classifier_of_numbers(path: Path, *, n_classes: int = 2, batch: Any = "n", softmax: bool = True) -> Path:
    """Numbers to classes: the logit of class k is the k-th number."""
    nodes = [
        helper.make_node("Softmax", ["x"], ["y"], axis=1) if softmax else helper.make_node("Identity", ["x"], ["y"])
    ]
    inputs = [helper.make_tensor_value_info("x", FLOAT, [batch, n_classes])]
    return written(path, nodes, inputs, [helper.make_tensor_value_info("y", FLOAT, [batch, n_classes])])


def classifier_of_pictures(path: Path) -> Path:
    """Red, green or blue: which channel of the picture is the brightest, as logits times ten."""
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["means"], keepdims=0),
        helper.make_node("Mul", ["means", "ten"], ["y"]),
    ]
    inputs = [helper.make_tensor_value_info("x", FLOAT, ["n", 3, 8, 8])]
    outputs = [helper.make_tensor_value_info("y", FLOAT, ["n", 3])]
    return written(path, nodes, inputs, outputs, ten=floats([10]), axes=wholes([2, 3]))


def classifier_of_texts(path: Path) -> Path:
    """Two classes for texts: the second where the text is `free`; the model takes texts, and gives a label as well."""
    nodes = [
        helper.make_node("Equal", ["text", "word"], ["is"]),
        helper.make_node("Cast", ["is"], ["label"], to=INT64),
        helper.make_node("Cast", ["is"], ["second"], to=FLOAT),
        helper.make_node("Sub", ["one", "second"], ["first"]),
        helper.make_node("Concat", ["first", "second"], ["probabilities"], axis=1),
    ]
    inputs = [helper.make_tensor_value_info("text", STRING, ["n", 1])]
    outputs = [
        helper.make_tensor_value_info("label", INT64, ["n", 1]),
        helper.make_tensor_value_info("probabilities", FLOAT, ["n", 2]),
    ]
    word = np.array(["free"], dtype=object)
    return written(path, nodes, inputs, outputs, word=word, one=floats([1]))


def classifier_of_tokens(path: Path) -> Path:
    """How many tokens there are: logits (n, 3)."""
    nodes = [
        helper.make_node("Cast", ["attention_mask"], ["ones"], to=FLOAT),
        helper.make_node("ReduceSum", ["ones", "axis"], ["n"], keepdims=1),
        helper.make_node("Sub", ["three", "n"], ["less"]),
        helper.make_node("Concat", ["n", "less"], ["y"], axis=1),
    ]
    inputs = [helper.make_tensor_value_info("attention_mask", INT64, ["n", "t"])]
    outputs = [helper.make_tensor_value_info("y", FLOAT, ["n", 2])]
    return written(path, nodes, inputs, outputs, axis=wholes([1]), three=floats([3]))


def constant_outputs(path: Path, outputs: dict[str, npt.NDArray[Any]], *, size: tuple[int, int] = (32, 32)) -> Path:
    """A detector that sees the same in every picture; its batch is always one."""
    kinds = {np.dtype(np.float32): FLOAT, np.dtype(np.int64): INT64}
    nodes, constants = [], {}
    for name, value in outputs.items():
        constants[f"{name}_"] = value
        nodes.append(helper.make_node("Identity", [f"{name}_"], [name]))
    inputs = [helper.make_tensor_value_info("x", FLOAT, [1, 3, size[1], size[0]])]
    told = [helper.make_tensor_value_info(n, kinds[v.dtype], list(v.shape)) for n, v in outputs.items()]
    return written(path, nodes, inputs, told, **constants)


def scores_of_pixels(path: Path, *, side: int = 8) -> Path:
    """Each pixel's scores are its channels: red, green, blue."""
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    inputs = [helper.make_tensor_value_info("x", FLOAT, ["n", 3, side, side])]
    return written(path, nodes, inputs, [helper.make_tensor_value_info("y", FLOAT, ["n", 3, side, side])])


def picture(
    path: Path, left: tuple[int, int, int], right: tuple[int, int, int], size: tuple[int, int] = (40, 20)
) -> Path:
    """A picture of two colours, side by side."""
    pixels = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    pixels[:, : size[0] // 2], pixels[:, size[0] // 2 :] = left, right
    Image.fromarray(pixels).save(path)
    return path


def tflite_softmax(path: Path, n_classes: int) -> Path:
    """A TensorFlow Lite model whose batch is one: softmax of its numbers."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as tflite

    def tensor(name: str) -> Any:
        one = tflite.TensorT()
        one.name, one.shape, one.type, one.buffer = name.encode(), [1, n_classes], tflite.TensorType.FLOAT32, 0
        return one

    code, options, operator = tflite.OperatorCodeT(), tflite.SoftmaxOptionsT(), tflite.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = tflite.BuiltinOperator.SOFTMAX
    options.beta = 1.0
    operator.inputs, operator.outputs = [0], [1]
    operator.builtinOptionsType, operator.builtinOptions = tflite.BuiltinOptions.SoftmaxOptions, options
    graph, model = tflite.SubGraphT(), tflite.ModelT()
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [tensor("x"), tensor("y")], [0], [1], [operator]
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [tflite.BufferT()]
    builder = flatbuffers.Builder(256)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path
