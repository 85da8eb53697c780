"""The figures of the report: inline SVG drawn by small functions, one file each."""
