"""Resource names and the names of calls, both read from the path of a request.

A path `/v1/projects/P/locations/L/models/M@2:mergeVersionAliases` calls `aiplatform.models.mergeVersionAliases` on the
resource `projects/NUMBER/locations/L/models/M@2`. As in the service, names carry the project's number.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from urllib.parse import unquote

from emulators.vertex.errors import NotFound

_STANDARD = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}
_PATH = re.compile(r"/(v1|v1beta1|ui)/projects/([^/]+)/locations/([^/:]+)(?:/([^:]+))?(?::(\w+))?")
_LOCATIONS = re.compile(r"/(v1|v1beta1|ui)/projects/([^/]+)/locations")


def project_number(project: str) -> str:
    """The number that stands for a project id: 12 digits, the same on every machine. A number stays what it is."""
    if project.isdigit():
        return project
    digest = int.from_bytes(hashlib.sha256(project.encode()).digest()[:8], "big")
    return str(10**11 + digest % (9 * 10**11))


def canonical(name: str) -> str:
    """The name with the project's number in place of its id."""
    parts = name.split("/")
    if len(parts) > 1 and parts[0] == "projects":
        parts[1] = project_number(parts[1])
    return "/".join(parts)


def fresh_id() -> str:
    """An id as the service makes them: 19 digits."""
    return str(secrets.randbelow(9 * 10**18) + 10**18)


def last_segment(name: str) -> str:
    """`7` of `projects/1/locations/l/models/7`."""
    return name.rpartition("/")[2]


def location_of(name: str) -> str:
    """`projects/1/locations/l` of any name below it."""
    return "/".join(name.split("/")[:4])


def split_version(name: str) -> tuple[str, str]:
    """The model's name, and what follows the `@`: a version id, an alias, or nothing."""
    model, _, version = name.partition("@")
    return model, version


@dataclass(frozen=True)
class Target:
    """What a request is aimed at.

    Attributes:
        method: name of the call, such as `aiplatform.endpoints.predict`.
        name: the resource, or for a collection its parent.
        version: `v1`, `v1beta1`, or `ui`, where the client polls operations.
    """

    method: str
    name: str
    version: str

    @classmethod
    def of(cls, http_method: str, path: str) -> "Target":
        """Read a request.

        Raises:
            NotFound: no Vertex AI API has such a path.
        """
        whole = unquote(path)
        if found := _LOCATIONS.fullmatch(whole):
            return cls("aiplatform.locations.list", f"projects/{project_number(found[2])}", found[1])
        found = _PATH.fullmatch(whole)
        if found is None:
            raise NotFound(f"The requested URL {path} was not found on this server.")
        version, project, location, rest, verb = found.groups()
        segments = rest.split("/") if rest else ["locations"]
        is_item = rest is None or len(segments) % 2 == 0
        action = verb or ("get" if is_item else "list") if http_method == "GET" else verb or _STANDARD[http_method]
        # `models/1/operations/2` and `endpoints/1/operations/2` are one kind of resource
        collections = ["operations"] if "operations" in segments[::2] else segments[::2]
        if rest and not is_item:
            segments = segments[:-1]
        base = f"projects/{project_number(project)}/locations/{location}"
        name = "/".join([base, *segments]) if rest else base
        return cls(".".join(["aiplatform", *collections, action]), name, version)
