"""Samples expected against received and recorded: over the API, and as a page."""

from typing import Any, ClassVar

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from rest_framework.request import Request

from entry.door import NotFound
from entry.signin import signed_in
from exchange import visits
from exchange.filters import (
    AFTER,
    SITE,
    SUBJECT_FILTERS,
    SUBJECT_LIMIT,
    after_of,
    is_uuid,
    limit_of,
    where_of,
)
from exchange.imported import ImportFile
from exchange.incoming_files.profiles import profile_named
from exchange.incoming_files.refusals import FileRefused
from exchange.incoming_files.register import file_of
from exchange.incoming_files.samples import FINDINGS, SAMPLED, reconcile, told
from exchange.jsontext import dumps
from exchange.lists import next_link
from exchange.operation import Op
from exchange.schemas import ANY, list_of
from exchange.sql import Where
from exchange.view import ApiView, Param, json_answer
from exchange.views_imports import problem_of
from review.shown import heading
from trial import audit
from trial.access import Actor

FORMS = ("pk_sample", "pd_cytokine")
FORM = Param(
    "form", "pk_sample (default) or pd_cytokine.", "pk_sample(默认)或 pd_cytokine。", {"enum": list(FORMS)}
)
FILE = Param("import", "Id of a file of samples to compare with.", "用于比较的样本文件 id。")
A_PAGE = 100


class SamplesView(ApiView):
    """What the schedule asks for, what a file holds, what is recorded."""

    tag = "imports"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Samples expected, received and recorded", "样本核对:应采、已收、已录", list_of(ANY))
    }
    params: ClassVar[dict[str, tuple[Param, ...]]] = {
        "GET": (FORM, FILE, SUBJECT_FILTERS[0].param, SITE.param, SUBJECT_LIMIT, AFTER)
    }

    def get(self, request: Request) -> HttpResponse:
        """A page of `limit` subjects, each with all its samplings."""
        sent, limit = request.query_params, limit_of(request.query_params)
        form, after = sent.get("form", FORMS[0]), after_of(sent, "uuid")
        if form not in SAMPLED:
            raise NotFound
        file = file_of(self.actor, sent["import"]) if "import" in sent else None
        with audit.reading(self.actor):
            keys = visits.subject_keys(where_of((SUBJECT_FILTERS[0], SITE), sent), after, limit + 1)
        try:
            rows = reconcile(self.actor, form, keys[:limit], file)
        except FileRefused as refused:
            raise problem_of(refused) from None
        response = json_answer(dumps([told(row) for row in rows]))
        if len(keys) > limit:
            response["Link"] = next_link(request, after=str(keys[limit - 1]))
        return response


@require_GET
@signed_in()
def samples(request: HttpRequest) -> HttpResponse:
    """The page: a form, perhaps a file, and what does not agree."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form = request.GET.get("form", FORMS[0])
    if form not in SAMPLED:
        raise Http404
    after, show = request.GET.get("after", ""), request.GET.get("show", "findings")
    problem, file = "", _file(actor, request.GET.get("file", ""))
    with audit.reading(actor):
        keys = visits.subject_keys(Where(), after if is_uuid(after) else "", A_PAGE + 1)
        files = [one for one in ImportFile.objects.order_by("-entered_at")[:200] if _holds(one, form)]
    try:
        rows = reconcile(actor, form, keys[:A_PAGE], file)
    except FileRefused as refused:
        problem, rows = str(refused.message), []
    context: dict[str, Any] = {
        "form": form,
        "forms": [(name, heading(SAMPLED[name])) for name in FORMS],
        "files": files,
        "chosen": str(file.pk) if file else "",
        "rows": [
            (row, [FINDINGS[name] for name in row.findings]) for row in rows if row.findings or show == "all"
        ],
        "total": len(rows),
        "show": show,
        "after": str(keys[A_PAGE - 1]) if len(keys) > A_PAGE else "",
        "problem": problem,
    }
    return render(request, "exchange/samples.html", context)


def _file(actor: Actor, key: str) -> ImportFile | None:
    if not is_uuid(key):
        return None
    try:
        return file_of(actor, key)
    except NotFound:
        raise Http404 from None


def _holds(file: ImportFile, form: str) -> bool:
    """Whether a file's profile reads samples of this form."""
    try:
        profile = profile_named(file.profile)
    except FileRefused:
        return False
    own = profile.form.form if profile.form is not None else ""
    return own == form or any(test.form.form == form for test in profile.tests.values())
