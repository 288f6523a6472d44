"""The ports of `core.ports` on Google Cloud's own clients, and the edge of a function."""
