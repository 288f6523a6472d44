"""Lists in pages, by name."""

import base64
from collections.abc import Iterable

from emulators.pubsub.errors import invalid

_MOST = 1_000


def page(names: Iterable[str], size: int, token: str) -> tuple[list[str], str]:
    """Up to `size` names (0: as many as fit) after those `token` has passed, and the next token, "" at the end.

    Raises:
        ServiceError: INVALID_ARGUMENT, a negative size or a token that was never given.
    """
    if size < 0:
        raise invalid(f"The page_size must be at least 0. Got {size}.")
    try:
        passed = base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        raise invalid(f"The page_token {token!r} was not given by this service.") from None
    rest = sorted(name for name in names if name > passed)
    most = min(size or _MOST, _MOST)
    more = base64.urlsafe_b64encode(rest[most - 1].encode()).decode() if len(rest) > most else ""
    return rest[:most], more
