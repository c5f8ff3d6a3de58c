//! Heads between two connections: whom a request is for, and which fields go no further (RFC 9110 §7.6).

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

/// The name under which this gate stands in `Via` fields.
pub(super) const PSEUDONYM: &str = "shekara";
/// Fields that belong to one connection whatever `Connection` says.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Prefix of fields between clients and the gate.
const OWN_PREFIX: &str = "shekara-";
/// Fields of an answer that say something else when they come after the content (RFC 9110 §6.5.1).
const NOT_LATE: &[HeaderName] = &[
    header::ALT_SVC,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::LOCATION,
    header::REFRESH,
    header::SET_COOKIE,
    header::VIA,
];

/// Host of a request: lower-case, without port and final dot. The wire check has seen to it that there is exactly one.
pub(super) fn host_of(uri: &Uri, headers: &HeaderMap) -> String {
    let field = headers
        .get(header::HOST)
        .and_then(|it| it.to_str().ok())
        .or_else(|| uri.authority().map(http::uri::Authority::as_str))
        .unwrap_or_default();
    let name = match field.rfind(']') {
        Some(end) => field.get(..=end).unwrap_or_default(),
        None => field.split(':').next().unwrap_or_default(),
    };
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Takes out the fields of one connection: those that `Connection` names and those that always are. That the sender of a request
/// understands trailer fields (`TE: trailers`) stays: the gate passes them on, and gRPC servers refuse who does not.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let takes_trailers = takes_trailers(headers);
    remove_all_hop_by_hop(headers);
    if takes_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

/// The same of an answer, where `TE` says nothing. What it announces as trailer fields stays: it names fields that are passed on.
pub(super) fn remove_hop_by_hop_of_answer(headers: &mut HeaderMap) {
    let announced: Vec<HeaderValue> = headers.get_all(header::TRAILER).iter().cloned().collect();
    remove_all_hop_by_hop(headers);
    for it in announced {
        headers.append(header::TRAILER, it);
    }
}

/// Takes out of an answer's trailer fields what must not come late, and what only the gate may say.
pub(super) fn clean_trailers(fields: &mut HeaderMap) {
    remove_all_hop_by_hop(fields);
    let unfit: Vec<HeaderName> = fields
        .keys()
        .filter(|it| NOT_LATE.contains(it) || it.as_str().starts_with(OWN_PREFIX))
        .cloned()
        .collect();
    for name in &unfit {
        fields.remove(name);
    }
}

fn takes_trailers(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::TE)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .any(|it| it.trim().eq_ignore_ascii_case("trailers"))
}

fn remove_all_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .filter_map(|it| it.trim().parse().ok())
        .collect();
    for name in &named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(*name);
    }
}

/// Whether the message has been here before.
pub(super) fn has_passed(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::VIA)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .any(|it| it.split_whitespace().nth(1) == Some(PSEUDONYM))
}

/// Adds this gate to the `Via` field.
pub(super) fn append_via(headers: &mut HeaderMap) {
    headers.append(header::VIA, HeaderValue::from_static("1.1 shekara"));
}

/// Whether the client asks to turn the connection into an uninspected channel.
pub(super) fn asks_for_channel(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::UPGRADE)
        .iter()
        .any(|it| it.as_bytes().to_ascii_lowercase().starts_with(b"websocket"))
}

/// Whether `Expect` asks for something other than `100-continue` (RFC 9110 §10.1.1).
pub(super) fn expects_the_unknown(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::EXPECT)
        .iter()
        .any(|it| !it.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn hosts_lose_case_port_and_final_dot() {
        let host = |value| host_of(&Uri::from_static("/"), &map(&[("host", value)]));
        assert_eq!(host("CRM.Example.:80"), "crm.example");
        assert_eq!(host("[2001:DB8::1]:8080"), "[2001:db8::1]");
        assert_eq!(host("192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn fields_of_one_connection_go_no_further() {
        let mut headers = map(&[
            ("connection", "x-hop, close"),
            ("x-hop", "1"),
            ("keep-alive", "5"),
            ("proxy-connection", "keep-alive"),
            ("te", "trailers"),
            ("trailer", "x-sum"),
            ("upgrade", "h2c"),
            ("transfer-encoding", "chunked"),
            ("x-end", "1"),
        ]);
        let mut answer = headers.clone();
        remove_hop_by_hop(&mut headers);
        assert_eq!(headers, map(&[("x-end", "1"), ("te", "trailers")]));
        remove_hop_by_hop_of_answer(&mut answer);
        assert_eq!(answer, map(&[("x-end", "1"), ("trailer", "x-sum")]));
        let mut headers = map(&[("te", "gzip, Trailers;q=1"), ("x-end", "1")]);
        remove_hop_by_hop(&mut headers);
        assert_eq!(headers, map(&[("x-end", "1")]));
    }

    #[test]
    fn trailers_of_answers_say_nothing_of_the_message_or_the_gate() {
        let mut fields = map(&[
            ("grpc-status", "0"),
            ("content-type", "text/html"),
            ("location", "https://evil.example/"),
            ("shekara-decision", "x"),
            ("connection", "grpc-message"),
            ("grpc-message", "a"),
        ]);
        clean_trailers(&mut fields);
        assert_eq!(fields, map(&[("grpc-status", "0")]));
    }

    #[test]
    fn a_message_that_has_passed_is_known() {
        assert!(has_passed(&map(&[("via", "1.0 a, 1.1 shekara (x)")])));
        assert!(!has_passed(&map(&[("via", "1.1 shekara-b, 1.1 a")])));
    }
}
