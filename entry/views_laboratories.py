"""The laboratories of the sites, what they call normal, and results that were entered before their range."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from entry import laboratories as keep
from entry import late_ranges, range_files
from entry.door import NotFound, Rejected, Stale
from entry.places import record_url
from entry.seen import seen_of
from entry.signin import signed_in
from review.places import form_name
from trial import audit
from trial.access import Act, Actor
from trial.findings import Problem
from trial.models import Site
from trial.text import T
from visits.models import Laboratory, ReferenceRange

PER_PAGE = 100
MOST_BYTES = 1_000_000
BOXES: dict[str, dict[str, str]] = {
    "add_laboratory": {"site": "lab-site", "name": "lab-name", "name_zh": "lab-zh", "valid_from": "lab-from"},
    "add_range": {
        **{"laboratory": "r-lab", "analyte": "r-analyte", "sex": "r-sex", "unit": "r-unit"},
        **{"age_low": "r-al", "age_high": "r-ah", "low": "r-low", "high": "r-high"},
        **{"valid_from": "r-from", "valid_to": "r-to"},
    },
    "import": {"file": "f-file"},
}
"""What is wrong with a field, by the form that was sent: the id of its box."""


@require_http_methods(["GET", "POST"])
def laboratories(request: HttpRequest) -> HttpResponse:
    """GET shows laboratories and ranges; POST adds or ends one, or takes a file of ranges."""
    return _change(request) if request.method == "POST" else _show(request)


@signed_in()
def _show(
    request: HttpRequest,
    problems: list[Problem] | None = None,
    typed: QueryDict | None = None,
    status: int = 422,
) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    wanted, analyte = request.GET.get("laboratory", ""), request.GET.get("analyte", "")[:40]
    with audit.reading(actor):
        labs = list(Laboratory.objects.select_related("site").order_by("site__code", "name"))
        ranges = ReferenceRange.objects.select_related("lab", "site").order_by(
            "site__code", "laboratory", "analyte", "sex", "valid_from"
        )
        if wanted and any(str(lab.pk) == wanted for lab in labs):
            ranges = ranges.filter(lab__pk=UUID(wanted))
        if analyte:
            ranges = ranges.filter(analyte=analyte)
        page = Paginator(ranges, PER_PAGE).get_page(request.GET.get("page"))
        names = keep.result_names()
        context = {
            "labs": labs,
            "page": page,
            "wanted": wanted,
            "analyte": analyte,
            "analytes": names.items(),
            "named": [(one, names.get(one.analyte, one.analyte)) for one in page.object_list],
            "sites": Site.objects.filter(pk__in=actor.sites).order_by("code"),
            "problems": [(p, _target(p, typed or QueryDict())) for p in problems or ()],
            "wrong": {_target(p, typed or QueryDict()) for p in problems or ()},
            "wrong_fields": {p.field for p in problems or ()},
            "typed": typed or {},
            "columns": ", ".join(range_files.RANGE_COLUMNS),
            "filters": f"laboratory={wanted}&analyte={analyte}",
        }
        return render(request, "entry/laboratories.html", context, status=status if problems else 200)


def _target(problem: Problem, typed: QueryDict) -> str:
    """The id of the box a problem is about, "" when it is about none."""
    act = typed.get("act", "")
    if act in ("end_laboratory", "end_range"):
        box = {"last": "last", "reason": "why"}.get(problem.field, "")
        return f"{box}-{typed.get('id', '')}" if box else ""
    return BOXES.get(act, {}).get("file" if act == "import" else problem.field, "")


@signed_in(Act.STUDY)
def _change(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    step = STEPS.get(request.POST.get("act", ""))
    if step is None:
        raise Http404
    try:
        said = step(request, actor)
    except NotFound:
        raise Http404 from None
    except Rejected as rejected:
        answer: HttpResponse = _show(request, rejected.problems, request.POST)
        return answer
    except Stale as stale:
        problem = Problem("", "stale", stale.message)
        conflict: HttpResponse = _show(request, [problem], request.POST, 409)
        return conflict
    messages.success(request, said)
    return redirect("/laboratories")


def _add_lab(request: HttpRequest, actor: Actor) -> str:
    post = request.POST
    site = Site.objects.filter(code=post.get("site", ""), pk__in=actor.sites).first()
    if site is None:
        raise NotFound
    start = _day(post, "valid_from")
    keep.add_laboratory(
        site, post.get("name", ""), post.get("name_zh", ""), start, "is_default" in post, by=actor
    )
    return T("The laboratory is added.", "实验室已添加。")


def _end_lab(request: HttpRequest, actor: Actor) -> str:
    last = _day(request.POST, "last", needed=True)
    assert last is not None
    reason, seen = request.POST.get("reason", ""), seen_of(request.POST)
    keep.end_laboratory(_key(request.POST), last, by=actor, reason=reason, seen=seen)
    return T("The laboratory ends on that day.", "实验室将于该日终止。")


def _add_range(request: HttpRequest, actor: Actor) -> str:
    with audit.reading(actor):
        lab = Laboratory.objects.filter(pk=_key(request.POST, "laboratory")).first()
    if lab is None:
        raise NotFound
    keep.add_range(range_files.range_of(lab, {k: str(v) for k, v in request.POST.items()}), by=actor)
    return T(
        "The range is added. Results entered before keep what they had; see “results without a range”.",
        "参考范围已添加。此前录入的结果保持不变;参见“无参考范围的结果”。",
    )


def _end_range(request: HttpRequest, actor: Actor) -> str:
    last = _day(request.POST, "last", needed=True)
    assert last is not None
    reason, seen = request.POST.get("reason", ""), seen_of(request.POST)
    keep.end_range(_key(request.POST), last, by=actor, reason=reason, seen=seen)
    return T("The range ends on that day. No result changes.", "参考范围将于该日终止,任何结果不受影响。")


def _import(request: HttpRequest, actor: Actor) -> str:
    site = Site.objects.filter(code=request.POST.get("site", ""), pk__in=actor.sites).first()
    given = request.FILES.get("file")
    if site is None or given is None:
        raise NotFound
    raw = given.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise Rejected([Problem("file", "too_large", T("The file is larger than 1 MB.", "文件超过 1 MB。"))])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    added = range_files.import_ranges(text, site, by=actor)
    return T(f"{added} ranges are added.", f"已添加 {added} 条参考范围。")


STEPS: dict[str, Callable[[HttpRequest, Actor], str]] = {
    "add_laboratory": _add_lab,
    "end_laboratory": _end_lab,
    "add_range": _add_range,
    "end_range": _end_range,
    "import": _import,
}


def _key(post: QueryDict, name: str = "id") -> UUID:
    try:
        return UUID(post.get(name, ""))
    except ValueError:
        raise NotFound from None


def _day(post: QueryDict, name: str, needed: bool = False) -> date | None:
    text = post.get(name, "").strip()
    if not text and not needed:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        said = T(f"“{text[:40]}” is no day; write 2026-03-05.", f"“{text[:40]}”不是日期;请写成 2026-03-05。")
        raise Rejected([Problem(name, "not_a_date", said, text[:40])]) from None


@require_http_methods(["GET", "POST"])
@signed_in(Act.ENTER)
def attach_ranges(request: HttpRequest) -> HttpResponse:
    """Results that were entered without a range and could have one now; POST gives it to those chosen, with a reason."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if request.method == "GET":
        return _attachable(request, actor)
    chosen = _chosen(request.POST)
    try:
        done, failed = late_ranges.attach(chosen, by=actor, reason=request.POST.get("reason", ""))
    except Rejected as rejected:
        return _attachable(request, actor, rejected.problems, 422, {one.id for one in chosen})
    if done:
        said = T(f"Records that have their ranges now: {done}.", f"{done} 条记录已附上参考范围。")
        messages.success(request, said)
    if failed:
        named = late_ranges.names_of(failed, by=actor)
        told = ((named.get(one.chosen.id, str(one.chosen.id)), one.why) for one in failed)
        problems = [Problem("record", "unchanged", f"{name}: {why}") for name, why in told]
        return _attachable(request, actor, problems, 409, set())
    return redirect("/laboratories/attach")


def _attachable(
    request: HttpRequest,
    actor: Actor,
    problems: Sequence[Problem] = (),
    status: int = 200,
    chosen: set[UUID] | None = None,
) -> HttpResponse:
    names = keep.result_names()
    rows = [
        (
            bare,
            form_name(bare.record.form),
            record_url(bare.subjid, bare.record),
            ", ".join(names[name] for name in bare.analytes),
            chosen is None or bare.record.pk in chosen,
        )
        for bare in late_ranges.without_ranges(actor)
    ]
    context: dict[str, Any] = {"rows": rows, "problems": problems, "reason": request.POST.get("reason", "")}
    context["wrong"] = {p.field for p in problems}
    return render(request, "entry/attach_ranges.html", context, status=status)


def _chosen(post: QueryDict) -> list[late_ranges.Chosen]:
    """The ticked records, each as form/id/version. Raises Http404 for what our page never sent."""
    found = {}
    for text in post.getlist("record"):
        form, _, rest = text.partition("/")
        key, _, seen = rest.partition("/")
        try:
            found[key] = late_ranges.Chosen(form, UUID(key), int(seen))
        except ValueError:
            raise Http404 from None
    return list(found.values())
