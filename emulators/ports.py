"""Free TCP ports, chosen before the process that will listen there runs, so that others can be told of it."""

import socket


def free_port(wanted: int = 0, host: str = "127.0.0.1") -> int:
    """`wanted` if nobody listens there, else another. Between this call and its use another process may take it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted))
        except OSError:
            probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
