"""Addresses of the pages."""

from django.urls import path

from entry import signin, views_form, views_help, views_review, views_subjects

FORM = "subjects/<str:subjid>/<str:visit>/<str:form>"

urlpatterns = [
    path("", views_subjects.home, name="home"),
    path("login", signin.sign_in, name="login"),
    path("logout", signin.sign_out, name="logout"),
    path("me/role", signin.choose_role, name="role"),
    path("language", signin.choose_language, name="language"),
    path("subjects", views_subjects.subjects, name="subjects"),
    path("subjects/new", views_subjects.new_subject, name="new_subject"),
    path("subjects/<str:subjid>", views_subjects.subject_page, name="subject"),
    path("subjects/<str:subjid>/flags", views_subjects.flags, name="flags"),
    path(f"{FORM}/check", views_form.check, name="check"),
    path(f"{FORM}/<str:key>/check", views_form.check, name="check_record"),
    path(FORM, views_form.form_page, name="form"),
    path(f"{FORM}/<str:key>", views_form.form_page, name="record"),
    path("records/<str:form>/<str:key>", views_form.go_to_record, name="go_to_record"),
    path("records/<str:form>/<str:key>/lock", views_form.lock, name="lock"),
    path("records/<str:form>/<str:key>/history", views_review.record_history, name="history"),
    path("deviations", views_review.deviations, name="deviations"),
    path("queries", views_review.queries, name="queries"),
    path("queries/<uuid:key>/answer", views_review.answer_query, name="answer"),
    path("rules", views_help.rules, name="rules"),
    path("help", views_help.help_page, name="help"),
]
