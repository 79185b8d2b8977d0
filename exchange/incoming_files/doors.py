"""The two doors that a file's records go through: the bulk door for a subject's forms, the study's door for its own.

Both say the same six things of a record; `door_of` chooses by the form.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol
from uuid import UUID

from entry import bulk, study_door
from entry.door import examine, judge
from exchange.incoming_files.profile import Profile
from subjects.crf import StudyForm, Subject
from trial.access import Actor
from trial.findings import Problem
from trial.models import Site

AT_ONCE = 400


class Door(Protocol):
    """What a file's rows become records through. `owner` is whose record it is: a subject, or the study at a site."""

    def owners(self, keys: Sequence[str]) -> Mapping[str, Any]:
        """Whose records these are, by the key of the stage."""

    def held(self, keys: Sequence[str]) -> AbstractContextManager[Mapping[str, Any]]:
        """The same, and nobody else writes their records until the transaction ends."""

    def stored(self, form: Any, owners: Iterable[Any]) -> Any:
        """The stored records of a form, as a queryset."""

    def belongs(self, record: Any, owner: Any) -> None:
        """Say on the record whose it is."""

    def examine(self, record: Any, before: Any, owner: Any) -> list[Problem]:
        """Make the record ready and say what refuses it."""

    def insert(self, records: Sequence[Any]) -> Mapping[Any, int]:
        """Save examined new records of one form; answers the queries each opened, by id."""

    def update(self, changed: Sequence[tuple[Any, Any]]) -> Mapping[Any, int]:
        """Save examined corrections of one form, each with what stood; answers how many queries stand for each, by id."""


class SubjectDoor:
    """Forms of subjects; see entry.bulk."""

    def __init__(self, by: Actor, reason: str) -> None:
        self.by, self.reason = by, reason
        self.near: bulk.Neighbourhood | None = None

    def owners(self, keys: Sequence[str]) -> Mapping[str, Any]:
        """The subjects by id."""
        found: dict[str, Subject] = {}
        for start in range(0, len(keys), AT_ONCE):
            some = Subject.objects.filter(pk__in=keys[start : start + AT_ONCE])
            found |= {str(one.pk): one for one in some}
        return found

    @contextmanager
    def held(self, keys: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        """The subjects by id, their rows locked."""
        with bulk.subjects_locked((UUID(key) for key in keys), self.by) as people:
            yield {str(key): one for key, one in people.items()}

    def stored(self, form: Any, owners: Iterable[Any]) -> Any:
        """Those subjects' records."""
        return form._default_manager.filter(subject_id__in={one.pk for one in owners})

    def belongs(self, record: Any, owner: Any) -> None:
        """Subject and site."""
        record.subject, record.site_id = owner, owner.site_id

    def examine(self, record: Any, before: Any, owner: Any) -> list[Problem]:
        """The checks of the door; records come subject by subject, so what is around one is read once."""
        if self.near is None or self.near.subject.pk != owner.pk:
            self.near = bulk.Neighbourhood(owner, self.near)
        return examine(record, before, self.reason, self.near)[0]

    def insert(self, records: Sequence[Any]) -> Mapping[Any, int]:
        """Many at once."""
        return bulk.insert(records, self.by)

    def update(self, changed: Sequence[tuple[Any, Any]]) -> Mapping[Any, int]:
        """Many at once, with their queries."""
        return bulk.update(changed, self.by)


class StudyDoor:
    """Forms of the study itself; see entry.study_door. They have no subject, so no query opens."""

    def __init__(self, by: Actor, reason: str, form: type[StudyForm], site: Site) -> None:
        self.by, self.reason, self.form, self.site = by, reason, form, site

    def owners(self, keys: Sequence[str]) -> Mapping[str, Any]:
        """The study at the file's site."""
        return {"": self.site}

    @contextmanager
    def held(self, keys: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        """Writers of this form at this site go one after another."""
        study_door.one_at_a_time(self.form, self.site.pk, by=self.by)
        yield self.owners(keys)

    def stored(self, form: Any, owners: Iterable[Any]) -> Any:
        """The site's records of the form."""
        return form._default_manager.filter(site_id=self.site.pk)

    def belongs(self, record: Any, owner: Any) -> None:
        """Its site."""
        record.site = owner

    def examine(self, record: Any, before: Any, owner: Any) -> list[Problem]:
        """The checks of the study's door."""
        return judge(record, before, self.reason)[0]

    def insert(self, records: Sequence[Any]) -> Mapping[Any, int]:
        """One by one: a committee meets some dozen times in a study."""
        for record in records:
            study_door.write(record, None)
        return {}

    def update(self, changed: Sequence[tuple[Any, Any]]) -> Mapping[Any, int]:
        """One by one, under the file's reason."""
        for record, before in changed:
            study_door.write(record, before)
        return {}


def door_of(profile: Profile, site: Site, by: Actor, reason: str) -> Door:
    """The door for the forms of a profile."""
    if profile.form is not None and issubclass(profile.form, StudyForm):
        return StudyDoor(by, reason, profile.form, site)
    return SubjectDoor(by, reason)
