"""Who may reach which address: every address of the system has a row, or the matrix fails.

A row gives, per method, what is needed: an Act, SIGNED (any signed-in person), ADMIN (a role that opens the review
site), CLINICAL (such a role that may also read clinical data) or PUBLIC.
A method that is not named is refused to everybody (or does not exist there).
"""

from trial.access import Act

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PUBLIC, SIGNED, ADMIN, CLINICAL, NOBODY = (
    "public",
    "signed in",
    "review site",
    "review site and reading",
    "nobody",
)
Need = Act | str | tuple[Act, ...]
R, E = Act.READ, Act.ENTER
SENDS = (Act.ENTER, Act.STUDY)  # files: of subjects, or of the study itself

PAGES: dict[str, dict[str, Need]] = {
    "health": {"GET": PUBLIC},
    "home": {"GET": PUBLIC},  # leads on to the subjects, which ask who comes
    "login": {"GET": PUBLIC, "POST": PUBLIC},
    "logout": {"GET": PUBLIC, "POST": PUBLIC},
    "role": {"POST": SIGNED},
    "language": {"GET": PUBLIC, "POST": PUBLIC},
    "subjects": {"GET": R},
    "today": {"GET": R},
    "sites": {"GET": R},
    "site": {"GET": R, "POST": Act.STUDY},
    "study_records": {"GET": R},
    "study_record": {"GET": R, "POST": Act.STUDY},
    # GET only leads back to the record, as with a lock of a subject's record.
    "study_lock": {"GET": Act.LOCK, "POST": Act.LOCK},
    "study_sign": {"GET": Act.SIGN, "POST": Act.SIGN},
    "new_subject": {"GET": Act.ENROL, "POST": Act.ENROL},
    "subject": {"GET": R},
    "casebook": {"GET": R},
    "flags": {"GET": R},
    "grid": {"GET": R, "POST": E},
    "panel": {"GET": R, "POST": E},
    "eligibility": {"GET": R},
    "endorsement": {"GET": R},
    "endorse": {"POST": Act.SIGN},
    "derived": {"GET": R},
    "not_done": {"POST": E},
    "undo_not_done": {"POST": E},
    "check_grid": {"POST": E},
    "check_panel": {"POST": E},
    "check": {"POST": E},
    "check_record": {"POST": E},
    "form": {"GET": R, "POST": E},
    "record": {"GET": R, "POST": E},
    "attachment": {"GET": R},
    "go_to_record": {"GET": R},
    "history": {"GET": R},
    # GET only leads back to the record: a browser comes this way when it loads a refused lock again.
    "lock": {"GET": Act.LOCK, "POST": Act.LOCK},
    # GET only leads back to the record, as with a lock.
    "sign": {"GET": Act.SIGN, "POST": Act.SIGN},
    "deviations": {"GET": R},
    "deviation": {"GET": R},
    "deviation_step": {"POST": Act.ASSESS},
    "safety": {"GET": R},
    "holds": {"GET": R},
    "review_hold": {"POST": Act.SIGN},
    "queries": {"GET": R},
    "answer": {"POST": Act.ANSWER},
    "crf": {"GET": SIGNED},
    "samples": {"GET": R},
    "laboratories": {"GET": R, "POST": Act.STUDY},
    "attach_ranges": {"GET": E, "POST": E},
    "imports": {"GET": R, "POST": SENDS},
    "import": {"GET": R},
    "import_commit": {"POST": SENDS},
    "import_progress": {"GET": R},
    "import_report": {"GET": R},
    "jobs": {"GET": R, "POST": R},
    "jobs_progress": {"GET": R},
    "job_file": {"GET": R},
    "ambiguities": {"GET": R, "POST": Act.SIGN},
    "amendments": {"GET": R, "POST": Act.STUDY},
    "what_if": {"GET": R},
    "rules": {"GET": SIGNED},
    "rule_changes": {"GET": Act.STUDY, "POST": Act.STUDY},
    "help": {"GET": SIGNED},
    "accountability": {"GET": SIGNED, "POST": SIGNED},
}
REVIEW: dict[str, dict[str, Need]] = {
    # Django's own view: whatever the method, a language is chosen and nothing else happens.
    "admin/language/": {"GET": PUBLIC, "POST": PUBLIC, "PUT": PUBLIC, "PATCH": PUBLIC, "DELETE": PUBLIC},
    "admin/login/": {"GET": PUBLIC, "POST": PUBLIC},
    # Only POST signs out; every other method just leads to the sign-in page.
    "admin/logout/": {"GET": PUBLIC, "POST": PUBLIC, "PUT": PUBLIC, "PATCH": PUBLIC, "DELETE": PUBLIC},
    "admin/password_change/": dict.fromkeys(METHODS, ADMIN),
    "admin/jsi18n/": {"GET": ADMIN},
    "admin/autocomplete/": {"GET": NOBODY},
    "admin/audit/": {"GET": Act.AUDIT},
    "admin/queries/raise/": {"GET": Act.ASK, "POST": Act.ASK},
    "admin/queries/close/": {"GET": NOBODY, "POST": Act.CLOSE},
    "admin/queries/": {"GET": Act.CLOSE, "POST": Act.CLOSE},
}
API: dict[str, dict[str, Need]] = {
    "api-sites": {"GET": R, "POST": Act.STUDY},
    "api-site": {"GET": R, "PATCH": Act.STUDY},
    "api-site-history": {"GET": R},
    "api-subjects": {"GET": R, "POST": Act.ENROL},
    "api-subject": {"GET": R},
    "api-subject-history": {"GET": R},
    "api-subject-visits": {"GET": R},
    "api-subject-attachments": {"GET": R, "POST": E},
    "api-attachment": {"GET": R},
    "api-attachment-content": {"GET": R},
    "api-visits": {"GET": R},
    "api-visit-not-done": {"POST": E},
    "api-visit-undo": {"POST": E},
    "api-worklist": {"GET": R},
    "api-deviations": {"GET": R},
    "api-deviation": {"GET": R},
    "api-deviation-history": {"GET": R},
    **{
        f"api-deviation-{step}": {"POST": Act.ASSESS}
        for step in ("acknowledge", "classify", "close", "justify", "reopen")
    },
    "api-holds": {"GET": R},
    "api-hold-review": {"POST": Act.SIGN},
    "api-queries": {"GET": R, "POST": Act.ASK},
    "api-query": {"GET": R},
    "api-query-history": {"GET": R},
    "api-query-answer": {"POST": Act.ANSWER},
    "api-query-close": {"POST": Act.CLOSE},
    "api-query-reopen": {"POST": Act.CLOSE},
    "api-samples": {"GET": R},
    "api-laboratories": {"GET": R},
    "api-reference-ranges": {"GET": R},
    "api-imports": {"GET": R, "POST": SENDS},
    "api-import-profiles": {"GET": R},
    "api-import": {"GET": R},
    "api-import-commit": {"POST": SENDS},
    "api-import-report": {"GET": R},
    "api-jobs": {"GET": R, "POST": R},
    "api-job": {"GET": R},
    "api-job-file": {"GET": R},
    "api-subject-eligibility": {"GET": R},
    "api-subject-derived": {"GET": R},
    "api-derivations": {"GET": R},
    "api-dictionary-derived": {"GET": R},
    "api-summary-response": {"GET": R},
    "api-eligibility-verdicts": {"GET": R},
    "api-ambiguities": {"GET": R},
    "api-signatures": {"GET": R},
    "api-changes": {"GET": Act.EXPORT},
    "api-dictionary": {"GET": R},
    "api-rules": {"GET": R},
    "api-protocol": {"GET": R},
    "api-amendments": {"GET": R},
    "api-what-if": {"GET": R},
    "api-reconsents": {"GET": R},
    "api-problems": {"GET": PUBLIC},
    "api-schema": {"GET": PUBLIC},
    "api-docs": {"GET": PUBLIC},
    "api-nowhere": {},
}
FORM_LIST: dict[str, Need] = {"GET": R, "POST": E}
FORM_RECORD: dict[str, Need] = {"GET": R, "PUT": E, "PATCH": E, "DELETE": E}
STUDY_LIST: dict[str, Need] = {"GET": R, "POST": Act.STUDY}
STUDY_RECORD: dict[str, Need] = {"GET": R, **dict.fromkeys(("PUT", "PATCH", "DELETE"), Act.STUDY)}
STUDY_FORMS = ("src_review",)
FORM_HISTORY: dict[str, Need] = {"GET": R}
FORM_LOCK: dict[str, Need] = {"POST": Act.LOCK}
FORM_SIGNATURES: dict[str, Need] = {"GET": R, "POST": Act.SIGN}
# Django's admin does not tell methods apart: a page answers any of them with what GET shows, and none writes.
STUDY_PAGE: dict[str, Need] = dict.fromkeys(METHODS, ADMIN)
CLINICAL_PAGE: dict[str, Need] = dict.fromkeys(METHODS, CLINICAL)
CLINICAL_APPS = ("review", "safety", "subjects", "visits", "dosing", "exchange")


def needs(route: str, name: str | None) -> dict[str, Need] | None:
    """The policy row of an address; None when nobody wrote one."""
    if route.startswith("admin/"):
        return _review(route)
    if route.startswith("api/v1/forms/"):
        if route.count("/") == 3:
            return FORM_HISTORY
        tail = route.split("/")[4:]
        if "lock" in tail:
            return FORM_LOCK
        if "signatures" in tail:
            return FORM_SIGNATURES
        if route.split("/")[3] in STUDY_FORMS:
            return STUDY_LIST if tail == [""] else FORM_HISTORY if "history" in tail else STUDY_RECORD
        return FORM_LIST if tail == [""] else FORM_HISTORY if "history" in tail else FORM_RECORD
    return API.get(name or "") if route.startswith("api/") else PAGES.get(name or "")


def _review(route: str) -> dict[str, Need] | None:
    for start, row in REVIEW.items():
        if route.startswith(start):
            return row
    kind = route.rstrip("/").rpartition("/")[2]
    if kind == "<path:object_id>":
        return dict.fromkeys(
            METHODS, PUBLIC
        )  # a bare redirect to the page's address, which then asks who comes
    if kind in ("add", "delete"):
        return {"GET": NOBODY, "POST": NOBODY}
    return CLINICAL_PAGE if route.split("/")[1] in CLINICAL_APPS else STUDY_PAGE
