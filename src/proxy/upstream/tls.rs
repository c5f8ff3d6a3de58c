//! The client's side of TLS: who the upstream must be, who the gate is, and which HTTP is offered.

use std::{
    collections::BTreeSet,
    error::Error,
    io,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::digest::{SHA256, digest};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, ProtocolVersion,
    RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    server::ParsedCertificate,
    version,
};
use rustls_pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime,
    pem::PemObject as _,
};
use url::Host;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::Failure;
use crate::{
    gatekeeper::destination::{HttpVersions, Identity, Roots, TlsFloor, Upstream},
    proxy::tls::{ALPN_HTTP_1_1, ALPN_HTTP_2, certificates, provider},
};

/// The system's roots, read once for all upstreams of a configuration.
#[derive(Debug, Default)]
pub(super) struct SystemRoots(OnceLock<Vec<CertificateDer<'static>>>);

impl SystemRoots {
    fn get(&self) -> &[CertificateDer<'static>] {
        self.0
            .get_or_init(|| rustls_native_certs::load_native_certs().certs)
    }
}

/// The client's side of TLS for `upstream`; `None` when it is plain HTTP.
///
/// # Errors
/// Roots, revocation lists or the identity cannot be used.
pub(super) fn connector(
    upstream: &Upstream,
    system: &SystemRoots,
) -> Result<Option<Arc<ClientConfig>>, String> {
    if upstream.url.scheme() != "https" {
        return Ok(None);
    }
    let versions: &[_] = match upstream.tls_floor {
        TlsFloor::Tls12 => &[&version::TLS13, &version::TLS12],
        TlsFloor::Tls13 => &[&version::TLS13],
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .map_err(|error| error.to_string())?;
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier(upstream, system)?);
    let mut config = match &upstream.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = proof(identity)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("certificate and key do not fit: {error}"))?
        }
    };
    config.alpn_protocols = match upstream.http {
        HttpVersions::Auto => vec![ALPN_HTTP_2.to_vec(), ALPN_HTTP_1_1.to_vec()],
        HttpVersions::Http1 => vec![ALPN_HTTP_1_1.to_vec()],
        HttpVersions::Http2 => vec![ALPN_HTTP_2.to_vec()],
    };
    Ok(Some(Arc::new(config)))
}

fn proof(
    identity: &Identity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let chain = certificates(&identity.certificate, "identity")?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.expose().as_bytes())
        .map_err(|_| "the key of the identity is not PEM".to_owned())?;
    Ok((chain, key))
}

/// What an upstream's certificate must stand up to: a trusted root, the name, the time; then the revocation lists and the pins.
fn verifier(
    upstream: &Upstream,
    system: &SystemRoots,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    let mut pinned = RootCertStore::empty();
    let mut trust = |it: &CertificateDer<'static>| -> Result<(), rustls::Error> {
        roots.add(it.clone())?;
        if is_pinned(it, &upstream.pins) {
            pinned.add(it.clone())?;
        }
        Ok(())
    };
    match &upstream.roots {
        Roots::Pem(pem) => {
            for it in certificates(pem, "roots")? {
                trust(&it)
                    .map_err(|error| format!("a root certificate cannot be used: {error}"))?;
            }
        }
        // What a system's store holds beside usable roots is passed over.
        Roots::System => system.get().iter().for_each(|it| drop(trust(it))),
    }
    if roots.is_empty() {
        return Err("the system has no roots; name a file in `roots`".to_owned());
    }
    let mut builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider());
    if let Some(pem) = &upstream.revocations {
        builder = builder
            .with_crls(revocations(pem)?)
            .only_check_end_entity_revocation()
            .enforce_revocation_expiration();
    }
    let ordinary = builder.build().map_err(|error| error.to_string())?;
    if upstream.pins.is_empty() {
        return Ok(ordinary);
    }
    Ok(Arc::new(Pinned {
        ordinary,
        pins: upstream.pins.clone(),
        anchors: pinned,
    }))
}

fn revocations(pem: &str) -> Result<Vec<CertificateRevocationListDer<'static>>, String> {
    let found: Vec<_> = CertificateRevocationListDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|_| "the revocation list is not PEM".to_owned())?;
    if found.is_empty() {
        Err("the file holds no PEM revocation list".to_owned())
    } else {
        Ok(found)
    }
}

/// The ordinary verification, and beyond it a key that must stand in the chain.
#[derive(Debug)]
struct Pinned {
    ordinary: Arc<WebPkiServerVerifier>,
    pins: BTreeSet<[u8; 32]>,
    /// The trusted roots whose key is pinned.
    anchors: RootCertStore,
}

impl Pinned {
    /// Whether the certificate's own key is pinned, or one that it leads to by signatures. A pinned certificate that is only sent
    /// along proves nothing, so each is made a root of its own and the certificate must lead to it.
    fn holds(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> bool {
        if is_pinned(end_entity, &self.pins) {
            return true;
        }
        let mut anchors = self.anchors.clone();
        for it in intermediates.iter().filter(|it| is_pinned(it, &self.pins)) {
            // One that is no authority's certificate cannot be led to.
            drop(anchors.add(it.clone().into_owned()));
        }
        let Ok(certificate) = ParsedCertificate::try_from(end_entity) else {
            return false;
        };
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &anchors,
            intermediates,
            now,
            provider().signature_verification_algorithms.all,
        )
        .is_ok()
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.ordinary.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )?;
        if self.holds(end_entity, intermediates, now) {
            Ok(verified)
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.ordinary
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.ordinary
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.ordinary.supported_verify_schemes()
    }
}

/// Whether the SHA-256 of the certificate's public key (SPKI, RFC 7469 §2.4) is among `pins`.
fn is_pinned(certificate: &CertificateDer<'_>, pins: &BTreeSet<[u8; 32]>) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    let hash = digest(&SHA256, parsed.public_key().raw);
    pins.iter().any(|it| hash.as_ref() == it)
}

/// The name that the upstream's certificate must be for.
pub(super) fn server_name(upstream: &Upstream) -> Result<ServerName<'static>, Failure> {
    match upstream.url.host().ok_or(Failure::Unconfigured)? {
        Host::Domain(name) => {
            ServerName::try_from(name.to_owned()).map_err(|_| Failure::Unconfigured)
        }
        Host::Ipv4(it) => Ok(ServerName::IpAddress(std::net::IpAddr::V4(it).into())),
        Host::Ipv6(it) => Ok(ServerName::IpAddress(std::net::IpAddr::V6(it).into())),
    }
}

/// Why a handshake failed.
pub(super) fn handshake_failure(error: &io::Error) -> Failure {
    cause(error).unwrap_or(Failure::ConnectionTerminated)
}

/// What TLS says about `error`, if it is TLS's at all. A peer that wants another certificate says so after the handshake.
pub(super) fn cause(error: &(dyn Error + 'static)) -> Option<Failure> {
    let mut next = Some(error);
    while let Some(it) = next {
        let inner = it
            .downcast_ref::<io::Error>()
            .and_then(|it| it.get_ref()?.downcast_ref::<rustls::Error>());
        if let Some(error) = inner.or_else(|| it.downcast_ref::<rustls::Error>()) {
            return Some(of(error));
        }
        next = it.source();
    }
    None
}

fn of(error: &rustls::Error) -> Failure {
    if matches!(
        error,
        rustls::Error::InvalidCertificate(_)
            | rustls::Error::InvalidCertRevocationList(_)
            | rustls::Error::NoCertificatesPresented
    ) {
        Failure::TlsCertificate
    } else if let rustls::Error::AlertReceived(alert) = error
        && !matches!(
            alert,
            AlertDescription::InsufficientSecurity
                | AlertDescription::NoApplicationProtocol
                | AlertDescription::ProtocolVersion
        )
    {
        Failure::TlsAlert
    } else {
        Failure::TlsProtocol
    }
}

/// `TLSv1.3`, as recorded.
pub(super) fn version_name(version: ProtocolVersion) -> &'static str {
    if version == ProtocolVersion::TLSv1_3 {
        "TLSv1.3"
    } else if version == ProtocolVersion::TLSv1_2 {
        "TLSv1.2"
    } else {
        "unknown"
    }
}
