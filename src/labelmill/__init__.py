"""labelmill: from raw items to a labelled dataset with the fewest human decisions, and a proof of how good it is.

Importing this loads nothing heavy; a public name loads its own module when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labelmill.aggregation._bradley_terry import BradleyTerry
    from labelmill.aggregation._online import OnlineConsensus
    from labelmill.aggregation.anchored_naive_bayes import AnchoredNaiveBayes
    from labelmill.aggregation.dawid_skene import DawidSkene
    from labelmill.aggregation.majority_vote import MajorityVote
    from labelmill.aggregation.shrinkage_dawid_skene import ShrinkageDawidSkene
    from labelmill.annotators._lfs import LFs
    from labelmill.annotators._preprocessor import preprocessor
    from labelmill.annotators.alignment import Alignment as alignment
    from labelmill.annotators.dictionary import Dictionary as dictionary
    from labelmill.annotators.http_predictor import HttpPredictor as http_predictor
    from labelmill.annotators.keyword import Keyword as keyword
    from labelmill.annotators.label_studio_backend import LabelStudioBackend as label_studio_backend
    from labelmill.annotators.labeling_function import labeling_function
    from labelmill.annotators.mask_predictor import MaskPredictor as mask_predictor
    from labelmill.annotators.onnx_detector import OnnxDetector as onnx_detector
    from labelmill.annotators.onnx_predictor import OnnxPredictor as onnx_predictor
    from labelmill.annotators.predictor import Predictor as predictor
    from labelmill.annotators.regex import Regex as regex
    from labelmill.annotators.tflite_predictor import TflitePredictor as tflite_predictor
    from labelmill.annotators.threshold import Threshold as threshold
    from labelmill.annotators.torch_predictor import TorchPredictor as torch_predictor
    from labelmill.annotators.voice_activity import VoiceActivity as voice_activity
    from labelmill.domain.attributes import Attribute
    from labelmill.domain.consensus import Consensus
    from labelmill.domain.item import Item, ItemBatch
    from labelmill.domain.schema import ABSTAIN, LabelSchema
    from labelmill.domain.vote import Fault, Vote, VoteBatch
    from labelmill.domain.vote_table import VoteTable
    from labelmill.pipeline.aggregate import Aggregated
    from labelmill.pipeline.aggregate import aggregate_votes as aggregate
    from labelmill.pipeline.check import check_votes as check
    from labelmill.pipeline.mill import Mill
    from labelmill.pipeline.vote_quality import score_votes
    from labelmill.quality.agreement import agreement
    from labelmill.quality.analysis import analyze
    from labelmill.quality.audit_plan import plan_audit
    from labelmill.quality.balance import class_balance, class_weights
    from labelmill.quality.certificate import certify
    from labelmill.quality.label_errors import LabelErrors, find_label_errors
    from labelmill.quality.vote_quality import VoteQuality

__version__ = "0.1.0"

_HOME = {
    "ABSTAIN": ("labelmill.domain.schema", "ABSTAIN"),
    "Aggregated": ("labelmill.pipeline.aggregate", "Aggregated"),
    "AnchoredNaiveBayes": ("labelmill.aggregation.anchored_naive_bayes", "AnchoredNaiveBayes"),
    "Attribute": ("labelmill.domain.attributes", "Attribute"),
    "BradleyTerry": ("labelmill.aggregation._bradley_terry", "BradleyTerry"),
    "Consensus": ("labelmill.domain.consensus", "Consensus"),
    "DawidSkene": ("labelmill.aggregation.dawid_skene", "DawidSkene"),
    "Fault": ("labelmill.domain.vote", "Fault"),
    "Item": ("labelmill.domain.item", "Item"),
    "ItemBatch": ("labelmill.domain.item", "ItemBatch"),
    "LFs": ("labelmill.annotators._lfs", "LFs"),
    "LabelErrors": ("labelmill.quality.label_errors", "LabelErrors"),
    "LabelSchema": ("labelmill.domain.schema", "LabelSchema"),
    "MajorityVote": ("labelmill.aggregation.majority_vote", "MajorityVote"),
    "Mill": ("labelmill.pipeline.mill", "Mill"),
    "OnlineConsensus": ("labelmill.aggregation._online", "OnlineConsensus"),
    "ShrinkageDawidSkene": ("labelmill.aggregation.shrinkage_dawid_skene", "ShrinkageDawidSkene"),
    "Vote": ("labelmill.domain.vote", "Vote"),
    "VoteBatch": ("labelmill.domain.vote", "VoteBatch"),
    "VoteQuality": ("labelmill.quality.vote_quality", "VoteQuality"),
    "VoteTable": ("labelmill.domain.vote_table", "VoteTable"),
    "aggregate": ("labelmill.pipeline.aggregate", "aggregate_votes"),
    "agreement": ("labelmill.quality.agreement", "agreement"),
    "alignment": ("labelmill.annotators.alignment", "Alignment"),
    "analyze": ("labelmill.quality.analysis", "analyze"),
    "certify": ("labelmill.quality.certificate", "certify"),
    "check": ("labelmill.pipeline.check", "check_votes"),
    "class_balance": ("labelmill.quality.balance", "class_balance"),
    "class_weights": ("labelmill.quality.balance", "class_weights"),
    "dictionary": ("labelmill.annotators.dictionary", "Dictionary"),
    "find_label_errors": ("labelmill.quality.label_errors", "find_label_errors"),
    "http_predictor": ("labelmill.annotators.http_predictor", "HttpPredictor"),
    "keyword": ("labelmill.annotators.keyword", "Keyword"),
    "label_studio_backend": ("labelmill.annotators.label_studio_backend", "LabelStudioBackend"),
    "labeling_function": ("labelmill.annotators.labeling_function", "labeling_function"),
    "mask_predictor": ("labelmill.annotators.mask_predictor", "MaskPredictor"),
    "onnx_detector": ("labelmill.annotators.onnx_detector", "OnnxDetector"),
    "onnx_predictor": ("labelmill.annotators.onnx_predictor", "OnnxPredictor"),
    "plan_audit": ("labelmill.quality.audit_plan", "plan_audit"),
    "predictor": ("labelmill.annotators.predictor", "Predictor"),
    "preprocessor": ("labelmill.annotators._preprocessor", "preprocessor"),
    "regex": ("labelmill.annotators.regex", "Regex"),
    "score_votes": ("labelmill.pipeline.vote_quality", "score_votes"),
    "tflite_predictor": ("labelmill.annotators.tflite_predictor", "TflitePredictor"),
    "threshold": ("labelmill.annotators.threshold", "Threshold"),
    "torch_predictor": ("labelmill.annotators.torch_predictor", "TorchPredictor"),
    "voice_activity": ("labelmill.annotators.voice_activity", "VoiceActivity"),
}
"""Public name -> (module, name there); sorted, and equal to the imports above and to `__all__`."""

__all__ = [
    "ABSTAIN",
    "Aggregated",
    "AnchoredNaiveBayes",
    "Attribute",
    "BradleyTerry",
    "Consensus",
    "DawidSkene",
    "Fault",
    "Item",
    "ItemBatch",
    "LFs",
    "LabelErrors",
    "LabelSchema",
    "MajorityVote",
    "Mill",
    "OnlineConsensus",
    "ShrinkageDawidSkene",
    "Vote",
    "VoteBatch",
    "VoteQuality",
    "VoteTable",
    "aggregate",
    "agreement",
    "alignment",
    "analyze",
    "certify",
    "check",
    "class_balance",
    "class_weights",
    "dictionary",
    "find_label_errors",
    "http_predictor",
    "keyword",
    "label_studio_backend",
    "labeling_function",
    "mask_predictor",
    "onnx_detector",
    "onnx_predictor",
    "plan_audit",
    "predictor",
    "preprocessor",
    "regex",
    "score_votes",
    "tflite_predictor",
    "threshold",
    "torch_predictor",
    "voice_activity",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        module, there = _HOME[name]
        value = getattr(importlib.import_module(module), there)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'labelmill' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
