"""Where Google's own Pub/Sub emulator is installed, if it is."""

import os
import shutil
from pathlib import Path


def google_command() -> list[str] | None:
    """The command that runs it, to which `--host` and `--port` are added; None where it or Java is missing."""
    java = shutil.which("java")
    gcloud = shutil.which("gcloud")
    roots = [Path(os.environ.get("CLOUDSDK_ROOT_DIR", "/usr/lib/google-cloud-sdk"))]
    if gcloud is not None:
        roots.append(Path(gcloud).resolve().parents[1])
    jars = [jar for root in roots for jar in root.glob("platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar")]
    return [java, "-jar", str(jars[0])] if java is not None and jars else None
