"""Laboratories of the token's sites, and what they call normal."""

from typing import ClassVar

from django.http import HttpResponseBase
from rest_framework.request import Request

from exchange.filters import PAGING, SITE, where_of
from exchange.lists import listing
from exchange.operation import Op
from exchange.schemas import ANY, list_of
from exchange.shapes import LABORATORIES, REFERENCE_RANGES
from exchange.view import ApiView, Param


class LaboratoriesView(ApiView):
    """Laboratories with their days; one of a site may be its default."""

    tag = "laboratories"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Laboratories", "实验室", list_of(ANY), formats=True)}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {"GET": (SITE.param, *PAGING)}

    def get(self, request: Request) -> HttpResponseBase:
        """The laboratories, in pages or as a stream."""
        where = where_of((SITE,), request.query_params)
        return listing(request, self.actor, LABORATORIES, where, "laboratories")


class ReferenceRangesView(ApiView):
    """Reference ranges by laboratory, result, sex and age, each from one day to another."""

    tag = "laboratories"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Reference ranges", "参考范围", list_of(ANY), formats=True)}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {"GET": (SITE.param, *PAGING)}

    def get(self, request: Request) -> HttpResponseBase:
        """The ranges, in pages or as a stream."""
        where = where_of((SITE,), request.query_params)
        return listing(request, self.actor, REFERENCE_RANGES, where, "reference-ranges")
