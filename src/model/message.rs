//! One outbound request as the gate holds it: head and whole body in memory, nothing sent yet.

use bytes::Bytes;
use http::{HeaderMap, Method};

/// A stored request. `Debug` names sizes only.
#[derive(Clone)]
pub struct Message {
    /// Method as received.
    pub method: Method,
    /// Path as it will be sent: percent-encoded, dot segments refused earlier, destination prefix already stripped.
    pub path: String,
    /// Query without the `?`, as received.
    pub query: Option<String>,
    /// End-to-end fields as received; hop-by-hop fields are removed before this value is made.
    pub headers: HeaderMap,
    /// The body with its content coding, byte for byte.
    pub body: Bytes,
    /// Trailer fields as received.
    pub trailers: HeaderMap,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("method", &self.method)
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
