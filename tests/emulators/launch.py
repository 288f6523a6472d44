"""Runs an emulator as its users do: as a process."""

from google.auth.credentials import AnonymousCredentials

from emulators.launch import Emulator

__all__ = ["Emulator", "anonymous"]


def anonymous() -> AnonymousCredentials:
    """Credentials of nobody, which every emulator takes."""
    return AnonymousCredentials()  # type: ignore[no-untyped-call]  # google-auth is typed in part
