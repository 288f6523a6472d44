"""What runs inside the adopted emulator's own environment: `python adopted.py --socket PATH --data DIR`.

Started by `state.py`, and imports nothing of ours. The REST API listens on a Unix socket, the Storage Read and Write
API on a free TCP port; one JSON line on standard output names the port once both answer.
"""

import argparse
import importlib.util
import json
import socket
from pathlib import Path

# These live in the adopted emulator's environment, not in ours, so the type checker cannot see them.
import duckdb_extensions  # type: ignore[import-not-found]
import local_bigquery  # type: ignore[import-not-found]
import uvicorn
from local_bigquery.engine import database  # type: ignore[import-not-found]
from local_bigquery.grpc import server as storage_api  # type: ignore[import-not-found]
from local_bigquery.settings import settings  # type: ignore[import-not-found]

# GEOGRAPHY functions need `duckdb-extension-spatial` beside these, and are there when it is installed.
EXTENSIONS = ("icu", "ducklake", "httpfs")


def main() -> None:
    """Install the extensions into this process's home, open the data, then serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", required=True, help="path of the Unix socket of the REST API")
    parser.add_argument("--data", required=True, type=Path, help="folder of the DuckDB and DuckLake files")
    parser.add_argument("--host", default="127.0.0.1", help="address of the Storage Read and Write API")
    given = parser.parse_args()
    for name in EXTENSIONS:
        duckdb_extensions.import_extension(name)
    if importlib.util.find_spec("duckdb_extension_spatial"):
        duckdb_extensions.import_extension("spatial")
    else:  # its first statement would fetch the extension (60 MB) from the network
        database.FUNCTIONS[:] = [path for path in database.FUNCTIONS if path.name != "geography.sql"]
    settings.data_dir = given.data
    database.connection()
    _, port = storage_api.start(given.host, 0)
    config = uvicorn.Config(local_bigquery.app, uds=given.socket, log_level="warning", access_log=False)

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            print(json.dumps({"storage_api": f"{given.host}:{port}"}), flush=True)

    Announcing(config).run()


if __name__ == "__main__":
    main()
