"""The mark of a review page that writes: it opens its own readings, and the site opens none around it."""

from collections.abc import Callable

from django.http import HttpResponse

View = Callable[..., HttpResponse]


def writes(view: View) -> View:
    """Mark a view that writes through review.queries."""
    view.writes = True  # type: ignore[attr-defined]
    return view
