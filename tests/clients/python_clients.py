"""Clients written in Python, each with its base URL at the gate and otherwise as its makers document it.

A call gets the base URL and a person, and returns what the client tells its caller: `None` when all went well, else the error.
"""
import asyncio
import gzip
import json
import logging
import subprocess
from collections import namedtuple
from importlib.metadata import version

Client = namedtuple("Client", "name version prefix setting did call")
CLIENTS = []


def client(name, prefix, setting, did, package=None):
    """Registers a call. `prefix` names the destination, `setting` and `did` go into docs/clients.md."""

    def register(call):
        CLIENTS.append(Client("Python `%s`" % name, lambda: version(package or name), prefix, setting, did, call))
        return call

    return register


def curl(base, person):
    done = subprocess.run(["curl", "-sS", "--fail-with-body", base + "/notify", "-H", "content-type: application/json",
                           "-d", json.dumps({"email": person.email})], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return (done.stdout + done.stderr).decode() if done.returncode else None


def curl_gzip(base, person):
    content = gzip.compress(json.dumps({"email": person.email}).encode())
    done = subprocess.run(["curl", "-sS", "--fail-with-body", base + "/notify", "-H", "content-type: application/json",
                           "-H", "content-encoding: gzip", "--data-binary", "@-"],
                          input=content, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return (done.stdout + done.stderr).decode() if done.returncode else None


def curl_version():
    return subprocess.run(["curl", "--version"], stdout=subprocess.PIPE, check=True).stdout.decode().split()[1]


CLIENTS.append(Client("curl", lambda: "any", "any", "the URL", "POST of JSON", curl))
CLIENTS.append(Client("curl", lambda: "any", "any", "the URL", "POST of JSON under gzip", curl_gzip))


@client("requests", "any", "the URL", "POST of JSON")
def with_requests(base, person):
    import requests

    try:
        answer = requests.post(base + "/notify", json={"email": person.email})
        answer.raise_for_status()
    except requests.HTTPError as error:
        return f"{error} {error.response.text}"


@client("requests", "any", "the URL", "upload of a file as multipart")
def with_requests_multipart(base, person):
    import requests

    try:
        files = {"contacts": ("contacts.csv", f"email,note\n{person.email},hello\n", "text/csv")}
        requests.post(base + "/notify", data={"list": "spring"}, files=files).raise_for_status()
    except requests.HTTPError as error:
        return f"{error} {error.response.text}"


@client("httpx", "any", "the URL, or `base_url=`", "POST of a form")
def with_httpx(base, person):
    import httpx

    try:
        with httpx.Client(base_url=base) as http:
            http.post("/notify", data={"email": person.email}).raise_for_status()
    except httpx.HTTPStatusError as error:
        return f"{error} {error.response.text}"


@client("aiohttp", "any", "the URL", "POST of JSON, chunked")
def with_aiohttp(base, person):
    import aiohttp

    async def pieces():
        yield b'{"email": '
        yield json.dumps(person.email).encode() + b"}"

    async def post():
        async with aiohttp.ClientSession() as session:
            async with session.post(base + "/notify", data=pieces(), headers={"content-type": "application/json"}) as answer:
                return None if answer.ok else f"{answer.status} {await answer.text()}"

    return asyncio.run(post())


@client("stripe", "stripe", '`stripe.StripeClient(key, base_addresses={"api": BASE})`', "`customers.create`")
def with_stripe(base, person):
    import stripe

    try:
        made = stripe.StripeClient("sk_test_123", base_addresses={"api": base}).v1.customers.create(
            params={"email": person.email, "name": "Aigul Example", "phone": person.phone})
        assert made.id == "cus_1"
    except stripe.StripeError as error:
        return f"{type(error).__name__} {error.http_status} {error} {error.http_body}"


@client("sendgrid", "sendgrid", "`SendGridAPIClient(key, host=BASE)`", "`send` of one mail")
def with_sendgrid(base, person):
    import sendgrid
    from sendgrid.helpers.mail import Mail

    try:
        mail = Mail(from_email="noreply@example.com", to_emails=person.email, subject="Order", html_content="<p>Ready</p>")
        assert sendgrid.SendGridAPIClient("SG.test", host=base).send(mail).status_code == 202
    except Exception as error:  # python_http_client raises one class for each status
        return f"{type(error).__name__} {error} {error.body.decode()}"


@client("twilio", "twilio", "`Client(sid, token, http_client=…)` with a `TwilioHttpClient` that replaces `https://api.twilio.com` by BASE",
        "`messages.create`")
def with_twilio(base, person):
    from twilio.base.exceptions import TwilioRestException
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client as Twilio

    class AtTheGate(TwilioHttpClient):
        def request(self, method, url, *args, **kwargs):
            return super().request(method, url.replace("https://api.twilio.com", base), *args, **kwargs)

    try:
        sid = "AC" + "0" * 32
        sent = Twilio(sid, "token", http_client=AtTheGate()).messages.create(to=person.phone, from_="+15005550006", body="Ready")
        assert sent.sid == "SM1"
    except TwilioRestException as error:
        return f"{type(error).__name__} {error}"


@client("slack_sdk", "slack", '`WebClient(token, base_url="BASE/api/")`', "`chat_postMessage`", package="slack-sdk")
def with_slack(base, person):
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError

    try:
        assert WebClient("xoxb-test", base_url=base + "/api/").chat_postMessage(channel="C1", text=f"New order of {person.email}")["ok"]
    except SlackApiError as error:
        return f"{type(error).__name__} {error.response.status_code} {error}"


@client("sentry-sdk", "sentry", "the DSN: `http://KEY@GATE/PREFIX/1`", "`capture_exception` with `set_user`, client reports off")
def with_sentry(base, person):
    import sentry_sdk

    told = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: told.append(record.getMessage())
    # The SDK never throws: it tells its own log, and only in debug mode.
    logging.getLogger("sentry_sdk.errors").handlers = [handler]
    sentry_sdk.init(dsn=base.replace("http://", "http://key@") + "/1", debug=True, default_integrations=False,
                    send_client_reports=False)
    sentry_sdk.set_user({"email": person.email})
    try:
        raise ValueError("an order failed")
    except ValueError:
        sentry_sdk.capture_exception()
    sentry_sdk.flush(10)
    sentry_sdk.get_client().close()
    return " ".join(told) or None


def aws(base, person, service):
    """A client that signs for the service and sends to the gate, which puts back host and path before it sends on."""
    import boto3
    from botocore.config import Config

    made = boto3.client(service, endpoint_url=person.service, region_name="eu-central-1", aws_access_key_id="AKIATEST",
                        aws_secret_access_key="secret", config=Config(request_checksum_calculation="when_required"))

    def at_the_gate(request, **_):
        request.url = request.url.replace(person.service, base)

    made.meta.events.register("before-send", at_the_gate)
    return made


HOOK = '`client.meta.events.register("before-send", …)` with a function that replaces the service\'s URL by BASE in `request.url`'


@client("boto3", "ses", HOOK, "SES `send_email`, its signature checked")
def with_ses(base, person):
    from botocore.exceptions import ClientError

    try:
        sent = aws(base, person, "sesv2").send_email(
            FromEmailAddress="noreply@example.com", Destination={"ToAddresses": [person.email]},
            Content={"Simple": {"Subject": {"Data": "Order"}, "Body": {"Text": {"Data": "Ready"}}}})
        assert sent["MessageId"] == "m-1"
    except ClientError as error:
        return f"{type(error).__name__} {error}"


@client("boto3", "s3", HOOK + '; `Config(request_checksum_calculation="when_required")`',
        "S3 `put_object` of JSON after `Expect: 100-continue`, its signature checked")
def with_s3(base, person):
    from botocore.exceptions import ClientError

    try:
        aws(base, person, "s3").put_object(Bucket="exports", Key="orders.json", ContentType="application/json",
                                           Body=json.dumps({"email": person.email}).encode())
    except ClientError as error:
        return f"{type(error).__name__} {error}"


@client("brevo-python", "brevo", '`Brevo(api_key=…, base_url="BASE/v3")`', "`transactional_emails.send_transac_email`")
def with_brevo(base, person):
    from brevo import Brevo
    from brevo.core.api_error import ApiError

    try:
        sent = Brevo(api_key="key", base_url=base + "/v3").transactional_emails.send_transac_email(
            sender={"email": "noreply@example.com"}, to=[{"email": person.email}], subject="Order", text_content="Ready")
        assert sent.message_id == "m-1"
    except ApiError as error:
        return f"{type(error).__name__} {error}"


@client("python-telegram-bot", "telegram", '`Bot(token, base_url="BASE/bot")`', "`send_message`")
def with_telegram(base, person):
    from telegram import Bot
    from telegram.error import TelegramError

    async def send():
        sent = await Bot("1:test", base_url=base + "/bot").send_message(chat_id=person.chat, text="Your order is ready")
        assert sent.message_id == 1

    try:
        asyncio.run(send())
    except TelegramError as error:
        return f"{type(error).__name__} {error}"


@client("posthog", "posthog", "`Posthog(key, host=BASE)`", "`capture` under gzip")
def with_posthog(base, person):
    from posthog import Posthog

    tracker = Posthog("phc_test", host=base, gzip=True, sync_mode=True)
    # It never throws either: what went wrong is the exception in a line of its log.
    told = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: told.append(f"{record.getMessage()} {record.exc_info and record.exc_info[1]}")
    logger = logging.getLogger("posthog")
    logger.handlers, logger.propagate = [handler], False
    tracker.capture("order placed", distinct_id="customer-1", properties={"$set": {"email": person.email}})
    tracker.shutdown()
    return " ".join(told) or None


@client("mailgun", "mailgun", "`Client(auth=…, api_url=BASE)`", "`messages.create` with an attachment (multipart)")
def with_mailgun(base, person):
    from mailgun.client import Client as Mailgun

    answer = Mailgun(auth=("api", "key"), api_url=base).messages.create(
        data={"from": "noreply@example.com", "to": person.email, "subject": "Order", "text": "Ready"},
        files=[("attachment", ("order.txt", b"Your order is ready."))], domain="example.com")
    return None if answer.ok else f"{answer.status_code} {answer.text}"
