"""The name of each BigQuery call, such as `bigquery.jobs.insert`, from the service's own discovery document."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

UNKNOWN = "bigquery.unknown"
_PLACEHOLDER = re.compile(r"\{\+?\w+\}")


@dataclass(frozen=True)
class Methods:
    """Finds a call's name by HTTP method and path."""

    table: tuple[tuple[str, re.Pattern[str], str], ...]

    @classmethod
    def of(cls, discovery: dict[str, Any]) -> "Methods":
        """Read the discovery document of the API."""
        base = "/" + discovery["servicePath"]
        rows = []
        for method in _methods(discovery):
            pattern = "[^/]+".join(re.escape(part) for part in _PLACEHOLDER.split(base + method["path"]))
            upload = "(?:/resumable)?(?:/upload)?" if "mediaUpload" in method else ""
            rows.append((method["httpMethod"], re.compile(upload + pattern), method["id"]))
        return cls(tuple(rows))

    def name(self, http_method: str, path: str) -> str:
        """The call's name, or `bigquery.unknown`. A resumable upload's PUT belongs to the call that began it."""
        if "/upload/" in path and http_method == "PUT":
            http_method = "POST"
        for method, pattern, name in self.table:
            if method == http_method and pattern.fullmatch(path):
                return name
        return UNKNOWN


def _methods(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for child in resource.get("resources", {}).values():
        yield from child.get("methods", {}).values()
        yield from _methods(child)
