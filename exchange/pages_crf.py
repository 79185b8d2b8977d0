"""The page of the blank annotated CRF."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from entry.signin import signed_in
from exchange.blank import blanks, digest
from trial.codes import MISSING
from trial.protocol import PROTOCOLS


@require_GET
@signed_in(None)
def crf_page(request: HttpRequest) -> HttpResponse:
    """Every form as empty boxes, with the names its fields have outside."""
    return render(
        request,
        "exchange/crf.html",
        {
            "forms": blanks(),
            "digest": digest(),
            "protocols": ", ".join(PROTOCOLS),
            "reasons": [f"{label} ({code})" for code, label in MISSING.choices],
        },
    )
