"""Letters kept for reading: nobody is written to."""

from __future__ import annotations

from email.message import EmailMessage

from provisioning.ports import CheckOutcome, CheckReport, CheckStep


class OutboxOnlyMailer:
    """Takes every letter and sends none; they are read on the Outbox page."""

    keeps_letters = True

    def send(self, letter: EmailMessage) -> None:
        """Accept a letter that could be sent."""
        if not letter["To"]:
            raise ValueError("a letter needs a recipient")

    def check(self) -> CheckReport:
        """Report that nobody is written to."""
        step = CheckStep(
            name="mail", outcome=CheckOutcome.OK, detail="letters are kept in the Outbox"
        )
        return CheckReport(steps=[step])
