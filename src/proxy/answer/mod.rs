//! The one place where refusals and failures become answers: RFC 9457 problems with RFC 9209 `Proxy-Status`.

pub(super) mod grpc;
mod language;
mod upstream_texts;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{Either, Full};
use serde::Serialize;

use super::{exchange::Streamed, upstream::Failure, wire::Fault};
use crate::{
    gatekeeper::{
        Report,
        record::{Decided, DecisionId},
    },
    model::{
        CategorySet,
        decision::{Mode, Reason, ReasonCode, Verdict},
        destination::Destination,
        law::Operator,
    },
    policy::reasons::{Language, ReasonEntry, ReasonTable},
};

pub(super) use self::language::preferred;

/// A body of the gate's own, or an upstream's passed on.
pub(super) type Body = Either<Full<Bytes>, Streamed>;

const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");
/// `<id>; verdict=reduce; removed=2; dropped=3`, on every answer that has a decision.
pub(super) const DECISION_FIELD: HeaderName = HeaderName::from_static("shekara-decision");
/// Understood by many generated clients: do not send again.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// Seconds after which a client may come back.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");
/// Status of a refusal whose code has no entry.
const STATUS_WITHOUT_ENTRY: u16 = 403;

/// What an answer is about.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    /// What screening did.
    pub(super) report: &'a Report,
    /// Texts, rules and citations.
    pub(super) reasons: &'a ReasonTable,
    /// Who refuses.
    pub(super) operator: &'a Operator,
    /// Where the message was to go, if that is known.
    pub(super) destination: Option<&'a Destination>,
    /// Status of legal refusals there.
    pub(super) legal_status: u16,
    /// Language of the texts.
    pub(super) language: Language,
}

/// An RFC 9457 problem. Members are stable: clients read them.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    instance: String,
    decision_id: DecisionId,
    verdict: Verdict,
    would_be: Verdict,
    reasons: Vec<ReasonView<'a>>,
    categories: CategorySet,
    locations: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<&'a str>,
    /// Where many SDKs look for what they tell their caller.
    message: &'a str,
    /// Some take any JSON object without this member for a success, whatever the status.
    error: ErrorView<'a>,
}

/// The refusal in the form that most APIs give their errors.
#[derive(Serialize)]
struct ErrorView<'a> {
    code: &'a str,
    message: &'a str,
}

/// One code, for all persons that it concerns.
#[derive(Serialize)]
struct ReasonView<'a> {
    code: &'static str,
    rule: &'a str,
    /// The law whose article `citation` names, if a law gives the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    regime: Option<&'a str>,
    citation: &'a str,
    mode: Mode,
    categories: CategorySet,
    persons: usize,
}

/// The answer to a refused request. `fault` gives the status where RFC 9110 has one of its own (408, 411, 414, 421 …).
pub(super) fn refusal(about: About<'_>, fault: Option<Fault>) -> Response<Body> {
    let code = about
        .report
        .decided
        .decision
        .primary()
        .map_or(ReasonCode::InspectionFailed, |it| it.code);
    let fault = fault.filter(|it| it.code == code);
    let entry = about.reasons.entry(code);
    let status = match (fault, entry) {
        (Some(fault), _) => fault.status,
        (None, Some(entry)) if entry.status == 451 => about.legal_status,
        (None, Some(entry)) => entry.status,
        (None, None) => STATUS_WITHOUT_ENTRY,
    };
    let (title, mend) = texts(about, code, entry);
    let detail = match fault {
        // One sentence: the fault stands inside its full stop.
        Some(fault) => format!("{} ({}).", mend.trim_end_matches('.'), fault.detail),
        None => mend,
    };
    let kind = format!("urn:shekara:reason:{code}");
    let error = denial_type(code);
    let mut response = problem(about, kind, title, detail, status);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::try_from(format!("shekara; error={error}; details=\"{code}\""))
    {
        headers.insert(PROXY_STATUS, value);
    }
    if status == 451
        && let Ok(link) = HeaderValue::try_from(format!(
            "<urn:shekara:operator:{}>; rel=\"blocked-by\"",
            about.operator.bin
        ))
    {
        headers.insert(header::LINK, link);
    }
    response
}

/// The answer when a cleared message got none from its upstream.
pub(super) fn failure(about: About<'_>, failure: Failure) -> Response<Body> {
    let error = failure.error_type();
    let mut response = if failure == Failure::AddressProhibited {
        let code = ReasonCode::AddressProhibited;
        let entry = about.reasons.entry(code);
        let status = entry.map_or(failure.status(), |it| it.status);
        let (title, mend) = texts(about, code, entry);
        problem(
            about,
            format!("urn:shekara:reason:{code}"),
            title,
            mend,
            status,
        )
    } else {
        let (title, mend) = upstream_texts::of(failure, about.language);
        let kind = format!("urn:shekara:upstream:{}", error.replace('_', "-"));
        problem(
            about,
            kind,
            title.to_owned(),
            mend.to_owned(),
            failure.status(),
        )
    };
    let headers = response.headers_mut();
    let details = failure.details();
    let details = details.map_or_else(String::new, |it| format!("; details=\"{it}\""));
    if let Ok(value) = HeaderValue::try_from(format!("shekara; error={error}{details}")) {
        headers.insert(PROXY_STATUS, value);
    }
    if let Some(seconds) = failure.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// The answer when a task of the gate broke down: no decision is known, nothing more may be said.
pub(super) fn breakdown() -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::from(
        r#"{"type":"urn:shekara:breakdown","title":"The gate could not handle this request.","status":503,"error":{"code":"breakdown","message":"The gate could not handle this request."}}"#,
    )));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    own_fields(headers);
    headers.insert(
        PROXY_STATUS,
        HeaderValue::from_static("shekara; error=proxy_internal_error"),
    );
    headers.insert(header::RETRY_AFTER, RETRY_AFTER);
    response
}

/// Tells the client that this connection ends.
pub(super) fn close(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// `Shekara-Decision` for `decided`.
pub(super) fn decision_field(decided: &Decided) -> Option<HeaderValue> {
    let verdict = decided.decision.verdict;
    let text = match (verdict, &decided.leaves) {
        (Verdict::Reduce, Some(leaves)) => format!(
            "{}; verdict=reduce; removed={}; dropped={}",
            decided.id, leaves.removed, leaves.dropped
        ),
        _ => format!("{}; verdict={}", decided.id, verdict.as_str()),
    };
    HeaderValue::try_from(text).ok()
}

fn problem(
    about: About<'_>,
    kind: String,
    title: String,
    detail: String,
    status: u16,
) -> Response<Body> {
    let decided = &about.report.decided;
    let reasons = &decided.decision.reasons;
    let code = kind.rsplit(':').next().unwrap_or_default().to_owned();
    let message = format!("{code}: {title} {detail}");
    let body = Problem {
        r#type: kind,
        title,
        status,
        detail,
        instance: format!("urn:uuid:{}", decided.id),
        decision_id: decided.id,
        verdict: decided.decision.verdict,
        would_be: decided.decision.would_be,
        reasons: views(about, reasons),
        categories: found(decided, reasons),
        locations: &decided.locations,
        destination: about.destination.map(|it| &*it.id),
        recipient: decided.recipient.as_ref().map(|it| &*it.legal_name),
        country: decided.recipient.as_ref().map(|it| it.country.code()),
        purpose: decided.transfer.purpose.as_ref().map(|it| it.as_str()),
        message: &message,
        error: ErrorView {
            code: &code,
            message: &message,
        },
    };
    let bytes = serde_json::to_vec(&body).unwrap_or_default();
    let told = grpc::Told(format!("{} {}", body.title, body.detail));
    let mut response = Response::new(Either::Left(Full::from(bytes)));
    response.extensions_mut().insert(told);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    let headers = response.headers_mut();
    own_fields(headers);
    headers.insert(header::CONTENT_LANGUAGE, language::tag(about.language));
    if let Some(value) = decision_field(decided) {
        headers.insert(DECISION_FIELD, value);
    }
    if status == 503 {
        headers.insert(header::RETRY_AFTER, RETRY_AFTER);
    } else if status < 500 {
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    response
}

/// What was found in the message, and what the reasons name beside it.
fn found(decided: &Decided, reasons: &[Reason]) -> CategorySet {
    let of_persons = decided.transfer.persons.iter().map(|it| it.categories);
    let of_reasons = reasons.iter().map(|it| it.categories);
    of_persons
        .chain(of_reasons)
        .fold(CategorySet::EMPTY, CategorySet::union)
}

fn own_fields(headers: &mut HeaderMap) {
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
}

/// One view for each code and mode, in the order of the questions.
fn views<'a>(about: About<'a>, reasons: &'a [Reason]) -> Vec<ReasonView<'a>> {
    let mut groups: BTreeMap<(ReasonCode, bool), (ReasonView<'a>, BTreeSet<u32>)> = BTreeMap::new();
    for it in reasons {
        let (view, persons) = groups
            .entry((it.code, it.mode == Mode::LogOnly))
            .or_insert_with(|| (view(about, it), BTreeSet::new()));
        view.categories = view.categories.union(it.categories);
        persons.extend(it.person);
    }
    groups
        .into_values()
        .map(|(view, persons)| ReasonView {
            persons: persons.len(),
            ..view
        })
        .collect()
}

fn view<'a>(about: About<'a>, reason: &'a Reason) -> ReasonView<'a> {
    let entry = about.reasons.entry(reason.code);
    let rule = entry.map_or("", |it| it.rule.as_str());
    let reading = about.destination.and_then(|it| {
        it.readings
            .iter()
            .find(|it| reason.regime.as_ref() == Some(&it.regime.code))
    });
    ReasonView {
        code: reason.code.as_str(),
        rule,
        regime: reason.regime.as_deref(),
        citation: reading
            .and_then(|it| it.citation(rule))
            .or(entry.map(|it| it.citation.as_str()))
            .unwrap_or_default(),
        mode: reason.mode,
        categories: CategorySet::EMPTY,
        persons: 0,
    }
}

/// Title and mend of `code`, filled in.
fn texts(about: About<'_>, code: ReasonCode, entry: Option<&ReasonEntry>) -> (String, String) {
    let Some(entry) = entry else {
        return (code.as_str().to_owned(), String::new());
    };
    let decided = &about.report.decided;
    let reasons = decided.decision.reasons.iter().filter(|it| it.code == code);
    let categories: Vec<&str> = reasons
        .clone()
        .fold(CategorySet::EMPTY, |all, it| all.union(it.categories))
        .iter()
        .map(|it| it.code())
        .collect();
    let persons: BTreeSet<u32> = reasons.filter_map(|it| it.person).collect();
    let recipient = decided.recipient.as_ref();
    let values = [
        ("categories", categories.join(", ")),
        (
            "country",
            recipient.map_or_else(String::new, |it| it.country.to_string()),
        ),
        ("destination", decided.transfer.destination.to_string()),
        ("operator", about.operator.legal_name.clone()),
        ("persons", persons.len().to_string()),
        (
            "purpose",
            decided
                .transfer
                .purpose
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
        ),
        (
            "recipient",
            recipient.map_or_else(String::new, |it| it.legal_name.to_string()),
        ),
    ];
    let fill = |text: &str| fill(text, &values);
    (
        fill(entry.title.in_language(about.language)),
        fill(entry.mend.in_language(about.language)),
    )
}

/// `text` with each `{name}` replaced; a name that has no value here becomes a dash.
fn fill(text: &str, values: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            rest = after;
            continue;
        };
        let value = values.iter().find(|(it, _)| *it == name);
        out.push_str(
            value
                .map(|(_, it)| it.as_str())
                .filter(|it| !it.is_empty())
                .unwrap_or("–"),
        );
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Codes whose RFC 9209 §2.3 error type is not `http_request_denied`.
const ERROR_TYPES: &[(ReasonCode, &str)] = &[
    (ReasonCode::AddressProhibited, "destination_ip_prohibited"),
    (ReasonCode::AuditUnavailable, "proxy_internal_error"),
    (ReasonCode::Framing, "http_request_error"),
    (ReasonCode::Overloaded, "connection_limit_reached"),
    (ReasonCode::ProxyLoop, "proxy_loop_detected"),
    (ReasonCode::RegistersUnavailable, "proxy_internal_error"),
    (ReasonCode::SpoolUnavailable, "proxy_internal_error"),
];

fn denial_type(code: ReasonCode) -> &'static str {
    ERROR_TYPES
        .iter()
        .find(|it| it.0 == code)
        .map_or("http_request_denied", |it| it.1)
}

#[cfg(test)]
mod tests;
