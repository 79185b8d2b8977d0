"""The signatures of a record as every page shows them: who, in which role, when, saying what, and whether they stand."""

from dataclasses import dataclass
from typing import Any

from review.history_page import role_name, zone_for
from review.shown import clock
from subjects.models import Signature
from trial.text import T

STANDS = T("stands", "有效")
STALE = T("no longer stands: the record changed after it", "已失效:签署后记录有更改")


@dataclass(frozen=True)
class Shown:
    """One signature, ready to be shown. `signed` is the site's clock with its offset."""

    name: str
    role: str
    signed: str
    statement: str
    version: int
    stands: bool
    meaning: str = ""

    @property
    def state(self) -> str:
        """Whether it still stands, in words."""
        return str(STANDS if self.stands else STALE)


def signatures_of(record: Any) -> list[Shown]:
    """The signatures of a record, oldest first. Call inside `audit.reading`."""
    rows = Signature.objects.filter(record_id=record.pk).order_by("signed_at", "pk")
    return [shown(row, record) for row in rows]


def shown(signature: Signature, record: Any) -> Shown:
    """One signature beside the record it belongs to (None: a record that is not there stands for nothing)."""
    return Shown(
        name=signature.name,
        role=role_name(signature.role),
        signed=clock(signature.signed_at, zone_for(signature)),
        statement=str(signature.statement),
        version=signature.record_version,
        stands=record is not None and signature.stands_for(record),
        meaning=signature.meaning,
    )
