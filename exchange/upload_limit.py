"""How much a page may be sent, asked of the request's head before a byte of its body is read or kept on disk.

The API asks the same in its own views and answers with problem+json.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from entry import views_laboratories
from entry.attachments import MOST_BYTES as MOST_SCAN
from entry.attachments import file_names
from entry.errors import page
from exchange.incoming_files import limits
from exchange.incoming_files.subject_map import MOST_BYTES as MOST_MAP
from safety.forms import FORM
from trial.text import T

Handler = Callable[[HttpRequest], HttpResponse]

SLACK = 100_000
"""What the boxes around a file take: names, types, the other answers of a small page."""
READ_AWAY = 4
"""A body up to this many times its limit is read and thrown away, so that a browser hears the answer and not a broken line."""
PIECE = 1 << 16


def upload_limit(get_response: Handler) -> Handler:
    """Refuse a body that is larger than its page takes (413), or of unknown length (411), before it is read."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD", "OPTIONS") or request.path.startswith("/api/"):
            return get_response(request)
        length, most = request.META.get("CONTENT_LENGTH") or "", most_bytes(request.path)
        if not length.isdecimal():
            if "HTTP_TRANSFER_ENCODING" not in request.META:
                return get_response(request)
            if request.META.get("wsgi.input_terminated"):
                _read_away(request.META["wsgi.input"], READ_AWAY * most)
            return _no_length(request)
        if int(length) <= most:
            return get_response(request)
        _read_away(request, min(int(length), READ_AWAY * most))
        return _too_large(request, int(length), most)

    return middleware


def most_bytes(path: str) -> int:
    """How many bytes the page at this address takes: its files, and the answers beside them."""
    boxes: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    parts = path.strip("/").split("/")
    if parts == ["imports"]:
        return limits.MOST_BYTES + MOST_MAP + SLACK
    if parts == ["laboratories"]:
        return views_laboratories.MOST_BYTES + SLACK
    form = FORM.get(parts[3]) if parts[0] == "subjects" and len(parts) in (4, 5) else None
    scans = len(file_names(form)) if form is not None else 0
    return scans * MOST_SCAN + boxes + SLACK


def _read_away(line: Any, length: int) -> None:
    """Take what is sent off the line, without keeping it."""
    while length > 0:
        piece = line.read(min(PIECE, length))
        if not piece:
            return
        length -= len(piece)


def _too_large(request: HttpRequest, length: int, most: int) -> HttpResponse:
    advice = T(
        f"{length:,} bytes were sent; this page takes at most {most:,}. Nothing was saved. Go back (your entries are "
        "still there) and send a smaller file, or the file in parts.",
        f"发送了 {length:,} 字节;本页最多接收 {most:,} 字节。未保存任何内容。请返回上一页(已填内容仍在),"
        "改用较小的文件或分批发送。",
    )
    return page(request, 413, T("That was too much at once", "一次提交的内容过多"), advice)


def _no_length(request: HttpRequest) -> HttpResponse:
    title = T("The size of the request is not known", "请求大小未知")
    advice = T(
        "Nothing was saved. Send the form with a Content-Length, as every browser does.",
        "未保存任何内容。请像浏览器那样在请求中给出 Content-Length。",
    )
    return page(request, 411, title, advice)
