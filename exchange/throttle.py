"""So many requests a minute per token. The count lives in the cache; without the cache everybody may pass."""

import logging
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

log = logging.getLogger(__name__)

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
REST_AFTER_FAILURE = 5.0
_resting_until = 0.0


def rate() -> tuple[int, int]:
    """The allowed number of requests and the length of a window in seconds, from the settings."""
    configured: Any = settings.REST_FRAMEWORK
    number, _, period = configured["DEFAULT_THROTTLE_RATES"]["token"].partition("/")
    return int(number), SECONDS[period[:1]]


class PerToken(BaseThrottle):
    """A fixed window per token. A cache that does not answer is logged and left alone for a few seconds."""

    left = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether this request is within the token's rate."""
        if request.auth is None:
            return True
        most, period = rate()
        now = time.time()
        self.left = period - now % period
        return _count(f"api:{request.auth.pk[:32]}:{int(now // period)}", period) <= most

    def wait(self) -> float:
        """Seconds until the next window: the answer's Retry-After."""
        return self.left


def _count(key: str, period: int) -> int:
    """How many requests the window has seen with this one; 0 when the cache is down."""
    global _resting_until
    if time.monotonic() < _resting_until:
        return 0
    try:
        cache.add(key, 0, timeout=period + 1)
        return cache.incr(key)
    except ValueError:  # the window ended between the two
        return 0
    except (RedisError, OSError) as error:
        _resting_until = time.monotonic() + REST_AFTER_FAILURE
        log.warning("cache unreachable, requests are not counted: %s", type(error).__name__)
        return 0
