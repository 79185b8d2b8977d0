"""Every address of the API. The forms' addresses are made from the list of forms, one pattern after another."""

from django.urls import URLPattern, path, re_path

from entry.deviation_steps import STEPS
from exchange.fallback import NowhereView
from exchange.views_amendments import AmendmentsView, ReconsentsView, WhatIfView
from exchange.views_attachments import AttachmentContentView, AttachmentView, SubjectAttachmentsView
from exchange.views_catalogue import (
    DictionaryView,
    DocsView,
    ProblemsView,
    ProtocolView,
    RulesView,
    SchemaView,
)
from exchange.views_changes import ChangesView
from exchange.views_derived import (
    DerivationsView,
    DerivedDictionaryView,
    ResponseSummaryView,
    SubjectDerivedView,
)
from exchange.views_eligibility import AmbiguitiesView, EligibilityView, SubjectEligibilityView
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
from exchange.views_holds import HoldReviewView, HoldsView
from exchange.views_imports import (
    ImportCommitView,
    ImportProfilesView,
    ImportReportView,
    ImportsView,
    ImportView,
)
from exchange.views_jobs import JobFileView, JobsView, JobView
from exchange.views_laboratories import LaboratoriesView, ReferenceRangesView
from exchange.views_not_done import VisitNotDoneView, VisitUndoView
from exchange.views_samples import SamplesView
from exchange.views_signatures import RecordSignaturesView, SignaturesView
from exchange.views_sites import SiteHistoryView, SitesView, SiteView
from exchange.views_steps import DeviationStepView
from exchange.views_study import (
    StudyRecordHistoryView,
    StudyRecordLockView,
    StudyRecordSignaturesView,
    StudyRecordsView,
    StudyRecordView,
)
from exchange.views_subjects import (
    SubjectHistoryView,
    SubjectsView,
    SubjectView,
    SubjectVisitsView,
    VisitsView,
)
from exchange.views_worklist import WorklistView
from safety.forms import FORMS, STUDY_FORMS
from subjects.crf import CRF, StudyForm

V1 = "v1/"


def form_paths(model: type[CRF]) -> list[URLPattern]:
    """The addresses of one form."""
    start = f"{V1}forms/{model.form}/"
    return [
        path(start, RecordsView.as_view(model=model), name=f"api-{model.form}"),
        path(f"{start}<str:key>/", RecordView.as_view(model=model), name=f"api-{model.form}-record"),
        path(
            f"{start}<str:key>/history/",
            RecordHistoryView.as_view(model=model),
            name=f"api-{model.form}-history",
        ),
        path(
            f"{start}<str:key>/signatures/",
            RecordSignaturesView.as_view(model=model),
            name=f"api-{model.form}-signatures",
        ),
        path(f"{start}<str:key>/lock/", RecordLockView.as_view(model=model), name=f"api-{model.form}-lock"),
    ]


def study_paths(model: type[StudyForm]) -> list[URLPattern]:
    """The addresses of one form of the study."""
    start, name = f"{V1}forms/{model.form}/", f"api-{model.form}"
    one = f"{start}<str:key>/"
    return [
        path(start, StudyRecordsView.as_view(model=model), name=name),
        path(one, StudyRecordView.as_view(model=model), name=f"{name}-record"),
        path(f"{one}history/", StudyRecordHistoryView.as_view(model=model), name=f"{name}-history"),
        path(f"{one}signatures/", StudyRecordSignaturesView.as_view(model=model), name=f"{name}-signatures"),
        path(f"{one}lock/", StudyRecordLockView.as_view(model=model), name=f"{name}-lock"),
    ]


urlpatterns = [
    path(f"{V1}sites/", SitesView.as_view(), name="api-sites"),
    path(f"{V1}sites/<str:code>/", SiteView.as_view(), name="api-site"),
    path(f"{V1}sites/<str:code>/history/", SiteHistoryView.as_view(), name="api-site-history"),
    path(f"{V1}subjects/", SubjectsView.as_view(), name="api-subjects"),
    path(f"{V1}subjects/<str:key>/", SubjectView.as_view(), name="api-subject"),
    path(f"{V1}subjects/<str:key>/history/", SubjectHistoryView.as_view(), name="api-subject-history"),
    path(f"{V1}subjects/<str:key>/visits/", SubjectVisitsView.as_view(), name="api-subject-visits"),
    path(f"{V1}subjects/<str:key>/derived/", SubjectDerivedView.as_view(), name="api-subject-derived"),
    path(
        f"{V1}subjects/<str:key>/attachments/",
        SubjectAttachmentsView.as_view(),
        name="api-subject-attachments",
    ),
    path(f"{V1}attachments/<str:key>/", AttachmentView.as_view(), name="api-attachment"),
    path(
        f"{V1}attachments/<str:key>/content/", AttachmentContentView.as_view(), name="api-attachment-content"
    ),
    path(
        f"{V1}subjects/<str:key>/eligibility/",
        SubjectEligibilityView.as_view(),
        name="api-subject-eligibility",
    ),
    path(
        f"{V1}subjects/<str:key>/visits/<str:visit>/not-done/",
        VisitNotDoneView.as_view(),
        name="api-visit-not-done",
    ),
    path(f"{V1}subjects/<str:key>/visits/<str:visit>/undo/", VisitUndoView.as_view(), name="api-visit-undo"),
    path(f"{V1}visits/", VisitsView.as_view(), name="api-visits"),
    path(f"{V1}worklist/", WorklistView.as_view(), name="api-worklist"),
    path(f"{V1}forms/", FormsView.as_view(), name="api-forms"),
    *(pattern for model in FORMS for pattern in form_paths(model)),
    *(pattern for study_form in STUDY_FORMS for pattern in study_paths(study_form)),
    path(f"{V1}deviations/", DeviationsView.as_view(), name="api-deviations"),
    path(f"{V1}deviations/<str:key>/", DeviationView.as_view(), name="api-deviation"),
    path(f"{V1}deviations/<str:key>/history/", DeviationHistoryView.as_view(), name="api-deviation-history"),
    *(
        path(
            f"{V1}deviations/<str:key>/{step}/",
            DeviationStepView.as_view(step=step),
            name=f"api-deviation-{step}",
        )
        for step in STEPS
    ),
    path(f"{V1}holds/", HoldsView.as_view(), name="api-holds"),
    path(f"{V1}holds/<str:key>/review/", HoldReviewView.as_view(), name="api-hold-review"),
    path(f"{V1}queries/", QueriesView.as_view(), name="api-queries"),
    path(f"{V1}queries/<str:key>/", QueryView.as_view(), name="api-query"),
    path(f"{V1}queries/<str:key>/history/", QueryHistoryView.as_view(), name="api-query-history"),
    path(f"{V1}queries/<str:key>/answer/", AnswerView.as_view(), name="api-query-answer"),
    path(f"{V1}queries/<str:key>/close/", CloseView.as_view(), name="api-query-close"),
    path(f"{V1}queries/<str:key>/reopen/", ReopenView.as_view(), name="api-query-reopen"),
    path(f"{V1}jobs/", JobsView.as_view(), name="api-jobs"),
    path(f"{V1}jobs/<str:key>/", JobView.as_view(), name="api-job"),
    path(f"{V1}jobs/<str:key>/file/", JobFileView.as_view(), name="api-job-file"),
    path(f"{V1}eligibility/", EligibilityView.as_view(), name="api-eligibility-verdicts"),
    path(f"{V1}derivations/", DerivationsView.as_view(), name="api-derivations"),
    path(f"{V1}dictionary/derived/", DerivedDictionaryView.as_view(), name="api-dictionary-derived"),
    path(f"{V1}summary/response/", ResponseSummaryView.as_view(), name="api-summary-response"),
    path(f"{V1}ambiguities/", AmbiguitiesView.as_view(), name="api-ambiguities"),
    path(f"{V1}signatures/", SignaturesView.as_view(), name="api-signatures"),
    path(f"{V1}samples/", SamplesView.as_view(), name="api-samples"),
    path(f"{V1}laboratories/", LaboratoriesView.as_view(), name="api-laboratories"),
    path(f"{V1}reference-ranges/", ReferenceRangesView.as_view(), name="api-reference-ranges"),
    path(f"{V1}imports/", ImportsView.as_view(), name="api-imports"),
    path(f"{V1}imports/profiles/", ImportProfilesView.as_view(), name="api-import-profiles"),
    path(f"{V1}imports/<str:key>/", ImportView.as_view(), name="api-import"),
    path(f"{V1}imports/<str:key>/commit/", ImportCommitView.as_view(), name="api-import-commit"),
    path(f"{V1}imports/<str:key>/report/", ImportReportView.as_view(), name="api-import-report"),
    path(f"{V1}changes/", ChangesView.as_view(), name="api-changes"),
    path(f"{V1}dictionary/", DictionaryView.as_view(), name="api-dictionary"),
    path(f"{V1}rules/", RulesView.as_view(), name="api-rules"),
    path(f"{V1}protocol/", ProtocolView.as_view(), name="api-protocol"),
    path(f"{V1}amendments/", AmendmentsView.as_view(), name="api-amendments"),
    path(f"{V1}amendments/<str:version>/what-if/", WhatIfView.as_view(), name="api-what-if"),
    path(f"{V1}reconsents/", ReconsentsView.as_view(), name="api-reconsents"),
    path(f"{V1}problems/", ProblemsView.as_view(), name="api-problems"),
    path(f"{V1}schema/", SchemaView.as_view(), name="api-schema"),
    path(f"{V1}docs/", DocsView.as_view(), name="api-docs"),
    re_path(r"^.*$", NowhereView.as_view(), name="api-nowhere"),
]
