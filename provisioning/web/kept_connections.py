"""Connections that are used again: who is answered before their body was read has to hang up.

The server cannot go on with a connection whose last body it has not read to the end, and closes
it. A client that is not told so sends its next request into the closed connection, and cannot
know what became of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class _Body:
    """What is read of a request's body, and whether it came to its end."""

    def __init__(self, stream: Any, length: int | None) -> None:
        self._stream, self._left = stream, length
        self.ended = False

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read(size)
        if self._left is not None:
            self._left -= len(data)
        self.ended = self.ended or size < 0 or len(data) < size or self._left == 0
        return data


def tell_when_to_hang_up(app: Flask) -> Flask:
    """Have an application say `Connection: close` wherever the server will close it."""
    application = app.wsgi_app

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH", "")
        if length == "0" or not (length or environ.get("HTTP_TRANSFER_ENCODING")):
            return application(environ, start)
        body = _Body(environ["wsgi.input"], int(length) if length.isdecimal() else None)

        def begin(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
            if not body.ended:
                headers = [*headers, ("Connection", "close")]
            return start(status, headers, exc_info)

        return application({**environ, "wsgi.input": body}, begin)

    # As with the fast lane, Flask's documentation wraps it so.
    app.wsgi_app = answer  # type: ignore[assignment, method-assign]
    return app
