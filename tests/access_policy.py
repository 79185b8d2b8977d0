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
Need = Act | str
R, E = Act.READ, Act.ENTER

PAGES: dict[str, dict[str, Need]] = {
    "health": {"GET": PUBLIC},
    "home": {"GET": PUBLIC},  # leads on to the subjects, which ask who comes
    "login": {"GET": PUBLIC, "POST": PUBLIC},
    "logout": {"GET": PUBLIC, "POST": PUBLIC},
    "role": {"POST": SIGNED},
    "language": {"GET": PUBLIC, "POST": PUBLIC},
    "subjects": {"GET": R},
    "new_subject": {"GET": Act.ENROL, "POST": Act.ENROL},
    "subject": {"GET": R},
    "flags": {"GET": R},
    "check": {"POST": E},
    "check_record": {"POST": E},
    "form": {"GET": R, "POST": E},
    "record": {"GET": R, "POST": E},
    "go_to_record": {"GET": R},
    "history": {"GET": R},
    # GET only leads back to the record: a browser comes this way when it loads a refused lock again.
    "lock": {"GET": Act.LOCK, "POST": Act.LOCK},
    "deviations": {"GET": R},
    "queries": {"GET": R},
    "answer": {"POST": Act.ANSWER},
    "rules": {"GET": SIGNED},
    "help": {"GET": SIGNED},
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
    "api-sites": {"GET": R},
    "api-subjects": {"GET": R, "POST": Act.ENROL},
    "api-subject": {"GET": R},
    "api-subject-history": {"GET": R},
    "api-subject-visits": {"GET": R},
    "api-visits": {"GET": R},
    "api-deviations": {"GET": R},
    "api-deviation": {"GET": R},
    "api-deviation-history": {"GET": R},
    "api-queries": {"GET": R, "POST": Act.ASK},
    "api-query": {"GET": R},
    "api-query-history": {"GET": R},
    "api-query-answer": {"POST": Act.ANSWER},
    "api-query-close": {"POST": Act.CLOSE},
    "api-query-reopen": {"POST": Act.CLOSE},
    "api-changes": {"GET": Act.EXPORT},
    "api-dictionary": {"GET": R},
    "api-rules": {"GET": R},
    "api-protocol": {"GET": R},
    "api-problems": {"GET": PUBLIC},
    "api-schema": {"GET": PUBLIC},
    "api-docs": {"GET": PUBLIC},
    "api-nowhere": {},
}
FORM_LIST: dict[str, Need] = {"GET": R, "POST": E}
FORM_RECORD: dict[str, Need] = {"GET": R, "PUT": E, "PATCH": E, "DELETE": E}
FORM_HISTORY: dict[str, Need] = {"GET": R}
FORM_LOCK: dict[str, Need] = {"POST": Act.LOCK}
# Django's admin does not tell methods apart: a page answers any of them with what GET shows, and none writes.
STUDY_PAGE: dict[str, Need] = dict.fromkeys(METHODS, ADMIN)
CLINICAL_PAGE: dict[str, Need] = dict.fromkeys(METHODS, CLINICAL)
CLINICAL_APPS = ("review", "safety", "subjects", "visits", "dosing")


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
