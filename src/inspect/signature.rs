//! Whether the sender signed the content, so that taking anything out of it would break the signature.

use http::{
    HeaderMap,
    header::{AUTHORIZATION, HeaderName},
};

use crate::model::message::Message;

/// Beginnings of authorization schemes that sign the request: AWS and those that follow it, draft-cavage HTTP signatures, HMAC.
const SCHEMES: &[&str] = &[
    "acs3-",
    "aws ",
    "aws4-",
    "goog4-",
    "hmac",
    "oss4-",
    "sdk-hmac",
    "sharedkey",
    "signature ",
    "tc3-",
];

/// Query parameters that carry such a signature.
const PARAMETERS: &[&str] = &["x-amz-signature", "x-goog-signature", "x-oss-signature"];

/// Words in the name of a field whose value signs the body: `x-hub-signature-256`, `stripe-signature`, `x-shopify-hmac-sha256`.
const WORDS: &[&str] = &["hmac", "signature", "sig"];

/// Whether the request is signed: by AWS Signature Version 4 or one like it (in the head or the query), by RFC 9421, or by a field
/// that senders of webhooks put beside a body. Taking a signed field for what signs the body at worst refuses what could have
/// been reduced.
pub(crate) fn is_signed(message: &Message) -> bool {
    let headers = &message.headers;
    let is_scheme = headers.get_all(AUTHORIZATION).iter().any(|value| {
        let mut schemes = SCHEMES.iter();
        schemes.any(|it| starts_with_ignoring_case(value.as_bytes(), it.as_bytes()))
    });
    let is_query = message.query.as_deref().is_some_and(|it| {
        it.split('&').any(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            let mut parameters = PARAMETERS.iter();
            parameters.any(|it| name.eq_ignore_ascii_case(it))
        })
    });
    is_scheme || is_query || has_signature(headers) || has_signature(&message.trailers)
}

/// Whether some field signs. `Signature-Input` alone says only how something would be signed.
fn has_signature(fields: &HeaderMap) -> bool {
    let signs = |name: &HeaderName| {
        let name = name.as_str();
        name != "signature-input" && name.split('-').any(|it| WORDS.contains(&it))
    };
    fields.keys().any(signs)
}

fn starts_with_ignoring_case(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len())
        .is_some_and(|it| it.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderValue, Method};

    use super::*;

    fn message(fields: &[(&'static str, &'static str)], query: &str) -> Message {
        let field = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        Message {
            method: Method::POST,
            path: "/".to_owned(),
            query: Some(query.to_owned()),
            headers: fields.iter().map(field).collect(),
            body: Bytes::new(),
            trailers: HeaderMap::new(),
        }
    }

    #[test]
    fn signatures_are_known_by_scheme_parameter_and_field() {
        for fields in [
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=a, Signature=b",
            ),
            ("authorization", "Signature keyId=\"a\",signature=\"b\""),
            ("authorization", "hmac username=\"a\""),
            ("authorization", "SharedKey account:b"),
            ("signature", "sig1=:b:"),
            ("x-hub-signature-256", "sha256=00"),
            ("x-signature", "00"),
            ("stripe-signature", "t=1,v1=00"),
            ("x-shopify-hmac-sha256", "00"),
            ("paypal-transmission-sig", "00"),
        ] {
            assert!(is_signed(&message(&[fields], "")), "{fields:?}");
        }
        assert!(is_signed(&message(&[], "a=b&X-Amz-Signature=00")));
        for fields in [
            ("authorization", "Bearer signature"),
            ("authorization", "Basic YTpi"),
            ("signature-input", "sig1=()"),
            ("x-signal", "1"),
            ("content-digest", "sha-256=:AA==:"),
        ] {
            assert!(!is_signed(&message(&[fields], "signature=1")), "{fields:?}");
        }
    }
}
