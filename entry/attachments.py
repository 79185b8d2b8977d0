"""Keeping a file of a subject and giving it out: the type and size are looked at, the bytes lie in the database.

What a file is, its own first bytes say, never its name. A copy is given only to who may see the subject, as a download,
and every copy is on record.
"""

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID

from django.http import HttpRequest, QueryDict, StreamingHttpResponse

from entry.door import NotFound, Rejected
from subjects.attachment import Attachment, AttachmentCopy, AttachmentPart
from subjects.crf import Subject
from trial import audit
from trial.access import Act, Actor, require
from trial.answers import kind_of
from trial.findings import Problem
from trial.item import items
from trial.text import T

MOST_BYTES = 10 * 2**20
PIECE = 1 << 20
BEGINNINGS: dict[bytes, str] = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg"}
ENDINGS: dict[str, str] = {"application/pdf": ".pdf", "image/jpeg": ".jpg"}


def keep(
    subject: Subject, name: str, blocks: Iterable[bytes], *, by: Actor, field: str = "file"
) -> Attachment:
    """Keep a file for a subject; the same bytes twice are kept once. Raises Forbidden, NotFound or Rejected."""
    require(by, Act.ENTER)
    if not by.at(subject.site_id):
        raise NotFound
    data = _whole(blocks, field)
    kind = next((kind for begins, kind in BEGINNINGS.items() if data.startswith(begins)), "")
    if not kind:
        raise Rejected([_other_kind(field)])
    digest = hashlib.sha256(data).hexdigest()
    with audit.transaction(by, "attachment kept"):
        Subject.objects.select_for_update().get(pk=subject.pk)
        there = Attachment.objects.filter(subject=subject, sha256=digest).first()
        if there is not None:
            return there
        kept = Attachment(
            subject=subject,
            site_id=subject.site_id,
            name=safe_name(name, kind),
            media_type=kind,
            size=len(data),
            sha256=digest,
        )
        kept.save(force_insert=True)
        for number, start in enumerate(range(0, len(data), PIECE)):
            piece = zlib.compress(data[start : start + PIECE])
            AttachmentPart.objects.create(attachment=kept, site_id=kept.site_id, number=number, data=piece)
    return kept


def _whole(blocks: Iterable[bytes], field: str) -> bytes:
    """The bytes of a file that is small enough to be held."""
    data = bytearray()
    for block in blocks:
        data += block
        if len(data) > MOST_BYTES:
            raise Rejected([_too_large(field)])
    return bytes(data)


def safe_name(name: str, kind: str) -> str:
    """The last part of a file's name, whatever system wrote it, without control characters, ending as its kind does."""
    last = PureWindowsPath(PurePosixPath(name.replace("\x00", "")).name).name
    stem = re.sub(r"[^\w()\- +]", "_", last.rpartition(".")[0] or last).strip(" _") or "file"
    return stem[:150] + ENDINGS[kind]


def given_out(key: str | UUID, *, by: Actor) -> tuple[Attachment, Iterator[bytes]]:
    """An attachment of the actor's sites and its bytes; that they were given is on record. Raises Forbidden or NotFound."""
    require(by, Act.READ)
    kept = attachment_of(key, by=by)
    with audit.transaction(by, "copy of an attachment taken"):
        numbers = AttachmentPart.objects.filter(attachment=kept).order_by("number")
        data = b"".join(zlib.decompress(bytes(one.data)) for one in numbers)
        if hashlib.sha256(data).hexdigest() != kept.sha256:
            raise RuntimeError(f"attachment {kept.pk}: its bytes are not what came in")
        AttachmentCopy(
            attachment=kept, subject_id=kept.subject_id, site_id=kept.site_id, person_id=by.person_id
        ).save(force_insert=True)
    return kept, iter([data])


def attachment_of(key: str | UUID, *, by: Actor) -> Attachment:
    """An attachment of the actor's sites. Raises NotFound."""
    try:
        wanted = UUID(str(key))
    except ValueError:
        raise NotFound from None
    with audit.reading(by):
        found = Attachment.objects.select_related("subject", "site").filter(pk=wanted).first()
    if found is None:
        raise NotFound
    return found


def download(kept: Attachment, data: Iterator[bytes]) -> StreamingHttpResponse:
    """The bytes as a download: no browser shows or runs them as a page of ours."""
    response = StreamingHttpResponse(data, content_type=kept.media_type)
    response["Content-Length"] = str(kept.size)
    plain = f"{kept.sha256[:12]}{ENDINGS[kept.media_type]}"
    response["Content-Disposition"] = f'attachment; filename="{plain}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["ETag"] = f'"{kept.sha256}"'
    return response


def file_names(model: Any) -> list[str]:
    """The items of a form that hold an attachment."""
    columns = (model._meta.get_field(name) for name in items(model))
    return [c.name for c in columns if kind_of(c) == "link" and c.related_model is Attachment]


def with_files(request: HttpRequest, model: Any, subject: Subject) -> tuple[QueryDict, list[Problem]]:
    """The boxes of a sent page, the files that came with it kept and named in theirs; and what is wrong with the others."""
    names = [name for name in file_names(model) if f"{name}.file" in request.FILES]
    if not names:
        return request.POST, []
    actor: Actor = request.actor  # type: ignore[attr-defined]
    post, problems = request.POST.copy(), list[Problem]()
    for name in names:
        given: Any = request.FILES[f"{name}.file"]
        try:
            kept = keep(subject, str(given.name or ""), given.chunks(), by=actor, field=name)
            post[name] = str(kept.pk)
        except Rejected as rejected:
            problems += rejected.problems
    return post, problems


def _too_large(field: str) -> Problem:
    most = MOST_BYTES // 2**20
    said = T(
        f"The file is larger than {most} MB. Scan it with fewer colours or a lower resolution.",
        f"文件超过 {most} MB。请降低颜色或分辨率后重新扫描。",
    )
    return Problem(field, "too_large", said, limit=str(MOST_BYTES))


def _other_kind(field: str) -> Problem:
    said = T(
        "The file is neither a PDF nor a JPEG picture. Save the scan as one of the two; its name alone does not make it one.",
        "文件既不是 PDF 也不是 JPEG 图片。请将扫描件另存为其中之一;仅更改文件名无效。",
    )
    return Problem(field, "other_kind", said, limit="application/pdf, image/jpeg")
