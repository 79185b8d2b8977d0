"""“Not done” for a form or a whole visit, and taking it back: one click each."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from entry.door import Locked, NotFound, Rejected, Stale
from entry.errors import page
from entry.not_done import Group, mark, undo
from entry.places import LOG, subject_of
from entry.signin import signed_in
from entry.words import counted
from subjects.crf import Subject
from trial import audit
from trial.access import Act, Actor
from trial.text import T


@require_POST
@signed_in(Act.ENTER)
def not_done(request: HttpRequest, subjid: str, visit: str) -> HttpResponse:
    """Mark the visit, or the one form that `form` names, as not done for the reason in `why`."""
    actor, subject, form = _of(request, subjid)
    try:
        group = mark(
            subject,
            "" if visit == LOG else visit,
            request.POST.get("why", ""),
            by=actor,
            form=form,
            note=request.POST.get("note", ""),
        )
    except (Rejected, Stale, Locked) as refused:
        return _refused(request, refused)
    except NotFound:
        raise Http404 from None
    told = counted(len(group.records), "form is", "forms are", "张表")
    return _back(request, group, str(T(f"{told} marked as not done.", f"{told}已标记为未做。")), subjid)


@require_POST
@signed_in(Act.ENTER)
def take_back(request: HttpRequest, subjid: str, visit: str) -> HttpResponse:
    """Take the last marking of the visit, or of one form, back."""
    actor, subject, form = _of(request, subjid)
    try:
        group = undo(subject, "" if visit == LOG else visit, by=actor, form=form)
    except (Rejected, Stale, Locked) as refused:
        return _refused(request, refused)
    except NotFound:
        raise Http404 from None
    told = counted(len(group.records), "form is", "forms are", "张表")
    return _back(request, group, str(T(f"{told} as before.", f"{told}已恢复原状。")), subjid)


def _of(request: HttpRequest, subjid: str) -> tuple[Actor, Subject, str]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    with audit.reading(actor):
        return actor, subject_of(subjid), request.POST.get("form", "")


def _back(request: HttpRequest, group: Group, told: str, subjid: str) -> HttpResponse:
    messages.success(request, told)
    anchor = f"#visit-{group.visit}" if group.visit else ""
    return redirect(f"/subjects/{subjid}{anchor}")


def _refused(request: HttpRequest, refused: Rejected | Stale | Locked) -> HttpResponse:
    title = T("Nothing was changed", "未作任何更改")
    if isinstance(refused, Rejected):
        wrong = any(problem.code in ("wrong_state", "exists") for problem in refused.problems)
        return page(request, 409 if wrong else 422, title, refused.problems[0].message)
    return page(request, 409 if isinstance(refused, Stale) else 423, title, refused.message)
