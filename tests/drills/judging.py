"""What must be true after a drill, told by the clients' memory and by questions to the database; no rule is asked."""

import statistics
from collections import Counter
from typing import Any

from tests.drills.study import Study, Writers


def missing_content(study: Study, acknowledged: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The acknowledged saves whose version is not in the history with what was sent."""
    kept: dict[tuple[str, str, int], tuple[str, bool]] = {}
    for form, table, column in (
        ("prior_transplant", "subjects_historicalpriortransplant", "sct_date"),
        ("infusion", "dosing_historicalinfusion", "inf_start_dt AT TIME ZONE 'Asia/Shanghai'"),
    ):
        for key, version, value, retracted in study.rows(
            f"SELECT id, version, {column}, retracted FROM {table}"
        ):
            kept[form, str(key), version] = str(value).replace(" ", "T")[:16], retracted
    return [
        save
        for save in acknowledged
        if not _is_kept(save, kept.get((save["form"], save["id"], save["made"])))
    ]


def _is_kept(save: dict[str, Any], there: tuple[str, bool] | None) -> bool:
    if there is None:
        return False
    sent = save["sent"]
    wanted = sent.get("sct_date") or sent.get("inf_start_dt")
    return there[1] if sent.get("retracted") else wanted is None or there[0] == wanted[:16]


def expected_flags(results: list[dict[str, Any]]) -> set[str]:
    """The infusions that DV-01 must flag: one that stands within three months of a transplant that stands.

    The writers' dates are either 45 days or far more than three months apart, so this needs no calendar.
    """
    flagged = set()
    for result in results:
        for forms in result["subjects"].values():
            soon = any(
                not t["retracted"] and t["sct_date"] == "2025-01-15"
                for t in forms["prior_transplant"].values()
            )
            flagged |= {
                key
                for key, i in forms["infusion"].items()
                if soon and not i["retracted"] and i["inf_start_dt"].startswith("2025-03")
            }
    return flagged


def flags(study: Study, results: list[dict[str, Any]]) -> dict[str, int]:
    """Deviations of DV-01 that are missed, that stand though nothing is wrong, and that stand twice."""
    infusions = {key for r in results for forms in r["subjects"].values() for key in forms["infusion"]}
    rows = study.rows("SELECT record_id::text, status FROM safety_deviation WHERE rule_id = 'DV-01'")
    open_ = Counter(key for key, status in rows if status == "OPEN" and key in infusions)
    wanted = expected_flags(results)
    return {
        "wanted": len(wanted),
        "missed": len(wanted - set(open_)),
        "false": len(set(open_) - wanted),
        "doubled": sum(n - 1 for n in open_.values()),
    }


def twice_or_never(study: Study, results: list[dict[str, Any]]) -> int:
    """Records of the writers' subjects that no writer knows, or that a writer knows and the database does not."""
    wrong = 0
    for form, table in (("prior_transplant", "subjects_priortransplant"), ("infusion", "dosing_infusion")):
        rows = study.rows(
            f"SELECT s.subjid, f.id::text FROM {table} f JOIN subjects_subject s ON s.id = f.subject_id"
        )
        for result in results:
            known = {(subjid, key) for subjid, forms in result["subjects"].items() for key in forms[form]}
            there = {(subjid, key) for subjid, key in rows if subjid in result["subjects"]}
            wrong += len(known ^ there)
    return wrong


def flag_seconds(study: Study) -> tuple[float, float]:
    """Seconds from an infusion's save to its flag: the median and the 99th of a hundred.

    Only where nothing else was changed in between, since the flag may then be due to that.
    """
    changes = " UNION ALL ".join(
        f"SELECT subject_id, history_date FROM {table}"
        for table in ("subjects_historicalpriortransplant", "dosing_historicalinfusion")
    )
    rows = study.rows(
        "SELECT extract(epoch FROM d.entered_at - i.entered_at)::float FROM safety_deviation d"
        " JOIN dosing_infusion i ON i.id = d.record_id WHERE d.rule_id = 'DV-01' AND NOT EXISTS"
        f" (SELECT FROM ({changes}) c WHERE c.subject_id = d.subject_id"
        " AND c.history_date > i.entered_at + interval '1 ms' AND c.history_date < d.entered_at)"
    )
    seconds = sorted(row[0] for row in rows)
    return statistics.median(seconds), seconds[int(len(seconds) * 0.99)]


def trouble(writers: Writers) -> list[str]:
    """What the writers could not explain, and answers that must not be."""
    odd = [word for result in writers.results for word in result["trouble"]]
    return odd + [
        f"{r['method']} answered {r['status']}"
        for r in writers.requests
        if r["status"] >= 500 and r["status"] != 503
    ]


def statuses(writers: Writers) -> str:
    """How often each status came; 0 is a line that was cut."""
    return " ".join(
        f"{status}×{n}" for status, n in sorted(Counter(r["status"] for r in writers.requests).items())
    )
