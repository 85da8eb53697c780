"""The nouns: plain data and protocols, shared by every room. Nothing here opens a file."""
