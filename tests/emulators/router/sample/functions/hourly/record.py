"""One line of JSON for each event, in the file that the test names."""

import json
import os
import time
from pathlib import Path

from cloudevents.http import CloudEvent


def record(function: str, event: CloudEvent) -> None:
    """Append the event's attributes and data, with the process and the moment."""
    line = {
        "function": function,
        "pid": os.getpid(),
        "at": time.monotonic(),
        **event.get_attributes(),
        "data": event.data,
    }
    with Path(os.environ["DROPFORGE_RECORD"]).open("a") as opened:
        opened.write(json.dumps(line) + "\n")
