"""Background work: asked for by a person, done within that person's sites, once, whatever dies on the way.

A job is a row. A worker takes it with SKIP LOCKED and holds it by a lease that a thread of its own prolongs; when the
worker dies, the lease runs out and the next worker starts the job anew. The end is written only by the attempt that
still holds the job, and `Work.transaction` writes it together with the job's own changes: so an effect happens once.

A new kind of job is a `Kind` in exchange.job_kinds: `check` reads the parameters, `work` does the work.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.db.models.functions import Now
from django.http import Http404
from django.utils import translation

from entry.door import NotFound, Rejected
from exchange import bell, files
from exchange.job import Job
from trial import audit
from trial.access import ROLES, Act, Actor, Forbidden, require
from trial.dates import utc_now
from trial.faults import places
from trial.fields import uuid7
from trial.people import actor_for
from trial.text import T, both

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
BEAT = 2.0
MAX_ATTEMPTS = 3
PAUSE = timedelta(seconds=10)
KEPT = timedelta(days=7)
SPACE = UUID("6b1e0a52-7c1e-5d0e-8f0b-19c0ffee0019")


class JobRefused(Exception):
    """The job cannot be done, and trying again would not help. `message` says why, in both languages."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__("refused")


class Lost(Exception):
    """Another worker has taken the job over: what this attempt did is rolled back."""


class OtherBody(Exception):
    """The same key came with other parameters."""


@dataclass(frozen=True)
class Kind:
    """A kind of job: its name, who may ask for it, and what it does.

    `check(by, parameters)` gives the parameters as they are kept (JSON), or raises Rejected, NotFound or Forbidden.
    `work(work)` does it; it may raise JobRefused.
    """

    code: str
    en: str
    zh: str
    act: Act
    check: Callable[[Actor, Mapping[str, Any]], dict[str, Any]]
    work: Callable[["Work"], None]

    @property
    def label(self) -> str:
        """The kind's name in the active language."""
        return T(self.en, self.zh)


class Work:
    """One attempt at a job, as the function of its kind sees it."""

    def __init__(self, job: Job, by: Actor) -> None:
        self.job, self.by = job, by
        self.ended = False
        self._over = threading.Event()

    @property
    def parameters(self) -> dict[str, Any]:
        """What `Kind.check` kept."""
        return dict(self.job.parameters)

    def progress(self, done: int, total: int) -> None:
        """How far it is, in units of the work's own. Costs nothing: a thread writes it down every two seconds."""
        self.job.done, self.job.total = done, total

    @contextmanager
    def file(self, name: str, media_type: str) -> Iterator[IO[bytes]]:
        """The file to hand over, under the name that the person sees."""
        path = files.output(self.job.pk, self.job.attempts)
        with files.whole(path) as out:
            yield out
        with path.open("rb") as made:
            self.job.sha256, self.job.size = files.digest(made)
        self.job.name, self.job.media_type = name[:200], media_type

    @contextmanager
    def transaction(self, reason: str = "") -> Iterator[None]:
        """One attributed write that commits together with the end of the job. Call it once, as the last step."""
        with audit.transaction(self.by, reason):
            yield
            self._write_end()
        self.ended = True

    def end(self) -> None:
        """Write that it is done, unless `transaction` has. Raises Lost."""
        if not self.ended:
            with transaction.atomic():
                self._write_end()
            self.ended = True

    def _write_end(self) -> None:
        job = self.job
        fields = ("done", "total", "result", "name", "media_type", "size", "sha256")
        mine = Job.objects.filter(pk=job.pk, state="RUNNING", attempts=job.attempts)
        kept = {name: getattr(job, name) for name in fields}
        if not mine.update(state="DONE", finished_at=Now(), **kept):
            raise Lost

    @contextmanager
    def held(self) -> Iterator[None]:
        """Prolong the lease and write the progress down while the body runs."""
        keeper = threading.Thread(target=self._keep, name="lease", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            self._over.set()
            keeper.join()

    def _keep(self) -> None:
        """On a connection of its own: the work's may be inside a long transaction."""
        own: Any = None
        try:
            while not self._over.wait(BEAT):
                own = own or connection.copy()
                with own.cursor() as cursor:
                    cursor.execute(
                        "UPDATE exchange_job SET due_at = now() + %s, done = %s, total = %s"
                        " WHERE id = %s AND state = 'RUNNING' AND attempts = %s",
                        [LEASE, self.job.done, self.job.total, self.job.pk, self.job.attempts],
                    )
        except Exception as fault:
            log.error("the lease of job %s could not be prolonged: %s", self.job.pk, places(fault))
        finally:
            if own is not None:
                own.close()


def ask(kind: Kind, by: Actor, parameters: Mapping[str, Any], *, key: str = "") -> Job:
    """Ask for a job. With a `key` (Idempotency-Key) at most one is made, in the role that the person acts in.

    Raises what the kind's `check` raises, Forbidden, and OtherBody when the key came before with something else.
    """
    require(by, kind.act)
    checked = kind.check(by, parameters)
    number = uuid5(SPACE, f"{by.person_id}:{key}") if key else uuid7()
    now = utc_now()
    job = Job(
        id=number,
        kind=kind.code,
        person_id=by.person_id,
        role=by.role,
        sites=list(by.sites),
        language=translation.get_language() or "en",
        request_id=by.request_id,
        parameters=checked,
        created_at=now,
        due_at=now,
        expires_at=now + KEPT,
    )
    with transaction.atomic():
        Job.objects.bulk_create([job], ignore_conflicts=True)
        stands = Job.objects.get(pk=number)
        if (stands.kind, stands.role, stands.parameters) != (job.kind, job.role, job.parameters):
            raise OtherBody
        bell.ring()
    return stands


def of(by: Actor) -> Any:
    """The jobs that this actor asked for and may still see: in the same role, at sites all still in scope."""
    return Job.objects.filter(person_id=by.person_id, role=by.role, sites__contained_by=list(by.sites))


def one(by: Actor, key: UUID) -> Job:
    """A job of this actor. Raises NotFound, for somebody else's as for none."""
    job = of(by).filter(pk=key).first()
    if job is None:
        raise NotFound
    return job  # type: ignore[no-any-return]


def drain(kinds: Mapping[str, Kind], limit: int = 100) -> int:
    """Take and do jobs until none is due. Returns how many were tried."""
    tried = 0
    while tried < limit and (job := _take()) is not None:
        _attempt(job, kinds)
        tried += 1
    return tried


def _take() -> Job | None:
    with transaction.atomic():
        waiting = Job.objects.select_for_update(skip_locked=True).filter(
            state__in=("WAITING", "RUNNING"), due_at__lte=Now()
        )
        job = waiting.order_by("attempts", "created_at").first()
        if job is None:
            return None
        Job.objects.filter(pk=job.pk).update(
            state="RUNNING",
            attempts=job.attempts + 1,
            due_at=Now() + LEASE,
            started_at=Now(),
            done=0,
            total=0,
        )
        job.refresh_from_db()
        return job


def _attempt(job: Job, kinds: Mapping[str, Kind]) -> None:
    """One try. What cannot be helped fails at once, everything else is tried again a little later."""
    try:
        if job.attempts > MAX_ATTEMPTS:
            raise JobRefused(_GIVEN_UP)
        kind, by = kinds[job.kind], _actor(job)
        require(by, kind.act)
        work = Work(job, by)
        with translation.override(job.language), work.held():
            kind.work(work)
            work.end()
    except Lost:
        log.warning("job %s was taken over by another worker", job.pk)
    except (JobRefused, Forbidden, NotFound, Http404, Rejected) as error:
        _fail(job, _words(error))
    except Exception as fault:
        log.error("job %s failed: %s", job.pk, places(fault))
        if job.attempts < MAX_ATTEMPTS:
            mine = Job.objects.filter(pk=job.pk, state="RUNNING", attempts=job.attempts)
            mine.update(state="WAITING", due_at=Now() + PAUSE * job.attempts)
        else:
            _fail(job, _GIVEN_UP)


def _actor(job: Job) -> Actor:
    """The person in the role and within the sites of the request, as far as they hold today. Raises JobRefused."""
    found = actor_for(job.person, job.role, job.request_id)
    sites = tuple(site for site in job.sites if found and site in found.sites)
    if found is None or found.role != job.role or not sites:
        raise JobRefused(
            T(
                f"The role “{ROLES[job.role].en}” in which this was asked for has ended.",
                f"提出该任务时的角色“{ROLES[job.role].zh}”已终止。",
            )
        )
    return Actor(found.person_id, found.role, sites, found.name, job.request_id)


_GIVEN_UP = T(
    "It failed three times. Ask again; if it fails again, give the job's number to the administrator.",
    "已连续三次失败。请重新提交;如仍失败,请将任务编号告知管理员。",
)
_NOTHING_THERE = T("What was asked for is not among your sites.", "所请求的内容不在您所属的中心范围内。")


def _words(error: Exception) -> str:
    if isinstance(error, Rejected):
        first = both(error.problems[0].message)
        return T(first["en"], first["zh"])
    return getattr(error, "message", _NOTHING_THERE)


def _fail(job: Job, message: str) -> None:
    mine = Job.objects.filter(pk=job.pk, state="RUNNING", attempts=job.attempts)
    mine.update(state="FAILED", problem=both(message), finished_at=Now())


def expire() -> int:
    """Remove the files of jobs that are over and past their time; returns how many."""
    old = Job.objects.filter(state__in=("DONE", "FAILED"), expires_at__lte=Now())
    removed = 0
    for key in old.values_list("pk", flat=True)[:1000]:
        files.remove(key)
        removed += old.filter(pk=key).update(state="EXPIRED")
    return removed
