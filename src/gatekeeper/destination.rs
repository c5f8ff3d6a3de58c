//! Destinations as the gate reaches them, and how a request finds its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use http::{HeaderName, HeaderValue};
use ipnet::IpNet;
use url::{Host, Url};

use crate::{
    inspect::Plan,
    model::{self, Purpose, Sensitive, destination::FailurePolicy},
};

/// A destination with everything needed to match, read and reach it.
#[derive(PartialEq, Debug)]
pub struct Destination {
    /// The legal side.
    pub facts: Arc<model::destination::Destination>,
    /// How requests find it.
    pub matcher: Matcher,
    /// Who may use it, and for which claimed purposes; empty = any caller.
    pub callers: BTreeMap<Arc<str>, BTreeSet<Purpose>>,
    /// How it is reached.
    pub upstream: Upstream,
    /// Sizes and times.
    pub limits: Limits,
    /// What happens when the audit log cannot be written.
    pub audit_failure: FailurePolicy,
    /// One compiled plan per route of `facts.routes`, in the same order.
    pub plans: Vec<Plan>,
    /// A plan for requests that no route takes.
    pub default_plan: Plan,
    /// Redirects and Alt-Svc to undeclared hosts are passed on (recorded), instead of stopped.
    pub pass_redirects: bool,
    /// Status of legal refusals: 451 or 403.
    pub legal_status: u16,
}

/// Conditions that all must hold; `None` = any.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Matcher {
    /// Listener id.
    pub listener: Option<Arc<str>>,
    /// Host of the request, lower-case, without port.
    pub host: Option<Arc<str>>,
    /// Path prefix on segment boundaries, without trailing slash: `/mail`.
    pub path_prefix: Option<Arc<str>>,
}

/// How an upstream is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upstream {
    /// `https://api.example.org/base`: scheme, host, port, base path. No user info, query or fragment.
    pub url: Url,
    /// Versions of HTTP that are spoken.
    pub http: HttpVersions,
    /// Lowest TLS version.
    pub tls_floor: TlsFloor,
    /// Trusted roots.
    pub roots: Roots,
    /// SHA-256 of public keys (SPKI), one of which must stand in the verified chain; empty = any.
    pub pins: BTreeSet<[u8; 32]>,
    /// PEM revocation lists of the authority that issues the upstream's certificate.
    pub revocations: Option<Arc<str>>,
    /// What the gate proves itself with.
    pub identity: Option<Identity>,
    /// The proxy through which it is reached.
    pub proxy: Option<ForwardProxy>,
    /// Fields that the gate sets, in the place of the client's.
    pub credentials: Vec<Credential>,
    /// Private addresses may be dialled, plain HTTP may be used.
    pub controlled_zone: bool,
    /// How many connections there are, and how long.
    pub connections: Connections,
    /// When it is left alone.
    pub breaker: Breaker,
}

impl Upstream {
    /// The upstream at `url`, everything else at its default.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            http: HttpVersions::default(),
            tls_floor: TlsFloor::default(),
            roots: Roots::System,
            pins: BTreeSet::new(),
            revocations: None,
            identity: None,
            proxy: None,
            credentials: Vec::new(),
            controlled_zone: false,
            connections: Connections::default(),
            breaker: Breaker::default(),
        }
    }
}

/// Versions of HTTP that are spoken with an upstream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HttpVersions {
    /// Over TLS what the upstream prefers of HTTP/2 and HTTP/1.1 (ALPN, RFC 7301), else HTTP/1.1.
    #[default]
    Auto,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2; without TLS by prior knowledge (RFC 9113 §3.3).
    Http2,
}

/// A client certificate of the gate's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// PEM certificate chain.
    pub certificate: Arc<str>,
    /// PEM private key.
    pub key: Sensitive<Arc<str>>,
}

/// A proxy in the operator's own network that opens tunnels (RFC 9110 §9.3.6). It looks up the upstream's name, not the gate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ForwardProxy {
    /// Name or address.
    pub host: Host,
    /// Port.
    pub port: u16,
    /// Value of `Proxy-Authorization`.
    pub authorization: Option<Sensitive<HeaderValue>>,
}

/// A header field that the gate holds for an upstream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credential {
    /// Name of the field.
    pub field: HeaderName,
    /// Its value.
    pub value: Sensitive<HeaderValue>,
}

/// Connections to one upstream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connections {
    /// Most at once; `None` = as many as exchanges.
    pub max: Option<usize>,
    /// One that nobody has used for so long is closed. Default 30 s.
    pub idle_time: Duration,
    /// One that is so old takes no more requests, so that a name's new address is noticed. Default 300 s.
    pub life_time: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            max: None,
            idle_time: Duration::from_secs(30),
            life_time: Duration::from_secs(300),
        }
    }
}

/// When an upstream that fails is left alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Breaker {
    /// Failures in a row; 0 = it is never left alone. Default 5.
    pub failures: u32,
    /// For how long, before one request tries again. Default 10 s.
    pub open_for: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            failures: 5,
            open_for: Duration::from_secs(10),
        }
    }
}

/// Lowest TLS version of an upstream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TlsFloor {
    /// TLS 1.2.
    #[default]
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// Which roots an upstream's certificate must lead to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Roots {
    /// PEM certificates, read when the configuration loaded.
    Pem(Arc<str>),
    /// The system's.
    System,
}

/// Sizes and times of one destination.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Largest body. Default 16 MiB.
    pub body_bytes: u64,
    /// Time from one piece of the request body to the next. Default 15 s.
    pub body_idle_time: Duration,
    /// Time for the whole request body to arrive. Default 60 s.
    pub body_time: Duration,
    /// Time for connecting, TLS included. Default 10 s.
    pub connect_time: Duration,
    /// Time for the answer's head. Default 60 s.
    pub response_time: Duration,
    /// Time from one piece of the answer's body to the next. Default 60 s.
    pub response_idle_time: Duration,
    /// Time for the whole exchange, from the request's head to the last byte of the answer. Default 15 min.
    pub total_time: Duration,
    /// Wall-clock time for inspection. Default 5 s.
    pub inspection_time: Duration,
    /// Exchanges with the upstream at once. Default 256.
    pub concurrency: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 16 * 1024 * 1024,
            body_idle_time: Duration::from_secs(15),
            body_time: Duration::from_secs(60),
            connect_time: Duration::from_secs(10),
            response_time: Duration::from_secs(60),
            response_idle_time: Duration::from_secs(60),
            total_time: Duration::from_secs(900),
            inspection_time: Duration::from_secs(5),
            concurrency: 256,
        }
    }
}

/// Somebody who may call the gate; any of the proofs identifies them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Id.
    pub id: Arc<str>,
    /// Subject alternative names of client certificates (DNS, URI).
    pub sans: BTreeSet<Arc<str>>,
    /// SHA-256 of bearer tokens.
    pub tokens: Vec<[u8; 32]>,
    /// Addresses.
    pub cidrs: Vec<IpNet>,
    /// Exchanges at once; `None` = as many as the gate has.
    pub concurrency: Option<usize>,
}

impl Caller {
    /// Whether the caller may come from `address`.
    pub fn has_address(&self, address: IpAddr) -> bool {
        self.cidrs.iter().any(|it| it.contains(&address))
    }
}

/// What the table finds.
#[derive(Clone, Debug)]
pub struct Matched {
    /// The destination.
    pub destination: Arc<Destination>,
    /// Index into its routes; `None` when no route takes method and path.
    pub route: Option<usize>,
    /// The path without the destination's prefix; starts with `/`.
    pub path: String,
}

/// All destinations of a configuration.
#[derive(Debug, Default)]
pub struct DestinationTable {
    /// Most specific first: longest prefix, then host, then listener.
    ordered: Vec<Arc<Destination>>,
}

impl DestinationTable {
    /// Orders `destinations`. Contradictions (two with the same matcher) are refused by `config`.
    pub fn new(mut destinations: Vec<Arc<Destination>>) -> Self {
        destinations.sort_by_key(|it| {
            let prefix = it.matcher.path_prefix.as_ref().map_or(0, |it| it.len());
            (
                std::cmp::Reverse(prefix),
                it.matcher.host.is_none(),
                it.matcher.listener.is_none(),
            )
        });
        Self {
            ordered: destinations,
        }
    }

    /// Every destination.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Destination>> {
        self.ordered.iter()
    }

    /// The destination of a request. `host` is lower-case without port, `path` has passed [`check_path`].
    pub fn find(&self, listener: &str, host: &str, method: &str, path: &str) -> Option<Matched> {
        self.ordered.iter().find_map(|it| {
            let path = it.matcher.accept(listener, host, path)?;
            let route = it.facts.routes.iter().position(|route| {
                (route.methods.is_empty() || route.methods.contains(method))
                    && strip_prefix(&path, &route.path).is_some()
            });
            Some(Matched {
                destination: Arc::clone(it),
                route,
                path,
            })
        })
    }

    /// Whether `host` is the upstream of some destination (redirects to it are declared).
    pub fn has_upstream(&self, host: &str) -> bool {
        self.ordered
            .iter()
            .any(|it| it.upstream.url.host_str() == Some(host))
    }
}

impl Matcher {
    /// The rest of `path` when the request is ours.
    fn accept(&self, listener: &str, host: &str, path: &str) -> Option<String> {
        let listener_fits = self.listener.as_deref().is_none_or(|it| it == listener);
        let host_fits = self.host.as_deref().is_none_or(|it| it == host);
        (listener_fits && host_fits).then_some(())?;
        strip_prefix(path, self.path_prefix.as_deref().unwrap_or(""))
    }
}

/// `path` without `prefix`, on a segment boundary; the rest starts with `/`.
fn strip_prefix(path: &str, prefix: &str) -> Option<String> {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let rest = path.strip_prefix(prefix)?;
    match rest.as_bytes().first() {
        None => Some("/".to_owned()),
        Some(b'/') => Some(rest.to_owned()),
        Some(_) => None,
    }
}

/// Refuses paths that two parsers could read differently: dot segments, empty segments, `;`, backslashes, encoded dots, slashes
/// and NULs (`decision.md` §3 "Matching"). A trailing slash is kept.
///
/// # Errors
/// Names what is in the way, without the path.
pub fn check_path(path: &str) -> Result<(), &'static str> {
    let lower = path.to_ascii_lowercase();
    if !path.starts_with('/') {
        Err("the path does not start with a slash")
    } else if path.contains("//") {
        Err("the path has an empty segment")
    } else if path.contains([';', '\\']) {
        Err("the path has a semicolon or a backslash")
    } else if ["%2e", "%2f", "%5c", "%00", "%25"]
        .iter()
        .any(|it| lower.contains(it))
    {
        Err("the path has an encoded dot, slash, backslash, percent sign or NUL")
    } else if path.split('/').any(|it| it == "." || it == "..") {
        Err("the path has a dot segment")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_at_segments() {
        assert_eq!(strip_prefix("/mail/v3", "/mail").as_deref(), Some("/v3"));
        assert_eq!(strip_prefix("/mail", "/mail/").as_deref(), Some("/"));
        assert_eq!(strip_prefix("/mailer/v3", "/mail"), None);
        assert_eq!(strip_prefix("/v3", "").as_deref(), Some("/v3"));
    }

    #[test]
    fn refuses_paths_with_two_readings() {
        for path in [
            "/a/../b",
            "/a/%2E%2e/b",
            "/a//b",
            "/a;x/b",
            "/a\\b",
            "/a%2Fb",
            "*",
            "/%2500",
        ] {
            assert!(check_path(path).is_err(), "{path}");
        }
        assert!(check_path("/v3/mail/send/").is_ok());
        assert!(check_path("/contacts/a.b@example.org").is_ok());
    }
}
