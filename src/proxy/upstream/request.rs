//! A cleared message as a request of our own: target, head and framing are written anew.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Version, header, uri::PathAndQuery};
use http_body_util::Full;

use super::Failure;
use crate::{
    gatekeeper::destination::Upstream,
    model::{decision::Verdict, message::Message},
    proxy::head,
};

/// Fields whose value is true only of the body as it came.
const BODY_DIGESTS: &[&str] = &[
    "content-digest",
    "content-md5",
    "digest",
    "etag",
    "repr-digest",
];
/// Prefix of fields between clients and the gate.
const OWN_PREFIX: &str = "shekara-";

/// The request to write. Trailer fields are inspected and not sent: the length is known and the message is one piece.
///
/// # Errors
/// The path is none that can be written.
pub(super) fn write(
    message: Message,
    upstream: &Upstream,
    verdict: Verdict,
) -> Result<Request<Full<Bytes>>, Failure> {
    let mut headers = message.headers;
    clean(&mut headers, verdict);
    let had_length = headers.remove(header::CONTENT_LENGTH).is_some();
    if had_length || !message.body.is_empty() {
        headers.insert(header::CONTENT_LENGTH, message.body.len().into());
    }
    headers.insert(header::HOST, host(upstream)?);
    head::append_via(&mut headers);
    let target = target(upstream, &message.path, message.query.as_deref())?;
    let mut request = Request::new(Full::new(message.body));
    *request.method_mut() = message.method;
    *request.version_mut() = Version::HTTP_11;
    *request.uri_mut() = target.into();
    *request.headers_mut() = headers;
    Ok(request)
}

fn clean(headers: &mut HeaderMap, verdict: Verdict) {
    head::remove_hop_by_hop(headers);
    headers.remove(header::EXPECT);
    let own: Vec<HeaderName> = headers
        .keys()
        .filter(|it| it.as_str().starts_with(OWN_PREFIX))
        .cloned()
        .collect();
    for name in &own {
        headers.remove(name);
    }
    if verdict == Verdict::Reduce {
        for name in BODY_DIGESTS {
            headers.remove(*name);
        }
    }
}

fn host(upstream: &Upstream) -> Result<HeaderValue, Failure> {
    let name = upstream.url.host_str().ok_or(Failure::Unconfigured)?;
    let text = match upstream.url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    HeaderValue::try_from(text).map_err(|_| Failure::Unconfigured)
}

/// The upstream's base path, the rest of the path, the query.
fn target(upstream: &Upstream, path: &str, query: Option<&str>) -> Result<PathAndQuery, Failure> {
    let base = upstream.url.path().trim_end_matches('/');
    let text = match query {
        Some(query) => format!("{base}{path}?{query}"),
        None => format!("{base}{path}"),
    };
    PathAndQuery::try_from(text).map_err(|_| Failure::Unconfigured)
}

#[cfg(test)]
mod tests {
    use http::Method;
    use url::Url;

    use super::*;
    use crate::gatekeeper::destination::{Roots, TlsFloor};

    fn written(url: &str, path: &str, query: Option<&str>, fields: &[(&str, &str)]) -> String {
        let upstream = Upstream {
            url: Url::parse(url).unwrap(),
            tls_floor: TlsFloor::Tls12,
            roots: Roots::System,
            controlled_zone: false,
        };
        let message = Message {
            method: Method::POST,
            path: path.to_owned(),
            query: query.map(str::to_owned),
            headers: fields
                .iter()
                .map(|(name, value)| {
                    (
                        name.parse::<HeaderName>().unwrap(),
                        value.parse::<HeaderValue>().unwrap(),
                    )
                })
                .collect(),
            body: Bytes::from_static(b"abc"),
            trailers: HeaderMap::new(),
        };
        let request = write(message, &upstream, Verdict::Reduce).unwrap();
        let mut out = request.uri().to_string();
        for (name, value) in request.headers() {
            out.push_str(&format!("|{name}: {}", value.to_str().unwrap()));
        }
        out
    }

    #[test]
    fn target_host_and_framing_are_ours() {
        assert_eq!(
            written(
                "https://api.example.org/base/",
                "/v3/send",
                Some("a=b?c"),
                &[
                    ("content-length", "999"),
                    ("transfer-encoding", "chunked"),
                    ("host", "gate.test"),
                    ("content-md5", "x"),
                    ("expect", "100-continue"),
                    ("shekara-purpose", "marketing"),
                    ("x-a", "1"),
                ],
            ),
            "/base/v3/send?a=b?c|host: api.example.org|x-a: 1|content-length: 3|via: 1.1 shekara"
        );
        assert_eq!(
            written("http://api.example.org:8080", "/", None, &[]),
            "/|content-length: 3|host: api.example.org:8080|via: 1.1 shekara"
        );
    }
}
