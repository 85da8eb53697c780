"""The shell's door: one file per command."""
