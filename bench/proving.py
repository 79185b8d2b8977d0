"""How fast the ledger is verified."""

from __future__ import annotations

import statistics

from bench.measure import Line, rate, turns
from bench.place import Hands, Raw
from trial import ledger

COLUMNS = "chain, n, hash, digest, salt, payload"


def verification(hands: Hands, db: Raw, rounds: int) -> list[Line]:
    """Every chain and seal recomputed, in turns with merely reading the same columns in the same order."""
    with hands.of("worker"):
        ledger.seal()
        assert not list(ledger.verify()), "the ledger does not hold"
        (n,) = db.execute("SELECT count(*) FROM trial_ledgerentry").fetchone() or (0,)
        ours, bare = (
            statistics.median(s)
            for s in turns(lambda: list(ledger.verify()), lambda: _read(db), rounds=rounds, warm=0)
        )
        text = f"ledger of {n:,} entries verified"
        return [
            Line(
                text,
                rate(n / ours, "entries"),
                rate(n / bare, "entries"),
                n / ours,
                "entries/s",
                200_000,
                at_least=True,
            ),
            Line("  against merely reading it", f"{ours:.2f} s", f"{bare:.2f} s", ours / bare),
        ]


def _read(db: Raw) -> int:
    size = 0
    with db.transaction(), db.cursor(name="bench", binary=True) as cursor:
        cursor.itersize = 5000
        for row in cursor.execute(f"SELECT {COLUMNS} FROM trial_ledgerentry ORDER BY chain, n"):
            size += len(row[5])
    return size
