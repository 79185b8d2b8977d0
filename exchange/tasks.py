"""What Celery runs for the jobs, in a worker of their own: a long file must not keep the rules waiting.

That worker is the web's role in the database, so row-level security holds a job to the sites of who asked for it.
"""

from celery import shared_task

from exchange import jobs
from exchange.job_kinds import KINDS


@shared_task(name="exchange.tasks.work", ignore_result=True)
def work() -> int:
    """Do the jobs that are due."""
    return jobs.drain(KINDS)


@shared_task(name="exchange.tasks.expire", ignore_result=True)
def expire() -> int:
    """Remove files past their time."""
    return jobs.expire()
