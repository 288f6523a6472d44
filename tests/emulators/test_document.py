"""docs/emulators.md says what the emulators go by."""

from emulators.document import PATH, document
from emulators.router.methods import BEHAVIOURS


def test_the_tables_are_those_of_the_emulators() -> None:
    """After a change of a table of methods: `python -m emulators.document`."""
    present = PATH.read_text()
    assert document(present) == present


def test_whatever_the_router_does_otherwise_has_a_reason() -> None:
    """As the other emulators' tables, whose own tests hold them to it."""
    assert [row for row in BEHAVIOURS if (row[2] != "done") != bool(row[3])] == []
