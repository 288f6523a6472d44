"""Answer after a while, with how many are being answered at once in this process."""

import os
import threading
import time

import flask
import functions_framework

_lock = threading.Lock()
_now = 0


@functions_framework.http
def slow(request: flask.Request) -> flask.typing.ResponseReturnValue:
    """Sleep for the seconds in the query."""
    global _now
    with _lock:
        _now += 1
        at_once = _now
    time.sleep(float(request.args.get("seconds", "0")))
    with _lock:
        _now -= 1
    return {"pid": os.getpid(), "at_once": at_once}
