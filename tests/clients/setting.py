"""The configuration of the client tests: the shipped presets, filled in as their comments ask, and three destinations without preset."""
import datetime
import os
import re
import subprocess
import tempfile

import yaml

from gate import BINARY

PRESETS = ["stripe", "sendgrid", "twilio", "slack", "sentry", "brevo", "telegram", "mailgun", "postmark"]
# No preset: anything that posts, and services whose requests are signed or compressed.
OTHERS = ["any", "ses", "s3", "posthog"]


def configuration(port):
    """YAML for a gate in front of one upstream at `port`, in enforce mode."""
    document = yaml.safe_load(filled_in(preset_text()))
    document.update(mode="enforce", state_dir="state", log={"format": "json", "level": "info"}, admin={"bind": "127.0.0.1:0"})
    # `stripe` of npm takes host and port and no path: its destination is a listener of its own.
    document["listeners"] = [{"id": it, "bind": "127.0.0.1:0"} for it in ("main", "stripe-js")]
    upstream = {"url": f"http://127.0.0.1:{port}/", "controlled_zone": True}
    for it in document["destinations"]:
        it.update(country="US", upstream=upstream)
    stripe = next(it for it in document["destinations"] if it["id"] == "stripe")
    document["destinations"].append({**stripe, "id": "stripe-js", "match": {"listener": "stripe-js"}})
    document["parties"].append({"id": "vendor", "legal_name": "Example Vendor Inc.", "role": "controller"})
    document["destinations"] += [
        {"id": it, "party": "vendor", "country": "US", "match": {"path_prefix": "/" + it}, "upstream": upstream,
         "routes": [{"path": "/", "purpose": "order.notice", "actions": ["send"]}]} for it in OTHERS]
    return yaml.safe_dump(document, sort_keys=False)


def preset_text():
    file = os.path.join(tempfile.mkdtemp(prefix="presets-"), "shekara.yaml")
    names = [word for name in PRESETS for word in ("--preset", name)]
    subprocess.run([BINARY, "init", *names, "--output", file], check=True, stdout=subprocess.DEVNULL)
    with open(file, encoding="utf8") as f:
        return f.read()


def filled_in(text):
    """What the comments of a preset ask for: the agreement taken out of its comment, with owner and end of each exception."""
    text = re.sub(r"(?m)^    # (agreement:|not_personal:|  )", r"    \1", text)
    text = text.replace('owner: ""', 'owner: "Data protection officer"')
    end = datetime.date.today() + datetime.timedelta(days=300)
    return text.replace('expires: ""', f'expires: "{end}"')
