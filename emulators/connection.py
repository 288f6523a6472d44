"""Cutting a client's connection in the middle of a call, as a failing network would."""

import asyncio

from starlette.types import Send


async def cut(send: Send) -> None:
    """Abort the TCP connection of the running request; the client gets no answer.

    `send` must be uvicorn's own, from an ASGI application that no middleware wraps.

    Raises:
        TypeError: it is not.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if not isinstance(transport, asyncio.Transport):
        raise TypeError(f"Only uvicorn's own send leads to a connection that can be cut. Got {send!r}.")
    transport.abort()
    await asyncio.sleep(0)  # lets uvicorn learn of it, so that it does not answer 500 into the void
    await asyncio.sleep(0)
