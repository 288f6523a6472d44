"""Eventarc and Cloud Run on one machine: turns notifications and messages into CloudEvents, and runs the functions.

It reads `functions/flow.yaml` and the bundles of `functions/build.py`, creates topics, notifications and push
subscriptions on the Pub/Sub and Cloud Storage emulators, and hosts each function in processes of its own.
"""
