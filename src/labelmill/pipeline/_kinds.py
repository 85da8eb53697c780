"""The kind of label that a schema asks for."""

from __future__ import annotations

from labelmill import registry
from labelmill.domain.ports import LabelKind
from labelmill.domain.schema import LabelSchema

__all__ = ["kind_of"]


def kind_of(schema: LabelSchema) -> LabelKind:
    """The schema's kind of label, ready to check, compare and merge answers.

    Raises
    ------
    UnknownPluginError
        If there is none of that name.
    """
    kind: LabelKind = registry.find("label_kind", schema.kind)(**schema.kind_options)
    return kind
