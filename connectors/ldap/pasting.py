"""From an `ldapsearch` line to the options of a source that reads the same people.

Whoever administers a directory has such a line that works. Every option of ldapsearch is known
here: it becomes a setting, changes nothing of what Usher reads, or cannot be meant for reading
everyone and is explained. A password on the line is never taken over.
"""

from __future__ import annotations

import getopt
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from connectors.ldap.connection import ANYTHING
from connectors.ldap.settings import LdapSettings
from provisioning.domain.errors import ConfigurationError
from provisioning.ports import ProposedSource

_LETTERS = "Aa:b:Ccd:D:E:e:F:f:H:h:Il:LMNnO:o:P:p:QR:S:s:T:tU:uVvWw:X:xY:y:Zz:"
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{?[A-Za-z_]")
_SHELL_ENDS = re.compile(r"[|;&<>]+|\d?>.*")
_DASH = re.compile("^[\N{EN DASH}\N{EM DASH}](?=[A-Za-z])")
_EVERY_ACCOUNT = re.compile(r"\(object(class|category)=(user|person)\)", re.IGNORECASE)

_REFUSED: Mapping[str, str] = {
    "f": "-f reads filters from a file, which Usher does not: put the filter itself on the line",
    "Y": "-Y signs in by SASL, and Usher by a DN and a password (-x -D): ask for such an account",
}
_NOTED: Mapping[str, str] = {
    "a": "-a: Usher follows no aliases, they lead out of the base",
    "C": "-C: Usher follows no referrals, the password would go to whoever is named",
    "e": "-e: no such control is sent; Usher reads as the account itself",
    "l": "-l: there is no limit of time for the whole reading, only receive_seconds for an answer",
    "M": "-M: a referral below the base stops the reading, it is no person",
    "z": "-z was left out: with a limit of size only a part would be read, and the rest be missed",
}
_SASL = {"U", "R", "X", "O", "I", "Q"}
_TLS_PORT = "636"
_PASSWORD_PLACE = "/run/secrets/{source}-password"  # noqa: S105 - a place, not a password


def propose(source: str, line: str | Sequence[str]) -> ProposedSource:
    """Return the source that reads what an ldapsearch line searches.

    Args:
        source: What the source is to be called.
        line: As it is pasted, quoted for a shell, over several lines if they end in a
            backslash; or its words, if a shell took them apart.

    Raises:
        ConfigurationError: It is no such line, or nothing Usher could do; with what to do.
    """
    words = _words(line) if isinstance(line, str) else list(line)
    reading = _Line(source)
    words = [_DASH.sub("-", word) for word in reading.take_environment(words)]
    if not words or words[0].rsplit("/", 1)[-1] != "ldapsearch":
        raise ConfigurationError(
            "this is no ldapsearch line; paste one that finds your people, as: ldapsearch "
            "-H ldaps://dc1.corp.example -x -W -D 'cn=usher,dc=corp,dc=example' "
            "-b 'ou=People,dc=corp,dc=example' '(objectClass=inetOrgPerson)'"
        )
    try:
        found, rest = getopt.gnu_getopt(words[1:], _LETTERS)
    except getopt.GetoptError as error:
        raise ConfigurationError(
            f"ldapsearch has no such option, or it lacks its value: {error.msg}. Nothing was made"
        ) from None
    for option, value in found:
        reading.take(option[1:], value)
    reading.take_filter(rest)
    return reading.proposed()


def _words(line: str) -> list[str]:
    """Take a line apart as a shell does, up to a pipe or a redirection."""
    joined = re.sub(r"\\\r?\n", " ", line.strip())
    lexer = shlex.shlex(joined.removeprefix("$ "), posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError as error:
        raise ConfigurationError(
            f"the line cannot be taken apart ({str(error).lower()}): paste all of it, with both "
            "quotes of a pair"
        ) from None
    for place, word in enumerate(words):
        if _SHELL_ENDS.fullmatch(word):
            return words[: place - (words[place - 1].isdigit() and word[0] == ">")]
    return words


@dataclass
class _Line:
    """What was understood so far."""

    source: str
    options: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    host: str = ""
    port: str = ""
    simple: bool = False

    def take_environment(self, words: list[str]) -> list[str]:
        """Take `NAME=value` in front of the command; returns the words behind."""
        while words and (found := _ASSIGNMENT.fullmatch(words[0])):
            if found[1] == "LDAPTLS_CACERT":
                self._say("ca_file", found[2])
            elif found[1] == "LDAPTLS_REQCERT":
                self._requirement(found[2])
            words = words[1:]
        return words[1:] if words and words[0] == "sudo" else words

    def take(self, letter: str, value: str) -> None:
        """Take one option."""
        if letter in _REFUSED:
            raise ConfigurationError(f"{_REFUSED[letter]}. Nothing was made")
        works: dict[str, Callable[[str], None]] = {
            "D": partial(self._say, "bind_dn"),
            "b": partial(self._say, "base_dn"),
            "y": partial(self._say, "bind_password_file"),
            "H": self._servers,
            "h": self._host,
            "p": self._port,
            "x": self._simple,
            "Z": self._start_tls,
            "w": self._password,
            "P": self._version,
            "s": self._depth,
            "E": self._extension,
            "o": self._general,
        }
        if letter in works:
            works[letter](value)
        elif letter in _SASL:
            self._note(
                "-Y, -U, -R, -X, -O, -I and -Q are of SASL; Usher signs in by -D and password"
            )
        elif letter in _NOTED and value != "never":
            self._note(_NOTED[letter])

    def take_filter(self, rest: Sequence[str]) -> None:
        """Take the filter, if the first word is one; attributes are the mapping's business."""
        words = list(rest)
        if words and "=" in words[0]:
            written = words.pop(0).strip()
            written = written if written.startswith("(") else f"({written})"
            if written.lower() == ANYTHING.lower():
                self._note(
                    f"{ANYTHING} finds units and groups too: the preset's filter for people "
                    "is used, set user_filter for another"
                )
            else:
                self._say("user_filter", written)
                if _EVERY_ACCOUNT.fullmatch(written):
                    self._note(
                        f"in Active Directory {written} finds computers and service accounts too: "
                        "take user_filter away, and the preset's filter for people is used"
                    )
        if words:
            # Not named: behind a -W, which takes no value, the first of them is a password.
            self._note("the attributes are not taken over: Usher asks for those the mapping reads")

    def proposed(self) -> ProposedSource:
        """Return the source, tried as settings are tried at every start."""
        self._address()
        for option, setting in (("-D", "bind_dn"), ("-b", "base_dn")):
            if not self.options.get(setting):
                raise ConfigurationError(
                    f"{option} is missing, so {setting} is not known. Add it to the line: what "
                    "stands in ldap.conf, or what an anonymous search shows, is not read"
                )
        if not self.simple:
            self._note("-x is missing: Usher signs in by DN and password all the same")
        secret = "bind_password_file"  # noqa: S105 - the name of a setting
        place = self.options.pop(secret, _PASSWORD_PLACE.format(source=self.source))
        LdapSettings.from_options(
            self.source,
            {k: v for k, v in self.options.items() if k != "ca_file"} | {"bind_password": "x"},
        )
        order = ("uri", "start_tls", "ca_file", "bind_dn", "base_dn", "user_filter")
        known = {name: self.options[name] for name in order if name in self.options}
        return ProposedSource(
            name=self.source,
            kind="ldap",
            options={**known, **self.options, secret: place},
            password_file=place,
            notes=self.notes,
        )

    def _say(self, setting: str, value: str) -> None:
        if _VARIABLE.search(value):
            raise ConfigurationError(
                f"{setting} would be {value}, which only your shell knows: write the value itself. "
                "Nothing was made"
            )
        self.options[setting] = value

    def _note(self, words: str) -> None:
        if words not in self.notes:
            self.notes.append(words)

    def _address(self) -> None:
        if "uri" not in self.options:
            if not self.host:
                raise ConfigurationError(
                    "-H is missing, so nobody knows which server: add -H ldaps://HOST to the line"
                )
            scheme = "ldaps" if self.port == _TLS_PORT else "ldap"
            port = f":{self.port}" if self.port else ""
            self.options["uri"] = f"{scheme}://{self.host}{port}"
        if self.options["uri"].startswith("ldap:") and "start_tls" not in self.options:
            self.options["start_tls"] = True
            self._note(
                "the line sends the password in the clear: start_tls was set; use ldaps:// if the "
                'server has it, or tls = "none" if the clear is really meant'
            )

    def _requirement(self, value: str) -> None:
        if value.lower() in ("never", "allow", "try"):
            self._note(
                "the line does not verify the server's certificate, Usher does: name the authority "
                "that signed it with ca_file"
            )

    def _servers(self, value: str) -> None:
        # libldap separates servers by blanks or commas; a DN behind the host has commas, too.
        first, *others = re.split(r"[\s,]+(?=ldap[is]?://)", value.strip())
        parts = urlsplit(first)
        if parts.scheme not in ("ldap", "ldaps"):
            raise ConfigurationError(f"-H {first}: Usher reads over ldaps:// or ldap://. Write one")
        if others:
            self._note(f"of several servers the first is taken: {first}")
        if parts.path.strip("/") or parts.query:
            self._note("what stands behind the host in -H is not used, nor does ldapsearch use it")
        self._say("uri", f"{parts.scheme}://{parts.netloc}")

    def _host(self, value: str) -> None:
        self.host = value

    def _port(self, value: str) -> None:
        self.port = value

    def _simple(self, _: str) -> None:
        self.simple = True

    def _start_tls(self, _: str) -> None:
        self.options["start_tls"] = True

    def _password(self, _: str) -> None:
        self._note(
            "the password on the line was not taken over. It stays in the history of your shell: "
            "change it, or remove it there"
        )

    def _version(self, value: str) -> None:
        if value != "3":
            raise ConfigurationError(f"-P {value}: Usher speaks LDAP 3, as every server does")

    def _depth(self, value: str) -> None:
        if value == "base":
            raise ConfigurationError(
                "-s base finds one entry only; Usher reads everyone below a base: use -s sub"
            )
        if value != "sub":
            self._note(
                f"-s {value}: Usher reads everything below the base, deeper units too; list those "
                "in exclude"
            )

    def _extension(self, value: str) -> None:
        name, _, parameter = value.lstrip("!").partition("=")
        size = parameter.partition("/")[0]
        if name == "pr" and size.isdigit():
            self.options["page_size"] = int(size)
        elif name != "pr":
            self._note(f"-E {name} is not sent: Usher reads pages, and changes in its own way")

    def _general(self, value: str) -> None:
        name, _, parameter = value.partition("=")
        name = name.lower().replace("-", "_")
        if name == "nettimeout" and parameter.isdigit():
            self.options["connect_seconds"] = int(parameter)
        elif name == "tls_cacert":
            self._say("ca_file", parameter)
        elif name == "tls_reqcert":
            self._requirement(parameter)
        elif name not in ("ldif_wrap", "nettimeout"):
            self._note(f"-o {value} is not known to Usher and was left out")
