"""What every page is sent with and every request held to (safety 9, 17, 18, 28)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect
from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
MAX_BODY = 1 << 20
PROBES = frozenset({"/healthz", "/readyz"})


def harden(
    app: Flask, *, public_url: str, secret_key: bytes, trusted_hosts: Sequence[str]
) -> CSRFProtect:
    """Set limits, cookies, headers and CSRF protection; returns the latter for exemptions.

    Args:
        app: The application, before its first blueprint.
        public_url: Where people reach it; https makes cookies secure and asks for HSTS.
        secret_key: Signs cookies and form tokens.
        trusted_hosts: Host names requests may ask for; empty means that of `public_url`.
    """
    public = urlsplit(public_url)
    app.config.update(
        SECRET_KEY=secret_key,
        TRUSTED_HOSTS=[*(trusted_hosts or [public.hostname or ""]), *LOOPBACK],
        MAX_CONTENT_LENGTH=MAX_BODY,
        SESSION_COOKIE_NAME="usher",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=public.scheme == "https",
        # Forms live as long as their session; pages that send no Referer are ours.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    # Flask's own documentation wraps it so; its type says that one may not.
    app.wsgi_app = _answer_probes(app.wsgi_app, LOOPBACK[0])  # type: ignore[assignment, method-assign]
    Bootstrap5(app)
    headers = security_headers(public_url)

    def protect(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    app.after_request(protect)
    return CSRFProtect(app)


def _answer_probes(application: WSGIApplication, host: str) -> WSGIApplication:
    """Let health be asked for by any name: load balancers and Kubernetes use an address."""

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in PROBES:
            environ["HTTP_HOST"] = host
        return application(environ, start)

    return answer


def security_headers(public_url: str) -> dict[str, str]:
    """Return what every response carries."""
    https = urlsplit(public_url).scheme == "https"
    policy = (
        ContentSecurityPolicy()
        .default_src("'none'")
        .style_src("'self'")
        .script_src("'self'")
        .connect_src("'self'")
        .img_src("'self'", "data:")
        .font_src("'self'")
        .frame_src("'self'")
        .form_action("'self'")
        .base_uri("'none'")
        .frame_ancestors("'none'")
    )
    transport = StrictTransportSecurity().max_age(31_536_000) if https else None
    return dict(
        Secure(
            csp=policy,
            coop=CrossOriginOpenerPolicy().same_origin(),
            hsts=transport,
            referrer=ReferrerPolicy().no_referrer(),
            xcto=XContentTypeOptions().nosniff(),
            xfo=XFrameOptions().deny(),
        ).header_items()
    )
