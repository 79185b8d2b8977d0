"""A coordinator's browser without a window: what a page's form would send."""

import html
import re
from typing import Any

from trial import audit


def boxes(answer: Any) -> dict[str, Any]:
    """Every box of the entry form of a page with what it would send, as a browser would."""
    text = answer.content.decode()
    form = text[text.index('id="form"') : text.index("</form>", text.index('id="form"'))]
    sent: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = {k: html.unescape(v) for k, v in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if attributes.get("type") in ("radio", "checkbox") and " checked" not in tag:
            continue
        if "name" in attributes:
            sent.setdefault(attributes["name"], []).append(attributes.get("value", ""))
    for name, inside in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', form, re.S):
        sent.setdefault(name, []).append(html.unescape(inside))
    for name, inside in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', inside)
        sent.setdefault(name, []).append(html.unescape(chosen[1]) if chosen else "")
    return {name: values if len(values) > 1 else values[0] for name, values in sent.items()}


def stored(li: Any, model: Any, **where: Any) -> Any:
    """The record as the database holds it."""
    with audit.reading(li):
        return model.objects.get(**where)
