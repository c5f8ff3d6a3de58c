//! How an upstream is reached, and whether that is safe.

use std::net::IpAddr;

use url::{Host, Url};

use super::{
    super::{raw_destination as raw, yaml::Trail},
    context::Context,
    listeners,
};
use crate::gatekeeper::destination::{Roots, TlsFloor, Upstream};

pub(super) fn compile(cx: &Context<'_>, at: &Trail, raw: &raw::Upstream) -> Option<Upstream> {
    let missing = [
        ("identity", raw.identity.is_some()),
        ("proxy", raw.proxy.is_some()),
        ("credentials", raw.credentials.is_some()),
    ];
    for (name, _) in missing.iter().filter(|(_, is_given)| *is_given) {
        cx.unavailable(&at.key(name), &format!("`upstream.{name}`"));
    }
    let roots_at = at.key("roots");
    let roots = match raw.roots.as_deref() {
        None | Some("system") => Some(Roots::System),
        Some(name) => cx.file(&roots_at, name).and_then(|text| {
            listeners::certificates(cx, &roots_at, &text)?;
            Some(Roots::Pem(text.into()))
        }),
    };
    Some(Upstream {
        url: url(cx, &at.key("url"), raw)?,
        tls_floor: match raw.tls_floor {
            Some(raw::TlsFloor::Tls13) => TlsFloor::Tls13,
            Some(raw::TlsFloor::Tls12) | None => TlsFloor::Tls12,
        },
        roots: roots?,
        controlled_zone: raw.controlled_zone,
    })
}

fn url(cx: &Context<'_>, at: &Trail, raw: &raw::Upstream) -> Option<Url> {
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
            "remove it: a configuration is no place for secrets; the client sends its own credentials",
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
    let is_private = is_private(&url);
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
    Some(url)
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
