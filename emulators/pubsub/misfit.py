"""The one error of definitions and messages, whatever the kind of schema."""


class Misfit(ValueError):
    """A definition that is no schema, or a message that is not of its schema; the text says where."""
