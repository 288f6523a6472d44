"""Logged predictions, the labels that came for them, and the two held against each other."""
