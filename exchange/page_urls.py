"""Addresses of the pages about what leaves the system and what comes in."""

from django.urls import path

from exchange import pages_crf, pages_imports, pages_jobs, views_samples

urlpatterns = [
    path("crf", pages_crf.crf_page, name="crf"),
    path("imports", pages_imports.imports, name="imports"),
    path("imports/<uuid:key>", pages_imports.one, name="import"),
    path("imports/<uuid:key>/commit", pages_imports.commit, name="import_commit"),
    path("imports/<uuid:key>/progress", pages_imports.progress, name="import_progress"),
    path("imports/<uuid:key>/report", pages_imports.report_file, name="import_report"),
    path("samples", views_samples.samples, name="samples"),
    path("jobs", pages_jobs.jobs_page, name="jobs"),
    path("jobs/progress", pages_jobs.progress, name="jobs_progress"),
    path("jobs/<uuid:key>/file", pages_jobs.file, name="job_file"),
]
