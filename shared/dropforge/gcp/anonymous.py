"""Credentials of nobody, which emulators take."""

from google.auth.credentials import AnonymousCredentials


def anonymous() -> AnonymousCredentials:
    """Credentials that send nothing."""
    return AnonymousCredentials()  # type: ignore[no-untyped-call]  # google-auth is typed in part
