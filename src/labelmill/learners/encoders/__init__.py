"""Encoders: items as vectors; one file each."""
