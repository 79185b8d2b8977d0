"""Pages that refuse: the errors stand in one box that takes the focus, with links to what is wrong, and nothing typed is lost."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.entering import correct, enter
from tests.pages import stored
from tests.test_laboratories import laboratory, limits
from trial import audit
from visits.models import Chemistry, Laboratory

BOX = '<div class="errors" role="alert" tabindex="-1" id="errors">'


@pytest.fixture
def qian(actor: Any) -> Any:
    """The data manager, acting."""
    return actor("data_manager_qian")


def english(client: Any) -> Any:
    client.cookies["edc_language"] = "en"
    return client


def refused(answer: Any, status: int = 422) -> str:
    """The page of a refusal: one error box that can take the focus, every link of it leading to a box that is there."""
    page = answer.content.decode()
    assert answer.status_code == status and page.count(BOX) == 1, page
    inside = page.split(BOX)[1].split("</div>")[0]
    for target in re.findall(r'href="#([^"]+)"', inside):
        assert page.count(f'id="{target}"') == 1, target
    return page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "target"),
    [
        ({"act": "add_laboratory", "site": "01", "name": " "}, "lab-name"),
        ({"act": "add_laboratory", "site": "01", "name": "Ward", "valid_from": "soon"}, "lab-from"),
        (
            {"act": "add_range", "analyte": "alt", "unit": "stones", "low": "1", "valid_from": "2026-01-01"},
            "r-unit",
        ),
        (
            {"act": "add_range", "analyte": "alt", "unit": "U/L", "low": "x", "valid_from": "2026-01-01"},
            "r-low",
        ),
    ],
)
def test_a_refused_laboratory_or_range_leads_to_its_box(
    person_client: Any, qian: Any, site: Any, sent: dict[str, str], target: str
) -> None:
    central = laboratory(qian, site, "Central")
    page = english(person_client("data_manager_qian"))
    told = refused(page.post("/laboratories", {"laboratory": str(central.pk), **sent}))
    assert f'<a href="#{target}">' in told
    assert re.search(rf'id="{target}" aria-invalid="true"', told)
    chinese = person_client("data_manager_qian")
    assert "未作任何更改" in refused(chinese.post("/laboratories", {"laboratory": str(central.pk), **sent}))


@pytest.mark.django_db
def test_ending_a_laboratory_without_a_reason_keeps_the_day_that_was_typed(
    person_client: Any, qian: Any, site: Any
) -> None:
    central = laboratory(qian, site, "Central")
    page = english(person_client("data_manager_qian"))
    sent = {"act": "end_laboratory", "id": str(central.pk), "seen": "1", "last": "2026-03-05"}
    told = refused(page.post("/laboratories", sent))
    assert f'<a href="#why-{central.pk}">' in told and 'value="2026-03-05" ' in told.replace(">", " ")
    assert f'name="id" value="{central.pk}"' in told


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["laboratory", "range"])
def test_a_laboratory_or_range_changed_in_between_is_not_ended(
    person_client: Any, qian: Any, site: Any, kind: str
) -> None:
    central = laboratory(qian, site, "Central")
    one = central if kind == "laboratory" else limits(qian, central)
    page = english(person_client("data_manager_qian"))
    sent = {"act": f"end_{kind}", "id": str(one.pk), "seen": "1", "last": "2026-03-05", "reason": "closed"}
    assert page.post("/laboratories", sent).status_code == 302
    told = refused(page.post("/laboratories", {**sent, "last": "2026-04-05"}), 409)
    assert "you saw version 1" in told
    with audit.reading(qian):
        assert str(type(one).objects.get(pk=one.pk).valid_to) == "2026-03-05"


@pytest.fixture
def late(li: Any, qian: Any, site: Any, subject: Any) -> Any:
    """Two results that were entered before their range was known, in records of their own."""
    central = laboratory(qian, site, "Central", is_default=True)
    first = enter(subject, Chemistry, li, "D1", lb_dt="2026-01-05 08:00", alt="30", ast="20").record
    second = enter(subject, Chemistry, li, "D2", lb_dt="2026-01-06 08:00", alt="31").record
    limits(qian, central)
    return first, second


def ticked(page: str) -> dict[str, bool]:
    """The records of the page by what their box sends, and whether they are chosen."""
    boxes = re.findall(r'<input type="checkbox"[^>]*name="record" value="([^"]+)"([^>]*)>', page)
    return {value: " checked" in rest for value, rest in boxes}


@pytest.mark.django_db
def test_a_range_is_attached_to_the_version_that_was_looked_at(
    person_client: Any, li: Any, qian: Any, site: Any, late: Any
) -> None:
    first, second = late
    page = english(person_client("coordinator_li"))
    seen = [v for v in ticked(page.get("/laboratories/attach").content.decode()) if "chemistry/" in v]
    assert {f"chemistry/{one.pk}/1" for one in late} <= set(seen)
    correct(first, li, alt="33")
    with audit.reading(qian):
        central = Laboratory.objects.get(name="Central", site=site)
    limits(qian, central, "ast")
    told = page.post("/laboratories/attach", {"record": seen, "reason": "range known late"})
    said = refused(told, 409)
    assert "It was changed meanwhile (version 2, you saw 1)" in said and first.subject.subjid in said
    kept, given = stored(li, Chemistry, pk=first.pk), stored(li, Chemistry, pk=second.pk)
    assert (kept.version, kept.alt_value, kept.ast_uln) == (2, Decimal(33), None)
    assert (given.version, given.alt_uln) == (2, 50)
    assert str(second.pk) not in said


@pytest.mark.django_db
def test_a_choice_without_a_reason_stays_as_it_was_made(person_client: Any, li: Any, late: Any) -> None:
    first, second = late
    page = english(person_client("coordinator_li"))
    told = refused(page.post("/laboratories/attach", {"record": f"chemistry/{first.pk}/1", "reason": " "}))
    assert '<a href="#f-reason">' in told
    chosen = ticked(told)
    assert chosen[f"chemistry/{first.pk}/1"] and not chosen[f"chemistry/{second.pk}/1"]
    none = refused(page.post("/laboratories/attach", {"reason": "range known late"}))
    assert '<a href="#first">' in none
    assert {stored(li, Chemistry, pk=one.pk).version for one in late} == {1}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "odd", ["chemistry", "chemistry/x/1", "chemistry/{}", "chemistry/{}/x", "chemistry/{}/"]
)
def test_a_record_that_no_page_of_ours_names_is_not_found(
    person_client: Any, li: Any, late: Any, odd: str
) -> None:
    page = person_client("coordinator_li")
    sent = {"record": odd.format(late[0].pk), "reason": "range known late"}
    assert page.post("/laboratories/attach", sent).status_code == 404
    assert stored(li, Chemistry, pk=late[0].pk).version == 1


@pytest.mark.django_db
def test_a_record_that_has_its_ranges_by_now_is_named(person_client: Any, li: Any, late: Any) -> None:
    page = english(person_client("coordinator_li"))
    sent = {"record": f"chemistry/{late[0].pk}/1", "reason": "range known late"}
    assert page.post("/laboratories/attach", sent).status_code == 302
    assert "No range is to be attached to this record any more" in refused(
        page.post("/laboratories/attach", sent), 409
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "target"),
    [
        ({}, "file"),
        ({"file": "lab", "profile": "nothing"}, "profile"),
        ({"file": "lab", "profile": "lab_long", "subject_map": "map"}, "subject_map"),
    ],
)
def test_a_file_that_is_not_taken_says_where(person_client: Any, sent: dict[str, str], target: str) -> None:
    page = english(person_client("coordinator_li"))
    files = {
        "lab": lambda: SimpleUploadedFile("lab.csv", b"subject,visit\n"),
        "map": lambda: SimpleUploadedFile("map.csv", b"only one column\nx\n"),
    }
    body = {name: files[value]() if value in files else value for name, value in sent.items()}
    told = refused(page.post("/imports", body))
    assert f'<a href="#{target}">' in told and "<title>Error: " in told
    assert re.search(rf'id="{target}"[^>]* aria-invalid="true"', told)


@pytest.mark.django_db
def test_no_laboratory_is_default_because_a_page_was_refused(person_client: Any, qian: Any) -> None:
    page = english(person_client("data_manager_qian"))
    sent = {"act": "add_laboratory", "site": "01", "name": "", "is_default": "on", "valid_from": "2026-03-01"}
    told = refused(page.post("/laboratories", sent))
    assert 'name="is_default" checked' in told and 'value="2026-03-01"' in told
    with audit.reading(qian):
        assert not Laboratory.objects.filter(name="").exists()
