//! Listeners and their certificates.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use x509_parser::{certificate::X509Certificate, prelude::FromDer as _};

use super::{
    super::{raw, yaml::Trail},
    context::Context,
};
use crate::{
    model::{Sensitive, Timestamp},
    proxy::{Listener, ListenerTls},
};

/// How long before its end a certificate is announced: 14 days. One that is renewed by itself is renewed before.
const NOTICE_MILLIS: i64 = 14 * 86_400_000;

pub(super) fn compile(cx: &Context<'_>, root: &raw::Root) -> Vec<Listener> {
    let all = Trail::default().key("listeners");
    if root.listeners.is_empty() {
        cx.error(
            &all,
            "there is no listener",
            "add one: `- {id: main, bind: \"127.0.0.1:8080\"}`",
        );
    }
    let mut ids = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    let mut listeners = Vec::new();
    for (index, raw) in root.listeners.iter().enumerate() {
        let at = all.index(index);
        cx.id(&at.key("id"), &raw.id, "listener", &mut ids);
        let tls = raw.tls.as_ref();
        let tls = tls.and_then(|it| listener_tls(cx, &at.key("tls"), it));
        let Some(bind) = address(cx, &at.key("bind"), &raw.bind) else {
            continue;
        };
        if bind.port() != 0 && !addresses.insert(bind) {
            cx.error(
                &at.key("bind"),
                format!("{bind} is the address of another listener"),
                "give each listener its own address",
            );
        }
        let id = raw.id.as_str().into();
        listeners.push(Listener { id, bind, tls });
    }
    listeners
}

/// Reads an address with its port.
pub(super) fn address(cx: &Context<'_>, at: &Trail, text: &str) -> Option<SocketAddr> {
    let address = text.parse().ok();
    if address.is_none() {
        cx.error(
            at,
            format!("`{text}` is not an address with a port"),
            "write an IP address and a port, such as 127.0.0.1:8080 or [::]:8080",
        );
    }
    address
}

fn listener_tls(cx: &Context<'_>, at: &Trail, raw: &raw::ListenerTls) -> Option<ListenerTls> {
    let certificate_at = at.key("certificate_file");
    let key_at = at.key("key_file");
    let certificate = cx.file(&certificate_at, &raw.certificate_file);
    let key = cx.file(&key_at, &raw.key_file);
    let roots_at = at.key("client_roots_file");
    let roots = raw.client_roots_file.as_ref().map(|it| {
        let text = cx.file(&roots_at, it)?;
        certificates(cx, &roots_at, &text)?;
        Some(Arc::<str>::from(text))
    });
    if raw.client_required && raw.client_roots_file.is_none() {
        cx.error(
            &at.key("client_required"),
            "client certificates are required, but no roots are named",
            "add `client_roots_file:`",
        );
    }
    let (certificate, key) = (certificate?, key?);
    let chain = certificates(cx, &certificate_at, &certificate);
    if let Some(leaf) = chain.as_ref().and_then(|it| it.first()) {
        warn_of_end(cx, &certificate_at, leaf);
    }
    let Ok(private) = PrivateKeyDer::from_pem_slice(key.as_bytes()) else {
        let fix = "write the key in PEM (PKCS #8, PKCS #1 or SEC 1), unencrypted";
        cx.error(&key_at, "the file holds no private key", fix);
        return None;
    };
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    if let Err(error) = rustls::sign::CertifiedKey::from_der(chain?, private, &provider) {
        let fix = "name the key that the certificate was issued for";
        let message = format!("the key does not belong to the certificate: {error}");
        cx.error(&key_at, message, fix);
        return None;
    }
    Some(ListenerTls {
        certificate: certificate.into(),
        key: Sensitive::new(key.into()),
        client_roots: match roots {
            Some(roots) => Some(roots?),
            None => None,
        },
        client_required: raw.client_required,
    })
}

/// Warns of a certificate that has ended, or ends within 30 days.
pub(super) fn warn_of_end(cx: &Context<'_>, at: &Trail, leaf: &CertificateDer<'_>) {
    let Ok((_, leaf)) = X509Certificate::from_der(leaf) else {
        return;
    };
    let end = leaf.validity().not_after.timestamp();
    let end = Timestamp::from_millis(end.saturating_mul(1000));
    let fix = "renew it; the new one is presented when the file has changed";
    if end <= cx.now {
        cx.warning(at, format!("the certificate expired at {end}"), fix);
    } else if end <= cx.now.plus_millis(NOTICE_MILLIS) {
        cx.warning(at, format!("the certificate expires at {end}"), fix);
    }
}

/// The certificates of a PEM text; at least one.
pub(super) fn certificates(
    cx: &Context<'_>,
    at: &Trail,
    text: &str,
) -> Option<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match read {
        Ok(chain) if !chain.is_empty() => Some(chain),
        Ok(_) | Err(_) => {
            let fix = "write certificates in PEM (BEGIN CERTIFICATE)";
            cx.error(at, "the file holds no certificate", fix);
            None
        }
    }
}
