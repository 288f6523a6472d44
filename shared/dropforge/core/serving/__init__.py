"""Answers computed before they are asked for: how a row or a key is named, and the file that holds them."""
