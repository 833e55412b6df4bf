"""Events to one configured address: taken, refused, not reached, or in doubt.

No redirect is followed, no proxy of the environment is asked, and of an answer only its first
bytes are read: nothing the other side says leads anywhere but to the address in the
configuration.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from connectors.tls import trusting
from connectors.webhooks.settings import WebhookSettings
from connectors.webhooks.signing import signed_headers
from provisioning.domain.errors import DeliveryError, DeliveryInDoubtError
from provisioning.ports import CheckOutcome, CheckReport, CheckStep

ANSWER_BYTES = 1024
"""What is read of an answer, for whoever has to find out why it was no."""


class HttpWebhook:
    """Hands each event over on a connection of its own."""

    def __init__(self, settings: WebhookSettings) -> None:
        """Read the authorities; nothing is connected yet."""
        self._settings = settings
        self._tls = trusting(settings.ca_file, "webhooks") if settings.secure else None

    def send(self, message_id: str, at: datetime, body: bytes) -> None:
        """Post an event, signed.

        Raises:
            DeliveryError: It was refused, or the program could not be reached.
            DeliveryInDoubtError: It was handed over and the answer was lost.
        """
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "usher",
            "Connection": "close",
            **signed_headers(self._settings.secret, message_id, at, body),
        }
        with self._connected() as connection:
            try:
                connection.request("POST", self._settings.path, body, headers)
                with connection.getresponse() as answer:
                    status, words = answer.status, answer.read(ANSWER_BYTES)
            except (OSError, HTTPException) as error:
                raise DeliveryInDoubtError(
                    f"{self._place} took the event and its answer was lost: {_why(error)}"
                ) from error
        if status // 100 != HTTPStatus.OK // 100:
            raise self._refusal(status, words)

    def check(self) -> CheckReport:
        """Connect, and check the certificate; nothing is sent."""
        begun = time.monotonic()
        try:
            with self._connected():
                outcome, detail = CheckOutcome.OK, self._place
        except DeliveryError as error:
            outcome, detail = CheckOutcome.FAILED, str(error)
        seconds = time.monotonic() - begun
        step = CheckStep(name="connect", outcome=outcome, detail=detail, seconds=seconds)
        return CheckReport(steps=[step])

    @property
    def _place(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    @contextmanager
    def _connected(self) -> Iterator[HTTPConnection]:
        """Connect, and cut off whoever takes longer than they may, however busily they drip."""
        chosen = self._settings
        if self._tls is None:
            connection = HTTPConnection(chosen.host, chosen.port, timeout=chosen.seconds)
        else:
            connection = HTTPSConnection(
                chosen.host, chosen.port, timeout=chosen.seconds, context=self._tls
            )
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise DeliveryError(
                f"{self._place} cannot be reached: {_why(error)}", permanent=False
            ) from error
        patience = threading.Timer(chosen.seconds, _cut_off, [connection.sock])
        patience.daemon = True
        patience.start()
        try:
            yield connection
        finally:
            patience.cancel()
            connection.close()

    def _refusal(self, status: int, words: bytes) -> DeliveryError:
        """Return what an answer means that is no yes; 410 asks for no more (Standard Webhooks)."""
        said = " ".join(words.decode("utf-8", "replace").split())
        if status // 100 == HTTPStatus.MULTIPLE_CHOICES // 100:
            said = "a redirect, which is not followed: configure the address it leads to"
        sentence = (
            f"{self._place} answered {status}: {said}"
            if said
            else (f"{self._place} answered {status}")
        )
        return DeliveryError(sentence, permanent=status == HTTPStatus.GONE)


def _cut_off(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _why(error: BaseException) -> str:
    return str(error) or type(error).__name__
