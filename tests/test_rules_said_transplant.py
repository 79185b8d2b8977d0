"""What DV-01 says of a transplant before the infusion of 16 March 2026, word for word."""

import pytest

from subjects.models import PriorTransplant
from tests.people import also, put
from tests.said import Said, check
from tests.test_rule_transplant import transplanted

ROWS = [
    Said("DV-01", also(transplanted("2026-01-01"), transplanted("2026-02-01")), False, "infusion.inf_start_dt",
     "Infused on 2026-03-16, after an allogeneic transplant on 2026-02-01; the earliest permissible day was 2026-05-01 (3 months "
     "later).",
     "于 2026-03-16 回输,而异基因移植日期为 2026-02-01;最早可回输日期为 2026-05-01(3 个月后)。",
     "≥ 3 months; not before 2026-05-01 | ≥ 3 个月;不早于 2026-05-01",
     "infusion.inf_start_dt 2026-03-16T10:00:00+08:00; prior_transplant.sct_date 2026-01-01; prior_transplant.sct_date 2026-02-01; "
     "prior_transplant.sct_type ALLO; prior_transplant.sct_type ALLO"),
    Said("DV-01", also(transplanted("2026-02-01"), transplanted("2026-01-01")), False, "infusion.inf_start_dt",
     "Infused on 2026-03-16, after an allogeneic transplant on 2026-02-01; the earliest permissible day was 2026-05-01 (3 months "
     "later).",
     "于 2026-03-16 回输,而异基因移植日期为 2026-02-01;最早可回输日期为 2026-05-01(3 个月后)。",
     "≥ 3 months; not before 2026-05-01 | ≥ 3 个月;不早于 2026-05-01",
     "infusion.inf_start_dt 2026-03-16T10:00:00+08:00; prior_transplant.sct_date 2026-02-01; prior_transplant.sct_date 2026-01-01; "
     "prior_transplant.sct_type ALLO; prior_transplant.sct_type ALLO"),
    Said("DV-01", also(transplanted("2025-12")), True, "prior_transplant.sct_date",
     "Infused on 2026-03-16; whether 3 months had passed since the transplant (Allogeneic, date “2025-12”) cannot be told; it must "
     "be on or before a day that leaves 3 months before 2026-03-16. Complete the type and date of the transplant.",
     "于 2026-03-16 回输;无法判定距移植(类型 异基因,日期“2025-12”)是否已满 3 个月。请补全移植类型和日期。",
     "≥ 3 months | ≥ 3 个月",
     "infusion.inf_start_dt 2026-03-16T10:00:00+08:00; prior_transplant.sct_date 2025-12; prior_transplant.sct_type ALLO"),
    Said("DV-01", also(transplanted("")), True, "prior_transplant.sct_date",
     "Infused on 2026-03-16; whether 3 months had passed since the transplant (Allogeneic, date “—”) cannot be told. Complete the "
     "type and date of the transplant.",
     "于 2026-03-16 回输;无法判定距移植(类型 异基因,日期“—”)是否已满 3 个月。请补全移植类型和日期。",
     "≥ 3 months | ≥ 3 个月",
     "infusion.inf_start_dt 2026-03-16T10:00:00+08:00; prior_transplant.sct_date; prior_transplant.sct_type ALLO"),
    Said("DV-01", also(transplanted("2026-02-01", "")), True, "prior_transplant.sct_type",
     "Infused on 2026-03-16; whether 3 months had passed since the transplant (—, date “2026-02-01”) cannot be told; it must be on "
     "or before a day that leaves 3 months before 2026-03-16. Complete the type and date of the transplant.",
     "于 2026-03-16 回输;无法判定距移植(类型 —,日期“2026-02-01”)是否已满 3 个月。请补全移植类型和日期。",
     "≥ 3 months | ≥ 3 个月",
     "infusion.inf_start_dt 2026-03-16T10:00:00+08:00; prior_transplant.sct_date 2026-02-01; prior_transplant.sct_type"),
    Said("DV-01", also(PriorTransplant()), True, "prior_transplant.sct_type",
     "Infused on 2026-03-16; whether 3 months had passed since the transplant (—, date “—”) cannot be told. Complete the type and "
     "date of the transplant.",
     "于 2026-03-16 回输;无法判定距移植(类型 —,日期“—”)是否已满 3 个月。请补全移植类型和日期。",
     "≥ 3 months | ≥ 3 个月",
     "infusion.inf_start_dt 2026-03-16T10:00:00+08:00; prior_transplant.sct_date; prior_transplant.sct_type"),
    Said("DV-01", put("disease", prior_allo_sct="YES"), True, "disease_history.prior_allo_sct",
     "Infused on 2026-03-16; the history says there was an allogeneic transplant, but none is recorded. Enter the transplant with "
     "its date.",
     "于 2026-03-16 回输;疾病史显示曾行异基因移植,但未录入移植记录。请录入移植及其日期。",
     "≥ 3 months | ≥ 3 个月",
     "disease_history.prior_allo_sct YES; infusion.inf_start_dt 2026-03-16T10:00:00+08:00"),
    Said("DV-01", put("disease", prior_allo_sct="UNKNOWN"), True, "disease_history.prior_allo_sct",
     "Infused on 2026-03-16; the history does not say whether there was an allogeneic transplant. Answer it, and enter a transplant "
     "with its date.",
     "于 2026-03-16 回输;疾病史未明确是否曾行异基因移植。请填写该项;如有移植,请录入移植及其日期。",
     "≥ 3 months | ≥ 3 个月",
     "disease_history.prior_allo_sct UNKNOWN; infusion.inf_start_dt 2026-03-16T10:00:00+08:00"),
    Said("DV-01", put("disease", prior_allo_sct=""), True, "disease_history.prior_allo_sct",
     "Infused on 2026-03-16; the history does not say whether there was an allogeneic transplant. Answer it, and enter a transplant "
     "with its date.",
     "于 2026-03-16 回输;疾病史未明确是否曾行异基因移植。请填写该项;如有移植,请录入移植及其日期。",
     "≥ 3 months | ≥ 3 个月",
     "disease_history.prior_allo_sct; infusion.inf_start_dt 2026-03-16T10:00:00+08:00"),
]  # fmt: skip


@pytest.mark.req("R-29")
@pytest.mark.parametrize("row", ROWS)
def test_what_is_said_and_shown(row: Said) -> None:
    check(row)
