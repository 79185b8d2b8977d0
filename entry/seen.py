"""The version of a record that the writer of a page looked at, as the page sent it back."""

from django.http import QueryDict


def seen_of(post: QueryDict) -> int:
    """The number in `seen`; 0, which no record has, when it is missing or none of ours: the door then finds it stale."""
    text = post.get("seen", "")
    return int(text) if text.isdecimal() and len(text) < 9 else 0
