//! Heads of answers: what is passed on, and what would lead the client around the gate.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, response::Parts};

use super::{
    answer::{DECISION_FIELD, decision_field},
    head,
    upstream::Failure,
};
use crate::gatekeeper::{
    Report,
    destination::{Destination, DestinationTable},
};

/// Fields that name another place for the same content.
const ALTERNATIVES: &[&str] = &["alt-svc", "refresh"];

/// What was done about a redirect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Redirect {
    /// There is none, or it leads to a declared host.
    Harmless,
    /// It leads elsewhere and is passed on, as the destination asks.
    Passed,
    /// It led elsewhere; the field was taken out.
    Stripped,
}

/// Makes `parts` of an upstream's answer an answer to the client.
///
/// # Errors
/// The head is ambiguous or switches protocols, or an SDK would send the body elsewhere (307, 308).
pub(super) fn prepare(
    parts: &mut Parts,
    destination: &Destination,
    table: &DestinationTable,
    report: &Report,
) -> Result<Redirect, Failure> {
    let headers = &mut parts.headers;
    let has_two_framings = headers.contains_key(header::TRANSFER_ENCODING)
        && headers.contains_key(header::CONTENT_LENGTH);
    if parts.status.is_informational() || has_two_framings {
        return Err(Failure::Protocol);
    }
    head::remove_hop_by_hop_of_answer(headers);
    let redirect = redirect(parts.status, headers, destination, table)?;
    let own: Vec<HeaderName> = headers
        .keys()
        .filter(|it| it.as_str().starts_with("shekara-"))
        .cloned()
        .collect();
    for name in &own {
        headers.remove(name);
    }
    head::append_via(headers);
    if let Some(value) = decision_field(&report.decided) {
        headers.insert(DECISION_FIELD, value);
    }
    Ok(redirect)
}

fn redirect(
    status: StatusCode,
    headers: &mut HeaderMap,
    destination: &Destination,
    table: &DestinationTable,
) -> Result<Redirect, Failure> {
    // Of several fields a client may follow any.
    let is_stray = status.is_redirection()
        && headers
            .get_all(header::LOCATION)
            .iter()
            .any(|it| !is_declared(it, destination, table));
    if destination.pass_redirects {
        return Ok(if is_stray {
            Redirect::Passed
        } else {
            Redirect::Harmless
        });
    }
    for name in ALTERNATIVES {
        headers.remove(*name);
    }
    if !is_stray {
        return Ok(Redirect::Harmless);
    }
    if matches!(
        status,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
    ) {
        return Err(Failure::RedirectStopped);
    }
    headers.remove(header::LOCATION);
    Ok(Redirect::Stripped)
}

/// Whether `location`, seen from the upstream, stays at a host that is some destination's upstream.
fn is_declared(
    location: &HeaderValue,
    destination: &Destination,
    table: &DestinationTable,
) -> bool {
    location
        .to_str()
        .ok()
        .and_then(|it| destination.upstream.url.join(it).ok())
        .filter(|it| matches!(it.scheme(), "http" | "https"))
        .and_then(|it| it.host_str().map(|it| table.has_upstream(it)))
        .unwrap_or(false)
}
