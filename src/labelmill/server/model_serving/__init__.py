"""Trained annotators behind an address: the Open Inference Protocol, Label Studio's, and JSON lines."""
