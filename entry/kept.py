"""Answers that were sent when they could not be taken: kept in the page, signed, and sent again on request.

Nothing is stored on the server for somebody who is not signed in. The packet is signed, so a stranger's page cannot
make one, and it is only offered again to the address it was meant for.
"""

import re

from django.core import signing
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

SALT = "entry.kept"
HOURS_12 = 12 * 3600
_DROPPED = {"csrfmiddlewaretoken", "password", "kept"}
_FORMS = re.compile(r"^/(subjects|queries|records|deviations)/")

Pairs = list[tuple[str, str]]


def kept_of(request: HttpRequest) -> str:
    """The answers of a POST to one of our forms as a signed packet, "" when there are none to keep."""
    if request.method != "POST" or not _FORMS.match(request.path):
        return ""
    pairs = [
        [name, value] for name, values in request.POST.lists() for value in values if name not in _DROPPED
    ]
    return signing.dumps([request.path, pairs], salt=SALT, compress=True) if pairs else ""


def unpack(packet: str) -> tuple[str, Pairs] | None:
    """The address and the answers of a packet made here within twelve hours, else None."""
    try:
        path, pairs = signing.loads(packet, salt=SALT, max_age=HOURS_12)
    except (signing.BadSignature, ValueError):
        return None
    return path, [(name, value) for name, value in pairs]


def same_origin(request: HttpRequest) -> bool:
    """Whether the browser itself says that the request came from a page of ours."""
    return request.headers.get("Origin", "") == f"{request.scheme}://{request.get_host()}"


def safe_next(request: HttpRequest, wanted: str | None) -> str:
    """`wanted` when it stays on this site, else the home page."""
    here = {request.get_host()}
    fine = wanted and url_has_allowed_host_and_scheme(wanted, here, require_https=request.is_secure())
    return wanted if fine and wanted and wanted.startswith("/") else "/"
