"""Brakes: what an administrator stops by hand, at every door, until they let go.

brake           stops                             what becomes of it
--------------  --------------------------------  -----------------------------------------------
read-only       whatever changes people; jobs;    runs and jobs wait, and are made up for; SCIM is
                letters                           answered 503 and sent again by the provider;
                                                  pages, commands and acceptances are refused
no-invitations  letters that invite or remind     they stay in the outbox, the seats are reserved;
                                                  their time begins when they leave (I9)
no-dismissals   whatever takes access away        held: of a run until the next one, of SCIM until
                                                  the brake is off, then the breaker decides (D6)
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Brake(StrEnum):
    """What can be stopped."""

    READ_ONLY = "read-only"
    NO_INVITATIONS = "no-invitations"
    NO_DISMISSALS = "no-dismissals"

    @property
    def sentence(self) -> str:
        """What is so while it is on, for people."""
        return _SENTENCES[self]


_SENTENCES: Mapping[Brake, str] = {
    Brake.READ_ONLY: "nothing is changed, by no door; no job runs and no letter leaves",
    Brake.NO_INVITATIONS: "nobody is invited or reminded; the letters wait in the outbox",
    Brake.NO_DISMISSALS: "nobody is dismissed or revoked; it is held until the brake is off",
}
