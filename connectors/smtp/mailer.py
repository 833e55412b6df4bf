"""Letters through a mail relay: taken, refused, not reached, or in doubt; nothing else."""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import formatdate, getaddresses

from connectors.smtp.settings import Encryption, SmtpSettings
from connectors.tls import trusting
from provisioning.domain.errors import DeliveryError, DeliveryInDoubtError
from provisioning.ports import CheckOutcome, CheckReport, CheckStep

_END_OF_DATA = b"\r\n.\r\n"
_PERMANENT = 500


class _Handover:
    """Knows whether a letter was handed over without an answer.

    Until the end of the data was sent everything is repeatable: a relay must not keep a letter
    before (RFC 5321 section 4.2.5). From that byte on only its answer can tell.
    """

    in_doubt = False

    def send(self, s: bytes | str) -> None:
        super().send(s)  # type: ignore[misc]
        if isinstance(s, bytes) and s.endswith(_END_OF_DATA):
            self.in_doubt = True

    def data(self, msg: bytes | str) -> tuple[int, bytes]:
        code, answer = super().data(msg)  # type: ignore[misc]
        self.in_doubt = code < 0
        return code, answer


class _Relay(_Handover, smtplib.SMTP):  # type: ignore[misc]
    """A connection that begins in the clear."""


class _EncryptedRelay(_Handover, smtplib.SMTP_SSL):  # type: ignore[misc]
    """A connection that is encrypted from its first byte."""


class SmtpMailer:
    """Hands each letter to the relay over a connection of its own."""

    keeps_letters = False

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._tls = trusting(settings.ca_file, "mail.smtp_url")

    def send(self, letter: EmailMessage) -> None:
        """Hand a letter to one address over, dated now if it has no date.

        Raises:
            DeliveryError: It was refused, or the relay could not be reached: not sent.
            DeliveryInDoubtError: It was handed over and the answer was lost.
        """
        recipients = getaddresses([str(value) for value in letter.get_all("To", [])])
        if len(recipients) != 1 or letter["Cc"] or letter["Bcc"]:
            raise DeliveryError("a letter goes to one address", permanent=True)
        if "Date" not in letter:
            letter["Date"] = formatdate(usegmt=True)
        with self._connected() as relay:
            self._sign_in(relay)
            try:
                relay.send_message(letter)
            except (OSError, smtplib.SMTPException, MessageError, ValueError) as error:
                if relay.in_doubt:
                    raise DeliveryInDoubtError(
                        f"{self._place} took the letter and its answer was lost: {error}"
                    ) from error
                raise _refusal(self._place, error) from error

    def check(self) -> CheckReport:
        """Connect and sign in, sending nothing."""
        begun = time.monotonic()
        steps = []
        try:
            with self._connected() as relay:
                steps.append(self._step("connect", self._connection_words(relay), begun))
                self._sign_in(relay)
                if self._settings.user:
                    steps.append(self._step("sign in", self._settings.user, begun))
        except DeliveryError as error:
            steps.append(self._step("sign in" if steps else "connect", str(error), begun, ok=False))
        return CheckReport(steps=steps)

    @property
    def _place(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    @contextmanager
    def _connected(self) -> Iterator[_Relay | _EncryptedRelay]:
        """Connect, encrypted as wanted; an answer to the farewell is not worth an error."""
        relay = self._connect()
        try:
            yield relay
            with suppress(OSError, smtplib.SMTPException):
                relay.quit()
        finally:
            relay.close()

    def _connect(self) -> _Relay | _EncryptedRelay:
        relay: _Relay | _EncryptedRelay | None = None
        try:
            relay = self._greeted()
            relay.ehlo_or_helo_if_needed()
            if self._wants_starttls(relay):
                relay.starttls(context=self._tls)
                relay.ehlo_or_helo_if_needed()
        except (OSError, smtplib.SMTPException) as error:
            if relay is not None:
                relay.close()
            raise DeliveryError(
                f"{self._place} cannot be reached: {_words(error)}", permanent=False
            ) from error
        return relay

    def _greeted(self) -> _Relay | _EncryptedRelay:
        """Connect and hear the greeting; the host given here is whose certificate is checked."""
        place, timeout = (self._settings.host, self._settings.port), self._settings.timeout_seconds
        if self._settings.encryption is Encryption.TLS:
            return _EncryptedRelay(*place, timeout=timeout, context=self._tls)
        return _Relay(*place, timeout=timeout)

    def _wants_starttls(self, relay: _Relay | _EncryptedRelay) -> bool:
        if self._settings.encryption is Encryption.AUTO:
            return relay.has_extn("starttls")
        return self._settings.encryption is Encryption.REQUIRED

    def _sign_in(self, relay: _Relay | _EncryptedRelay) -> None:
        """Sign in if there is a user; a relay that refuses may take the letter tomorrow."""
        settings = self._settings
        if not settings.user:
            return
        if settings.encryption is not Encryption.OFF and not isinstance(relay.sock, ssl.SSLSocket):
            raise DeliveryError(
                f"{self._place} offers no encryption, and the password is not sent without it",
                permanent=False,
            )
        try:
            relay.login(settings.user, settings.password)
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(
                f"{self._place} refuses to sign {settings.user} in: {_words(error)}",
                permanent=False,
            ) from error

    def _connection_words(self, relay: _Relay | _EncryptedRelay) -> str:
        version = relay.sock.version() if isinstance(relay.sock, ssl.SSLSocket) else None
        return f"{self._place}, {version or 'not encrypted'}"

    def _step(self, name: str, detail: str, begun: float, *, ok: bool = True) -> CheckStep:
        outcome = CheckOutcome.OK if ok else CheckOutcome.FAILED
        return CheckStep(
            name=name, outcome=outcome, detail=detail, seconds=time.monotonic() - begun
        )


def _refusal(place: str, error: Exception) -> DeliveryError:
    """Return what a failure before the end of the data means: not sent, and whether ever.

    A refused recipient or text is final from 500 on. A refused sender is a mistake in the
    configuration: the letter is right and leaves when that is.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
        permanent = code >= _PERMANENT
    elif isinstance(error, smtplib.SMTPDataError):
        permanent = error.smtp_code >= _PERMANENT
    else:
        permanent = isinstance(error, smtplib.SMTPNotSupportedError | MessageError | ValueError)
    return DeliveryError(f"{place} refuses the letter: {_words(error)}", permanent=permanent)


def _words(error: Exception) -> str:
    """Return what a relay said, in its own words."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        address, (code, answer) = next(iter(error.recipients.items()))
        return f"{address}: {code} {_text(answer)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return str(error) or type(error).__name__


def _text(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())
