"""One connection to a directory that is who it says it is (safety 16).

ldap3's defaults check no certificate, wait for ever, follow referrals with the password in hand
and dereference aliases out of the base. None of that happens here.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPSocketOpenError, LDAPStartTLSError
from ldap3.core.results import (
    RESULT_CONFIDENTIALITY_REQUIRED,
    RESULT_INVALID_CREDENTIALS,
    RESULT_STRONGER_AUTH_REQUIRED,
    RESULT_SUCCESS,
)

from connectors.ldap.receiving import accelerate
from connectors.ldap.settings import LdapSettings
from connectors.tls import trusting
from provisioning.domain.errors import ConfigurationError, SourceUnavailableError

PAGED_RESULTS = "1.2.840.113556.1.4.319"
ANYTHING = "(objectClass=*)"
"""The filter that finds every entry."""

_ACTIVE_DIRECTORY = "1.2.840.113556.1.4.800"
_ROOT_DSE = (
    "objectClass",
    "vendorName",
    "supportedCapabilities",
    "supportedControl",
    "namingContexts",
    "dsServiceName",
    "highestCommittedUSN",
    "firstChangeNumber",
)

_DATA = re.compile(r"\bdata ([0-9a-f]{3})\b")
_PLACE_IN_OPENSSL = re.compile(r"\.?\s*\(_ssl\.c:\d+\)")

_DISTRUST: Mapping[str, str] = {
    "expired": "Have its certificate renewed",
    "mismatch": "Use the name in uri that stands in its certificate",
    "": "Name the authority that signed its certificate with ca_file (LDAP_CA_FILE)",
}
"""What helps against a certificate that is refused, by what OpenSSL says of it."""

_UNREACHED: Mapping[str, str] = {
    "invalid server address": " (no server of this name is known: see uri)",
    "UNEXPECTED_EOF": " (no TLS is spoken there: see the port, or use ldap:// with start_tls)",
    "WRONG_VERSION": " (no TLS is spoken there: see the port, or use ldap:// with start_tls)",
}
"""What is meant by the words of the socket, and what helps."""

_REFUSED_BY_AD: Mapping[str, str] = {
    "525": "there is no such account: see bind_dn",
    "52e": "the password is wrong: see bind_password_file",
    "530": "the account may not sign in at this hour",
    "531": "the account may not sign in from here",
    "532": "its password is expired",
    "533": "the account is disabled",
    "701": "the account is expired",
    "773": "its password has to be changed first",
    "775": "the account is locked out",
}
"""What Active Directory means by the number in its refusal."""


class VerifiedTls(ldap3.Tls):
    """TLS by the standard library's own rules: authority, dates and name in one handshake.

    ldap3 checks nothing by default, and the name only afterwards, with a function that Python
    no longer has.
    """

    def __init__(self, settings: LdapSettings) -> None:
        """Trust the named authority, or the system's."""
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = trusting(settings.ca_file, "ca_file")
        if settings.tls == "none":
            self._context.check_hostname = False
            self._context.verify_mode = ssl.CERT_NONE

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:  # noqa: FBT001, FBT002 - ldap3's signature
        """Put TLS around the connection's socket; it is closed when the handshake fails."""
        connection.socket = self._context.wrap_socket(
            connection.socket,
            server_hostname=connection.server.host,
            do_handshake_on_connect=do_handshake,
        )


def open_connection(settings: LdapSettings) -> ldap3.Connection:
    """Return a connection that is not opened yet."""
    tls = None
    if settings.uri.startswith("ldaps:") or settings.start_tls:
        tls = VerifiedTls(settings)
    server = ldap3.Server(
        settings.host,
        port=settings.port,
        use_ssl=settings.uri.startswith("ldaps:"),
        tls=tls,
        get_info=ldap3.NONE,
        connect_timeout=settings.connect_seconds,
    )
    connection = ldap3.Connection(
        server,
        user=settings.bind_dn,
        password=settings.bind_password.get_secret_value(),
        authentication=ldap3.SIMPLE,
        client_strategy=ldap3.SYNC,
        auto_bind=ldap3.AUTO_BIND_NONE,
        auto_referrals=False,
        auto_range=False,
        check_names=False,
        read_only=True,
        return_empty_attributes=False,
        receive_timeout=settings.receive_seconds,
    )
    accelerate(connection)
    return connection


@contextmanager
def signed_in(settings: LdapSettings) -> Iterator[ldap3.Connection]:
    """Connect and bind; the socket is closed whatever happens.

    Raises:
        SourceUnavailableError: It does not answer, is somebody else, or refuses us.
    """
    connection = open_connection(settings)
    try:
        connect(connection, settings)
        bind(connection, settings)
        yield connection
    finally:
        close(connection)


def connect(connection: ldap3.Connection, settings: LdapSettings) -> None:
    """Open the socket, and TLS if it begins in the clear.

    Raises:
        SourceUnavailableError: Nobody answers, or not the one we trust.
    """
    try:
        connection.open(read_server_info=False)
        if settings.start_tls:
            connection.start_tls(read_server_info=False)
    except (LDAPException, OSError) as error:
        raise SourceUnavailableError(
            f"{settings.host}:{settings.port} {_unconnected(error)}"
        ) from error


def bind(connection: ldap3.Connection, settings: LdapSettings) -> None:
    """Sign in; `bind()` alone answers False and leaves an anonymous connection behind.

    Raises:
        SourceUnavailableError: The account was refused, or the connection broke.
    """
    where = f"{settings.host}:{settings.port}"
    try:
        done = connection.bind(read_server_info=False)
    except (LDAPException, OSError) as error:
        raise SourceUnavailableError(f"{where} broke off: {_reason(error)}") from error
    if not done or connection.result["result"] != RESULT_SUCCESS:
        said = connection.result["description"]
        raise SourceUnavailableError(
            f"{where} refused to sign {settings.bind_dn} in: {said}{_remedy(connection.result)}"
        )


def _unconnected(error: Exception) -> str:
    """Return what happened instead of a connection, and what helps."""
    reason = _reason(error)
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        helps = next((words for sign, words in _DISTRUST.items() if sign in reason), _DISTRUST[""])
        return f"answers, but is not trusted: {reason}. No password was sent. {helps}"
    if isinstance(error, LDAPStartTLSError):
        return (
            f"refused StartTLS: {reason}. No password was sent; somebody between us may have taken "
            "it away. Use ldaps:// if the server has it"
        )
    if isinstance(error, LDAPSocketOpenError):
        helps = next((words for sign, words in _UNREACHED.items() if sign in reason), "")
        return f"cannot be reached: {reason}{helps}. Nothing was read or changed"
    return f"broke off: {reason}"


def _remedy(result: Mapping[str, Any]) -> str:
    """Return the server's own words, and what helps."""
    words = str(result.get("message") or "").strip("\x00 ")
    said = f" ({words})" if words else ""
    if result["result"] in (RESULT_CONFIDENTIALITY_REQUIRED, RESULT_STRONGER_AUTH_REQUIRED):
        return f"{said}; it takes passwords over TLS only: use ldaps:// or start_tls"
    if result["result"] == RESULT_INVALID_CREDENTIALS:
        data = _DATA.search(words)
        helps = _REFUSED_BY_AD.get(data[1]) if data else None
        return f"{said}: {helps or 'see bind_dn and its password'}"
    return said


def close(connection: ldap3.Connection) -> None:
    """Give the socket back: ldap3 forgets it when a bind is refused or a server broke off."""
    socket = connection.socket
    try:
        if connection.bound:
            connection.unbind()
    except (LDAPException, OSError):
        pass
    finally:
        if socket is not None:
            socket.close()


def detect(connection: ldap3.Connection) -> str:
    """Return the preset of the kind of directory that answers, by its root DSE.

    Raises:
        ConfigurationError: It is none we know; the setting that helps is named.
        SourceUnavailableError: As in `root_dse`.
    """
    found = root_dse(connection)
    if _ACTIVE_DIRECTORY in found.get("supportedcapabilities", ()):
        return "active-directory"
    if any(name.startswith("389") for name in found.get("vendorname", ())):
        return "389ds"
    if "OpenLDAProotDSE" in found.get("objectclass", ()):
        return "openldap"
    raise ConfigurationError(
        "the root DSE is neither OpenLDAP's nor Active Directory's nor 389 Directory Server's; "
        'set preset to the nearest of "openldap", "active-directory", "389ds"'
    )


def root_dse(connection: ldap3.Connection) -> Mapping[str, Sequence[str]]:
    """Return what a server says of itself, by names in small letters.

    Raises:
        SourceUnavailableError: The connection broke, or the server has no time for us.
    """
    where = f"{connection.server.host}:{connection.server.port}"
    try:
        connection.search(
            "",
            ANYTHING,
            ldap3.BASE,
            attributes=list(_ROOT_DSE),
            get_operational_attributes=True,
        )
    except (LDAPException, OSError) as error:
        raise SourceUnavailableError(f"{where} broke off: {_reason(error)}") from error
    if connection.result["result"] != RESULT_SUCCESS:
        said = connection.result["description"]
        raise SourceUnavailableError(f"{where} does not say what it is: {said}")
    return {
        name.lower(): [value.decode("utf-8", "replace") for value in values]
        for entry in entries(connection)
        for name, values in entry["raw_attributes"].items()
    }


def entries(connection: ldap3.Connection) -> Sequence[dict[str, Any]]:
    """Return the entries of the last answer, without references."""
    return [item for item in connection.response or () if item["type"] == "searchResEntry"]


def _reason(error: Exception) -> str:
    """Return ldap3's words without its wrappers; they never hold a password."""
    text = _PLACE_IN_OPENSSL.sub("", str(error))
    for noise in (
        "socket connection error while opening: ",
        "socket ssl wrapping error: ",
        "unable to open socket",
        "wrap socket error: ",
        "startTLS failed - ",
    ):
        text = text.replace(noise, "")
    text = text.strip(' ,:"()').removeprefix("'").removesuffix("'")
    return text.replace("\\'", "'").strip(' ,:"()') or type(error).__name__
