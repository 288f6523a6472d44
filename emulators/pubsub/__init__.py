"""Pub/Sub on gRPC for the unmodified google-cloud-pubsub client, through PUBSUB_EMULATOR_HOST.

Start with `server.py` (the wire), then `state.py` (what exists), `subscription.py` and `delivery.py` (who gets what,
when, and how often). `methods.py` says of every RPC whether it is there.
"""
