"""A real mail relay on loopback that keeps what it takes."""

from __future__ import annotations

import email
import email.policy
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class KeepingHandler:
    """Takes every letter; `letters` holds (recipient, message) in the order they came."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, EmailMessage]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - theirs
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        for recipient in envelope.rcpt_tos:
            self.letters.append((recipient, message))
        return "250 OK"

    def links(self) -> dict[str, str]:
        """The join link of every recipient's latest letter."""
        found = {}
        for recipient, message in self.letters:
            body = message.get_body(("plain",))
            assert body is not None
            match = re.search(r"https?://\S+/join/\S+", body.get_content())
            assert match is not None
            found[recipient] = match[0]
        return found


class BoundController(Controller):
    """A relay on a port that was free and stays taken."""

    def __init__(self, handler: Any, *, implicit_tls: Any = None, **options: Any) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        port = self.socket.getsockname()[1]
        super().__init__(
            handler, hostname="127.0.0.1", port=port, ssl_context=implicit_tls, **options
        )

    def _create_server(self) -> Any:
        return self.loop.create_server(
            self._factory_invoker, sock=self.socket, ssl=self.ssl_context
        )


@contextmanager
def running_relay() -> Iterator[tuple[KeepingHandler, str]]:
    """A relay and its address for SMTP_URL."""
    handler = KeepingHandler()
    controller = BoundController(handler, enable_SMTPUTF8=True)
    controller.start()
    try:
        yield handler, f"smtp://127.0.0.1:{controller.port}?starttls=off"
    finally:
        controller.stop()
