"""Kinds of label: one folder each, with its meaning and its widget."""
