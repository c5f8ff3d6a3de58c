//! Content codings (RFC 9110 §8.4): from the body on the wire to the body that readers see.

use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_ENCODING};

use crate::model::finding::GapKind;

/// Whether no coding but `identity` is named.
pub(crate) fn is_identity(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .flat_map(|it| it.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .all(|it| it.is_empty() || it.eq_ignore_ascii_case(b"identity"))
}

/// `body` without its codings.
///
/// # Errors
/// A coding is named that is not undone.
pub(crate) fn decoded<'b>(headers: &HeaderMap, body: &'b Bytes) -> Result<&'b [u8], GapKind> {
    if is_identity(headers) {
        Ok(body)
    } else {
        Err(GapKind::UnsupportedCoding)
    }
}
