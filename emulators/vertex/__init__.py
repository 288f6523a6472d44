"""Vertex AI: Model Registry, endpoints that run the model server, jobs as processes; REST, for Google's own clients.

`server.py` (the wire), `state.py` (what is stored, durably), `errors.py` (failures in the service's own form),
`names.py`, `schema.py` and `rules.py` (resource names, bodies, what is refused), `methods.py` (every call: done,
different on purpose, absent), and by topic `operations.py`, `models.py`, `evaluations.py`, `endpoints.py`,
`deployments.py`, `predictions.py`, `request_log.py`, `jobs.py` with `custom_jobs.py`, `training_pipelines.py` and
`batch.py`. gRPC and TLS are in `grpc_api.py`, `gate.py` and `authority.py`.
The processes are in `images.py` (which command plays which container image), `containers.py` (what a container is told
by its environment), `serving.py` and `traffic.py` (who answers), `replicas.py` (start, health, restart) and
`upstream.py` (connections to them).
"""
