"""Where the other emulators are: each by the environment variable that its clients read."""

import os


def base_url(variable: str) -> str:
    """The URL that a variable names, with or without a scheme; "" where it is not set."""
    host = os.environ.get(variable, "")
    return (host if "://" in host else f"http://{host}").rstrip("/") if host else ""
