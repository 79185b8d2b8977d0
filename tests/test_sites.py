"""Sites: the data manager enters and corrects them, on a page and over the API, with the same checks."""

from datetime import date, timedelta
from typing import Any

import pytest

from entry.site_door import save_site
from entry.verdicts import Rejected, Stale
from tests.api_client import Api, codes, problem
from trial.access import Forbidden
from trial.countries import COUNTRIES
from trial.models import Site
from trial.site_checks import site_doubts, site_problems

TODAY = date(2026, 5, 4)
NEW = {
    "code": "0301",
    "name": "Third Hospital",
    "pi_name": "Dr Gu",
    "country": "CHN",
    "time_zone": "Asia/Shanghai",
    "irb_approval_date": "2026-01-05",
    "irb_approval_no": "2026-7",
    "activation_date": "2026-02-01",
}


def third(**changed: Any) -> Site:
    """A site that is complete, with some facts changed."""
    days = {n: date.fromisoformat(v) for n, v in NEW.items() if n.endswith("_date")}
    return Site(**{**NEW, **days, **changed})


@pytest.mark.parametrize(
    ("changed", "field", "code", "fix"),
    [
        ({"code": ""}, "code", "required", ""),
        ({"code": "3"}, "code", "format", ""),
        ({"code": "A1"}, "code", "format", ""),
        ({"name": " "}, "name", "required", ""),
        ({"country": "XXX"}, "country", "unknown_code", ""),
        ({"country": "chn"}, "country", "unknown_code", "CHN"),
        ({"time_zone": "Asia/Shangai"}, "time_zone", "unknown_code", "Asia/Shanghai"),
        ({"time_zone": "../etc/passwd"}, "time_zone", "unknown_code", ""),
        ({"irb_approval_date": TODAY + timedelta(1)}, "irb_approval_date", "future", ""),
        ({"activation_date": date(2026, 1, 4)}, "activation_date", "wrong_order", ""),
        ({"closeout_date": date(2026, 1, 31)}, "closeout_date", "wrong_order", ""),
    ],
)
def test_what_cannot_be_is_refused_and_named(changed: Any, field: str, code: str, fix: str) -> None:
    found = [(p.field, p.code, p.fix) for p in site_problems(third(**changed), TODAY)]
    assert (field, code, fix) in found
    if field != "irb_approval_date":  # an approval that lies ahead also stands after the activation
        assert len(found) == 1


def test_what_is_possible_is_taken_and_what_is_not_known_yet_is_asked() -> None:
    assert site_problems(third(), TODAY) == [] and site_doubts(third()) == []
    planned = third(activation_date=TODAY + timedelta(30), closeout_date=TODAY + timedelta(30), country="DEU")
    assert site_problems(planned, TODAY) == []
    early = third(pi_name="", irb_approval_date=None, irb_approval_no="", activation_date=None)
    assert site_problems(early, TODAY) == []
    wanted = ["pi_name", "irb_approval_date", "irb_approval_no", "activation_date"]
    assert [doubt.field for doubt in site_doubts(early)] == wanted
    assert len(COUNTRIES) == 249


@pytest.mark.django_db
def test_the_door_asks_for_version_and_reason_and_keeps_every_version(qian: Any, actor: Any) -> None:
    made = save_site(third(), by=qian)
    assert made.record.version == 1
    with pytest.raises(Rejected) as twice:
        save_site(third(), by=actor("data_manager_qian"))
    assert [p.code for p in twice.value.problems] == ["taken"]
    again = actor("data_manager_qian")  # who now works at the new site too
    site = Site.objects.get(code="0301")
    site.pi_name = "Dr Hu"
    with pytest.raises(Rejected) as silent:
        save_site(site, by=again, seen=1)
    assert [p.field for p in silent.value.problems] == ["reason"]
    assert save_site(site, by=again, reason="PI changed", seen=1).record.version == 2
    site.pi_name = "Dr Wu"
    with pytest.raises(Stale) as stale:
        save_site(site, by=again, reason="PI changed", seen=1)
    assert stale.value.differences == {"pi_name": ("Dr Hu", "Dr Wu")}
    rows = Site.history.filter(id=site.pk).order_by("version")
    told = [(h.version, h.pi_name, h.history_user_id, h.history_change_reason) for h in rows]
    assert told == [(1, "Dr Gu", qian.person_id, ""), (2, "Dr Hu", qian.person_id, "PI changed")]
    with pytest.raises(Forbidden):
        save_site(third(code="04"), by=actor("coordinator_li"))


@pytest.mark.django_db
def test_a_site_number_stays_once_screening_numbers_begin_with_it(
    subject: Any, other_site: Site, qian: Any
) -> None:
    site = Site.objects.get(pk=subject.site_id)
    site.code = "77"
    with pytest.raises(Rejected) as refused:
        save_site(site, by=qian, reason="renumbered", seen=site.version)
    assert [p.code for p in refused.value.problems] == ["in_use"]


@pytest.mark.django_db
def test_the_api_asks_the_same(make_token: Any) -> None:
    api = Api(make_token("data_manager_qian"))
    wrong = problem(api.post("sites/", {**NEW, "code": "x", "time_zone": "Mars"}), 400, "rejected")
    assert codes(wrong) == {"format", "unknown_code"}
    assert problem(api.post("sites/", {**NEW, "color": "red"}), 400)
    made = api.post("sites/", NEW)
    assert made.status_code == 201 and made["Location"] == "/api/v1/sites/0301/", made.content
    assert made["ETag"] == '"1"' and made.json()["pi_name"] == "Dr Gu" and made.json()["doubts"] == []
    problem(api.post("sites/", NEW), 409, "exists")
    one = "sites/0301/"
    problem(api.patch(one, {"pi_name": "Dr Hu"}), 428)
    assert codes(problem(api.patch(one, {"pi_name": "Dr Hu"}, seen=1), 400)) == {"required"}
    changed = api.patch(one, {"pi_name": "Dr Hu", "reason": "PI changed"}, seen=1)
    assert changed.status_code == 200 and changed["ETag"] == '"2"'
    stale = problem(api.patch(one, {"pi_name": "Dr Wu", "reason": "late"}, seen=1), 412, "stale")
    assert [(e["field"], e["current"], e["sent"]) for e in stale["errors"]] == [("pi_name", "Dr Hu", "Dr Wu")]
    late = {"closeout_date": "2026-01-01", "reason": "closed"}
    assert codes(problem(api.patch(one, late, seen=2), 400)) == {"wrong_order"}
    assert api.get(one).json()["pi_name"] == "Dr Hu"
    versions = api.get(f"{one}history/").json()
    assert [(v["version"], v["reason"]) for v in versions] == [(1, None), (2, "PI changed")]
    li = Api(make_token("coordinator_li"))
    assert [row["code"] for row in li.get("sites/").json()] == ["01"] and li.get(
        "sites/01/"
    ).status_code == 200
    problem(li.get(one), 404)
    problem(li.post("sites/", {**NEW, "code": "09"}), 403)
    problem(li.patch("sites/01/", {"name": "Ours", "reason": "r"}, seen=1), 403)


@pytest.mark.django_db
def test_the_page_enters_corrects_and_shows_both_values_of_a_conflict(person_client: Any) -> None:
    browser = person_client("data_manager_qian")
    browser.cookies["edc_language"] = "en"
    assert 'href="/study/site/new"' in browser.get("/study/site").content.decode()
    blank = browser.get("/study/site/new").content.decode()
    assert 'value="Asia/Shanghai"' in blank and 'value="CHN"' in blank
    wrong = browser.post("/study/site/new", {**NEW, "time_zone": "Asia/Shangai"})
    assert wrong.status_code == 422 and "Was Asia/Shanghai meant?" in wrong.content.decode()
    assert browser.post("/study/site/new", {**NEW, "pi_name": ""})["Location"] == "/study/site/0301"
    page = browser.get("/study/site/0301").content.decode()
    assert "Principal investigator is still to be entered" in page and 'name="reason"' in page
    sent = {"pi_name": "Dr Hu", "seen": "1"}
    assert "Say why" in browser.post("/study/site/0301", sent).content.decode()
    assert browser.post("/study/site/0301", {**sent, "reason": "PI named"}).status_code == 302
    stale = browser.post("/study/site/0301", {"pi_name": "Dr Wu", "seen": "1", "reason": "late"})
    said = stale.content.decode()
    assert stale.status_code == 409 and "</b> Dr Hu<" in said and "</b> Dr Wu<" in said
    assert 'name="seen" value="2"' in said and "PI named" in said
    browser.cookies["edc_language"] = "zh-hans"
    assert "伦理批准日期" in browser.get("/study/site/0301").content.decode()
    li = person_client("coordinator_li")
    assert 'id="form"' not in li.get("/study/site/01").content.decode()
    assert li.post("/study/site/01", {"name": "Ours", "seen": "1", "reason": "r"}).status_code == 404
    assert li.get("/study/site/new").status_code == 404 and li.get("/study/site/0301").status_code == 404
