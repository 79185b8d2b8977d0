"""What the system checks, and how to work with it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from entry.signin import signed_in
from entry.words import now, plainly
from safety import in_chinese
from safety.eligibility.evaluate import JUDGES
from safety.rules import RULES
from trial.item import Basis
from trial.protocol import PROTOCOLS, numbers
from trial.protocol_names import name_of
from trial.protocol_notes import note_of
from trial.registry import CRITERIA
from trial.text import T

GLOSSARY = (
    (
        "CRF",
        T(
            "Case report form: one form about one subject, often at one visit.",
            "病例报告表:关于一名受试者(通常在一次访视)的一张表。",
        ),
    ),
    (
        "Query",
        T(
            "A question on a value. Automatic ones come from edit checks, others from the monitor.",
            "质疑:对某个值的提问,由自动核查或监查员发起。",
        ),
    ),
    (
        "Deviation",
        T(
            "Something that departs from the protocol. It is recorded and flagged, never hidden or refused.",
            "方案偏离:与方案不符的情况。系统如实记录并提示,不隐藏、不拒绝。",
        ),
    ),
    (
        "D0",
        T(
            "The day of the first ssCART-19 infusion. D14 is fourteen days later.",
            "首次回输 ssCART-19 的日期;D14 为其后第 14 天。",
        ),
    ),
    ("CRS", T("Cytokine release syndrome.", "细胞因子释放综合征。")),
    (
        "ICANS",
        T("Immune effector cell-associated neurotoxicity syndrome.", "免疫效应细胞相关神经毒性综合征。"),
    ),
    ("DLT", T("Dose-limiting toxicity.", "剂量限制性毒性。")),
    ("LLN / ULN", T("Lower and upper limit of the laboratory's range.", "实验室参考范围的下限与上限。")),
    ("SDV", T("Source data verification by the monitor.", "监查员的原始资料核查。")),
)


def listed() -> list[dict[str, Any]]:
    """The rules as a page shows them (a rule itself is a function, which templates would call)."""
    return [
        {
            "id": rule.id,
            "title": rule.title,
            "text": T(rule.text, in_chinese.RULES[rule.id]),
            "cites": rule.cites,
            "basis": rule.basis.label,
            "severity": rule.severity.label,
        }
        for rule in sorted(RULES.values(), key=lambda rule: rule.id)
    ]


def criteria_listed() -> list[dict[str, Any]]:
    """The registered criteria word for word, with how each is read, what it asks, and on what basis."""
    first = next(iter(PROTOCOLS.values()))
    return [
        {
            "id": one.id,
            "text": one.text,
            "translated": now("", in_chinese.REGISTERED[one.id]),
            "reading": T(JUDGES[one.id].text, in_chinese.READINGS[one.id]),
            "limit": T(*JUDGES[one.id].limit(first)),
            "basis": Basis(JUDGES[one.id].basis).label,
        }
        for one in CRITERIA
    ]


def numbers_listed() -> list[dict[str, Any]]:
    """Every number and choice of every protocol version with its basis and source."""
    return [
        {
            "version": version,
            "name": name,
            "label": name_of(name),
            "value": plainly(one.value),
            "basis": one.basis.label,
            "cite": one.cite,
            "note": note_of(one.note),
        }
        for version, protocol in PROTOCOLS.items()
        for name, one in numbers(protocol)
    ]


@require_GET
@signed_in(None)
def rules(request: HttpRequest) -> HttpResponse:
    """Every rule that runs, from the rules themselves, the registered criteria word for word, and every number."""
    context = {
        "rules": listed(),
        "criteria": criteria_listed(),
        "numbers": numbers_listed(),
        "versions": ", ".join(PROTOCOLS),
    }
    return render(request, "entry/rules.html", context)


@require_GET
@signed_in(None)
def help_page(request: HttpRequest) -> HttpResponse:
    """The keyboard card and the glossary."""
    return render(request, "entry/help.html", {"glossary": GLOSSARY})
