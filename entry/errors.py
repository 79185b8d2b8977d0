"""When something goes wrong: one plain page in both languages, and never a trace of the inside."""

import logging
import sys
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from entry.kept import kept_of, same_origin, unpack
from trial.text import T, both

log = logging.getLogger(__name__)


def page(request: HttpRequest, status: int, title: str, advice: str, **more: Any) -> HttpResponse:
    """An error page in both languages that asks the database for nothing."""
    values = {
        "title": both(title),
        "advice": both(advice),
        "number": getattr(request, "request_id", ""),
        "status": status,
    }
    return HttpResponse(render_to_string("entry/error.html", {**values, **more}), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400, and 413 for more than the server takes."""
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent):
        return page(
            request,
            413,
            T("That was too much at once", "一次提交的内容过多"),
            T("Nothing was saved. Go back (your entries are still there), shorten the text and save again.",
              "未保存任何内容。请返回上一页(已填内容仍在),缩短文本后重新保存。"),
        )  # fmt: skip
    return page(
        request,
        400,
        T("The request could not be understood", "无法识别该请求"),
        T("Nothing was saved. Go back and try again.", "未保存任何内容。请返回上一页重试。"),
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: the access table says no."""
    message = getattr(exception, "message", None) or T(
        "Your role does not include this page.", "您的角色无权访问此页面。"
    )
    return page(request, 403, T("Not allowed in this role", "当前角色无此权限"), message)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, the same whether a thing does not exist or belongs to another site."""
    return page(
        request,
        404,
        T("Not found", "未找到"),
        T("There is no such page or record among your sites. Check the number, or look it up in the subject list.",
          "您所属中心没有该页面或记录。请核对编号,或在受试者列表中查找。"),
    )  # fmt: skip


def server_error(request: HttpRequest) -> HttpResponse:
    """500, with the number under which the log tells more; 503 when it is the database that does not answer."""
    cause = sys.exc_info()[1]
    if isinstance(cause, OperationalError | InterfaceError):
        log.error("database unreachable: %s", type(cause).__name__)
        return unavailable(request)
    log.error("unexpected, number %s: %s", getattr(request, "request_id", ""), type(cause).__name__)
    return page(
        request,
        500,
        T("Something broke on our side", "系统内部错误"),
        T("What was saved before is safe. Go back (your entries are still there) and try again; if it happens again, "
          "give the number below to the administrator.",
          "此前已保存的内容不受影响。请返回上一页(已填内容仍在)重试;如再次出现,请将下方编号告知管理员。"),
    )  # fmt: skip


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose token is out of date. Answers that came from our own page are kept and can be sent again."""
    packet = unpack(kept_of(request)) if same_origin(request) else None
    log.warning("csrf check failed: %s", reason)
    if packet:
        advice = T("You signed in again elsewhere since this page was opened. Your answers are kept: send them once more.",
                   "打开本页后您在别处重新登录过。已填内容仍然保留,请再次提交。")  # fmt: skip
    else:
        advice = T("The page was too old or came from elsewhere. Go back, load the page again, and repeat the step.",
                   "页面已过期或来源不明。请返回上一页,刷新后重试。")  # fmt: skip
    from django.middleware.csrf import get_token

    pairs = packet[1] if packet else []
    return page(
        request,
        403,
        T("Not saved yet", "尚未保存"),
        advice,
        pairs=pairs,
        path=request.path,
        token=get_token(request),
    )


def unavailable(request: HttpRequest) -> HttpResponse:
    """503: the database is away, so nothing can be saved and nothing is pretended."""
    response = page(
        request,
        503,
        T("The database does not answer", "数据库暂时无法访问"),
        T("Nothing was saved just now; what was saved before is safe. Wait a minute, go back (your entries are still "
          "there) and save again.",
          "刚才的内容未保存;此前已保存的内容不受影响。请稍候一分钟,返回上一页(已填内容仍在)重新保存。"),
    )  # fmt: skip
    response["Retry-After"] = "30"
    return response
