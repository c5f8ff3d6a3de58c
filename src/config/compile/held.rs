//! Secrets that the gate holds for an upstream: its certificate, its credentials, the proxy's.

use std::{collections::BTreeSet, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, header};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject as _};

use super::{
    super::{raw_destination as raw, yaml::Trail},
    context::Context,
    listeners,
};
use crate::{
    gatekeeper::destination::{Credential, Identity},
    model::Sensitive,
};

/// Fields that are about the message or the connection: the gate writes them itself.
const NOT_CREDENTIALS: &[HeaderName] = &[
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::VIA,
];

/// A client certificate with its key.
pub(super) fn identity(cx: &Context<'_>, at: &Trail, raw: &raw::Identity) -> Option<Identity> {
    let (certificate_at, key_at) = (at.key("certificate_file"), at.key("key_file"));
    let certificate = cx.file(&certificate_at, &raw.certificate_file);
    let key = cx.file(&key_at, &raw.key_file);
    let (certificate, key) = (certificate?, key?);
    let chain = listeners::certificates(cx, &certificate_at, &certificate);
    if let Some(leaf) = chain.as_ref().and_then(|it| it.first()) {
        listeners::warn_of_end(cx, &certificate_at, leaf);
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
    Some(Identity {
        certificate: certificate.into(),
        key: Sensitive::new(key.into()),
    })
}

/// The header fields that the gate sets; those that cannot be used are reported and left out.
pub(super) fn credentials(cx: &Context<'_>, at: &Trail, raw: &raw::Upstream) -> Vec<Credential> {
    let all: Vec<(Trail, &raw::Credential)> = match &raw.credentials {
        None => return Vec::new(),
        Some(raw::Credentials::One(it)) => vec![(at.clone(), it)],
        Some(raw::Credentials::Many(several)) => {
            let place = |(index, it)| (at.index(index), it);
            several.iter().enumerate().map(place).collect()
        }
    };
    if raw.url.starts_with("http:") && !raw.controlled_zone {
        cx.error(
            at,
            "credentials would go over plain HTTP",
            "write https://, or `controlled_zone: true` if the upstream stands in the operator's own network",
        );
    }
    let mut seen = BTreeSet::new();
    all.iter()
        .filter_map(|(at, raw)| credential(cx, at, raw, &mut seen))
        .collect()
}

fn credential(
    cx: &Context<'_>,
    at: &Trail,
    raw: &raw::Credential,
    seen: &mut BTreeSet<String>,
) -> Option<Credential> {
    let field = field(cx, &at.key("header"), &raw.header, seen);
    let value_at = at.key("value_file");
    let secret = secret(cx, &value_at, &raw.value_file)?;
    let text = match raw.scheme {
        None => secret,
        Some(raw::Scheme::Bearer) => format!("Bearer {secret}"),
        Some(raw::Scheme::Basic) => basic(cx, &value_at, &secret)?,
    };
    Some(Credential {
        field: field?,
        value: value(cx, &value_at, &text)?,
    })
}

fn field(
    cx: &Context<'_>,
    at: &Trail,
    name: &str,
    seen: &mut BTreeSet<String>,
) -> Option<HeaderName> {
    let Ok(field) = name.parse::<HeaderName>() else {
        let message = format!("`{name}` is not the name of a header field");
        cx.error(
            at,
            message,
            "write a name such as Authorization or X-Api-Key",
        );
        return None;
    };
    if NOT_CREDENTIALS.contains(&field) || field.as_str().starts_with("shekara-") {
        let message = format!("`{name}` is written by the gate itself");
        cx.error(at, message, "name the field that holds the credential");
    }
    if !seen.insert(field.to_string()) {
        let message = format!("`{name}` is set twice");
        cx.error(at, message, "keep one of the two");
    }
    Some(field)
}

/// `Proxy-Authorization` from the file called `name`.
pub(super) fn proxy_authorization(
    cx: &Context<'_>,
    at: &Trail,
    name: &str,
) -> Option<Sensitive<HeaderValue>> {
    let secret = secret(cx, at, name)?;
    let text = basic(cx, at, &secret)?;
    value(cx, at, &text)
}

/// What the file holds, without the line's end.
fn secret(cx: &Context<'_>, at: &Trail, name: &str) -> Option<String> {
    let text = cx.file(at, name)?;
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.trim().is_empty() {
        cx.error(at, "the file is empty", "write the secret into it");
        return None;
    }
    Some(secret.to_owned())
}

/// RFC 7617.
fn basic(cx: &Context<'_>, at: &Trail, secret: &str) -> Option<String> {
    if !secret.contains(':') {
        cx.error(
            at,
            "the file does not hold `user:password`",
            "write the name, a colon and the password in one line",
        );
        return None;
    }
    Some(format!("Basic {}", STANDARD.encode(secret)))
}

fn value(cx: &Context<'_>, at: &Trail, text: &str) -> Option<Sensitive<HeaderValue>> {
    let Ok(mut value) = HeaderValue::from_str(text) else {
        cx.error(
            at,
            "the file holds what no header field can",
            "write one line of printable ASCII",
        );
        return None;
    };
    // Never indexed in HPACK, never shown by `Debug`.
    value.set_sensitive(true);
    Some(Sensitive::new(value))
}

/// PEM certificates of `name`, checked.
pub(super) fn roots(cx: &Context<'_>, at: &Trail, name: &str) -> Option<Arc<str>> {
    let text = cx.file(at, name)?;
    listeners::certificates(cx, at, &text)?;
    Some(text.into())
}
