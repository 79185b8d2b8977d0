"""What there is to know before asking: dictionary, rules, protocol numbers, kinds of problems; schema and its page."""

from functools import lru_cache
from typing import ClassVar

from django.http import HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request

from exchange import catalogue
from exchange.filters import format_of
from exchange.jsontext import dumps
from exchange.operation import Op
from exchange.schemas import ANY, list_of
from exchange.view import ApiView, Param, json_answer

CSV = Param(
    "format", "json or csv.", "json 或 csv。", {"type": "string", "enum": ["json", "csv"], "default": "json"}
)
BOM = Param(
    "bom",
    "With csv, 1 adds a byte order mark.",
    "csv 时取 1 加 BOM。",
    {"type": "string", "enum": ["0", "1"]},
)


class DictionaryView(ApiView):
    """The data dictionary."""

    tag = "catalogue"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Data dictionary", "数据字典", list_of(ANY), formats=True)}
    params: ClassVar[dict[str, tuple[Param, ...]]] = {"GET": (CSV, BOM)}

    def get(self, request: Request) -> HttpResponse:
        """Every form and item: names, labels, types, units, ranges, codes, conditions."""
        wanted = format_of(request.query_params)
        if wanted in ("json", "ndjson"):
            return json_answer(catalogue.dictionary_json())
        mark = "\ufeff" if wanted == "csv+bom" else ""
        response = HttpResponse(mark + catalogue.dictionary_csv(), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="dictionary.csv"'
        return response


class RulesView(ApiView):
    """The deviation rules."""

    tag = "catalogue"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Deviation rules", "偏离规则", list_of(ANY))}

    def get(self, request: Request) -> HttpResponse:
        """Every rule: id, title, text, citation, basis, severity, forms it reads."""
        return json_answer(catalogue.rules_json())


class ProtocolView(ApiView):
    """The protocol's numbers."""

    tag = "catalogue"
    ops: ClassVar[dict[str, Op]] = {
        "GET": Op("Protocol numbers with sources", "方案数值及出处", list_of(ANY))
    }

    def get(self, request: Request) -> HttpResponse:
        """Every version of the protocol with each number and where it comes from."""
        return json_answer(catalogue.protocol_json())


class OpenView(ApiView):
    """An address that needs no token: it tells nothing of the data."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    public = True


class ProblemsView(OpenView):
    """The kinds of problems."""

    tag = "catalogue"
    ops: ClassVar[dict[str, Op]] = {"GET": Op("Kinds of problems", "错误类型", list_of(ANY))}

    def get(self, request: Request) -> HttpResponse:
        """Each kind with its status and title."""
        return json_answer(catalogue.problems_json())


class SchemaView(OpenView):
    """The OpenAPI document."""

    def get(self, request: Request) -> HttpResponse:
        """OpenAPI 3.1, JSON; labels and descriptions in both languages."""
        return HttpResponse(schema_json(), content_type="application/vnd.oai.openapi+json")


@lru_cache(maxsize=1)
def schema_json() -> bytes:
    """The OpenAPI document; it changes only with the code."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    document = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return dumps(document).encode()


class DocsView(OpenView):
    """Swagger UI from our own server: no inline script, no inline style, nothing from elsewhere."""

    def get(self, request: Request) -> HttpResponse:
        """The page; it reads the schema, and keeps a token only while it is open."""
        base = "drf_spectacular_sidecar/swagger-ui-dist/"
        files = {"css": "swagger-ui.css", "bundle": "swagger-ui-bundle.js", "icon": "favicon-32x32.png"}
        values = {name: static(base + file) for name, file in files.items()}
        return render(request._request, "exchange/docs.html", values)
