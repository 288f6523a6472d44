"""The Storage Read and Write API by the unmodified clients, which insist on TLS: told where, and whom to trust."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from google.cloud import bigquery

from emulators.authority import Authority
from tests.emulators.launch import Emulator

REPOSITORY = Path(__file__).parents[3]
PAGE = (REPOSITORY / "docs" / "emulators.md").read_text()
(CODE,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "BigQueryWriteClient(" in block]

# In a process of its own, as gRPC reads whom to trust once, when it is first used.
LIFE = """
import sys
from google.api_core.exceptions import ServiceUnavailable
from google.cloud.bigquery_storage_v1 import types
from tests.emulators.bigquery.test_storage_api import append

path = sys.argv[1]
session = types.ReadSession(table=path, data_format=types.DataFormat.ARROW)
try:
    committed = types.WriteStream(type_=types.WriteStream.Type.COMMITTED)
    stream = writer.create_write_stream(parent=path, write_stream=committed, retry=None)
except ServiceUnavailable as error:
    sys.exit(error.message)
offsets = [answer.append_result.offset for answer in writer.append_rows(iter([append(stream.name, [1, 2, 3], 0)]))]
session = reader.create_read_session(parent="projects/test-project", read_session=session, max_stream_count=1)
print("LIVED", offsets, session.streams and sum(
    answer.row_count for answer in reader.read_rows(session.streams[0].name)))
"""


def life(dataset: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What becomes of a program that runs the page's code, then writes and reads a table."""
    project, name = dataset.split(".")
    path = f"projects/{project}/datasets/{name}/tables/t"
    command = [sys.executable, "-W", "ignore", "-c", CODE + LIFE, path]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **variables}
    return subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=80)


@pytest.fixture
def table(client: bigquery.Client, dataset: str) -> str:
    """A data set with an empty table `t`."""
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` (id INT64)")
    return dataset


def test_rows_are_written_and_read_with_tls(table: str, emulator: Emulator) -> None:
    """No channel has to be built for it, so code that runs in the cloud runs here as it is."""
    port = emulator.variables["DROPFORGE_BIGQUERY_STORAGE_API"].rpartition(":")[2]
    done = life(table, {**emulator.variables, "DROPFORGE_BIGQUERY_STORAGE_API": f"localhost:{port}"})
    assert done.stdout == "LIVED [0] 3\n", done.stderr


def test_another_authority_is_not_trusted(table: str, emulator: Emulator, tmp_path: Path) -> None:
    """Or the certificate would prove nothing, and the test above neither."""
    other = str(Authority(tmp_path).certificate_file)
    done = life(table, {**emulator.variables, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": other})
    assert done.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr


def test_the_address_outlives_a_reset(emulator: Emulator, client: bigquery.Client) -> None:
    """A reset starts local-bigquery anew, at another port of its own; whoever was told ours is not concerned."""
    before = emulator.control("GET", "/health").json()
    emulator.control("POST", "/reset").raise_for_status()
    after = emulator.control("GET", "/health").json()
    assert before["pid"] != after["pid"]
    client.query_and_wait("CREATE SCHEMA anew")
    client.query_and_wait("CREATE TABLE anew.t (id INT64)")
    assert life(f"{client.project}.anew", emulator.variables).stdout == "LIVED [0] 3\n"
