"""The arithmetic of the envelopes: what a year can still bear, and shares that add up. Whole DKK throughout."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What an entry of the ledger says of an amount."""

    REQUESTED = "requested"
    APPROVED = "approved"
    AGREED = "agreed"
    PAID = "paid"
    FREED = "freed"


@dataclass(frozen=True, slots=True)
class Envelope:
    """One year's appropriation and what of it is committed."""

    year: int
    amount: int
    committed: int

    @property
    def available(self) -> int:
        return self.amount - self.committed


Amounts = Mapping[int, int]  # DKK by year


def added(amounts: Iterable[Amounts]) -> dict[int, int]:
    """The sum by year."""
    total: dict[int, int] = {}
    for one in amounts:
        for year, amount in one.items():
            total[year] = total.get(year, 0) + amount
    return dict(sorted(total.items()))


def dkk(amount: int) -> str:
    """An amount as sentences for people say it: `DKK 12,000,000`."""
    return f"DKK {amount:,}"


def over_envelope(envelopes: Mapping[int, Envelope], wanted: Amounts) -> dict[int, str]:
    """A sentence for every year whose envelope cannot bear what is wanted of it."""
    found = {}
    for year, amount in sorted(wanted.items()):
        there = envelopes.get(year, Envelope(year, 0, 0))
        if amount > there.available:
            found[year] = (
                f"{year}: {dkk(amount)} would be approved, {dkk(there.available)} of the envelope is available; "
                f"that is {dkk(amount - there.available)} too much."
            )
    return found


def over_request(requested: Amounts, wanted: Amounts) -> dict[int, str]:
    """A sentence for every year in which more is wanted than was requested."""
    return {
        year: f"{year}: {dkk(amount)} is more than the {dkk(requested.get(year, 0))} requested."
        for year, amount in sorted(wanted.items())
        if amount > requested.get(year, 0)
    }


def share(total: int, weights: Sequence[int]) -> list[int]:
    """A total divided by weights into whole parts that add up to it; what is left goes to the largest remainders, first first."""
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
