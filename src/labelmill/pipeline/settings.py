"""Every setting of `labelmill.toml`: read by the project, the documentation and its test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["ATTRIBUTE_SETTINGS", "SETTINGS", "Setting"]


class Setting(NamedTuple):
    """One key of the project file: `[section] name = ...`.

    Of type dict are tables `[[section.name]]`, of type Mapping is one table `[section.name]` of free names.
    """

    section: str
    name: str
    type: type
    default: Any
    help: str

    @property
    def key(self) -> str:
        """As it is spoken of: `section.name`."""
        return f"{self.section}.{self.name}"


SETTINGS = (
    Setting("project", "name", str, "", "Name of the project; the folder's name without it."),
    Setting("project", "seed", int, 0, "Everything random follows from it."),
    Setting("schema", "name", str, "label", "Name of the question."),
    Setting("schema", "kind", str, "choice", "Kind of label: choice, multi_choice, span, box, ..."),
    Setting("schema", "classes", list, None, "Class names, in the order of every output. Needed."),
    Setting("schema", "modality", str, "text", "What an item's data is: text, image, audio."),
    Setting("schema", "guidelines", str, "", "What people are told; Markdown."),
    Setting("schema", "guidelines_file", str, "", "The same from a Markdown file, by its path from this folder."),
    Setting("schema", "examples", dict, [], "Shown with the guideline: item (or text, image, audio), answer, reason."),
    Setting("schema", "version", int, 1, "Raise it when the meaning of an answer changes."),
    Setting("schema", "attributes", dict, [], "What shapes and regions tell besides their class; see below."),
    Setting("source", "items", list, [], "Files of items that `labelmill run` imports."),
    Setting("source", "votes", list, [], "Files of votes that `labelmill run` imports."),
    Setting("source", "id", str, "id", "Column with the item's id."),
    Setting("source", "data", str, "", "Column with the item's data; the modality's name without it."),
    Setting("source", "encoding", str, "", "Encoding of text files; UTF-8 or a byte-order mark without it."),
    Setting("storage", "lake", str, "", "Folder or URI of the lake, e.g. s3://bucket/prefix; .labelmill without it."),
    Setting("storage", "database", str, "", "Of people: a file or postgresql://...; .labelmill/people.db without it."),
    Setting("storage", "media", list, ["."], "Folders that pictures and recordings may lie in, as people see them."),
    Setting("annotators", "code", str, "rules.py", "Python file with the labeling functions."),
    Setting("annotators", "files", list, [], "Files that rules open when they are called, e.g. data/*.csv."),
    Setting("annotators", "declared", dict, [], "Annotators without Python: name, use (a plugin), its options."),
    Setting("annotators", "cost", float, 0.0, "Of a model's vote on an item it has not seen; for routes."),
    Setting("annotate", "engine", str, "processes", "Where the work runs: serial, processes, ray, spark, an address."),
    Setting("annotate", "workers", int, 0, "How many workers at most; 0 means one per core."),
    Setting("annotate", "timeout", float, 10.0, "Seconds a labeling function may take on one item."),
    Setting("aggregate", "model", str, "auto", "Label model: auto, majority_vote, dawid_skene, ..."),
    Setting("features", "encoder", str, "", "What makes vectors of items, e.g. hashing or sentence:FOLDER."),
    Setting("features", "options", Mapping, {}, "What the encoder is told besides, e.g. {dimensions = 512}."),
    Setting("train", "learner", str, "tfidf_linear", "Learner that votes too; empty for none."),
    Setting("train", "options", Mapping, {}, 'Options of that learner by name, e.g. `method = "full"`; see its row.'),
    Setting("train", "class_weight", str, "none", "What an item of a rare class counts: none, balanced, effective."),
    Setting("train", "resample", str, "none", "Items of rare classes repeated, or of others left: over, under, mean."),
    Setting("train", "promote", str, "better", "When a new version counts: better (no worse than before), or always."),
    Setting("train", "held_back", float, 0.0, "Share of people's answers that no version learns from."),
    Setting("train", "every_answers", int, 0, "While people are served, train after so many new answers; 0: never."),
    Setting("train", "every_hours", float, 0.0, "The same after so many hours with new answers; 0: never."),
    Setting("select", "strategy", str, "margin", "Query strategy: margin, auto, cluster_margin, random, ..."),
    Setting("select", "count", int, 50, "How many items to ask people about at a time."),
    Setting(
        "select",
        "random_share",
        float,
        "",
        "Share of them drawn at random, 0 to 1; 0.1 for auto and 0 else without it.",
    ),
    Setting(
        "select", "balance_classes", bool, default=False, help="Whether to ask for as many of each class as can be had."
    ),
    Setting("select", "stop", str, "", "When asking stops: budget, certificate, flat; never without it."),
    Setting("select", "budget", int, 0, "Answers of people after which `budget` stops."),
    Setting("select", "wrong_price", float, 0.0, "What a wrong label costs, in the unit of costs; 0: no routes."),
    Setting("people", "cost", float, 1.0, "Of one answer of one person; for routes."),
    Setting("people", "expert_cost", float, 5.0, "Of one answer of an expert."),
    Setting("people", "expert_accuracy", float, 0.99, "How often an expert is right."),
    Setting("people", "overlap", int, 1, "How many people answer each item."),
    Setting("people", "gold_share", float, 0.0, "Share of gold items among what annotators get, if gold was imported."),
    Setting(
        "people", "gold_floor", float, 0.0, "Who is surely right on less of the gold than this is paused; 0: nobody."
    ),
    Setting("people", "training", int, 0, "Gold items that newcomers learn by before real work; 0 for no training."),
    Setting("people", "pass_mark", float, 0.8, "Share of them to be answered rightly."),
    Setting("people", "attempts", int, 2, "How often a newcomer may try before a lead must decide."),
    Setting("people", "blind_share", float, 0.1, "Share of items that are given without suggestions."),
    Setting("people", "threshold", float, 0.0, "Suggestions less sure than this are not shown."),
    Setting("people", "lease_minutes", float, 10.0, "How long an item stays with somebody who shows no sign of life."),
    Setting(
        "people", "late", str, "extra", "An answer that comes too late: extra keeps it as one more vote, or refuse."
    ),
    Setting("certify", "error", float, 0.05, "Certified share of wrong labels, at most."),
    Setting("certify", "confidence", float, 0.95, "Probability with which the certificate holds."),
    Setting("export", "formats", list, ["csv", "jsonl", "parquet"], "Files of a release."),
)
"""In the order of the documentation."""

ATTRIBUTE_SETTINGS = (
    Setting("schema.attributes", "name", str, None, "What it is called."),
    Setting("schema.attributes", "kind", str, "choice", "What its value is: choice, number, text, yes_no."),
    Setting("schema.attributes", "options", list, [], "Of a choice: two at least, in the order of the form."),
    Setting("schema.attributes", "classes", list, [], "The classes that have it; all without any."),
    Setting(
        "schema.attributes", "required", bool, default=False, help="Whether people must give it before they can send."
    ),
    Setting("schema.attributes", "least", float, "", "Of a number: nothing smaller is taken."),
    Setting("schema.attributes", "most", float, "", "Of a number: nothing greater is taken."),
    Setting("schema.attributes", "unit", str, "", "Of a number: shown beside it, e.g. km/h."),
    Setting(
        "schema.attributes",
        "sticky",
        bool,
        default=False,
        help="Whether a new region is proposed what its class had last.",
    ),
    Setting(
        "schema.attributes",
        "counts",
        bool,
        default=False,
        help="Whether shapes that differ in it are less alike to compare.",
    ),
)
"""Keys of each table `[[schema.attributes]]`, in the order of the documentation."""
