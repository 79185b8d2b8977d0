"""Files of a subject over the API: send one, see which there are, take a copy."""

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from django.http import HttpResponse
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from entry.attachments import BEGINNINGS, MOST_BYTES, attachment_of, download, given_out, keep
from exchange.body import TooLarge
from exchange.jsontext import dumps
from exchange.operation import Op
from exchange.problems import ApiProblem
from exchange.schemas import list_of
from exchange.view import ApiView, Param, json_answer
from exchange.views_imports import AnyBytes, RawFile
from exchange.writes import subject_of
from subjects.attachment import Attachment
from trial import audit
from trial.access import Act
from trial.text import T

SLACK = 100_000
ATTACHMENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "subject": {"type": "string"},
        "site": {"type": "string"},
        "name": {"type": "string"},
        "media_type": {"type": "string", "enum": sorted(BEGINNINGS.values())},
        "size": {"type": "integer"},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "entered_at": {"type": "string", "format": "date-time"},
        "content": {"type": "string", "description": "Where the bytes are / 内容地址"},
    },
}


class Pdf(RawFile):
    """application/pdf."""

    media_type = "application/pdf"


class Jpeg(RawFile):
    """image/jpeg."""

    media_type = "image/jpeg"


class SubjectAttachmentsView(ApiView):
    """The files kept for one subject."""

    tag = "attachments"
    parser_classes = (MultiPartParser, Pdf, Jpeg, AnyBytes)
    acts: ClassVar[dict[str, Act]] = {"POST": Act.ENTER}
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Files of a subject", "受试者附件", list_of(ATTACHMENT)),
        "POST": Op(
            "Keep a PDF or JPEG for a subject; a form then names its id",
            "为受试者保存 PDF 或 JPEG;随后在表单中填写其 id",
            ATTACHMENT,
            {"type": "string", "format": "binary"},
            201,
            takes=(Pdf.media_type, Jpeg.media_type, AnyBytes.media_type, MultiPartParser.media_type),
        ),
    }
    params: ClassVar[dict[str, tuple[Param, ...]]] = {
        "POST": (Param("name", "The file's name, when the body is the file.", "请求体即文件时的文件名。"),)
    }

    def get(self, request: Request, key: str) -> HttpResponse:
        """All of them, oldest first."""
        subject = subject_of(self.actor, key)
        with audit.reading(self.actor):
            found = Attachment.objects.select_related("subject", "site").filter(subject=subject)
            return json_answer(dumps([told(one) for one in found.order_by("entered_at", "pk")]))

    def post(self, request: Request, key: str) -> HttpResponse:
        """Keep the file; the same bytes again are the same attachment."""
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES + SLACK:
            raise TooLarge
        subject = subject_of(self.actor, key)
        name, blocks = _received(request)
        kept = attachment_of(keep(subject, name, blocks, by=self.actor).pk, by=self.actor)
        return json_answer(dumps(told(kept)), 201, Location=f"/api/v1/attachments/{kept.pk}/")


class AttachmentView(ApiView):
    """One file: what it is, its hash, where its bytes are."""

    tag = "attachments"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("One attachment", "附件信息", ATTACHMENT)}

    def get(self, request: Request, key: str) -> HttpResponse:
        """Name, kind, size, SHA-256 and address."""
        return json_answer(dumps(told(attachment_of(key, by=self.actor))))


class AttachmentContentView(ApiView):
    """The bytes of a file."""

    tag = "attachments"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("The file itself", "附件内容", {"type": "string", "format": "binary"})
    }

    def get(self, request: Request, key: str) -> HttpResponse:
        """A download; that it was taken is on record."""
        return cast(HttpResponse, download(*given_out(key, by=self.actor)))


def told(one: Attachment) -> dict[str, Any]:
    """An attachment as it looks outside."""
    return {
        "id": str(one.pk),
        "subject": one.subject.subjid,
        "site": one.site.code,
        "name": one.name,
        "media_type": one.media_type,
        "size": one.size,
        "sha256": one.sha256,
        "entered_at": one.entered_at.isoformat() if one.entered_at else None,
        "content": f"/api/v1/attachments/{one.pk}/content/",
    }


def _received(request: Request) -> tuple[str, Iterator[bytes]]:
    """The name and the bytes of the file that was sent. Raises ApiProblem when there is none."""
    given: Any = request.data
    name = request.query_params.get("name", "")
    if request.content_type.startswith("multipart/"):
        given = request.FILES.get("file")
        if given is None:
            said = T("Send the file in the field “file”.", "请将文件放在字段 file 中。")
            raise ApiProblem("rejected", said, [{"code": "no_file", "detail": said}])
        name = str(given.name)
    return name, iter(lambda: given.read(1 << 20) if hasattr(given, "read") else b"", b"")
