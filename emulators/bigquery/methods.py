"""The name of each BigQuery call, such as `bigquery.jobs.insert`, from the service's own discovery document.

And what the adopted emulator, local-bigquery 0.4.0, does of each; tests hold that to its routes and its behaviour.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["done", "differs", "absent"]

UNKNOWN = "bigquery.unknown"

DONE = """
datasets: delete get insert list patch update
jobs: cancel delete get getQueryResults list
models: delete get list patch
projects: getServiceAccount list
routines: delete get getIamPolicy insert list setIamPolicy testIamPermissions update
rowAccessPolicies: batchDelete delete get getIamPolicy insert list testIamPermissions update
tabledata: insertAll list
tables: delete get getIamPolicy insert list patch setIamPolicy testIamPermissions update
"""

DIFFERS = {
    "jobs.insert": "a load ignores mode REQUIRED and takes unknown fields; a load into a partition by its decorator "
    "(`$20130101`) replaces rows of other partitions; a dry run says 0 bytes; two of one id at the same moment are "
    "made one after the other, so that the second gets its 409",
    "jobs.query": "no pseudo column `_PARTITIONTIME`; GEOGRAPHY only where `duckdb-extension-spatial` is installed",
}

ABSENT = {"datasets.undelete": "a deleted dataset is gone"}

_PLACEHOLDER = re.compile(r"\{\+?\w+\}")


def statuses() -> dict[str, tuple[Status, str]]:
    """Status and reason of every call, by name."""
    found: dict[str, tuple[Status, str]] = {}
    for line in DONE.strip().splitlines():
        collection, _, verbs = line.partition(":")
        found |= {f"bigquery.{collection}.{verb}": ("done", "") for verb in verbs.split()}
    found |= {f"bigquery.{name}": ("differs", reason) for name, reason in DIFFERS.items()}
    return found | {f"bigquery.{name}": ("absent", reason) for name, reason in ABSENT.items()}


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
