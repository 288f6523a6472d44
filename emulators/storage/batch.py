"""Batches: up to 100 JSON API calls in one `multipart/mixed` request, answered in order.

https://cloud.google.com/storage/docs/batch
"""

from collections.abc import Awaitable, Callable
from email.message import Message
from email.parser import BytesParser
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from starlette.types import Message as AsgiMessage

from emulators.storage.calls import Call, Reply
from emulators.storage.errors import invalid

MOST_CALLS = 1000  # the client's own limit; the service asks for no more than 100

Inner = Callable[[Call, str], Awaitable[Reply]]


async def answer(call: Call, inner: Inner) -> Reply:
    """Carry out each call of a batch by `inner`; one that fails does not stop the others.

    Raises:
        StorageError: 400, the batch cannot be read.
    """
    head = f"content-type: {call.headers.get('content-type', '')}\r\n\r\n".encode("latin-1")
    message = BytesParser().parsebytes(head + await call.whole_body())
    if not message.is_multipart():
        raise invalid("A batch must be multipart/mixed with a boundary. The body is not.")
    parts = message.get_payload()
    if not isinstance(parts, list) or len(parts) > MOST_CALLS:
        raise invalid(f"A batch must hold at most {MOST_CALLS} calls. Got {len(parts)}.")
    boundary = f"batch_{uuid4().hex}"
    out = bytearray()
    for part in parts:
        if isinstance(part, Message):
            out += await _one(call, part, inner, boundary)
    out += f"--{boundary}--\r\n".encode()
    return Reply(body=bytes(out), headers={"content-type": f"multipart/mixed; boundary={boundary}"})


async def _one(call: Call, part: Message, inner: Inner, boundary: str) -> bytes:
    payload = part.get_payload(decode=True)
    request = payload if isinstance(payload, bytes) else b""
    line, _, rest = request.lstrip().partition(b"\n")
    words = line.decode("latin-1").split()
    if len(words) < 2:
        raise invalid(f"Each part of a batch must begin with a request line. Got {line!r}.")
    message = BytesParser().parsebytes(rest)
    body = message.get_payload(decode=True)
    url = urlsplit(words[1])
    reply = await inner(
        Call(
            call.store,
            call.resumable,
            words[0],
            call.base_url,
            {name.lower(): value for name, value in message.items()},
            parse_qs(url.query, keep_blank_values=True),
            _received(body if isinstance(body, bytes) else b""),
        ),
        url.path,
    )
    head = f"--{boundary}\r\nContent-Type: application/http\r\n"
    if part.get("Content-ID"):
        head += f"Content-ID: <response-{part['Content-ID'].strip('<>')}>\r\n"
    head += f"\r\nHTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n"
    head += "".join(f"{name.title()}: {value}\r\n" for name, value in reply.headers.items())
    head += f"Content-Length: {len(reply.body)}\r\n\r\n"
    return head.encode() + reply.body + b"\r\n"


def _received(body: bytes) -> Callable[[], Awaitable[AsgiMessage]]:
    async def receive() -> AsgiMessage:
        return {"type": "http.request", "body": body}

    return receive
