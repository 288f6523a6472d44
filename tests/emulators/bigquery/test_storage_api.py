"""The Storage Read and Write API, reached as docs/emulators.md says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryReadClient, BigQueryWriteClient, types
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.rpc import code_pb2

from tests.emulators.launch import Emulator

PAGE = (Path(__file__).parents[3] / "docs" / "emulators.md").read_text()
(CODE,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "insecure_channel(" in block]


@pytest.fixture
def page(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the page's code leaves: `reader`, `channel`, `address`."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_CONTROL", f"{emulator.control_url}/_emulator")
    names: dict[str, Any] = {}
    exec(CODE, names)  # it is the documentation's own code
    yield names
    names["channel"].close()


def row_type() -> Any:
    """A message type with one field, as a client of the Write API describes its rows."""
    field = descriptor_pb2.FieldDescriptorProto(name="id", number=1, type=3, label=1)
    message = descriptor_pb2.DescriptorProto(name="Row", field=[field])
    file = descriptor_pb2.FileDescriptorProto(name="row.proto", package="rows", message_type=[message])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("rows.Row"))


def append(stream: str, ids: list[int], offset: int) -> types.AppendRowsRequest:
    """Rows for a stream, at an offset."""
    row = row_type()
    described = descriptor_pb2.DescriptorProto()
    row.DESCRIPTOR.CopyToProto(described)
    rows = types.ProtoRows(serialized_rows=[row(id=number).SerializeToString() for number in ids])
    data = types.AppendRowsRequest.ProtoData(writer_schema=types.ProtoSchema(proto_descriptor=described), rows=rows)
    return types.AppendRowsRequest(write_stream=stream, offset=offset, proto_rows=data)


@pytest.mark.filterwarnings("ignore:Retrieving Arrow record batches:PendingDeprecationWarning")  # Google's own
def test_a_table_is_read_as_arrow(client: bigquery.Client, dataset: str, page: dict[str, Any]) -> None:
    """A window of a million rows comes as columns, not row by row."""
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` AS SELECT id FROM UNNEST(GENERATE_ARRAY(1, 1000)) AS id")
    reader: BigQueryReadClient = page["reader"]
    table = client.list_rows(client.get_table(f"{dataset}.t")).to_arrow(bqstorage_client=reader)
    assert sorted(table["id"].to_pylist()) == list(range(1, 1001))


def test_rows_of_a_pending_stream_are_there_once_committed(
    client: bigquery.Client, dataset: str, page: dict[str, Any]
) -> None:
    """All or nothing; a repeated append at its offset is refused, so it is written once."""
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` (id INT64)")
    project, name = dataset.split(".")
    parent = f"projects/{project}/datasets/{name}/tables/t"
    with grpc.insecure_channel(page["address"]) as channel:
        writer: Any = BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=channel))  # type: ignore[no-untyped-call]  # generated, typed in part
        stream = writer.create_write_stream(parent=parent, write_stream={"type_": types.WriteStream.Type.PENDING}).name
        first = append(stream, [1, 2], 0)
        assert [answer.append_result.offset for answer in writer.append_rows(iter([first]))] == [0]
        assert [answer.error.code for answer in writer.append_rows(iter([first]))] == [code_pb2.ALREADY_EXISTS]
        assert count(client, dataset) == 0
        writer.finalize_write_stream(name=stream)
        writer.batch_commit_write_streams(request={"parent": parent, "write_streams": [stream]})
    assert count(client, dataset) == 2


def count(client: bigquery.Client, dataset: str) -> int:
    """Rows in the table."""
    (row,) = client.query_and_wait(f"SELECT COUNT(*) AS n FROM `{dataset}.t`")
    return int(row.n)
