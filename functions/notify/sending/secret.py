"""A text that does not show itself."""


class Secret:
    """Holds a secret; only `reveal` gives it.

    >>> print(Secret("https://hooks.example/T0/abc"))
    **********
    """

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "**********"
