"""B-cell aplasia: how long CD19-positive B cells stay low, the lasting sign that CAR-T cells are at work."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from trial.protocol import Protocol


@dataclass(frozen=True)
class Aplasia:
    """Onset as days after the infusion, and duration in days; all None when there was no aplasia.

    `recovered` False: still aplastic at the last sample, to which the duration is counted (censored).
    """

    onset_day: int | None = None
    recovered: bool | None = None
    duration_days: int | None = None


def b_cell_aplasia(
    infusion: date | None, samples: Iterable[tuple[date, Decimal | None]], protocol: Protocol
) -> Aplasia:
    """From the first sample on or after the infusion below the limit to the first later one that reaches it.

    Samples are (day, CD19+ share of lymphocytes in %); those without a result are left out.
    """
    if infusion is None:
        return Aplasia()
    limit = protocol.aplasia_below_pct.value
    known = sorted((day, share) for day, share in samples if share is not None and day >= infusion)
    onset = next((day for day, share in known if share < limit), None)
    if onset is None:
        return Aplasia()
    recovery = next((day for day, share in known if day > onset and share >= limit), None)
    until = recovery or known[-1][0]
    return Aplasia((onset - infusion).days, recovery is not None, (until - onset).days)
