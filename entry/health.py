"""One address that says whether the system can work. It needs no sign-in and tells nothing of the study."""

import logging

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from trial.models import Outbox

log = logging.getLogger(__name__)


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 with the state of database, broker and outbox; 503 when nothing can be saved."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        waiting = Outbox.objects.count()
    except DatabaseError as error:
        log.error("health: database unreachable: %s", type(error).__name__)
        return JsonResponse(
            {"status": "down", "database": "down", "broker": _broker(), "outbox": None}, status=503
        )
    return JsonResponse({"status": "ok", "database": "ok", "broker": _broker(), "outbox": waiting})


def _broker() -> str:
    """Whether the doorbell rings. Without it saving goes on and flags come with the next sweep."""
    import redis

    try:
        client = redis.Redis.from_url(
            settings.REDIS_URL.replace("redis+socket://", "unix://", 1), socket_timeout=1
        )
        with client:
            client.ping()
    except (redis.RedisError, OSError, ValueError):
        return "down"
    return "ok"
