"""A process that takes a lease in a real bucket: `python -m tests.gcp.lease_holder BUCKET HOLDER SECONDS WORK`.

Prints `held TOKEN` once it has it, works `WORK` seconds, writes below `winners/` if it still holds the lease,
and prints `done`; or prints `refused`.
"""

import sys
import time

from google.cloud.storage import Client

from dropforge.contracts.errors import LeaseHeld
from dropforge.core import lease
from dropforge.gcp.services import WallClock
from dropforge.gcp.storage import Bucket


def main(bucket: str, holder: str, seconds: str, work: str) -> None:
    """Take it, work, write."""
    with Client(project="test-project") as client:
        state = Bucket(client, bucket)
        try:
            with lease.held(state, "lease", holder, float(seconds), WallClock()) as token:
                print(f"held {token}", flush=True)
                time.sleep(float(work))
                if lease.still_held(state, "lease", token):
                    state.create(f"winners/{holder}", b"")
                print("done", flush=True)
        except LeaseHeld:
            print("refused", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
