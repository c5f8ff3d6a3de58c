//! Presets over request bodies: whoever is named in one is found as a person with that identifier.
//!
//! The first tests use texts of this repository. The last one reads real request bodies with gold labels, which are not part of it:
//! it looks for them in the folder that `SHEKARA_CORPORA` names, else in `../shared/corpora`, and says so loudly when they are absent.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http::{HeaderMap, Method, header::CONTENT_TYPE};
use serde_json::Value;
use shekara::{
    cli::init,
    config::{law, load_text, preset},
    gatekeeper::destination::DestinationTable,
    inspect::{Inspector, Plan},
    model::{
        Category, Timestamp,
        inspection::{Inspection, Person},
        message::Message,
        subject::{Identifier, IdentifierKind},
    },
};

/// Least percentage of bodies with identifiers in which all of them are found.
const FOUND_PERCENT_MIN: usize = 98;

/// A gate with a destination of every preset.
struct Gate {
    table: DestinationTable,
    inspector: Inspector,
}

impl Gate {
    fn new() -> Self {
        let now: Timestamp = "2026-11-22T07:00:00Z".parse().unwrap();
        let presets: Vec<_> = preset::all().collect();
        let text = init::starter_with(now, &presets);
        let loaded = load_text(&text, "shekara.yaml", Path::new(""), now, &law::SHIPPED).unwrap();
        Self {
            table: DestinationTable::new(loaded.configuration.destinations),
            inspector: Inspector::default(),
        }
    }

    /// Reads a request to the service as its preset's destination would, and says whether a route took it.
    fn read(&self, service: &str, request: &Request<'_>) -> (Inspection, bool) {
        let (path, query) = match request.target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (request.target, None),
        };
        let path = format!("/{service}{path}");
        let found = self.table.find("local", "", request.method, &path).unwrap();
        assert_eq!(&*found.destination.facts.id, service);
        let plan: &Plan = found.route.map_or(&found.destination.default_plan, |at| {
            &found.destination.plans[at]
        });
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, request.content_type.parse().unwrap());
        let message = Message {
            method: Method::from_bytes(request.method.as_bytes()).unwrap(),
            path: found.path,
            query,
            headers,
            body: Bytes::from(request.body.to_owned()),
            trailers: HeaderMap::new(),
        };
        (
            self.inspector.inspect(&message, plan),
            found.route.is_some(),
        )
    }
}

struct Request<'a> {
    method: &'a str,
    target: &'a str,
    content_type: &'a str,
    body: &'a str,
}

/// Whether `raw` is an identifier of some person, or, where it is none (the short number of a town), at least found.
fn is_named(inspection: &Inspection, kind: IdentifierKind, raw: &str) -> bool {
    match Identifier::normalise(kind, raw) {
        Some(it) => has(inspection, &it),
        None => inspection
            .persons
            .iter()
            .any(|it| it.categories.contains(Category::Phone)),
    }
}

fn has(inspection: &Inspection, identifier: &Identifier) -> bool {
    let mut persons = inspection.persons.iter();
    persons.any(|it| it.identifiers.contains(identifier))
}

/// What one request must give: for each person its record, if it is one, and its identifiers.
#[track_caller]
fn check(service: &str, method: &str, target: &str, body: &str, persons: &[(&str, &[&str])]) {
    let content_type = if body.starts_with(['{', '[']) {
        "application/json"
    } else {
        "application/x-www-form-urlencoded"
    };
    let request = Request {
        method,
        target,
        content_type,
        body,
    };
    let (inspection, is_routed) = Gate::new().read(service, &request);
    assert!(is_routed, "{service} {target}");
    assert_eq!(inspection.gaps, [], "{service} {target}");
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    // Nothing sure is said of somebody who has weak findings alone, such as a role mailbox.
    let sure = |it: &Person| !it.identifiers.is_empty() || !it.categories.is_empty();
    for person in inspection.persons.into_iter().filter(sure) {
        let record = person
            .record
            .map_or("-".to_owned(), |it| it.ordinal.to_string());
        let identifiers = person.identifiers.into_iter();
        let mut values: Vec<_> = identifiers.map(|it| it.value.into_exposed()).collect();
        values.sort();
        found.push((record, values));
    }
    found.sort();
    let wanted: Vec<(String, Vec<String>)> = persons
        .iter()
        .map(|(record, values)| {
            let values = values.iter().map(|it| (*it).to_owned());
            ((*record).to_owned(), values.collect())
        })
        .collect();
    assert_eq!(found, wanted, "{service} {target}");
}

#[test]
fn an_element_of_a_batch_is_a_person() {
    check(
        "sendgrid",
        "POST",
        "/v3/mail/send",
        r#"{"personalizations":[{"to":[{"email":"aru@example.org","name":"Aru"}],"dynamic_template_data":{"phone":"+77010000001"}},
            {"to":[{"email":"bek@example.org"}]}],"from":{"email":"noreply@example.com"},"subject":"Hello"}"#,
        &[
            ("0", &["77010000001", "aru@example.org"]),
            ("1", &["bek@example.org"]),
        ],
    );
    check(
        "mailchimp",
        "POST",
        "/3.0/lists/abc",
        r#"{"members":[{"email_address":"aru@example.org","merge_fields":{"PHONE":"8 701 000 00 01"}},{"email_address":"bek@example.org"}]}"#,
        &[
            ("0", &["77010000001", "aru@example.org"]),
            ("1", &["bek@example.org"]),
        ],
    );
    check(
        "postmark",
        "POST",
        "/email/batch",
        r#"[{"To":"Aru <aru@example.org>, Dana <dana@example.org>"},{"To":"bek@example.org"}]"#,
        &[
            ("0", &["aru@example.org", "dana@example.org"]),
            ("1", &["bek@example.org"]),
        ],
    );
    check(
        "segment",
        "POST",
        "/v1/batch",
        r#"{"batch":[{"type":"identify","userId":"u-1","traits":{"email":"aru@example.org"}},{"type":"track","userId":"u-2"}]}"#,
        &[("0", &["aru@example.org", "u-1"]), ("1", &["u-2"])],
    );
    check(
        "hubspot",
        "POST",
        "/crm/v3/objects/contacts/batch/create",
        r#"{"inputs":[{"properties":{"email":"aru@example.org"}},{"properties":{"email":"bek@example.org"}}]}"#,
        &[("0", &["aru@example.org"]), ("1", &["bek@example.org"])],
    );
    check(
        "amocrm",
        "PATCH",
        "/api/v4/contacts",
        r#"[{"custom_fields_values":[{"field_code":"PHONE","values":[{"value":"8 701 000 00 01"}]}]},
            {"custom_fields_values":[{"field_code":"EMAIL","values":[{"value":"bek@example.org"}]}]}]"#,
        &[("0", &["77010000001"]), ("1", &["bek@example.org"])],
    );
}

#[test]
fn a_person_is_where_the_documentation_says() {
    check(
        "bitrix24",
        "POST",
        "/rest/1/token/crm.contact.add",
        r#"{"fields":{"NAME":"Aru","PHONE":[{"VALUE":"8 701 000 00 01","VALUE_TYPE":"WORK"}]}}"#,
        &[("-", &["77010000001"])],
    );
    check(
        "hubspot",
        "POST",
        "/submissions/v3/integration/submit/1/2",
        r#"{"fields":[{"name":"email","value":"aru@example.org"},{"value":"8 701 000 00 01","name":"phone"}]}"#,
        &[("0", &["77010000001", "aru@example.org"])],
    );
    check(
        "stripe",
        "POST",
        "/v1/payment_intents",
        "amount=100&customer=cus_1&receipt_email=aru%40example.org",
        &[("-", &["aru@example.org", "cus_1"])],
    );
    check(
        "twilio",
        "POST",
        "/2010-04-01/Accounts/AC1/Messages.json",
        "To=whatsapp%3A%2B77010000001&Body=Hello",
        &[("-", &["77010000001"])],
    );
    check(
        "telegram",
        "POST",
        "/bot1:token/sendMessage",
        r#"{"chat_id":123456,"text":"Hello"}"#,
        &[("-", &["123456"])],
    );
    check(
        "unisender",
        "POST",
        "/ru/api/subscribe",
        "list_ids=1&fields[email]=aru@example.org",
        &[("-", &["aru@example.org"])],
    );
}

/// A labelled body of the corpora.
struct Sample {
    service: String,
    text: String,
    method: String,
    target: String,
    content_type: String,
    gold: Vec<(IdentifierKind, String)>,
    is_verified: bool,
}

/// What the table says of one service.
#[derive(Default)]
struct Tally {
    bodies: usize,
    unrouted: usize,
    unreadable: usize,
    named: usize,
    found: usize,
}

fn corpora() -> Option<PathBuf> {
    let dir = std::env::var_os("SHEKARA_CORPORA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"),
        PathBuf::from,
    );
    let file = dir.join("personal-data/api.ndjson");
    file.is_file().then_some(file)
}

fn samples(file: &Path) -> Vec<Sample> {
    let text = std::fs::read_to_string(file).unwrap();
    let names: Vec<_> = preset::names().collect();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|row| names.contains(&row["service"].as_str().unwrap()))
        .map(|row| sample(&row))
        .collect()
}

fn sample(row: &Value) -> Sample {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let body = text("body");
    let content_type = text("content_type");
    let labels = row["labels"].as_array().unwrap().iter();
    let gold = labels
        .filter(|it| it["optional"] != true && it["weak"] != true && it["hashed"] != true)
        .filter_map(|it| {
            let kind = match it["category"].as_str().unwrap() {
                "email" => IdentifierKind::Email,
                "phone" => IdentifierKind::Phone,
                "national_id" => IdentifierKind::NationalId,
                _ => return None,
            };
            let value = labelled(&body, &content_type, it)?;
            let value = addressed(kind, value);
            // A label on a whole mail says that there are addresses in it, not which.
            (value.matches('@').count() < 2).then_some((kind, value))
        })
        .collect();
    Sample {
        service: text("service"),
        method: text("method"),
        target: text("path"),
        text: body,
        content_type,
        gold,
        is_verified: row["verified"] == true,
    }
}

/// The address in a label that covers the sentence around it.
fn addressed(kind: IdentifierKind, value: String) -> String {
    if kind != IdentifierKind::Email || !value.trim().contains(char::is_whitespace) {
        return value;
    }
    let words = value.split(|it: char| {
        it.is_whitespace() || matches!(it, '"' | '\\' | '<' | '>' | '(' | ')' | '{' | '}')
    });
    words
        .into_iter()
        .find(|it| it.contains('@'))
        .map_or_else(String::new, str::to_owned)
}

/// The labelled value: by pointer in JSON and forms, by its place in the text elsewhere.
fn labelled(body: &str, content_type: &str, label: &Value) -> Option<String> {
    let of = |value: &Value| {
        let text = value.as_str().map(str::to_owned);
        text.unwrap_or_else(|| value.to_string())
    };
    if let (Some(start), Some(end)) = (label["start"].as_u64(), label["end"].as_u64()) {
        let characters = body.chars().enumerate();
        let inside = characters.filter(|(at, _)| (start..end).contains(&(*at as u64)));
        return Some(inside.map(|it| it.1).collect());
    }
    let pointer = label["pointer"].as_str()?;
    if content_type.contains("json") {
        let tree: Value = serde_json::from_str(body).ok()?;
        return tree.pointer(pointer).map(of);
    }
    let mut steps = pointer.trim_start_matches('/').split('/');
    let name = steps.next()?.replace("~1", "/").replace("~0", "~");
    let index = steps.next().map_or(0, |it| it.parse().unwrap());
    let mut fields = url::form_urlencoded::parse(body.as_bytes()).filter(|it| it.0 == name);
    let (_, value) = fields.nth(index)?;
    match label["inner"].as_str() {
        Some(inner) => serde_json::from_str::<Value>(&value)
            .ok()?
            .pointer(inner)
            .map(of),
        None => Some(value.into_owned()),
    }
}

#[test]
fn real_bodies_name_their_persons() {
    let Some(file) = corpora() else {
        eprintln!(
            "\n*** NOT CHECKED: no labelled request bodies. Name their folder with SHEKARA_CORPORA. ***\n"
        );
        return;
    };
    let gate = Gate::new();
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut missing = String::new();
    for sample in samples(&file) {
        let tally = tallies.entry(sample.service.clone()).or_default();
        tally.bodies += 1;
        let request = Request {
            method: &sample.method,
            target: &sample.target,
            content_type: &sample.content_type,
            body: &sample.text,
        };
        let (inspection, is_routed) = gate.read(&sample.service, &request);
        if sample.gold.is_empty() {
            continue;
        }
        if !inspection.gaps.is_empty() {
            tally.unreadable += 1;
            continue;
        }
        tally.unrouted += usize::from(!is_routed);
        tally.named += 1;
        let mut is_whole = true;
        for (kind, raw) in &sample.gold {
            if !is_named(&inspection, *kind, raw) {
                is_whole = false;
                writeln!(
                    missing,
                    "  {} {} {}: {} {raw:?} (verified {})",
                    sample.service,
                    sample.method,
                    sample.target,
                    kind.as_str(),
                    sample.is_verified
                )
                .unwrap();
            }
        }
        tally.found += usize::from(is_whole);
    }
    let mut table = format!(
        "{:26}{:>8}{:>12}{:>8}{:>8}{:>10}\n",
        "service", "bodies", "unreadable", "named", "found", "unrouted"
    );
    for (service, it) in &tallies {
        writeln!(
            table,
            "{service:26}{:>8}{:>12}{:>8}{:>8}{:>10}",
            it.bodies, it.unreadable, it.named, it.found, it.unrouted
        )
        .unwrap();
    }
    let sum = |of: fn(&Tally) -> usize| tallies.values().map(of).sum::<usize>();
    let (named, found) = (sum(|it| it.named), sum(|it| it.found));
    eprintln!("{table}found {found} of {named}; missing:\n{missing}");
    assert!(named > 0);
    assert!(found * 100 >= named * FOUND_PERCENT_MIN);
}
