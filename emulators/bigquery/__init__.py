"""BigQuery: the adopted local-bigquery (DuckDB and sqlglot), behind our control plane.

`server.py` (the wire: a proxy that lets every call through, unless a fault was ordered for it), `state.py` (the adopted
process and where its data lies), `adopted.py` (what runs inside that process), `secure_port.py` (TLS for the Storage
Read and Write API), `methods.py` (the name of each call), `errors.py` (failures in the service's own form).
"""
