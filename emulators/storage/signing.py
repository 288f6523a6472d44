"""Signed URLs: the emulator has no keys to check a signature with, and holds them to all else that they say.

https://cloud.google.com/storage/docs/access-control/signed-urls
"""

from datetime import UTC, datetime

from emulators.storage.calls import Call
from emulators.storage.errors import StorageError, invalid

_LONGEST_SECONDS = 7 * 86400


def check_signed(call: Call) -> None:
    """Refuse a signed request whose time is over or whose query is incomplete; an unsigned one passes.

    Raises:
        StorageError: 400.
    """
    query = {name.lower(): values[-1] for name, values in call.query.items()}
    if "x-goog-algorithm" in query:
        _check_v4(call, query)
    elif "googleaccessid" in query and "signature" in query:
        _check_time(call, _number(query, "expires"))


def _check_v4(call: Call, query: dict[str, str]) -> None:
    names = ("x-goog-credential", "x-goog-date", "x-goog-expires", "x-goog-signedheaders", "x-goog-signature")
    missing = [name for name in names if name not in query]
    if missing:
        raise invalid(f"A V4 signed URL must carry {', '.join(names)}. Missing: {', '.join(missing)}.")
    expires = _number(query, "x-goog-expires")
    if not 1 <= expires <= _LONGEST_SECONDS:
        raise invalid(f"'X-Goog-Expires' must be 1 to {_LONGEST_SECONDS} seconds. Got {expires}.")
    try:
        signed = datetime.strptime(query["x-goog-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise invalid(f"'X-Goog-Date' must be like 20260131T120000Z. Got {query['x-goog-date']!r}.") from None
    for name in query["x-goog-signedheaders"].split(";"):
        if name not in call.headers:
            raise StorageError(
                403,
                "forbidden",
                f"The signed header {name!r} is missing from the request.",
                code="SignatureDoesNotMatch",
            )
    _check_time(call, int(signed.timestamp()) + expires)


def _check_time(call: Call, until: int) -> None:
    if call.store.clock.now() > until:
        ended = datetime.fromtimestamp(until, UTC).isoformat()
        raise StorageError(
            400, "expired", f"The provided token has expired. Request signed until {ended}.", code="ExpiredToken"
        )


def _number(query: dict[str, str], name: str) -> int:
    text = query.get(name, "")
    if not text.isdigit():
        raise invalid(f"'{name}' must be a number. Got {text!r}.")
    return int(text)
