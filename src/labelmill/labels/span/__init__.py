"""Span: stretches of a text, each with a class."""

from __future__ import annotations

from labelmill.labels.span.kind import Span

__all__ = ["Span"]
