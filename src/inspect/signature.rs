//! Whether the sender signed the content, so that taking anything out of it would break the signature.

use http::{HeaderMap, header::AUTHORIZATION};

use crate::model::message::Message;

/// Whether the request is signed by AWS Signature Version 4 (in the head or the query) or carries an RFC 9421 signature.
pub(crate) fn is_signed(message: &Message) -> bool {
    let headers = &message.headers;
    let is_aws = headers
        .get_all(AUTHORIZATION)
        .iter()
        .any(|it| starts_with_ignoring_case(it.as_bytes(), b"AWS4-"));
    let is_aws_query = message.query.as_deref().is_some_and(|it| {
        it.split('&').any(|pair| {
            pair.split('=')
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("x-amz-signature"))
        })
    });
    is_aws || is_aws_query || is_rfc_9421(headers) || is_rfc_9421(&message.trailers)
}

fn is_rfc_9421(fields: &HeaderMap) -> bool {
    fields.contains_key("signature") && fields.contains_key("signature-input")
}

fn starts_with_ignoring_case(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len())
        .is_some_and(|it| it.eq_ignore_ascii_case(prefix))
}
