//! Who calls: a client certificate, a token or an address. Fields that prove it to the gate do not travel on.

use std::{net::IpAddr, sync::Arc};

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use http::{HeaderMap, HeaderName, header};

use crate::gatekeeper::destination::Caller;

/// Field of a token for the gate, beside `Proxy-Authorization`.
const TOKEN_FIELD: HeaderName = HeaderName::from_static("shekara-token");
/// Name of a caller that proves nothing.
const ANONYMOUS: &str = "anonymous";

/// What a connection says of its peer.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// Address.
    pub(super) address: IpAddr,
    /// Names of its verified certificate.
    pub(super) names: Vec<String>,
    /// The host name it asked for in TLS, lower-case.
    pub(super) server_name: Option<String>,
}

/// The caller's id, or `anonymous`. A certificate counts before a token, a token before an address.
///
/// Takes the fields that are for the gate out of `headers`.
pub(super) fn identify(callers: &[Caller], peer: &Peer, headers: &mut HeaderMap) -> Arc<str> {
    let token = take_token(headers);
    let by_name = || {
        callers.iter().find(|it| {
            peer.names
                .iter()
                .any(|name| it.sans.contains(name.as_str()))
        })
    };
    let by_token = || {
        let sum = digest::digest(&digest::SHA256, token.as_deref()?);
        callers.iter().find(|it| holds(it, sum.as_ref()))
    };
    let by_address = || callers.iter().find(|it| it.has_address(peer.address));
    by_name()
        .or_else(by_token)
        .or_else(by_address)
        .map_or_else(|| ANONYMOUS.into(), |it| Arc::clone(&it.id))
}

/// Compares with every token, each in constant time.
fn holds(caller: &Caller, sum: &[u8]) -> bool {
    caller.tokens.iter().fold(false, |found, it| {
        verify_slices_are_equal(it, sum).is_ok() | found
    })
}

fn take_token(headers: &mut HeaderMap) -> Option<Vec<u8>> {
    let bearer = headers.remove(header::PROXY_AUTHORIZATION);
    let own = headers.remove(TOKEN_FIELD);
    own.map(|it| it.as_bytes().to_vec()).or_else(|| {
        let value = bearer?;
        let (scheme, token) = value.as_bytes().split_at_checked(7)?;
        scheme
            .eq_ignore_ascii_case(b"bearer ")
            .then(|| token.trim_ascii().to_vec())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn caller(id: &str) -> Caller {
        Caller {
            id: id.into(),
            sans: BTreeSet::new(),
            tokens: Vec::new(),
            cidrs: Vec::new(),
            concurrency: None,
        }
    }

    fn sum(token: &str) -> [u8; 32] {
        digest::digest(&digest::SHA256, token.as_bytes())
            .as_ref()
            .try_into()
            .unwrap()
    }

    #[test]
    fn a_certificate_counts_before_a_token_before_an_address() {
        let callers = [
            Caller {
                cidrs: vec!["192.0.2.0/24".parse().unwrap()],
                ..caller("net")
            },
            Caller {
                tokens: vec![sum("other"), sum("t-1")],
                ..caller("crm")
            },
            Caller {
                sans: BTreeSet::from(["erp.example.org".into()]),
                ..caller("erp")
            },
        ];
        let check = |names: &[&str], address: &str, field: Option<(&str, &str)>, expected: &str| {
            let peer = Peer {
                address: address.parse().unwrap(),
                names: names.iter().map(|it| (*it).to_owned()).collect(),
                server_name: None,
            };
            let mut headers = HeaderMap::new();
            if let Some((name, value)) = field {
                headers.insert(
                    HeaderName::from_bytes(name.as_bytes()).unwrap(),
                    value.parse().unwrap(),
                );
            }
            assert_eq!(&*identify(&callers, &peer, &mut headers), expected);
            assert!(headers.is_empty(), "the proof stays here");
        };
        let token = Some(("shekara-token", "t-1"));
        let bearer = Some(("proxy-authorization", "Bearer t-1"));
        check(&["erp.example.org"], "192.0.2.1", token, "erp");
        check(&[], "192.0.2.1", token, "crm");
        check(&[], "192.0.2.1", bearer, "crm");
        check(&[], "192.0.2.1", Some(("shekara-token", "t-2")), "net");
        check(&["x.example.org"], "198.51.100.1", None, ANONYMOUS);
        check(
            &[],
            "198.51.100.1",
            Some(("proxy-authorization", "Basic eA==")),
            ANONYMOUS,
        );
    }
}
