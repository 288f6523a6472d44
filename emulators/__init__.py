"""Local stand-ins for the Google Cloud services that Dropforge uses, for the unmodified Google clients.

Each emulator is a package of the same shape and a process of its own: `server.py` (the wire: routes or RPCs),
`state.py` (what is stored, durably), `errors.py` (failures in the service's own form), and further files by topic.
All share the control plane of `control.py` and the hosting of `hosting.py`.
"""

import os

# An emulator, and whoever starts one, starts processes while gRPC is at work. gRPC's handlers for a fork end some
# of the children before they are what they should be, or hang the parent: https://github.com/grpc/grpc/issues/43055.
# It is read when gRPC is imported, so it stands where no emulator's module was imported before.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
