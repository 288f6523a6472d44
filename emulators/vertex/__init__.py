"""Vertex AI: Model Registry, endpoints that run the model server, jobs as processes; REST, for Google's own clients.

`server.py` (the wire), `state.py` (what is stored, durably), `errors.py` (failures in the service's own form),
`names.py`, `schema.py` and `rules.py` (resource names, bodies, what is refused), `methods.py` and `absences.py` (every
call: done, different on purpose, or why it is absent), and by topic `operations.py`, `models.py`, `evaluations.py`,
`policies.py`, `endpoints.py`, `deployments.py`, `predictions.py`, `explanations.py` (with the sums in `shapley.py`),
`request_log.py`, `metadata.py` with `metadata_lineage.py` and `metadata_upkeep.py`; `jobs.py` with `custom_jobs.py`
(and its `packages.py`), `training_pipelines.py` and `batch.py`, which reads by `batch_instances.py` and writes by
`batch_outputs.py`. Other services are asked by `objects.py` and `tables.py`. gRPC and TLS are in `grpc_api.py`
and `gate.py`.
The processes are in `images.py` (which command plays which container image), `containers.py` (what a container is told
by its environment), `serving.py` and `traffic.py` (who answers), `replicas.py` (start, health, restart),
`autoscaling.py` (how many) and `upstream.py` (connections to them). `quotas.py` counts calls and CPUs.

Its own settings are environment variables: DROPFORGE_VERTEX_IMAGES (the table of `images.py`),
DROPFORGE_VERTEX_QUOTAS (limits, by the names of `quotas.py`), DROPFORGE_VERTEX_START_SECONDS (how long a model server
may take to become healthy, 120 by default),
DROPFORGE_VERTEX_TLS=yes (gRPC and TLS on a further port; the control plane's health says which, and whom to trust).
STORAGE_EMULATOR_HOST and BIGQUERY_EMULATOR_HOST lead it, and every process that it starts, to the other emulators.
"""
