"""Watching what serves: whether a slice has become worse, whether it is well again, and what a person is told."""
