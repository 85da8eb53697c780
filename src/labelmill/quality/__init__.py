"""How good it is: analysis of annotators, certificates."""
