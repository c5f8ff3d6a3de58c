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

/// Takes out the fields of one connection: those that `Connection` names and those that always are.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
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

/// Adds this gate to the `Via` field. The received protocol is HTTP/1.1 in both directions.
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
        remove_hop_by_hop(&mut headers);
        assert_eq!(headers, map(&[("x-end", "1")]));
    }

    #[test]
    fn a_message_that_has_passed_is_known() {
        assert!(has_passed(&map(&[("via", "1.0 a, 1.1 shekara (x)")])));
        assert!(!has_passed(&map(&[("via", "1.1 shekara-b, 1.1 a")])));
    }
}
