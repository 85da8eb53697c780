"""Files in and out: both directions of a format in one file."""
