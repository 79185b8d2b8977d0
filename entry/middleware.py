"""Short steps around every page: a number for the request, who is acting, and an answer to what cannot be stored."""

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.db import DataError
from django.http import HttpRequest, HttpResponse

from entry.errors import bad_request
from trial.people import actor_for

Handler = Callable[[HttpRequest], HttpResponse]


def request_id(get_response: Handler) -> Handler:
    """Give the request a number that stands in the audit, the log and the answer's X-Request-ID."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.request_id = uuid.uuid4().hex  # type: ignore[attr-defined]
        response = get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        response.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def actor(get_response: Handler) -> Handler:
    """Set `request.actor` from the session's person and chosen role; an idle or ended account is signed out."""

    def middleware(request: HttpRequest) -> HttpResponse:
        person: Any = request.user
        request.actor = None  # type: ignore[attr-defined]
        if person.is_authenticated:
            request.actor = actor_for(person, request.session.get("role"), request.request_id)  # type: ignore[attr-defined]
            person.actor = request.actor  # type: ignore[attr-defined]
            if request.actor is None or _idle(request):  # type: ignore[attr-defined]
                logout(request)
                request.actor = person.actor = None  # type: ignore[attr-defined]  # nor is this request served
        return get_response(request)

    return middleware


def storable(get_response: Handler) -> Handler:
    """Answer a text that no column can hold (a NUL, a number beyond all measure) with a page that says so, not with 500."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return bad_request(request) if isinstance(exception, DataError) else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]  # where Django looks for it
    return middleware


def _idle(request: HttpRequest) -> bool:
    import time

    now = int(time.time())
    last = request.session.get("seen", now)
    if now - last > settings.SESSION_IDLE_SECONDS:
        return True
    looks_by_itself = request.path.endswith(("/flags", "/progress"))
    if (now - last > 60 and not looks_by_itself) or "seen" not in request.session:
        request.session["seen"] = now
    return False
