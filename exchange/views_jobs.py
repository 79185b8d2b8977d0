"""Jobs: ask for one (202), ask how far it is, fetch its file."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import FileResponse, HttpResponse
from rest_framework.request import Request

from entry.door import NotFound, Rejected
from exchange import jobs
from exchange.filters import is_uuid
from exchange.handing import file_of
from exchange.job import Job
from exchange.job_kinds import KINDS
from exchange.jsontext import dumps
from exchange.operation import Op
from exchange.schemas import ANY, list_of
from exchange.view import ApiView, body_of, json_answer, text_header
from exchange.writes import idempotency_key
from trial.findings import Problem
from trial.text import T, both

MOST = 100
RETRY_AFTER = 2
NEW_JOB = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "description": "What to do / 任务类型"},
        "parameters": {"type": "object", "description": "What the kind needs / 任务参数"},
    },
    "required": ["kind"],
    "additionalProperties": False,
}


def told(job: Job) -> dict[str, Any]:
    """A job as the API tells it."""
    kind = KINDS.get(job.kind)
    address = f"/api/v1/jobs/{job.pk}/"
    file = {"name": job.name, "media_type": job.media_type, "size": job.size, "sha256": job.sha256}
    return {
        "id": str(job.pk),
        "kind": job.kind,
        "title": both(kind.label) if kind else None,
        "parameters": job.parameters,
        "state": job.state,
        "progress": {"done": job.done, "total": job.total},
        "result": job.result,
        "problem": job.problem or None,
        "file": {**file, "address": f"{address}file/"} if job.has_file else None,
        **{
            name: moment.isoformat() if (moment := getattr(job, name)) else None
            for name in ("created_at", "started_at", "finished_at", "expires_at")
        },
    }


def answer_of(job: Job, status: int = 200) -> HttpResponse:
    """The job as a response; one that is not over says when to ask again."""
    response = json_answer(dumps(told(job)), status)
    if not job.over:
        response["Retry-After"] = str(RETRY_AFTER)
    return response


def _key(key: str) -> UUID:
    if not is_uuid(key):
        raise NotFound
    return UUID(key)


class JobsView(ApiView):
    """The jobs that this person asked for in this role."""

    tag = "jobs"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Your newest jobs", "您最近的任务", list_of(ANY)),
        "POST": Op("Ask for a job", "提交后台任务", ANY, NEW_JOB, 202, ("Idempotency-Key",)),
    }

    def get(self, request: Request) -> HttpResponse:
        """The newest hundred."""
        return json_answer(dumps([told(job) for job in jobs.of(self.actor).order_by("-created_at")[:MOST]]))

    def post(self, request: Request) -> HttpResponse:
        """202 with the job's address in Location; ask there until `state` is DONE or FAILED."""
        key = idempotency_key(text_header(request, "Idempotency-Key"))
        body = body_of(request, ("kind", "parameters"))
        kind, parameters = KINDS.get(str(body.get("kind"))), body.get("parameters", {})
        if kind is None or not isinstance(parameters, dict):
            raise Rejected([_unreadable(body) if kind else _no_kind(body)])
        job = jobs.ask(kind, self.actor, parameters, key=key)
        response = answer_of(job, 202)
        response["Location"] = f"{request.path}{job.pk}/"
        return response


def _no_kind(body: dict[str, Any]) -> Problem:
    known = ", ".join(KINDS)
    sent = str(body.get("kind", ""))[:40]
    said = T(f"There is no kind of job “{sent}”; known: {known}.", f"没有任务类型“{sent}”;可用:{known}。")
    return Problem("kind", "unknown_kind", said, sent, known)


def _unreadable(body: dict[str, Any]) -> Problem:
    said = T("“parameters” must be an object.", "“parameters” 应为对象。")
    return Problem("parameters", "not_an_object", said, str(body.get("parameters"))[:40])


class JobView(ApiView):
    """One job."""

    tag = "jobs"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("How far a job is", "任务进度", ANY)}

    def get(self, request: Request, key: str) -> HttpResponse:
        """State, progress, and the file's address once there is one."""
        return answer_of(jobs.one(self.actor, _key(key)))


class JobFileView(ApiView):
    """The file of a job."""

    tag = "jobs"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("The file a job made", "任务生成的文件", {"type": "string", "format": "binary"})
    }

    def get(self, request: Request, key: str) -> FileResponse:
        """The bytes; 404 while there are none, and after the file was removed."""
        return file_of(self.actor, _key(key))
