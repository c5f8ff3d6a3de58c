//! How an upstream is reached, and whether that is safe.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::{CertificateRevocationListDer, pem::PemObject as _};
use url::{Host, Url};
use x509_parser::{prelude::FromDer as _, revocation_list::CertificateRevocationList};

use super::{
    super::{raw_destination as raw, yaml::Trail},
    context::Context,
    held,
};
use crate::gatekeeper::destination::{
    Breaker, Connections, ForwardProxy, HttpVersions, Roots, TlsFloor, Upstream,
};

pub(super) fn compile(cx: &Context<'_>, at: &Trail, raw: &raw::Upstream) -> Option<Upstream> {
    let roots_at = at.key("roots");
    let roots = match raw.roots.as_deref() {
        None | Some("system") => Some(Roots::System),
        Some(name) => held::roots(cx, &roots_at, name).map(Roots::Pem),
    };
    let url = url(cx, at, raw);
    let pins = pins(cx, &at.key("pins"), &raw.pins);
    let (crl_at, identity_at) = (at.key("crl_file"), at.key("identity"));
    let revocations = raw.crl_file.as_ref();
    let revocations = revocations.and_then(|it| revocations_of(cx, &crl_at, it));
    let identity = raw.identity.as_ref();
    let identity = identity.and_then(|it| held::identity(cx, &identity_at, it));
    let proxy = proxy(cx, at, raw);
    let credentials = held::credentials(cx, &at.key("credentials"), raw);
    let http = http(cx, at, raw);
    let (connections, breaker) = (connections(cx, at, raw), breaker(cx, at, &raw.breaker));
    without_tls(cx, at, raw);
    Some(Upstream {
        url: url?,
        http,
        tls_floor: match raw.tls_floor {
            Some(raw::TlsFloor::Tls13) => TlsFloor::Tls13,
            Some(raw::TlsFloor::Tls12) | None => TlsFloor::Tls12,
        },
        roots: roots?,
        pins,
        revocations,
        identity,
        proxy,
        credentials,
        controlled_zone: raw.controlled_zone,
        connections,
        breaker,
    })
}

fn is_plain(raw: &raw::Upstream) -> bool {
    raw.url.starts_with("http:")
}

/// What has no meaning without TLS.
fn without_tls(cx: &Context<'_>, at: &Trail, raw: &raw::Upstream) {
    let given = [
        ("crl_file", raw.crl_file.is_some()),
        ("identity", raw.identity.is_some()),
        ("pins", !raw.pins.is_empty()),
    ];
    for (name, _) in given
        .iter()
        .filter(|(_, is_given)| *is_given && is_plain(raw))
    {
        let message = format!("`{name}` has no meaning over plain HTTP");
        cx.error(&at.key(name), message, "write https://, or remove the key");
    }
}

fn http(cx: &Context<'_>, upstream_at: &Trail, raw: &raw::Upstream) -> HttpVersions {
    match raw.http {
        None | Some(raw::HttpVersions::Auto) => HttpVersions::Auto,
        Some(raw::HttpVersions::Http1) => HttpVersions::Http1,
        Some(raw::HttpVersions::Http2) => {
            let is_zone_read = !cx.is_unread(&upstream_at.key("controlled_zone"));
            if is_plain(raw) && is_zone_read && !raw.controlled_zone {
                cx.error(
                    &upstream_at.key("http"),
                    "HTTP/2 without TLS is for the operator's own network",
                    "write https://, or `controlled_zone: true` if the upstream stands there",
                );
            }
            HttpVersions::Http2
        }
    }
}

/// Keys as browsers and curl write them: `sha256/` or `sha256//`, then 32 bytes in Base64.
fn pins(cx: &Context<'_>, at: &Trail, raw: &[String]) -> BTreeSet<[u8; 32]> {
    let read = |text: &str| {
        let code = text.strip_prefix("sha256/")?;
        let code = match code.strip_prefix('/') {
            Some(rest) if code.len() == 45 => rest,
            Some(_) | None => code,
        };
        <[u8; 32]>::try_from(STANDARD.decode(code).ok()?).ok()
    };
    let mut pins = BTreeSet::new();
    for (index, text) in raw.iter().enumerate() {
        match read(text) {
            Some(pin) => {
                pins.insert(pin);
            }
            None => cx.error(
                &at.index(index),
                format!("`{text}` is not a pin"),
                "write sha256/ and the Base64 of the SHA-256 of the public key: openssl x509 -pubkey -noout -in CERT | openssl pkey \
                 -pubin -outform der | openssl dgst -sha256 -binary | base64",
            ),
        }
    }
    if pins.len() == 1 && raw.len() == 1 {
        cx.warning(
            at,
            "there is one pin: when that key is replaced, nothing can be sent",
            "add the key that will follow it, or the authority's",
        );
    }
    pins
}

/// PEM revocation lists, in force.
fn revocations_of(cx: &Context<'_>, at: &Trail, name: &str) -> Option<Arc<str>> {
    let text = cx.file(at, name)?;
    let read: Result<Vec<_>, _> =
        CertificateRevocationListDer::pem_slice_iter(text.as_bytes()).collect();
    let lists = read.unwrap_or_default();
    let now = cx.now.as_millis().div_euclid(1000);
    let mut is_good = !lists.is_empty();
    for list in &lists {
        match CertificateRevocationList::from_der(list) {
            Ok((_, list)) => {
                if list.next_update().is_some_and(|it| it.timestamp() <= now) {
                    cx.warning(
                        at,
                        "a revocation list is out of date: nothing can be sent",
                        "fetch the authority's new list",
                    );
                }
            }
            Err(_) => is_good = false,
        }
    }
    if !is_good {
        let fix = "write revocation lists in PEM (BEGIN X509 CRL)";
        cx.error(at, "the file holds no revocation list", fix);
        return None;
    }
    Some(text.into())
}

/// The proxy, if there is one that can be used.
fn proxy(cx: &Context<'_>, at: &Trail, raw: &raw::Upstream) -> Option<ForwardProxy> {
    let credentials_at = at.key("proxy_credentials_file");
    let Some(text) = &raw.proxy else {
        if raw.proxy_credentials_file.is_some() {
            let message = "there are credentials for a proxy, but no proxy";
            cx.error(&credentials_at, message, "add `proxy:`, or remove the key");
        }
        return None;
    };
    let authorization = raw.proxy_credentials_file.as_ref();
    let authorization =
        authorization.and_then(|it| held::proxy_authorization(cx, &credentials_at, it));
    let at = at.key("proxy");
    if is_plain(raw) {
        cx.error(
            &at,
            "an http upstream is not reached through a proxy: it would read what it passes on",
            "write https:// in `url`, or remove the proxy",
        );
    }
    let (host, port) = proxy_address(cx, &at, text)?;
    Some(ForwardProxy {
        host,
        port,
        authorization,
    })
}

fn proxy_address(cx: &Context<'_>, at: &Trail, text: &str) -> Option<(Host, u16)> {
    let fix = "write http://, the proxy's host and its port, such as http://proxy.internal:3128";
    let url = text.parse::<Url>().ok();
    let is_bare = |it: &Url| {
        it.path() == "/" && it.query().is_none() && it.fragment().is_none() && it.scheme() == "http"
    };
    let Some(url) = url.filter(is_bare) else {
        cx.error(at, "not the URL of an HTTP proxy", fix);
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        cx.error(
            at,
            "the URL holds user information",
            "write `user:password` into a file and name it in `proxy_credentials_file`",
        );
    }
    let port = url.port_or_known_default()?;
    Some((url.host()?.to_owned(), port))
}

fn connections(cx: &Context<'_>, at: &Trail, raw: &raw::Upstream) -> Connections {
    let default = Connections::default();
    let seconds = Duration::from_secs;
    let max_at = at.key("connections_max");
    Connections {
        max: raw
            .connections_max
            .map(|it| super::settings::concurrency(cx, &max_at, Some(it), it)),
        idle_time: cx.duration(
            &at.key("idle_time"),
            raw.idle_time.as_ref(),
            default.idle_time,
            (seconds(1), seconds(3600)),
        ),
        life_time: cx.duration(
            &at.key("life_time"),
            raw.life_time.as_ref(),
            default.life_time,
            (seconds(1), seconds(86_400)),
        ),
    }
}

fn breaker(cx: &Context<'_>, at: &Trail, raw: &raw::Breaker) -> Breaker {
    let at = at.key("breaker");
    let default = Breaker::default();
    let failures = cx.number(
        &at.key("failures"),
        raw.failures,
        default.failures.into(),
        (0, 1000),
    );
    let range = (Duration::from_secs(1), Duration::from_secs(3600));
    Breaker {
        failures: u32::try_from(failures).unwrap_or(default.failures),
        open_for: cx.duration(
            &at.key("open_for"),
            raw.open_for.as_ref(),
            default.open_for,
            range,
        ),
    }
}

fn url(cx: &Context<'_>, upstream_at: &Trail, raw: &raw::Upstream) -> Option<Url> {
    let at = &upstream_at.key("url");
    let fix = "write https://, a host, and if need be a port and a base path";
    let Ok(url) = raw.url.parse::<Url>() else {
        cx.error(at, "not a URL", fix);
        return None;
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        cx.error(at, "not an http or https URL", fix);
        return None;
    }
    if !url.username().is_empty() || url.password().is_some() {
        cx.error(
            at,
            "the URL holds user information",
            "remove it: a configuration is no place for secrets; write them into a file and name it in `credentials`",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        cx.error(
            at,
            "the URL holds a query or fragment",
            "end it after the base path",
        );
    }
    if let Err(why) = crate::gatekeeper::destination::check_path(url.path()) {
        cx.error(at, why, "write a base path of plain segments, such as /v3");
    }
    if !cx.is_unread(&upstream_at.key("controlled_zone")) {
        zone(cx, at, raw, &url);
    }
    Some(url)
}

/// Whether the URL is of the network that the file says it is of.
fn zone(cx: &Context<'_>, at: &Trail, raw: &raw::Upstream, url: &Url) {
    let is_private = is_private(url);
    if is_private && !raw.controlled_zone {
        cx.error(
            at,
            "the address is private",
            "write `controlled_zone: true` if it stands in the operator's own network",
        );
    } else if url.scheme() == "http" && !raw.controlled_zone {
        cx.warning(
            at,
            "plain HTTP: only messages without personal data can go",
            "write https://, or `controlled_zone: true` if it stands in the operator's own network",
        );
    } else if raw.controlled_zone
        && !is_private
        && matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)))
    {
        cx.warning(
            at,
            "a public address is declared as the operator's own network",
            "remove `controlled_zone: true`, unless the network is routed privately",
        );
    }
}

/// Whether the URL names an address, or `localhost`, that is not on the public Internet (RFC 6890). Names are resolved, and
/// checked again, when they are dialled.
fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(it)) => is_private_address(it.into()),
        Some(Host::Ipv6(it)) => is_private_address(it.into()),
        None => false,
    }
}

fn is_private_address(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(it) => {
            let [first, second, ..] = it.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            it.is_private()
                || it.is_loopback()
                || it.is_link_local()
                || it.is_unspecified()
                || it.is_broadcast()
                || first == 0
                || is_shared
        }
        IpAddr::V6(it) => {
            it.is_loopback()
                || it.is_unspecified()
                || it.is_unique_local()
                || it.is_unicast_link_local()
                || it.is_multicast()
        }
    }
}

/// The matcher's host: lower-case, without port.
pub(super) fn host(cx: &Context<'_>, at: &Trail, text: &str) -> Option<String> {
    match Host::parse(text) {
        Ok(host) => Some(host.to_string()),
        Err(_) => {
            let bare = text.rsplit_once(':').map_or(text, |(host, _)| host);
            let fix = format!(
                "write the host alone: {}",
                bare.trim_start_matches("https://")
            );
            cx.error(at, format!("`{text}` is not a host"), fix);
            None
        }
    }
}
