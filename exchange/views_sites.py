"""The sites: read them; the data manager enters one and corrects it."""

from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase
from rest_framework.request import Request

from entry.site_door import save_site
from entry.verdicts import NotFound, Rejected, Saved
from exchange import sql
from exchange.filters import PAGING
from exchange.incoming import MOST_REASON
from exchange.lists import doubts_of, listing, versions_answer, with_more
from exchange.operation import Op
from exchange.schemas import ANY, list_of, versions_ref
from exchange.shapes import SITES
from exchange.sql import Where
from exchange.view import ApiView, Param, body_of, json_answer, seen_version, text_header
from trial.access import Act, Actor
from trial.answers import read
from trial.findings import Problem
from trial.item import items
from trial.models import Site
from trial.site_checks import DEFAULT_ZONE
from trial.text import T

_NAMES = tuple(items(Site))
SITE_BODY: dict[str, Any] = {
    "type": "object",
    "properties": {
        **{
            name: {
                "type": ["string", "null"] if name.endswith("_date") else "string",
                "description": f"{meaning.en} / {meaning.zh}",
                **({"format": "date"} if name.endswith("_date") else {}),
                **({"pattern": "^[0-9]{2,4}$"} if name == "code" else {}),
            }
            for name, meaning in items(Site).items()
        },
        "reason": {"type": "string"},
    },
    "additionalProperties": False,
}


class SitesView(ApiView):
    """The token's sites."""

    tag = "subjects"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Sites", "中心", list_of(ANY), formats=True),
        "POST": Op("Enter a site", "录入中心", ANY, SITE_BODY, 201),
    }
    acts: ClassVar[dict[str, Act]] = {"POST": Act.STUDY}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {"GET": PAGING}

    def get(self, request: Request) -> HttpResponseBase:
        """The sites within the token's scope."""
        return listing(
            request, self.actor, SITES, Where(("f.id = ANY(%s)",), (list(self.actor.sites),)), "sites"
        )

    def post(self, request: Request) -> HttpResponse:
        """A new site, for whoever works at every site."""
        site = Site()
        reason = _fill(site, request)
        response = _answer(self.actor, save_site(site, by=self.actor, reason=reason), 201)
        response["Location"] = f"{request.path}{site.code}/"
        return response


class SiteView(ApiView):
    """One site, by its number."""

    tag = "subjects"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("One site", "单个中心", ANY),
        "PATCH": Op(
            "Correct what is sent", "更正所发送的项目", ANY, SITE_BODY, 200, ("If-Match", "X-Reason")
        ),
    }
    acts: ClassVar[dict[str, Act]] = {"PATCH": Act.STUDY}

    def get(self, request: Request, code: str) -> HttpResponse:
        """The site with its version as ETag."""
        return _row(self.actor, _site(self.actor, code).pk, 200)

    def patch(self, request: Request, code: str) -> HttpResponse:
        """Change only what is sent, on the version in If-Match, with a reason."""
        site, seen = _site(self.actor, code), seen_version(request)
        reason = _fill(site, request)
        return _answer(self.actor, save_site(site, by=self.actor, reason=reason, seen=seen), 200)


class SiteHistoryView(ApiView):
    """Every version of one site."""

    tag = "subjects"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Every version of the site", "该中心的全部版本", versions_ref)}

    def get(self, request: Request, code: str) -> HttpResponse:
        """The versions, oldest first."""
        return versions_answer(self.actor, Site, _site(self.actor, code).pk)


def _site(actor: Actor, code: str) -> Site:
    site = Site.objects.filter(code=code[:4], pk__in=actor.sites).first() if len(code) <= 4 else None
    if site is None:
        raise NotFound
    return site


def _fill(site: Site, request: Request) -> str:
    """Set what was sent on the site; answers the reason. Raises Rejected."""
    body = dict(body_of(request, (*_NAMES, "reason")))
    reason = body.pop("reason", None) or text_header(request, "X-Reason")
    if not isinstance(reason, str) or len(reason) > MOST_REASON:
        said = T(
            f"“reason” is a text of at most {MOST_REASON} characters.",
            f"“reason”应为不超过 {MOST_REASON} 个字符的文本。",
        )
        raise Rejected([Problem("reason", "unreadable", said)])
    reading = read(Site, body, DEFAULT_ZONE)
    if reading.problems:
        raise Rejected(list(reading.problems))
    for name, value in reading.values.items():
        setattr(site, name, value.strip() if isinstance(value, str) else value)
    return reason


def _answer(actor: Actor, saved: Saved, status: int) -> HttpResponse:
    return _row(actor, saved.record.pk, status, doubts_of(saved))


def _row(actor: Actor, key: int, status: int, doubts: list[dict[str, Any]] | None = None) -> HttpResponse:
    found = sql.one(actor, SITES, Where(("f.id = %s",), (key,)))
    if found is None:
        raise NotFound
    body, version = found
    return json_answer(
        with_more(body, doubts=doubts) if doubts is not None else body, status, ETag=f'"{version}"'
    )
