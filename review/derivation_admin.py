"""Derived values, for monitors."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from review.filters import named_filter
from review.read_only import ReadOnly
from safety.derived.every import DERIVATIONS
from trial.access import Act
from trial.text import T


class DerivationAdmin(ReadOnly):
    """What follows from the answers, with its method; the worker writes it, nobody else."""

    detail_template = "review/plain.html"
    needs = (Act.READ,)
    list_display = ("subject", "title", "on", "method", "protocol_version", "differs", "stands")
    list_filter = (
        (
            "name",
            named_filter(
                "name",
                T("derived value", "衍生值"),
                lambda one: str(DERIVATIONS[one].title) if one in DERIVATIONS else one,
            ),
        ),
        "differs",
        "stands",
        "site",
        "protocol_version",
    )
    list_select_related = ("subject", "site")
    search_fields = ("subject__subjid",)
    ordering = ("subject__subjid", "name", "on", "key")

    @admin.display(description=T("Derived value", "衍生值"), ordering="name")
    def title(self, derivation: Any) -> str:
        """What is derived, in words."""
        how = DERIVATIONS.get(derivation.name)
        return str(how.title) if how else derivation.name

    def detail(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """What it says and how it came about."""
        how = DERIVATIONS.get(record.name)
        said = [
            (one.name if how is None else _label(how, name), value) for name, value, one in _pairs(record)
        ]
        return {
            "title": f"{record.subject.subjid} · {self.title(record)}",
            "subtitle": "",
            "lead": how.text if how else "",
            "rests_on": (record.name,),
            "told": [
                *said,
                (T("Method", "方法"), record.method),
                (T("Protocol version", "方案版本"), record.protocol_version),
                (T("Inputs", "输入项数"), len(record.inputs)),
                (T("Hash of the inputs", "输入哈希"), record.input_hash),
            ],
            "outside": f"/subjects/{record.subject.subjid}/derived#{record.name}",
        }


def _pairs(record: Any) -> list[tuple[str, Any, Any]]:
    return [
        (name, value, record) for name, value in record.value.items() if not isinstance(value, dict | list)
    ]


def _label(how: Any, name: str) -> str:
    return next((str(T(one.en, one.zh)) for one in how.says if one.name == name), name)
