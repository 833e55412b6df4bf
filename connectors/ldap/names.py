"""DNs as people paste them: with what `ldapsearch` prints before them."""

from __future__ import annotations

import base64
import binascii

from provisioning.domain.names import Name, parse_name


def parse_pasted(text: str) -> Name:
    """Return the name of a DN, or of a line of LDIF: `dn: cn=Ann` and `dn:: Y249QW5u`.

    >>> parse_pasted("dn: cn=Ann") == parse_pasted("dn:: Y249QW5u") == parse_pasted("CN=ann")
    True

    Raises:
        ValueError: It is none; the text says where it ends to be one.
    """
    if text[:4].lower() == "dn::":
        try:
            return parse_name(base64.b64decode(text[4:].strip(), validate=True).decode())
        except (binascii.Error, UnicodeDecodeError):
            raise ValueError(f'"{text}" is not a DN: its base64 is broken') from None
    return parse_name(text[3:].strip() if text[:3].lower() == "dn:" else text.strip())
