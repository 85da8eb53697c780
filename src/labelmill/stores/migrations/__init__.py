"""How the database's tables came to be, one file a step."""
