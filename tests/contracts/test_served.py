"""What servers read of stored records is what the strict models write."""

import json
from typing import Any

import pytest

from dropforge.contracts import canary, models
from dropforge.contracts.errors import FileUnreadable
from dropforge.contracts.served import ServedCanary, ServedCandidate, ServedChampion, ServedField

CHAMPION = models.Champion(
    pipeline="flights",
    candidate_id="c1",
    version="3",
    model="projects/p/locations/l/models/m",
    endpoint="projects/p/locations/l/endpoints/e",
    deployed_model_id="1",
    artefact_sha256="0" * 64,
    trained_until="2013-06-01T00:00:00+00:00",
    published="2026-01-01T00:00:00+00:00",
    published_by="a test",
)


@pytest.mark.parametrize(
    ("served", "model"),
    [
        (ServedField, models.Field),
        (ServedCandidate, models.Candidate),
        (ServedChampion, models.Champion),
        (ServedCanary, canary.Canary),
    ],
)
def test_every_key_that_a_server_reads_is_written(served: Any, model: Any) -> None:
    """A field that is renamed in the contract must not vanish from the servers silently."""
    assert served.__dataclass_fields__.keys() <= model.model_fields.keys()


def test_a_field_is_read_whole() -> None:
    """The check of an instance uses every part of a field."""
    assert set(ServedField.__dataclass_fields__) == set(models.Field.model_fields)


def test_a_champion_is_read_as_it_was_written() -> None:
    """Including the keys that no server needs."""
    read = ServedChampion.read(CHAMPION.model_dump_json().encode(), "champions/flights.json")
    assert vars(read) == {name: getattr(CHAMPION, name) for name in vars(read)}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", json.dumps({"pipeline": "flights"}).encode()])
def test_what_is_no_record_is_told_with_its_place(content: bytes) -> None:
    """A pointer that was overwritten by hand must not end in a bare KeyError."""
    for read in (ServedChampion.read, ServedCandidate.read, ServedCanary.read):
        with pytest.raises(FileUnreadable, match="some/place"):
            read(content, "some/place")
