"""Events over HTTP: signed, to the configured address only, and never believed too much."""

from __future__ import annotations

import base64
import json
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connectors.factory import make_webhook
from connectors.webhooks.sender import ANSWER_BYTES, HttpWebhook
from connectors.webhooks.settings import WebhookSettings
from connectors.webhooks.signing import signed_headers
from provisioning.domain.errors import ConfigurationError, DeliveryError, DeliveryInDoubtError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = datetime(2021, 2, 25, 15, 2, 10, tzinfo=UTC)
BODY = json.dumps({"test": 2432232314}).encode()


class Receiver(ThreadingHTTPServer):
    """Keeps what it is sent, and answers as told."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received = []
        self.status, self.headers, self.answer = 204, {}, b""

    def handle_error(self, *_):
        """Who hangs up before the end of an answer is no news."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_):
        """Say nothing on the terminal."""


@pytest.fixture
def receiver():
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def webhook(url, **changes):
    settings = WebhookSettings.read("pager", url, SECRET)
    return HttpWebhook(
        WebhookSettings(
            **{name: getattr(settings, name) for name in WebhookSettings.__slots__} | changes
        )
    )


def test_the_signature_is_that_of_the_specification():
    """R7: the example that is published with Standard Webhooks."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    assert signed_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", AT, BODY) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_an_event_arrives_with_its_signature(receiver):
    """R7: at the configured address, byte for byte what was signed."""
    webhook(f"{receiver.url}/hooks/usher?team=it").send("msg_1", AT, BODY)
    ((path, headers, body),) = receiver.received
    assert path == "/hooks/usher?team=it"
    assert body == BODY
    assert headers["Content-Type"] == "application/json"
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    for name, value in signed_headers(key, "msg_1", AT, BODY).items():
        assert headers[name] == value


@pytest.mark.parametrize(
    ("status", "permanent"), [(400, False), (404, False), (410, True), (429, False), (503, False)]
)
def test_whatever_is_no_yes_is_tried_again_unless_it_is_gone(receiver, status, permanent):
    """R7: 410 says that nobody wants more; everything else may be mended."""
    receiver.status, receiver.answer = status, b"no such\nhook"
    with pytest.raises(DeliveryError, match=f"answered {status}: no such hook") as caught:
        webhook(receiver.url).send("msg_1", AT, BODY)
    assert caught.value.permanent is permanent


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(receiver, status):
    """Safety 27: wherever an answer leads, nobody is connected there."""
    with Receiver() as elsewhere:
        receiver.status, receiver.headers = status, {"Location": elsewhere.url}
        with pytest.raises(DeliveryError, match="redirect, which is not followed"):
            webhook(receiver.url).send("msg_1", AT, BODY)
        elsewhere.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            elsewhere.socket.accept()


def test_of_a_long_answer_only_the_beginning_is_read(receiver):
    """Safety 27: an endless answer costs nothing."""
    receiver.status, receiver.answer = 500, b"x" * (8 * 1024 * 1024)
    with pytest.raises(DeliveryError) as caught:
        webhook(receiver.url).send("msg_1", AT, BODY)
    assert len(str(caught.value)) < ANSWER_BYTES + 100


@contextmanager
def rude(words):
    """A server that takes a request and answers with some bytes, and then nothing more."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            taken, _ = listener.accept()
            with taken:
                taken.recv(65536)
                taken.sendall(words)
                done.wait()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        done.set()
        thread.join()


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 2", b"what?\r\n\r\n"])
def test_an_event_whose_answer_is_lost_is_in_doubt(words):
    """R7: it may have arrived; the same id is sent again, by which a repetition is known."""
    with rude(words) as url, pytest.raises(DeliveryInDoubtError, match="answer was lost"):
        webhook(url, seconds=0.2).send("msg_1", AT, BODY)


def test_a_place_where_nobody_listens_was_not_reached():
    """R7: nothing was handed over."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DeliveryError, match="cannot be reached") as caught:
        webhook(f"http://127.0.0.1:{port}").send("msg_1", AT, BODY)
    assert not caught.value.permanent
    assert webhook(f"http://127.0.0.1:{port}").check().failed


def test_a_check_connects_and_sends_nothing(receiver):
    assert not webhook(receiver.url).check().failed
    assert receiver.received == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/x",
        "http://10.0.0.1/",
        "http://127.0.0.1.evil.example/",
        "http://localhost@evil.example/",
        "https://user:password@hooks.example/",
        "https://hooks.example/#here",
        "https://hooks.example/\r\nX: y",
        "https://hooks.example:port/",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "https:///path",
        "hooks.example",
        "",
    ],
)
def test_an_address_that_would_lead_elsewhere_or_in_the_clear_is_refused(url):
    """Safety 27: told at the start, before anything is connected."""
    with pytest.raises(ConfigurationError, match=r"webhooks\.pager\.url"):
        make_webhook("pager", url, SECRET, None)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "open sesame", "whsec_c2hvcnQ=", "whsec_" + "A" * 120]
)
def test_a_secret_that_is_none_is_refused_without_being_shown(secret):
    """R7: 24 to 64 bytes; the sentence says how to make one."""
    with pytest.raises(ConfigurationError, match=r"webhooks\.pager\.secret.*openssl") as caught:
        make_webhook("pager", "https://hooks.example/x", secret, None)
    assert not secret or secret == "whsec_" or secret not in str(caught.value)


def test_the_secret_is_not_in_any_repr():
    """Safety 13."""
    settings = WebhookSettings.read("pager", "https://hooks.example/x", SECRET)
    assert SECRET not in repr(settings)
    assert repr(settings.secret) not in repr(settings)
