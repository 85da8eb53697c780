"""Where state lives: the lake of columnar files."""
