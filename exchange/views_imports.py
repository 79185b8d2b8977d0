"""Files in, over the API: send one (201, or 202 when it becomes a job), see what came of it, enter it."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, Literal

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request

from entry.door import NotFound, Rejected
from exchange.body import ExactJSONParser, TooLarge
from exchange.filters import format_of, is_uuid
from exchange.imported import ImportFile
from exchange.incoming_files import limits
from exchange.incoming_files.options import Options
from exchange.incoming_files.printed_report import csv_lines, json_lines
from exchange.incoming_files.profiles import PROFILES, SENDING, act_of, of_form
from exchange.incoming_files.refusals import FileRefused
from exchange.incoming_files.register import choose, file_of, take_in
from exchange.incoming_files.subject_map import parse_map
from exchange.incoming_files.tables import empty_file
from exchange.incoming_files.told import told
from exchange.incoming_files.work import start
from exchange.jobs import OtherBody
from exchange.jsontext import dumps
from exchange.operation import Op
from exchange.problems import ApiProblem
from exchange.schemas import ANY, list_of
from exchange.view import ApiView, Param, body_of, json_answer, text_header
from exchange.writes import idempotency_key
from safety.forms import ANY_FORM
from trial import audit
from trial.access import Actor, require, require_any
from trial.findings import Problem
from trial.models import Site
from trial.text import T

SLACK = 100_000
SHOWN = 200
CHOICES = ("profile", "dry_run", "site", "policy", "correct", "name", "ignore", "sheet", "subject_map")
_FLAG = {"type": "string", "enum": ["true", "false"]}
PARAMS = (
    Param("profile", "Mapping profile; see /imports/profiles/.", "映射方案,见 /imports/profiles/。"),
    Param("dry_run", "true (default) checks only.", "true(默认)仅预检。", _FLAG),
    Param("site", "Site code; needed with several sites.", "中心编号;有多个中心时必填。"),
    Param(
        "policy",
        "all (default): one refused row refuses the file; good: the other rows are taken.",
        "all(默认):任一行被拒则整个文件不保存;good:保存其余行。",
        {"type": "string", "enum": ["all", "good"]},
    ),
    Param(
        "correct", "true: values that differ correct the stored ones.", "true:不同的值将更正已存值。", _FLAG
    ),
    Param("name", "The file's name, when the body is the file itself.", "请求体即文件时的文件名。"),
    Param("ignore", "Headings to leave out, separated by commas.", "忽略的列名,以逗号分隔。"),
    Param("sheet", "Which sheet of a workbook.", "工作表名称。"),
    Param(
        "subject_map",
        "Subject map as CSV text (subject in the file, our number).",
        "受试者对照表 CSV(文件中的编号, 本系统筛选号)。",
    ),
)


class RawFile(BaseParser):
    """The body is the file."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The stream itself, read later in blocks."""
        return stream


class CsvFile(RawFile):
    """text/csv."""

    media_type = "text/csv"


class Workbook(RawFile):
    """XLSX."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class AnyBytes(RawFile):
    """application/octet-stream."""

    media_type = "application/octet-stream"


class ImportsView(ApiView):
    """The files that came in for the token's sites."""

    tag = "imports"
    parser_classes = (MultiPartParser, CsvFile, Workbook, AnyBytes)
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Files that came in, newest first", "导入的文件(最新在前)", list_of(ANY)),
        "POST": Op(
            "Send a file: multipart field “file”, or the body itself; 202 when it becomes a job",
            "发送文件:multipart 字段 file,或请求体本身;转为后台任务时返回 202",
            ANY,
            {"type": "string", "format": "binary"},
            201,
            ("Idempotency-Key",),
            takes=(CsvFile.media_type, Workbook.media_type, AnyBytes.media_type, MultiPartParser.media_type),
        ),
    }
    params: ClassVar[dict[str, tuple[Param, ...]]] = {"POST": PARAMS}

    def get(self, request: Request) -> HttpResponse:
        """The newest two hundred."""
        with audit.reading(self.actor):
            files = list(ImportFile.objects.select_related("site", "person").order_by("-entered_at")[:SHOWN])
            return json_answer(dumps([told(file, self.actor) for file in files]))

    def post(self, request: Request) -> HttpResponse:
        """Check the file, or with dry_run=false enter it."""
        require_any(self.actor, *SENDING)
        if int(request.META.get("CONTENT_LENGTH") or 0) > limits.MOST_BYTES + SLACK:
            raise TooLarge
        key = idempotency_key(text_header(request, "Idempotency-Key"))
        sent = _chosen(request)
        try:
            with tempfile.TemporaryDirectory(prefix="edc-upload-") as folder:
                path = Path(folder) / "file"
                name = _receive(request, path)
                options = _options(sent)
                site = _site(self.actor, sent.get("site", ""))
                file = take_in(
                    path,
                    sent.get("name") or name,
                    sent.get("profile", ""),
                    options,
                    site,
                    by=self.actor,
                    key=key,
                )
            return _started(self.actor, file, "CHECK" if _yes(sent, "dry_run", True) else "COMMIT")
        except FileRefused as refused:
            raise problem_of(refused) from None
        except OtherBody:
            said = T("This Idempotency-Key came with another file.", "此 Idempotency-Key 已用于另一文件。")
            raise ApiProblem("other_body", said, [{"code": "differs", "detail": said}]) from None


class ImportView(ApiView):
    """One file."""

    tag = "imports"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("What came of a file", "文件处理结果", ANY)}

    def get(self, request: Request, key: str) -> HttpResponse:
        """State, progress, counts; ask again while `busy`."""
        file = _file(self.actor, key)
        return _answer(self.actor, file)


class ImportCommitView(ApiView):
    """Enter a file that was checked."""

    tag = "imports"
    parser_classes = (ExactJSONParser,)
    ops: ClassVar[dict[str, Op]] = {
        "POST": Op(
            "Enter a checked file",
            "导入已预检的文件",
            ANY,
            {
                "type": "object",
                "properties": {"policy": {"enum": ["all", "good"]}, "correct": {"type": "boolean"}},
                "additionalProperties": False,
            },
        )
    }

    def post(self, request: Request, key: str) -> HttpResponse:
        """As chosen when it was sent, or as the body says now."""
        require_any(self.actor, *SENDING)
        file = _file(self.actor, key)
        require(self.actor, act_of(file.profile))
        if request.META.get("CONTENT_LENGTH", "") not in ("", "0"):
            body = body_of(request, ("policy", "correct"))
            policy = body.get("policy", str(file.options.get("policy", "ALL")).lower())
            correct = body.get("correct", bool(file.options.get("correct", False)))
            problems = _choice_problems(policy, correct)
            if problems:
                raise Rejected(problems)
            choose(file, self.actor, policy=policy.upper(), correct=correct)
        return _started(self.actor, file, "COMMIT")


def _choice_problems(policy: Any, correct: Any) -> list[Problem]:
    """A policy that is none, or a `correct` that is not true or false: nothing is overwritten on a guess."""
    found = []
    if policy not in ("all", "good"):
        said = T("“policy” is all or good.", "“policy”应为 all 或 good。")
        found.append(Problem("policy", "not_in_list", said, str(policy)[:40], "all, good"))
    if not isinstance(correct, bool):
        said = T("“correct” must be true or false.", "“correct”应为 true 或 false。")
        found.append(Problem("correct", "unreadable", said, str(correct)[:40], "true, false"))
    return found


class ImportReportView(ApiView):
    """The outcome of every row of a file."""

    tag = "imports"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Report of every row", "逐行报告", list_of(ANY), formats=True)}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {
        "GET": (Param("format", "json, ndjson or csv.", "json、ndjson 或 csv。"),)
    }

    def get(self, request: Request, key: str) -> HttpResponseBase:
        """In the order of the file, streamed."""
        file, wanted = _file(self.actor, key), format_of(request.query_params)
        lines = (
            csv_lines(self.actor, file)
            if wanted == "csv"
            else json_lines(self.actor, file, wanted != "ndjson")
        )
        kind = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}.get(
            wanted, "application/json"
        )
        return StreamingHttpResponse(lines, content_type=kind)


class ImportProfilesView(ApiView):
    """The mapping profiles."""

    tag = "imports"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Mapping profiles", "映射方案", list_of(ANY))}

    def get(self, request: Request) -> HttpResponse:
        """Each with its columns."""
        every = [*PROFILES.values(), *(of_form(name) for name in ANY_FORM)]
        rows = [
            {
                "name": one.name,
                "title": {"en": one.en, "zh": one.zh},
                "layout": one.layout,
                "needs": [list(names) for names in one.needs],
                "columns": {item: list(names) for item, names in {**one.columns, **one.shared}.items()},
                "tests": sorted(one.tests),
            }
            for one in every
        ]
        return json_answer(dumps(rows))


def problem_of(refused: FileRefused) -> ApiProblem:
    """A file that is refused as a whole, as a problem."""
    kind = "too_large" if refused.code == "too_large" else "rejected"
    error = {"code": refused.code, "detail": refused.message, "limit": refused.limit}
    return ApiProblem(kind, refused.message, [error])


def _chosen(request: Request) -> dict[str, str]:
    """The choices from the query string and the fields of a multipart body."""
    sent = {name: str(value) for name, value in request.query_params.items()}
    if request.content_type.startswith("multipart/"):
        fields: Any = request.data
        sent |= {name: str(fields[name]) for name in CHOICES if name in fields}
    return sent


def _receive(request: Request, path: Path) -> str:
    """The file's bytes into `path`; answers the name that came with it. Raises FileRefused."""
    given: Any = request.data
    name = "file"
    if not hasattr(given, "read") and not request.content_type.startswith("multipart/"):
        raise empty_file()
    if request.content_type.startswith("multipart/"):
        given = request.FILES.get("file")
        if given is None:
            raise FileRefused("no_file", "Send the file in the field “file”.", "请将文件放在字段 file 中。")
        name = given.name
    with path.open("wb") as out:
        while block := given.read(1 << 20):
            out.write(block)
    return str(name)


def _options(sent: Mapping[str, str]) -> Options:
    return Options(
        policy=_policy(sent.get("policy", "")),
        correct=_yes(sent, "correct", False),
        subject_map=parse_map(sent.get("subject_map", "")),
        ignore=tuple(name.strip() for name in sent.get("ignore", "").split(",") if name.strip()),
        sheet=sent.get("sheet", "")[:80],
    )


def _policy(text: str) -> Literal["ALL", "GOOD"]:
    if text.lower() not in ("", "all", "good"):
        raise FileRefused("choice", "“policy” is all or good.", "“policy”应为 all 或 good。", "all, good")
    return "GOOD" if text.lower() == "good" else "ALL"


def _yes(sent: Mapping[str, str], name: str, default: bool) -> bool:
    text = sent.get(name, "").lower()
    if text in ("", "true", "false", "1", "0"):
        return default if text == "" else text in ("true", "1")
    raise FileRefused("choice", f"“{name}” is true or false.", f"“{name}”应为 true 或 false。", "true, false")


def _site(by: Actor, code: str) -> Site:
    sites = Site.objects.filter(pk__in=by.sites)
    found = list(sites.filter(code=code) if code else sites)
    if code and not found:
        raise NotFound
    if len(found) != 1:
        raise FileRefused("site", "Say for which site the file is: site=01.", "请指明文件所属中心:site=01。")
    return found[0]


def _file(by: Actor, key: str) -> ImportFile:
    if not is_uuid(key):
        raise NotFound
    return file_of(by, key)


def _started(by: Actor, file: ImportFile, wish: str) -> HttpResponse:
    job = start(file, by, wish)
    file = file_of(by, file.pk)
    if file.state == "FAILED" and job is None:
        said = T(file.failure["en"], file.failure["zh"])
        error = {"code": file.failure["code"], "detail": said, "limit": file.failure.get("limit", "")}
        raise ApiProblem("rejected", said, [error], file=str(file.pk))
    return _answer(by, file, 202 if job is not None else 201)


def _answer(by: Actor, file: ImportFile, status: int = 200) -> HttpResponse:
    document = told(file, by)
    response = json_answer(dumps(document), status)
    if status != 200:
        response["Location"] = f"/api/v1/imports/{file.pk}/"
    if document["busy"]:
        response["Retry-After"] = "2"
    return response
