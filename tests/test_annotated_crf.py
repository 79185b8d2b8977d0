"""The blank annotated CRF holds every form and field of the study, with the names they have outside."""

import gzip
import json
import re
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import translation

from exchange import jobs
from exchange.annotation import Names, names_of
from exchange.blank import EVERY, blanks, digest
from exchange.job_kinds import KINDS
from exchange.printing import crf
from exchange.printing.tongues import Tongue
from safety.forms import FORMS
from tests.api_client import Api
from tests.printed import pages_of, running_text, squeezed
from trial.dates import utc_now
from trial.item import items


def name_of(form: str, field: str) -> Names:
    model = next(one for one in EVERY if one.form == form)
    return names_of(model, field, items(model)[field])


@pytest.mark.parametrize(
    ("form", "field", "sdtm"),
    [
        ("informed_consent", "consent_dt", "DSSTDTC, DM.RFICDTC"),
        ("vital_signs", "temp_c", "VSORRES, VSORRESU where VSTESTCD = TEMP"),
        ("vital_signs", "vs_dt", "VSDTC"),
        ("vital_signs", "temp_route", "VSLOC"),
        ("haematology", "plt_value", "LBORRES, LBORRESU where LBTESTCD = PLAT"),
        ("haematology", "plt_qual", "LBORRES where LBTESTCD = PLAT"),
        ("haematology", "plt_si", "LBSTRESN, LBSTRESU where LBTESTCD = PLAT"),
        ("haematology", "plt_uln", "LBORNRHI where LBTESTCD = PLAT"),
        ("haematology", "plt_cs", "LBCLSIG where LBTESTCD = PLAT"),
        ("ecog", "ecog", "RSORRES where RSTESTCD = ECOG101"),
        ("ecog", "ecog_date", "RSDTC"),
        ("viral_serology", "hbsag", "MBORRES where MBTESTCD = HBSAG"),
        ("eligibility", "i_04", "IEORRES where IETESTCD = INCL04"),
        ("infusion", "bag_ids", "SUPPEC.BAGIDS"),
        ("infusion", "inf_end_dt", "ECENDTC"),
        ("infusion", "thaw_end_dt", "SUPPEC.THAWEDDT"),
        ("pk_sample", "result_text", "PCORRES where PCTESTCD = CARTGCN"),
        ("death", "death_date", "DM.DTHDTC"),
        ("demographics", "sex", "SEX"),
        ("adverse_event", "term", "AETERM"),
    ],
)
def test_a_field_has_the_name_that_the_standard_gives_it(form: str, field: str, sdtm: str) -> None:
    assert name_of(form, field).sdtm == sdtm


@pytest.mark.parametrize("form", ["manufacturing", "chain_of_identity", "dose_allocation", "src_review"])
def test_what_sdtm_has_no_place_for_says_why(form: str) -> None:
    model = next(one for one in EVERY if one.form == form)
    for name, meaning in items(model).items():
        with translation.override("en"):
            names = names_of(model, name, meaning)
            assert not names.submitted and names.sdtm.startswith("not submitted: "), (form, name, names)


def test_every_field_has_both_names_and_no_code_is_longer_than_the_standard_allows() -> None:
    for model in EVERY:
        for name, meaning in items(model).items():
            names = names_of(model, name, meaning)
            assert names.cdash and names.sdtm, (model.form, name)
            if not names.submitted:
                continue
            codes = re.findall(r"TESTCD = (\S+?)(?:,|$)|\.(\S+?)(?:,|$)", str(names.sdtm))
            assert all(len(test or name) <= 8 for test, name in codes), (model.form, name, names)
            assert re.match(r"(SUPP)?[A-Z]{2,}", str(names.sdtm)), (model.form, name, names)


def test_no_two_fields_of_a_form_claim_the_same_place() -> None:
    """The value of a result and its qualifier share one variable; links only relate records."""
    for model in EVERY:
        taken: dict[str, str] = {}
        for name, meaning in items(model).items():
            names = names_of(model, name, meaning)
            if not names.submitted or names.sdtm == "RELREC" or name.endswith("_qual"):
                continue
            assert names.sdtm not in taken, (model.form, name, taken[str(names.sdtm)], names.sdtm)
            taken[str(names.sdtm)] = name


STANDARDS = (
    Path(__file__).resolve().parents[2] / "shared" / "standards" / "core" / "sdtmct-2025-03-28.json.gz"
)


def test_test_codes_of_results_are_those_of_the_controlled_terminology() -> None:
    """Which codes are the sponsor's own is listed here, so that a new one is looked at."""
    own = {
        "BCRABTIO",
        "CD19ABS",
        "CD19PMPH",
        "CELLSTED",
        "DONORPCT",
        "KARYOYPE",
        "ASPIRATE",
        "CSFBLSTS",
        "CSFFLSTS",
        "APLASIA",
    }
    if not STANDARDS.exists():
        pytest.skip(f"the controlled terminology is not at {STANDARDS}")
    with gzip.open(STANDARDS) as packed:
        lists = {one["submissionValue"]: one["terms"] for one in json.load(packed)["codelists"]}
    known = {term["submissionValue"] for term in lists["LBTESTCD"]}
    used = {
        code
        for model in EVERY
        for name, meaning in items(model).items()
        for code in re.findall(r"LBTESTCD = (\w+)", str(names_of(model, name, meaning).sdtm))
    }
    assert used - known == own


def test_an_answer_that_is_absent_has_its_place_beside_it_and_for_the_whole() -> None:
    with translation.override("en"):
        forms = {form.form: form for form in blanks()}
    temperature = next(one for one in forms["vital_signs"].fields if one.name == "temp_c")
    assert temperature.no_answer == "temp_c__nd → VSSTAT = NOT DONE, VSREASND where VSTESTCD = TEMP"
    whole = forms["vital_signs"].parts[-1]
    assert [one.name for one in whole.fields] == ["not_done", "not_done_reason"]
    assert whole.fields[1].options[0] == "Not done (NOT_DONE)" and "whole visit" in whole.fields[0].note
    visit = forms["visit"].parts[-1].fields[0]
    assert (visit.label, visit.sdtm) == ("The visit was not done", "SVOCCUR, SVREASOC")


def test_the_same_definitions_give_the_same_hash_in_every_language() -> None:
    with translation.override("zh-hans"):
        chinese = digest()
    with translation.override("en"):
        assert digest() == chinese


@pytest.mark.parametrize("language", ["both"])
def test_on_paper_stands_every_form_field_code_and_name(language: str) -> None:
    out = BytesIO()
    pages = crf.draw(Tongue(language), utc_now(), out)
    read = pages_of(out.getvalue())
    assert len(read) == pages
    whole = running_text(read)
    for forms in Tongue(language).each(blanks):
        for form in forms:
            for field in form.fields:
                said = [field.label, field.cdash, field.unit, *field.options, *field.sdtm.split()]
                absent = [word for text in said for word in text.split() if squeezed(word) not in whole]
                assert not absent, (form.form, field.name, absent)
    for number, page in enumerate(read, 1):
        assert digest() in squeezed(page)
        assert (f"page{number}of{pages}" if language == "en" else f"第{number}页,共{pages}页") in squeezed(
            page
        )
    assert "血小板计数" in whole and "Platelets" in whole


@pytest.mark.django_db
def test_made_by_command_by_job_and_on_the_page(
    tmp_path: Any, monkeypatch: Any, make_token: Any, person_client: Any
) -> None:
    monkeypatch.setattr(settings, "FILES_DIR", str(tmp_path / "files"))
    said = StringIO()
    call_command("annotated_crf", "--out", str(tmp_path / "crf.pdf"), "--language", "zh", stdout=said)
    assert digest() in said.getvalue() and len(pages_of(str(tmp_path / "crf.pdf"))) > 20
    api = Api(make_token("statistician_sun"))
    asked = api.post("jobs/", {"kind": "annotated_crf", "parameters": {"language": "en"}})
    assert asked.status_code == 202 and jobs.drain(KINDS) == 1
    assert api.get(asked["Location"]).json()["result"]["content_sha256"] == digest()
    page = person_client("admin_he").get("/crf").content.decode()
    assert "vs_dt__nd" in page and "SAMPLE_HAEMOLYSED" in page
    assert digest() in page and page.count('class="card leaf blank"') == len(EVERY)


def test_a_form_whose_date_goes_to_a_domain_is_headed_by_that_domain() -> None:
    """The heading, the date and the mark "not done" (--STAT) of one page name one domain."""
    stated = {
        form.form: (form.domain, items(form)[form.dated_by].sdtm[:2])
        for form in FORMS
        if form.domain and form.dated_by and items(form)[form.dated_by].sdtm[2:] in ("DTC", "STDTC")
    }
    assert stated["cd19_flow"] == ("CP", "CP")
    assert {name: two for name, two in stated.items() if len(set(two)) > 1} == {}
