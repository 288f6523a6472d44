"""How Vertex AI is reached: the service, or the emulator where the settings name one."""

from dataclasses import dataclass
from typing import Any, Self

import google.auth
import requests
from google.auth.transport.requests import AuthorizedSession

from dropforge.contracts.settings import Settings
from dropforge.gcp.anonymous import anonymous

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@dataclass(frozen=True)
class Connection:
    """Arguments for the generated clients, and a session for plain REST at `api`."""

    client: dict[str, Any]
    http: requests.Session
    api: str
    parent: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """By the settings; the account is that of Application Default Credentials, or nobody on the emulator."""
        parent = f"projects/{settings.project}/locations/{settings.location}"
        if settings.vertex_api:
            options = {"api_endpoint": settings.vertex_api}
            nobody = {"transport": "rest", "credentials": anonymous(), "client_options": options}
            return cls(nobody, requests.Session(), settings.vertex_api, parent)
        credentials, _ = google.auth.default(scopes=[_SCOPE])
        host = f"{settings.location}-aiplatform.googleapis.com"
        http = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]  # typed in part
        return cls(
            {"credentials": credentials, "client_options": {"api_endpoint": host}}, http, f"https://{host}", parent
        )
