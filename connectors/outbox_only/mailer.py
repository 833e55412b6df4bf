"""Letters kept for reading: nobody is written to."""

from __future__ import annotations

from email.message import EmailMessage

from provisioning.domain.errors import DeliveryError
from provisioning.ports import CheckOutcome, CheckReport, CheckStep


class OutboxOnlyMailer:
    """Takes every letter and sends none; they are read on the Outbox page."""

    keeps_letters = True

    def send(self, letter: EmailMessage) -> None:
        """Keep a letter that could be sent.

        Raises:
            DeliveryError: It is addressed to nobody.
        """
        if not letter["To"]:
            raise DeliveryError("a letter goes to one address", permanent=True)

    def check(self) -> CheckReport:
        """Report that nobody is written to."""
        step = CheckStep(
            name="mail",
            outcome=CheckOutcome.OK,
            detail="letters are kept in the Outbox, nobody is written to",
        )
        return CheckReport(steps=[step])
