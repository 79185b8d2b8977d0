"""Every address of the API. The forms' addresses are made from the list of forms, one pattern after another."""

from django.urls import URLPattern, path, re_path

from exchange.fallback import NowhereView
from exchange.views_catalogue import (
    DictionaryView,
    DocsView,
    ProblemsView,
    ProtocolView,
    RulesView,
    SchemaView,
)
from exchange.views_changes import ChangesView
from exchange.views_findings import (
    AnswerView,
    CloseView,
    DeviationHistoryView,
    DeviationsView,
    DeviationView,
    QueriesView,
    QueryHistoryView,
    QueryView,
    ReopenView,
)
from exchange.views_forms import FormsView, RecordHistoryView, RecordLockView, RecordsView, RecordView
from exchange.views_subjects import (
    SitesView,
    SubjectHistoryView,
    SubjectsView,
    SubjectView,
    SubjectVisitsView,
    VisitsView,
)
from safety.forms import FORMS
from subjects.crf import CRF

V1 = "v1/"


def form_paths(model: type[CRF]) -> list[URLPattern]:
    """The four addresses of one form."""
    start = f"{V1}forms/{model.form}/"
    return [
        path(start, RecordsView.as_view(model=model), name=f"api-{model.form}"),
        path(f"{start}<str:key>/", RecordView.as_view(model=model), name=f"api-{model.form}-record"),
        path(
            f"{start}<str:key>/history/",
            RecordHistoryView.as_view(model=model),
            name=f"api-{model.form}-history",
        ),
        path(f"{start}<str:key>/lock/", RecordLockView.as_view(model=model), name=f"api-{model.form}-lock"),
    ]


urlpatterns = [
    path(f"{V1}sites/", SitesView.as_view(), name="api-sites"),
    path(f"{V1}subjects/", SubjectsView.as_view(), name="api-subjects"),
    path(f"{V1}subjects/<str:key>/", SubjectView.as_view(), name="api-subject"),
    path(f"{V1}subjects/<str:key>/history/", SubjectHistoryView.as_view(), name="api-subject-history"),
    path(f"{V1}subjects/<str:key>/visits/", SubjectVisitsView.as_view(), name="api-subject-visits"),
    path(f"{V1}visits/", VisitsView.as_view(), name="api-visits"),
    path(f"{V1}forms/", FormsView.as_view(), name="api-forms"),
    *(pattern for model in FORMS for pattern in form_paths(model)),
    path(f"{V1}deviations/", DeviationsView.as_view(), name="api-deviations"),
    path(f"{V1}deviations/<str:key>/", DeviationView.as_view(), name="api-deviation"),
    path(f"{V1}deviations/<str:key>/history/", DeviationHistoryView.as_view(), name="api-deviation-history"),
    path(f"{V1}queries/", QueriesView.as_view(), name="api-queries"),
    path(f"{V1}queries/<str:key>/", QueryView.as_view(), name="api-query"),
    path(f"{V1}queries/<str:key>/history/", QueryHistoryView.as_view(), name="api-query-history"),
    path(f"{V1}queries/<str:key>/answer/", AnswerView.as_view(), name="api-query-answer"),
    path(f"{V1}queries/<str:key>/close/", CloseView.as_view(), name="api-query-close"),
    path(f"{V1}queries/<str:key>/reopen/", ReopenView.as_view(), name="api-query-reopen"),
    path(f"{V1}changes/", ChangesView.as_view(), name="api-changes"),
    path(f"{V1}dictionary/", DictionaryView.as_view(), name="api-dictionary"),
    path(f"{V1}rules/", RulesView.as_view(), name="api-rules"),
    path(f"{V1}protocol/", ProtocolView.as_view(), name="api-protocol"),
    path(f"{V1}problems/", ProblemsView.as_view(), name="api-problems"),
    path(f"{V1}schema/", SchemaView.as_view(), name="api-schema"),
    path(f"{V1}docs/", DocsView.as_view(), name="api-docs"),
    re_path(r"^.*$", NowhereView.as_view(), name="api-nowhere"),
]
