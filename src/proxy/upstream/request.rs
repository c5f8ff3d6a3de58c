//! A cleared message as a request of our own: target, head and framing are written anew.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header,
    uri::{Authority, PathAndQuery, Scheme},
};
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

/// A request as it goes out, in either version of HTTP.
#[derive(Debug)]
pub(super) struct Outgoing {
    method: Method,
    scheme: Scheme,
    authority: Authority,
    target: PathAndQuery,
    /// Without `Host`, which HTTP/2 has no use for.
    headers: HeaderMap,
    body: Bytes,
}

/// The request to write. Trailer fields are inspected and not sent: the length is known and the message is one piece.
///
/// # Errors
/// The path is none that can be written.
pub(super) fn write(
    message: Message,
    upstream: &Upstream,
    verdict: Verdict,
) -> Result<Outgoing, Failure> {
    let mut headers = message.headers;
    clean(&mut headers, verdict);
    let had_length = headers.remove(header::CONTENT_LENGTH).is_some();
    if had_length || !message.body.is_empty() {
        headers.insert(header::CONTENT_LENGTH, message.body.len().into());
    }
    for it in &upstream.credentials {
        headers.insert(it.field.clone(), it.value.expose().clone());
    }
    head::append_via(&mut headers);
    Ok(Outgoing {
        method: message.method,
        scheme: if upstream.url.scheme() == "https" {
            Scheme::HTTPS
        } else {
            Scheme::HTTP
        },
        authority: authority(upstream)?,
        target: target(upstream, &message.path, message.query.as_deref())?,
        headers,
        body: message.body,
    })
}

impl Outgoing {
    /// In HTTP/1.1: origin form, with `Host`.
    pub(super) fn for_http1(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.version_mut() = Version::HTTP_11;
        *request.uri_mut() = self.target.clone().into();
        let headers = request.headers_mut();
        if let Ok(host) = HeaderValue::from_str(self.authority.as_str()) {
            headers.insert(header::HOST, host);
        }
        headers.extend(self.headers.clone());
        // It holds for one connection, and says so (RFC 9110 §10.1.4).
        if headers.contains_key(header::TE) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
        }
        request
    }

    /// The head in HTTP/2: host and scheme are pseudo-fields (RFC 9113 §8.3.1).
    ///
    /// # Errors
    /// The target is none.
    pub(super) fn for_http2(&self) -> Result<Request<()>, Failure> {
        let mut request = Request::new(());
        *request.method_mut() = self.method.clone();
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(self.target.clone())
            .build()
            .map_err(|_| Failure::Unconfigured)?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }

    /// The body; cheap to clone.
    pub(super) fn body(&self) -> Bytes {
        self.body.clone()
    }
}

fn clean(headers: &mut HeaderMap, verdict: Verdict) {
    head::remove_hop_by_hop(headers);
    headers.remove(header::EXPECT);
    headers.remove(header::HOST);
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

fn authority(upstream: &Upstream) -> Result<Authority, Failure> {
    let name = upstream.url.host_str().ok_or(Failure::Unconfigured)?;
    let text = match upstream.url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    Authority::try_from(text).map_err(|_| Failure::Unconfigured)
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
    use url::Url;

    use super::*;
    use crate::{gatekeeper::destination::Credential, model::Sensitive};

    fn outgoing(
        upstream: &Upstream,
        path: &str,
        query: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Outgoing {
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
        write(message, upstream, Verdict::Reduce).unwrap()
    }

    fn upstream(url: &str) -> Upstream {
        Upstream::new(Url::parse(url).unwrap())
    }

    fn shown<B>(request: &Request<B>) -> String {
        let mut out = request.uri().to_string();
        for (name, value) in request.headers() {
            out.push_str(&format!("|{name}: {}", value.to_str().unwrap()));
        }
        out
    }

    #[test]
    fn target_host_and_framing_are_ours() {
        let base = upstream("https://api.example.org/base/");
        let request = outgoing(
            &base,
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
        );
        let fields = "|x-a: 1|content-length: 3|via: 1.1 shekara";
        assert_eq!(
            shown(&request.for_http1()),
            format!("/base/v3/send?a=b?c|host: api.example.org{fields}")
        );
        assert_eq!(
            shown(&request.for_http2().unwrap()),
            format!("https://api.example.org/base/v3/send?a=b?c{fields}")
        );
        let request = outgoing(&upstream("http://api.example.org:8080"), "/", None, &[]);
        assert_eq!(
            shown(&request.for_http1()),
            "/|host: api.example.org:8080|content-length: 3|via: 1.1 shekara"
        );
        assert_eq!(
            request.for_http2().unwrap().uri(),
            "http://api.example.org:8080/"
        );
    }

    /// If this fails, gRPC calls do not work: their servers refuse requests that do not take trailers.
    #[test]
    fn that_trailers_are_taken_is_said_on() {
        let base = upstream("https://api.example.org");
        let request = outgoing(&base, "/", None, &[("te", "trailers")]);
        assert_eq!(request.for_http2().unwrap().headers()["te"], "trailers");
        let old = request.for_http1();
        assert_eq!(old.headers()["te"], "trailers");
        assert_eq!(old.headers()["connection"], "te");
        let request = outgoing(&base, "/", None, &[("te", "gzip;q=1")]);
        assert!(!request.for_http1().headers().contains_key("te"));
    }

    #[test]
    fn the_gates_credentials_replace_the_clients() {
        let mut base = upstream("https://api.example.org");
        base.credentials = vec![Credential {
            field: header::AUTHORIZATION,
            value: Sensitive::new(HeaderValue::from_static("Bearer held")),
        }];
        let fields = [("authorization", "Bearer a"), ("authorization", "Bearer b")];
        let request = outgoing(&base, "/", None, &fields);
        let sent: Vec<_> = request.headers.get_all("authorization").iter().collect();
        assert_eq!(sent, ["Bearer held"]);
    }
}
