"""From an object's event to a staged batch."""

import gzip
from pathlib import Path

import pytest

from dropforge.contracts import places
from dropforge.contracts.batch import Source
from dropforge.contracts.errors import EventInvalid, NotFound, PipelineInvalid
from dropforge.contracts.events import BatchStaged
from dropforge.core.twins import MemoryObjects
from functions.ingest.steps import ingest
from tests.functions.drops import HEADER, Died, Shop

ONE = HEADER + "1,2013-01-01T10:00:00Z,9.5,big,hello\n"


def test_records_are_staged_as_text_with_row_and_physical_line(shop: Shop) -> None:
    """Nothing is coerced before the rules speak, and every later message can name the line."""
    staged = shop.ingest(shop.put(HEADER + '007,x,1e5,"a\nb",NaN\n\n8,,,,\n'))
    assert staged is not None
    assert (staged.rows, staged.rejected, staged.columns) == (2, 0, ["id", "at", "amount", "kind", "note"])
    assert shop.rows(places.staged_rows(staged.batch)) == [
        {"_row": 1, "_line": 2, "id": "007", "at": "x", "amount": "1e5", "kind": "a\nb", "note": "NaN"},
        {"_row": 2, "_line": 5, "id": "8", "at": None, "amount": None, "kind": None, "note": None},
    ]


def test_a_record_that_cannot_be_read_is_kept_with_its_line_and_reason(shop: Shop) -> None:
    """Bad rows are the ones that a person wants to see."""
    staged = shop.ingest(shop.put(ONE + "2,only two\n"))
    assert staged is not None
    assert shop.rows(places.staged_rejects(staged.batch)) == [
        {
            "_row": 2,
            "_line": 3,
            "_text": "2,only two",
            "_code": "wrong_field_count",
            "_sentence": "Line 3 has 2 fields. Expected 5, as in the header.",
        }
    ]


def test_a_second_delivery_only_publishes_again(shop: Shop) -> None:
    """Delivery is at least once; the work is done once."""
    source = shop.put(ONE)
    first = shop.ingest(source)
    before = shop.everything()
    assert shop.ingest(source) == first
    assert shop.everything() == before
    assert [type(event) for event in shop.topics.published] == [BatchStaged, BatchStaged]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_dying_at_any_write_is_repaired_by_the_next_delivery(shop: Shop, at: int, after: bool) -> None:
    """A function can be killed between any two effects."""
    content = ONE + "bad line\n"
    calm = Shop().deploy()
    calm.ingest(calm.put(content))
    source = shop.put(content)
    with pytest.raises(Died):
        shop.dying(at, after).ingest(source)
    shop.ingest(source)
    assert shop.everything() == calm.everything()
    assert shop.topics.published[-1] == calm.topics.published[-1]


def test_an_object_without_bytes_waits_for_its_content(shop: Shop) -> None:
    """Some writers create the name first: no verdict on that, but a person can see it."""
    assert shop.ingest(shop.put(b"")) is None
    assert [alert.code for alert in shop.alerts()] == ["waiting_for_content"]
    assert "has no bytes" in shop.alerts()[0].sentence
    assert not list(shop.state.list("batches/"))
    assert shop.ingest(shop.put(ONE)) is not None


def test_a_folder_placeholder_is_nobodys_business(shop: Shop) -> None:
    """The console makes `shop/` when a person makes a folder: neither a file nor a mistake."""
    assert shop.ingest(shop.put(b"", "shop/2013/")) is None
    assert shop.topics.published == []


class OnlyLive:
    """A bucket without versioning: an overwritten generation is gone."""

    def __init__(self, objects: object) -> None:
        self._objects = objects

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)

    def stat(self, name: str, generation: int | None = None) -> object:
        """As `Objects.stat`, of what is live."""
        live = self._objects.stat(name)  # type: ignore[attr-defined]  # delegated
        return self._objects.stat(name, generation if generation in (None, live.generation) else -1)  # type: ignore[attr-defined]  # delegated


def test_an_overwritten_generation_gives_way_to_the_newer_one(shop: Shop) -> None:
    """The newer content has an event, and a batch, of its own; this one must not be retried for ever."""
    old, new = shop.put(ONE), shop.put(ONE + ONE.split("\n")[1] + "\n")
    shop.landing = OnlyLive(shop.landing)
    assert shop.ingest(old) is None
    assert f"generation {new.generation} takes its place" in shop.alerts()[0].sentence
    staged = shop.ingest(new)
    assert staged is not None
    assert staged.rows == 2


def test_a_deleted_object_is_said_to_be_gone(shop: Shop) -> None:
    """Deleted before it was read: nothing to retry, but nothing silent either."""
    assert shop.ingest(Source(bucket="landing", name="shop/gone.csv", generation=5)) is None
    assert "was deleted before it was read" in shop.alerts()[0].sentence


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nobody/a.csv", "names the pipeline 'nobody', which is not deployed. Deployed: shop."),
        ("a.csv", "Expected <pipeline>/<file>"),
        ("shop/a/b/c.csv", "Expected <pipeline>/<file>"),
        ("shop/refunds/a.csv", "is for the table 'refunds', which the pipeline 'shop' does not have. It has: sales."),
    ],
)
def test_a_file_in_no_known_place_is_a_permanent_error(shop: Shop, name: str, said: str) -> None:
    """The edge acknowledges it and raises an alert with this sentence."""
    with pytest.raises(EventInvalid, match=said):
        shop.ingest(shop.put(ONE, name))


def test_another_pipelines_broken_configuration_does_not_matter(shop: Shop) -> None:
    """One deployment serves many pipelines; a mistake in one stays there."""
    shop.deploy(b"nonsense: true", "broken")
    assert shop.ingest(shop.put(ONE)) is not None
    with pytest.raises(PipelineInvalid):
        shop.ingest(shop.put(ONE, "broken/a.csv"))


def test_the_same_content_has_the_same_hash_compressed_or_not(shop: Shop) -> None:
    """So that it can be recognised under another name."""
    plain = shop.ingest(shop.put(ONE, "shop/a.csv"))
    packed = shop.ingest(shop.put(gzip.compress(ONE.encode()), "shop/b"))
    assert plain is not None
    assert packed is not None
    assert (packed.compression, packed.content_sha256) == ("gzip", plain.content_sha256)


def test_an_object_overwritten_while_it_is_read_is_read_again_as_a_batch_of_its_own(shop: Shop) -> None:
    """The landing bucket keeps no old generations, so the reading finds its own gone half-way; nothing is mixed."""
    old = shop.put(ONE)

    class Overwritten(MemoryObjects):
        def download(self, name: str, path: Path, generation: int | None = None) -> int:
            shop.put(ONE + "2,2013-01-02T10:00:00Z,1,big,x\n")
            raise NotFound(f"gs://{self.bucket}/{name} (generation {generation}) went to {path} in part.")

    assert ingest(old, Overwritten("landing", shop.landing._versions), shop.state, shop.topics) is None
    (alert,) = shop.alerts()
    assert (alert.code, "generation 2 takes its place" in alert.sentence) == ("gone_before_read", True)
    again = shop.ingest(Source(bucket="landing", name=old.name, generation=2))
    assert again is not None
    assert (again.rows, again.batch.batch_id != old.batch_id) == (2, True)
