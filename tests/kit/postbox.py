"""A mailer for tests of delivery, and what became of the letters."""

from __future__ import annotations

from sqlalchemy import select

from provisioning.domain.errors import DeliveryError
from provisioning.services.delivery import DeliveryService
from provisioning.storage.models.effects import OutboxRecord


class Postbox:
    """A mailer that keeps what it takes, and fails as told: one outcome a letter, then none."""

    keeps_letters = False

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.letters = []

    def send(self, letter):
        assert letter["Message-ID"]
        assert "@" in letter["To"]
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if not isinstance(outcome, DeliveryError | RuntimeError):
            self.letters.append(letter)
        if outcome is not None:
            raise outcome


def deliver(world, *outcomes):
    postbox = Postbox(*outcomes)
    DeliveryService(world.services.context, postbox).deliver_due()
    return postbox.letters


def messages(world):
    with world.services.context.database.read() as session:
        return session.scalars(select(OutboxRecord).order_by(OutboxRecord.id)).all()
