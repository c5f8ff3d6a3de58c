//! The gate's own answers as gRPC clients read them.
//!
//! A gRPC client takes an answer that is not of its kind for a fault of the transport, and shows neither reason nor mend. So a call
//! is told what became of it in gRPC's words (its *Trailers-Only* form), as other gateways do.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{Either, Full};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::Body;

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// What `grpc-message` writes in escapes beside what is not ASCII.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');
/// Fields that speak of the body that is left out.
const OF_THE_BODY: &[HeaderName] = &[
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::VARY,
];

/// What an answer of the gate's own says, in one line.
#[derive(Clone, Debug)]
pub(super) struct Told(pub(super) String);

/// Whether a request is a call of gRPC.
pub(in crate::proxy) fn is_call(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.as_bytes().strip_prefix(b"application/grpc"))
        .is_some_and(|rest| rest.is_empty() || matches!(rest.first(), Some(b'+' | b';')))
}

/// `response` in gRPC's words, if it is the gate's own.
pub(in crate::proxy) fn in_its_words(mut response: Response<Body>) -> Response<Body> {
    let Some(Told(text)) = response.extensions_mut().remove() else {
        return response;
    };
    let status = code(response.status());
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    for name in OF_THE_BODY {
        headers.remove(name);
    }
    let kind = HeaderValue::from_static("application/grpc");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(STATUS, status.into());
    let message = utf8_percent_encode(&text, ESCAPED).to_string();
    if let Ok(message) = HeaderValue::try_from(message) {
        headers.insert(MESSAGE, message);
    }
    response.map(|_| Either::Left(Full::new(Bytes::new())))
}

/// The code of gRPC that says the same to a client, which tries again what is `UNAVAILABLE` and nothing else.
const fn code(status: StatusCode) -> u16 {
    match status.as_u16() {
        // PERMISSION_DENIED, UNIMPLEMENTED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE, INVALID_ARGUMENT, INTERNAL.
        403 | 451 => 7,
        405 => 12,
        408 => 4,
        413 => 8,
        429 | 502..=504 => 14,
        400..=499 => 3,
        _ => 13,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_known_by_their_type() {
        for (kind, is) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;a=b", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
            assert_eq!(is_call(&headers.into_iter().collect()), is, "{kind}");
        }
    }

    #[test]
    fn an_upstreams_answer_stays_and_the_gates_own_is_said_anew() {
        let refused = || {
            Response::builder()
                .status(451)
                .header("content-language", "kk")
                .header("shekara-decision", "x")
                .body(Either::Left(Full::from("{}")))
                .unwrap()
        };
        let other = in_its_words(refused());
        assert_eq!(other.status(), 451);
        let mut own = refused();
        own.extensions_mut()
            .insert(Told("100% \u{436}\n".to_owned()));
        let own = in_its_words(own);
        assert_eq!(own.status(), 200);
        let headers = own.headers();
        assert_eq!(headers["grpc-status"], "7");
        assert_eq!(headers["grpc-message"], "100%25 %D0%B6%0A");
        assert_eq!(headers["shekara-decision"], "x");
        assert!(!headers.contains_key("content-language"));
    }
}
