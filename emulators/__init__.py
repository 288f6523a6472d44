"""Local stand-ins for the Google Cloud services that Dropforge uses, for the unmodified Google clients.

Each emulator is a package of the same shape and a process of its own: `server.py` (the wire: routes or RPCs),
`state.py` (what is stored, durably), `errors.py` (failures in the service's own form), and further files by topic.
All share the control plane of `control.py` and the hosting of `hosting.py`.
"""
