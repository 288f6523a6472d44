"""Google's exceptions become ours, each by a line of its own."""

import inspect

import pytest
from google.api_core import exceptions as google

from dropforge.contracts.errors import DropforgeError, GenerationMismatch, ServiceUnavailable
from dropforge.gcp.errors import COUNTERPARTS, translated

GOOGLES = {
    kind
    for _, kind in inspect.getmembers(google, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == google.__name__
}


@pytest.mark.parametrize("kind", sorted(GOOGLES, key=str), ids=str)
def test_every_exception_of_googles_has_a_counterpart(kind: type[Exception]) -> None:
    """A new class in a new google-api-core must be decided on, not fall into its parent's line by accident."""
    assert issubclass(COUNTERPARTS[kind], DropforgeError)


def test_a_translation_says_what_was_being_done_and_what_google_said() -> None:
    """Whoever reads the log has only this line."""
    with (
        pytest.raises(GenerationMismatch, match=r"Writing gs://b/o: 412 lost") as caught,
        translated("Writing gs://b/o", object="o"),
    ):
        raise google.PreconditionFailed("lost")  # type: ignore[no-untyped-call]  # typed in part
    assert caught.value.fields == {"service_error": "PreconditionFailed", "object": "o"}


def test_our_own_errors_pass_as_they_are() -> None:
    """A block may raise both."""
    with pytest.raises(ServiceUnavailable, match=r"^ours$"), translated("Reading"):
        raise ServiceUnavailable("ours")
