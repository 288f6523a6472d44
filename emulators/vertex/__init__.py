"""Vertex AI: Model Registry, endpoints that run the model server, jobs as processes; REST, for Google's own clients.

`server.py` (the wire), `state.py` (what is stored, durably), `errors.py` (failures in the service's own form),
`names.py` and `schema.py` (resource names and bodies), `methods.py` (every call: done, different on purpose, absent),
and by topic `operations.py`, `models.py`, `evaluations.py`, `endpoints.py`, `predictions.py`, `jobs.py`, `batch.py`.
The processes are in `images.py` (which command plays which container image), `containers.py` (what a container is told
by its environment), `serving.py` and `traffic.py` (who answers), `replicas.py` (start, health, restart) and
`upstream.py` (connections to them).
"""
