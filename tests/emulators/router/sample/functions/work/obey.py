"""Misbehaviour on demand."""

import base64
import os
import subprocess
import sys
import time

from cloudevents.http import CloudEvent


def obey(event: CloudEvent) -> None:
    """Carry out the order in the message's data."""
    order, _, amount = base64.b64decode(event.data["message"]["data"]).decode().partition(" ")
    if order == "fail" and (not amount or event.data["deliveryAttempt"] < int(amount)):
        raise RuntimeError(f"ordered to {order}")
    if order == "sleep":
        time.sleep(float(amount))
    if order == "hog":
        held = bytearray(int(amount) << 20)
        time.sleep(5)
        del held
    if order == "spawn":
        subprocess.run(
            [sys.executable, "-c", f"held = bytearray({amount} << 20); import time; time.sleep(5)"], check=True
        )
    if order == "exit":
        os._exit(3)
