"""Resource names: `projects/PROJECT/KIND/ID`, by the rules of https://cloud.google.com/pubsub/docs/pubsub-basics."""

import re

from emulators.pubsub.errors import invalid

DELETED_TOPIC = "_deleted-topic_"  # what a subscription's topic reads once the topic is gone

_ID = re.compile(r"[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}")
_PROJECT = re.compile(r"[a-z0-9.:\-]{1,63}")


def check(name: str, kind: str) -> str:
    """`name` itself, when it is a legal full name of a `kind` ("topics", "subscriptions", "snapshots").

    Raises:
        ServiceError: INVALID_ARGUMENT, in the service's words.
    """
    parts = name.split("/")
    legal = (
        len(parts) == 4
        and parts[0] == "projects"
        and parts[2] == kind
        and _PROJECT.fullmatch(parts[1]) is not None
        and _ID.fullmatch(parts[3]) is not None
        and not parts[3].startswith("goog")
    )
    if not legal:
        raise invalid(
            f"Invalid resource name given (name={name}). Refer to"
            " https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information."
        )
    return name


def project_of(name: str) -> str:
    """The PROJECT in a full name."""
    return name.split("/")[1]


def id_of(name: str) -> str:
    """The ID in a full name."""
    return name.rpartition("/")[2]
