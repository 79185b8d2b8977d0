"""What the rules of this release would change in the stored flags, and the data manager's word that applies them."""

from itertools import islice
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from entry.signin import signed_in
from safety.applied_rules import RuleSet
from safety.doorbell import ring
from safety.rule_changes import counted, differences
from safety.rule_set import apply, status
from trial import audit
from trial.access import Act, Actor
from trial.text import T

MOST_SUBJECTS, MOST_LINES = 100, 300
"""A page compares so many subjects; `manage.py rules_diff` takes them all."""
KINDS = {
    "new": T("new", "新增"),
    "gone": T("gone", "消失"),
    "changed": T("changed", "改变"),
    "unchanged": T("unchanged", "不变"),
}


@require_http_methods(["GET", "POST"])
@signed_in(Act.STUDY)
def rule_changes(request: HttpRequest) -> HttpResponse:
    """The difference (GET); put the rules of this release in force, with a reason (POST)."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    reason, problem = request.POST.get("reason", "").strip(), ""
    if request.method == "POST":
        if reason:
            apply(actor, reason)
            ring()
            said = T(
                "The rules are in force; the sweep brings the flags in step.",
                "规则已生效;后台将逐一更新标记。",
            )
            messages.success(request, said)
            return redirect("/rules/changes")
        problem = T("Say why.", "请说明理由。")
    found = list(differences(actor, most=MOST_SUBJECTS))
    moved = [one for one in found if one.kind != "unchanged"]
    with audit.reading(actor):
        context: dict[str, Any] = {
            "standing": status(),
            "counts": [(rule, list(kinds.values())) for rule, kinds in counted(found).items()],
            "kinds": KINDS.values(),
            "changes": [(KINDS[one.kind], one) for one in islice(moved, MOST_LINES)],
            "total": len(moved),
            "most": MOST_SUBJECTS,
            "applied": list(RuleSet.objects.order_by("-applied_at")[:20]),
            "problem": problem,
        }
        return render(request, "entry/rule_changes.html", context, status=422 if problem else 200)
