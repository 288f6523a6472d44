"""A bounded cache without a clock or a list: two generations, of which the older is dropped whole.

What is asked for again moves to the newer one, so what is popular stays. To drop the oldest entry of one dictionary
each time would be slower the longer it runs: Python walks over the places of all that was deleted to find the first.
"""


class Recent[Name, Value]:
    """At most `most` values by name; a value that was neither set nor got while `most / 2` others were, is gone."""

    def __init__(self, most: int) -> None:
        self._half = max(1, most // 2)
        self._new: dict[Name, Value] = {}
        self._old: dict[Name, Value] = {}

    def get(self, name: Name) -> Value | None:
        """The value, if it is still there."""
        found = self._new.get(name)
        if found is None:
            found = self._old.get(name)
            if found is not None:
                self.set(name, found)
        return found

    def set(self, name: Name, value: Value) -> None:
        """Keep a value."""
        if len(self._new) >= self._half:
            self._old, self._new = self._new, {}
        self._new[name] = value

    def __len__(self) -> int:
        return len(self._new) + len(self._old)
