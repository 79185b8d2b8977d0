"""When no view of ours answered: under /api/ a problem document, elsewhere the pages' own error page."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from rest_framework.request import Request

from entry import errors
from exchange.problems import RETRY_SECONDS, ApiProblem, answer
from exchange.view import language_of
from exchange.views_catalogue import OpenView
from trial.text import T


class NowhereView(OpenView):
    """Every address under /api/ that there is not."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """404 before anything is asked of the request."""
        translation.activate(language_of(request.META.get("HTTP_ACCEPT_LANGUAGE", "")))
        fix = f"{request.path}/" if not request.path.endswith("/") else "/api/v1/docs/"
        said = T(
            "There is no such address. Every address ends in a slash; /api/v1/docs/ lists them all.",
            "没有此地址。所有地址均以斜杠结尾;完整列表见 /api/v1/docs/。",
        )
        raise ApiProblem("not_found", said, [{"code": "no_such_address", "detail": said, "fix": fix}])


def _ours(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _answer(request: HttpRequest, kind: str, detail: str) -> HttpResponse:
    with translation.override(language_of(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))):
        return answer(kind, detail, request)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    if not _ours(request):
        return errors.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, "too_large", T("The body is too large.", "请求体过大。"))
    return _answer(request, "bad_request", T("The request cannot be read.", "无法读取该请求。"))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    if not _ours(request):
        return errors.forbidden(request, exception)
    return _answer(request, "forbidden", T("Not allowed.", "无权执行。"))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    if not _ours(request):
        return errors.not_found(request, exception)
    return _answer(request, "not_found", T("There is no such address.", "没有此地址。"))


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 when the database does not answer."""
    if not _ours(request):
        return errors.server_error(request)
    import sys

    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        response = _answer(
            request,
            "unavailable",
            T(
                "The database does not answer. Repeat the request in a moment.",
                "数据库暂时无法访问。请稍后重试。",
            ),
        )
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    return _answer(request, "broken", T("Something broke on our side.", "系统内部错误。"))
