import json, pytest
from django.test import Client
pytestmark = pytest.mark.django_db
def test_smoke(make_token, subject):
    t = make_token("coordinator_li")
    c = Client(headers={"Authorization": f"Bearer {t}"})
    def show(r):
        body = b"".join(r.streaming_content) if r.streaming else r.content
        print(r.status_code, dict(r.headers), body[:600].decode())
        return body
    for u in ("subjects/", "sites/", "forms/", "visits/?limit=1", "deviations/", "deviations/?format=csv", "queries/", "rules/", "protocol/", "dictionary/?format=csv", "changes/", "schema/", "docs/", "nope/", "subjects/?foo=1", f"subjects/{subject.subjid}/", f"subjects/{subject.subjid}/visits/", "forms/vital_signs/"):
        print("=== ", u); show(c.get("/api/v1/"+u))
    body = {"subject": subject.subjid, "visit": "SCR", "status": "DRAFT"}
    r = c.post("/api/v1/forms/haematology/", data=json.dumps(body | {"wbc": 1.50, "nope": 3}), content_type="application/json"); show(r)
    r = c.post("/api/v1/forms/haematology/", data='{"subject":"%s","visit":"SCR","wbc":1.50}' % subject.subjid, content_type="application/json"); show(r)
    loc = r["Location"]
    show(c.get(loc)); show(c.get(loc+"history/"))
    show(c.patch(loc, data='{"wbc": 2.50}', content_type="application/json"))
    show(c.patch(loc, data='{"wbc": 2.50}', content_type="application/json", headers={"If-Match": '"1"'}))
    show(c.patch(loc, data='{"wbc": 2.50, "reason": "misread"}', content_type="application/json", headers={"If-Match": '"1"'}))
    show(c.patch(loc, data='{"wbc": 2.60, "reason": "misread"}', content_type="application/json", headers={"If-Match": '"1"'}))
    show(c.get("/api/v1/forms/haematology/?format=csv&bom=1"))
    show(c.get("/api/v1/forms/haematology/?format=ndjson"))
    show(c.delete(loc, data='{"reason": "wrong subject"}', content_type="application/json", headers={"If-Match": '"2"'}))
    show(c.get("/api/v1/changes/"))
