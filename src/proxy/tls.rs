//! TLS of listeners: what is presented, which clients are known.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use x509_parser::{extensions::GeneralName, prelude::FromDer};

use super::{Listener, ListenerTls};

/// HTTP/2 over TLS (RFC 9113 §3.2).
pub(super) const ALPN_HTTP_2: &[u8] = b"h2";
/// HTTP/1.1 over TLS (RFC 7301).
pub(super) const ALPN_HTTP_1_1: &[u8] = b"http/1.1";

/// The one provider of cryptography.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What a TLS listener presents, and which clients it knows. Immutable; a reload puts another one in its place.
#[derive(Debug)]
pub(super) struct Identity {
    settings: ListenerTls,
    /// For the handshakes that come.
    pub(super) config: Arc<ServerConfig>,
    /// When the certificate ends, in seconds since 1970-01-01T00:00:00Z.
    pub(super) ends: i64,
}

impl Identity {
    /// # Errors
    /// The PEM does not hold what it should, or key and certificate do not belong together.
    fn new(settings: &ListenerTls) -> Result<Self, String> {
        let leaf = certificates(&settings.certificate, "certificate")?;
        Ok(Self {
            settings: settings.clone(),
            config: Arc::new(server_config(settings)?),
            ends: leaf.first().map(end).transpose()?.unwrap_or_default(),
        })
    }
}

/// The identity of each TLS listener.
#[derive(Clone, Debug, Default)]
pub(super) struct Identities(BTreeMap<Arc<str>, Arc<ArcSwap<Identity>>>);

/// An identity that may take the place of another one.
#[derive(Debug)]
pub(super) struct Renewal {
    place: Arc<ArcSwap<Identity>>,
    /// Listener id.
    pub(super) listener: Arc<str>,
    identity: Arc<Identity>,
}

impl Identities {
    /// Those of `listeners`.
    ///
    /// # Errors
    /// One cannot be set up; names the listener.
    pub(super) fn new(listeners: &[Listener]) -> Result<Self, String> {
        let mut all = BTreeMap::new();
        for it in listeners {
            if let Some(tls) = &it.tls {
                let identity = Identity::new(tls).map_err(|why| at_listener(&it.id, &why))?;
                all.insert(
                    Arc::clone(&it.id),
                    Arc::new(ArcSwap::from_pointee(identity)),
                );
            }
        }
        Ok(Self(all))
    }

    /// Where a listener finds what it presents.
    pub(super) fn of(&self, listener: &str) -> Option<&Arc<ArcSwap<Identity>>> {
        self.0.get(listener)
    }

    /// When the certificate of each listener ends, in seconds since 1970.
    pub(super) fn ends(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(id, it)| (&**id, it.load().ends))
    }

    /// What `listeners` change, ready to be presented; nothing is presented yet.
    ///
    /// # Errors
    /// One cannot be set up; names the listener.
    pub(super) fn renewals(&self, listeners: &[Listener]) -> Result<Vec<Renewal>, String> {
        let mut renewals = Vec::new();
        for it in listeners {
            let (Some(place), Some(tls)) = (self.of(&it.id), &it.tls) else {
                continue;
            };
            if place.load().settings != *tls {
                let identity = Identity::new(tls).map_err(|why| at_listener(&it.id, &why))?;
                renewals.push(Renewal {
                    place: Arc::clone(place),
                    listener: Arc::clone(&it.id),
                    identity: Arc::new(identity),
                });
            }
        }
        Ok(renewals)
    }
}

impl Renewal {
    /// Presents it to the handshakes that come. Sessions of the old identity are not resumed, connections stay.
    pub(super) fn present(self) {
        self.place.store(self.identity);
    }
}

fn at_listener(id: &str, why: &str) -> String {
    format!("TLS of listener `{id}`: {why}")
}

/// When a certificate ends, in seconds since 1970.
fn end(certificate: &CertificateDer<'_>) -> Result<i64, String> {
    x509_parser::certificate::X509Certificate::from_der(certificate)
        .map(|(_, it)| it.validity().not_after.timestamp())
        .map_err(|_| "`certificate` is not X.509".to_owned())
}

/// A server's side of TLS, 1.2 or 1.3.
///
/// # Errors
/// The PEM does not hold what it should, or key and certificate do not belong together.
fn server_config(settings: &ListenerTls) -> Result<ServerConfig, String> {
    let chain = certificates(&settings.certificate, "certificate")?;
    let key = PrivateKeyDer::from_pem_slice(settings.key.expose().as_bytes())
        .map_err(|_| "`key` holds no PEM private key".to_owned())?;
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match &settings.client_roots {
        Some(roots) => {
            builder.with_client_cert_verifier(client_verifier(roots, settings.client_required)?)
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| format!("certificate and key do not fit: {error}"))?;
    config.alpn_protocols = vec![ALPN_HTTP_2.to_vec(), ALPN_HTTP_1_1.to_vec()];
    Ok(config)
}

fn client_verifier(roots: &str, required: bool) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(root_store(roots)?), provider());
    let builder = if required {
        builder
    } else {
        builder.allow_unauthenticated()
    };
    builder
        .build()
        .map_err(|error| format!("`client_roots`: {error}"))
}

/// The certificates of `pem` as roots.
///
/// # Errors
/// There is none, or one is no certificate of an authority.
pub(super) fn root_store(pem: &str) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for it in certificates(pem, "roots")? {
        store
            .add(it)
            .map_err(|error| format!("a root certificate cannot be used: {error}"))?;
    }
    Ok(store)
}

/// The certificates of `pem`, which is called `what` in errors; at least one.
///
/// # Errors
/// There is none.
pub(super) fn certificates(pem: &str, what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| format!("`{what}` is not PEM"))?;
    if found.is_empty() {
        Err(format!("`{what}` holds no PEM certificate"))
    } else {
        Ok(found)
    }
}

/// The subject alternative names of a client certificate that identify a caller: DNS names, lower-cased, and URIs.
pub(super) fn subject_names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, parsed)) = x509_parser::certificate::X509Certificate::from_der(certificate) else {
        return Vec::new();
    };
    let Ok(Some(names)) = parsed.subject_alternative_name() else {
        return Vec::new();
    };
    names
        .value
        .general_names
        .iter()
        .filter_map(|it| {
            if let GeneralName::DNSName(name) = it {
                Some(name.to_ascii_lowercase())
            } else if let GeneralName::URI(uri) = it {
                Some((*uri).to_owned())
            } else {
                None
            }
        })
        .collect()
}
