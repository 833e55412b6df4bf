"""Real relays on 127.0.0.1: aiosmtpd for what relays do, a script for what they should not."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.kit.relay import BoundController


class Handler:
    """Keeps what it takes, and answers what it was told to answer."""

    def __init__(self, *, rcpt="250 OK", data="250 OK", mail="250 OK", abort=False, silent=False):
        self.rcpt, self.data, self.mail = rcpt, data, mail
        self.abort, self.silent = abort, silent
        self.taken = []
        self.encrypted = []

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802 - theirs
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.mail

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - theirs
        envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - theirs
        self.taken.append(envelope)
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        if self.abort:
            server.transport.abort()
        if self.silent:
            await asyncio.sleep(3)
        return self.data


@pytest.fixture
def relay():
    """Start relays with a handler; all of them end with the test."""
    with contextlib.ExitStack() as stack:

        def start(handler=None, **options):
            controller = BoundController(handler or Handler(), enable_SMTPUTF8=True, **options)
            controller.start()
            stack.callback(controller.stop)
            return controller

        yield start


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for localhost, signed by itself: the file to trust, and the server's side."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost")]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "localhost.pem"
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, folder / "key.pem")
    return path, context


@pytest.fixture
def only_anna():
    """An authenticator that lets anna in with her password."""

    def authenticate(server, session, envelope, mechanism, data):
        known = data.login == b"anna" and data.password == b"tu:l/ip@"
        return AuthResult(success=known, handled=known)

    return authenticate


@pytest.fixture
def scripted():
    """Start a relay that is polite until the data begins, and then does what a script says."""
    threads = []
    with contextlib.ExitStack() as stack:

        def start(script, greeting=b"220 relay\r\n"):
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def serve():
                connection, _ = listening.accept()
                with connection, connection.makefile("rb") as lines:
                    connection.sendall(greeting)
                    for line in lines:
                        if line.lower().startswith(b"data"):
                            connection.sendall(b"354 go ahead\r\n")
                            script(connection, lines)
                            return
                        connection.sendall(b"250 OK\r\n")

            thread = threading.Thread(target=serve)
            thread.start()
            threads.append(thread)
            return listening.getsockname()[1]

        yield start
        for thread in threads:
            thread.join(10)


@pytest.fixture
def make_handler():
    """Return a maker of handlers that answer what they are told to."""
    return Handler


@pytest.fixture
def handler():
    """A handler that takes everything."""
    return Handler()


@pytest.fixture
def letter():
    """A letter to Anna."""
    message = EmailMessage()
    message["From"] = "Intranet <intranet@corp.example>"
    message["To"] = '"Weber, Anna" <anna.weber@corp.example>'
    message["Subject"] = "Добро пожаловать"
    message["Message-ID"] = "<1@usher>"
    message.set_content("Hello Anna,\n.\n.. dots at the beginning of a line stay\n")
    return message
