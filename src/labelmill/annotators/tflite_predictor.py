"""Classifiers in TensorFlow Lite files vote."""

from __future__ import annotations

from labelmill.annotators.onnx_predictor import OnnxPredictor

__all__ = ["TflitePredictor"]


class TflitePredictor(OnnxPredictor):
    """Votes by a classifier in a `.tflite` file, quantised or not; options are those of `onnx_predictor`.

    Pictures mostly come with channels last: `picture = { size = [96, 96], layout = "nhwc" }`.

    Raises
    ------
    MissingDependencyError
        When it is first asked: `pip install 'labelmill[tflite]'`.
    """

    runtime = "ai_edge_litert"
