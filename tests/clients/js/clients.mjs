// Clients written in JavaScript, each with its base URL at the gate and otherwise as its makers document it.
//
//   node clients.mjs list                       → [{name, version, prefix, setting, did}]
//   node clients.mjs run NAME BASE PERSON-JSON  → null when all went well, else what the client tells its caller
//
// A call gets the base URL and a person. Packages are imported where they are used, so that a run loads one of them.
import { readFileSync } from "node:fs";

const clients = [];
const client = (name, prefix, setting, did, call) => clients.push({ name, prefix, setting, did, call });
const told = (error, ...more) => [error.name, error.message, ...more].map((it) => (typeof it === "string" ? it : JSON.stringify(it))).join(" ");

client("fetch", "any", "the URL", "POST of JSON", async (base, person) => {
  const answer = await fetch(`${base}/notify`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ email: person.email }) });
  return answer.ok ? null : `${answer.status} ${await answer.text()}`;
});

client("axios", "any", "the URL, or `baseURL`", "POST of a form", async (base, person) => {
  const { default: axios } = await import("axios");
  try {
    await axios.post(`${base}/notify`, new URLSearchParams({ email: person.email }));
    return null;
  } catch (error) {
    return told(error, error.response.data);
  }
});

client("stripe", "stripe-js", "`new Stripe(key, {protocol: \"http\", host, port})`; no base path: the destination has a host or a listener of its own", "`customers.create`", async (base, person) => {
  const { default: Stripe } = await import("stripe");
  const { hostname, port } = new URL(base);
  try {
    const made = await new Stripe("sk_test_123", { protocol: "http", host: hostname, port, telemetry: false }).customers.create({ email: person.email, phone: person.phone });
    return made.id === "cus_1" ? null : "no customer";
  } catch (error) {
    return told(error, error.statusCode, error.raw);
  }
});

client("@sendgrid/mail", "sendgrid", "`client.setDefaultRequest(\"baseUrl\", BASE)`", "`send` of one mail", async (base, person) => {
  const { default: mail } = await import("@sendgrid/mail");
  mail.setApiKey("SG.test");
  mail.client.setDefaultRequest("baseUrl", base);
  try {
    const [answer] = await mail.send({ to: person.email, from: "noreply@example.com", subject: "Order", text: "Ready" });
    return answer.statusCode === 202 ? null : `status ${answer.statusCode}`;
  } catch (error) {
    return told(error, error.code, error.response.body);
  }
});

client("twilio", "twilio", "`twilio(sid, token, {httpClient})` with a `RequestClient` that replaces `https://api.twilio.com` by BASE", "`messages.create`", async (base, person) => {
  const { default: twilio } = await import("twilio");
  class AtTheGate extends twilio.RequestClient {
    request(options) {
      return super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", base) });
    }
  }
  try {
    const sent = await twilio(`AC${"0".repeat(32)}`, "token", { httpClient: new AtTheGate() }).messages.create({ to: person.phone, from: "+15005550006", body: "Ready" });
    return sent.sid === "SM1" ? null : "no message";
  } catch (error) {
    return told(error, error.status);
  }
});

client("mailgun.js", "mailgun", "`new Mailgun(FormData).client({url: BASE, …})`", "`messages.create` with an attachment (multipart)", async (base, person) => {
  const { default: Mailgun } = await import("mailgun.js");
  const { default: FormData } = await import("form-data");
  try {
    await new Mailgun(FormData).client({ username: "api", key: "key", url: base }).messages.create("example.com", {
      from: "noreply@example.com", to: [person.email], subject: "Order", text: "Ready",
      attachment: { filename: "order.txt", data: Buffer.from("Your order is ready.") },
    });
    return null;
  } catch (error) {
    return told(error, error.status, error.details);
  }
});

client("postmark", "postmark", "`new ServerClient(token, {useHttps: false, requestHost: \"GATE/PREFIX\"})`", "`sendEmail`", async (base, person) => {
  const { ServerClient } = await import("postmark");
  try {
    const sent = await new ServerClient("token", { useHttps: false, requestHost: base.replace("http://", "") }).sendEmail({ From: "noreply@example.com", To: person.email, Subject: "Order", TextBody: "Ready" });
    return sent.MessageID === "m-1" ? null : "no message";
  } catch (error) {
    return told(error, error.statusCode);
  }
});

client("@slack/web-api", "slack", "`new WebClient(token, {slackApiUrl: \"BASE/api/\", retryConfig: {retries: 0}})`; without the second it asks again 10 times in 30 minutes, whatever the status", "`chat.postMessage`", async (base, person) => {
  const { WebClient, LogLevel } = await import("@slack/web-api");
  try {
    const sent = await new WebClient("xoxb-test", { slackApiUrl: `${base}/api/`, retryConfig: { retries: 0 }, logLevel: LogLevel.ERROR }).chat.postMessage({ channel: "C1", text: `New order of ${person.email}` });
    return sent.ok ? null : "not ok";
  } catch (error) {
    return told(error, error.statusCode ?? "", error.body ?? "");
  }
});

client("@sentry/node", "sentry", "the DSN: `http://KEY@GATE/PREFIX/1`", "`captureException` with `setUser`, client reports off", async (base, person) => {
  const sentry = await import("@sentry/node");
  let status;
  sentry.init({ dsn: `${base.replace("http://", "http://key@")}/1`, sendClientReports: false, tracesSampleRate: 0 });
  sentry.getClient().on("afterSendEvent", (_, answer) => { status = answer.statusCode; });
  sentry.setUser({ email: person.email });
  sentry.captureException(new Error("an order failed"));
  await sentry.close(10_000);
  // The SDK never throws; it tells the status of its last answer to whoever listens, and nothing of the body.
  return status === 200 ? null : `afterSendEvent: ${status}`;
});

client("posthog-node", "posthog", "`new PostHog(key, {host: BASE})`", "`capture`", async (base, person) => {
  const { PostHog } = await import("posthog-node");
  const errors = [];
  const tracker = new PostHog("phc_test", { host: base, flushAt: 1 });
  tracker.on("error", (error) => errors.push(told(error, error.status ?? "")));
  tracker.capture({ distinctId: "customer-1", event: "order placed", properties: { $set: { email: person.email } } });
  await tracker.shutdown(20_000);
  return errors.join(" ") || null;
});

const version = (name) => (name === "fetch" ? "20 or later" : JSON.parse(readFileSync(new URL(`./node_modules/${name}/package.json`, import.meta.url))).version);

const [command, name, base, person] = process.argv.slice(2);
if (command === "list") {
  console.log(JSON.stringify(clients.map(({ call, ...it }) => ({ ...it, version: version(it.name) }))));
} else {
  const chosen = clients.find((it) => it.name === name);
  console.log(JSON.stringify(await chosen.call(base, JSON.parse(person))));
}
