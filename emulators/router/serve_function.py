"""Serve one function with functions-framework, in one process, on a socket that the router has opened.

The router runs this file with the functions' own interpreter, in the bundle's folder. It imports nothing of the
emulators: the function must find only its bundle and its packages. functions-framework's own server is gunicorn, two
processes per instance; here its application is served by one, which starts sooner and cannot leave a worker behind.

    python -P serve_function.py SOCKET READY     two inherited file descriptors, and FUNCTION_TARGET in the environment

One byte is written to READY when the function is loaded. READY then stays open: its end tells the router that this
process is gone.
"""

import importlib
import os
import socket
import sys
from typing import Any
from wsgiref.types import WSGIApplication

_NEVER = 10**9  # seconds; connections are closed by the router, never from here


def main() -> None:
    """Load the function, tell the router, serve until killed."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    ready = int(sys.argv[2])
    os.set_inheritable(listener.fileno(), False)
    os.set_inheritable(ready, False)
    os.setpgid(0, 0)  # Ctrl-C in a terminal is for the router alone
    if os.environ.get("FUNCTION_USE_ASGI") == "true":
        import uvicorn

        application = _load("functions_framework.aio").create_asgi_app()
        os.write(ready, b"1")
        config = uvicorn.Config(application, log_level="warning", access_log=False, timeout_keep_alive=_NEVER)
        uvicorn.Server(config).run(sockets=[listener])
    else:
        wsgi = _load("functions_framework").create_app()
        os.write(ready, b"1")
        _serve_wsgi(wsgi, listener)


def _load(framework: str) -> Any:
    """One half of functions-framework, which is slow to import and untyped."""
    return importlib.import_module(framework)


def _serve_wsgi(application: WSGIApplication, listener: socket.socket) -> None:
    from werkzeug.serving import WSGIRequestHandler, make_server

    class KeepAlive(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Write nothing: the router counts requests."""

    host, port = listener.getsockname()
    make_server(host, port, application, threaded=True, request_handler=KeepAlive, fd=listener.fileno()).serve_forever()


if __name__ == "__main__":
    main()
