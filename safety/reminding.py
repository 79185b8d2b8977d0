"""Reminding of the clocks of serious events: found in the database, remembered by the outbox, told by e-mail.

A run may be lost, killed or repeated. The row of a step and its note in the outbox are written in one transaction, and the
unique key lets each step in once. A mail is sent while its note is held and the note removed with the mark that it was
sent: a kill in between can send a mail again, never lose one.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import connection
from django.db.models import F, Q
from django.utils.translation import override

from safety.adverse_events import AdverseEvent
from safety.binding import binding
from safety.casebook import casebooks
from safety.clocks import Clock, clocks, roles_for, step_reached
from safety.reminder import Reminder
from trial import audit
from trial.access import Actor
from trial.audit_sql import REMIND
from trial.dates import utc_now
from trial.faults import places
from trial.models import Assignment, Outbox, Person
from trial.people import today_somewhere
from trial.protocol import Protocol
from trial.text import T

log = logging.getLogger(__name__)
_LOCK = 20_260_502
"""One run at a time looks which steps were reached."""


def running() -> Q:
    """The serious events of which a clock may still run."""
    told = Q(serious=True, retracted=False, not_done=False)
    return told & (Q(sae_report_dt=None) | (Q(susar_submitted_dt=None) & ~Q(susar=False)))


def clocks_of(
    subject_ids: Iterable[UUID], now: datetime
) -> Iterator[tuple[AdverseEvent, Clock, Protocol, int]]:
    """Every clock of these subjects with its event, the protocol that binds, and the site."""
    for book in casebooks(list(subject_ids), (AdverseEvent,), now):
        protocol = binding(book)
        for event in book.of(AdverseEvent):
            for clock in clocks(event, protocol):
                yield event, clock, protocol, book.site.id


def remind(by: Actor, now: datetime | None = None) -> int:
    """Write a reminder for the newest step that each running clock has reached. Returns how many are new."""
    now = now or utc_now()
    with audit.transaction(by, "a deadline came nearer"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        wanted = list(_wanted(now))
        there = set(
            Reminder.objects.filter(record_id__in={one.record_id for one in wanted}).values_list(
                "record_id", "clock", "step"
            )
        )
        fresh = [one for one in wanted if (one.record_id, one.clock, one.step) not in there]
        for one in fresh:
            one.save(force_insert=True)
        owed = {one.subject_id for one in fresh}
        told = {"topic": REMIND, "actor_id": by.person_id, "created_at": utc_now(), "attempts": 0}
        Outbox.objects.bulk_create([Outbox(subject_id=subject, **told) for subject in owed])
    return len(fresh)


def _wanted(now: datetime) -> Iterator[Reminder]:
    subjects = set(AdverseEvent.objects.filter(running()).values_list("subject_id", flat=True))
    if not subjects:
        return
    for event, clock, protocol, site in clocks_of(sorted(subjects), now):
        reached = step_reached(clock, protocol, now)
        if reached is not None:
            step, at = reached
            yield Reminder(
                subject_id=event.subject_id,
                site_id=site,
                record_id=event.pk,
                clock=clock.kind,
                step=step,
                due_at=clock.due,
                reached_at=at,
                roles=list(roles_for(step, protocol)),
            )


def send(by: Actor, limit: int = 500) -> int:
    """Send what the outbox remembers. Returns how many notes were done; one that fails is tried again at the next run."""
    done, failed = 0, list[int]()
    for _ in range(limit):
        note = None
        try:
            with audit.transaction(by, "reminded by e-mail"):
                note = _take(failed)
                if note is None:
                    break
                _send(note.subject_id)
                Outbox.objects.filter(pk=note.pk).delete()
        except Exception as fault:
            if note is None:
                raise
            log.error("a reminder could not be sent; it stays in the outbox: %s", places(fault))
            Outbox.objects.filter(pk=note.pk).update(attempts=F("attempts") + 1)
            failed.append(note.pk)
        else:
            done += 1
    return done


def _take(but: list[int]) -> Outbox | None:
    notes = Outbox.objects.select_for_update(skip_locked=True).filter(topic=REMIND).exclude(pk__in=but)
    return notes.order_by("attempts", "id").first()


def _send(subject_id: UUID) -> None:
    """One mail to each person for all that a subject's clocks owe; it names nobody and no value."""
    waiting = list(Reminder.objects.select_for_update().filter(subject_id=subject_id, mailed_at=None))
    owed: dict[int, int] = {}
    people: dict[int, Person] = {}
    for one in waiting:
        told = addressees(one)
        people |= {person.pk: person for person in told}
        for person in told:
            owed[person.pk] = owed.get(person.pk, 0) + 1
        one.mailed_at, one.mailed_to = utc_now(), len(told)
        one.save(force_update=True)
    mails = [_mail(people[key], number) for key, number in owed.items()]
    if mails:
        get_connection().send_messages(mails)


def addressees(reminder: Reminder) -> list[Person]:
    """The people who hold one of its roles today, at its site or at all."""
    day = today_somewhere()
    held = Assignment.objects.select_related("person").filter(
        Q(site_id=reminder.site_id) | Q(site=None),
        Q(valid_to=None) | Q(valid_to__gte=day),
        role__in=reminder.roles,
        valid_from__lte=day,
        person__is_active=True,
    )
    return list({one.person_id: one.person for one in held.order_by("person_id")}.values())


def _mail(person: Person, number: int) -> EmailMessage:
    with override(person.language):
        subject = str(T(f"You have {number} item(s) to attend to", f"您有 {number} 项待办"))
        body = str(T("Sign in to see it:", "请登录系统查看:"))
    return EmailMessage(subject, f"{body} {settings.PUBLIC_URL}/safety\n", to=[person.email])
