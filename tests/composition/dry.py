"""The samples through `shekara scan --ndjson`: the same inspector without the wire; seconds instead of minutes."""
import base64
import json
import subprocess

import samples


def line(identifier, request, coding):
    fields, content = samples.coded(request, coding)
    headers = {}
    for name, value in fields:
        if name not in ("Content-Type", "Content-Encoding"):
            headers[name] = value.decode("latin-1") if name == "never" else value.decode("utf8")
    told = {name: value.decode() for name, value in fields if name in ("Content-Type", "Content-Encoding")}
    out = {"id": identifier, "method": "POST", "path": request.target[2:], "headers": headers, "content_type": told["Content-Type"],
           "body_base64": base64.b64encode(content).decode()}
    if "Content-Encoding" in told:
        out["content_encoding"] = told["Content-Encoding"]
    return json.dumps(out, ensure_ascii=False)


def judge(binary, drawn):
    """(id, is twin) → (verdict, what decided)."""
    feed = "\n".join(line(f"{kind}{it.id}", request, it.coding) for it in drawn for kind, request in (("m", it.marked), ("t", it.twin)))
    done = subprocess.run([binary, "scan", "--ndjson"], input=feed.encode(), stdout=subprocess.PIPE, check=False)
    verdicts = {}
    for text in done.stdout.splitlines():
        told = json.loads(text)
        if told.get("error"):
            raise SystemExit(f"{told['id']}: {told['error']}")
        sure = [it for it in told["findings"] if it["confidence"] in ("high", "certain")]
        if sure:
            verdict = ("blocked", ", ".join(sorted({f"{it['category']} by {it['detector']}" for it in sure})))
        elif told["gaps"]:
            verdict = ("refused", ", ".join(sorted({it["kind"] for it in told["gaps"]})))
        else:
            verdict = ("forwarded", "")
        verdicts[told["id"][1:], told["id"][0] == "t"] = verdict
    return verdicts
