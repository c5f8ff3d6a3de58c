//! A certificate authority for tests, and TLS servers of its certificates.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa,
    KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData as _, RevocationReason, RevokedCertParams,
    SerialNumber, date_time_ymd,
};
use rustls::{ServerConfig, crypto::aws_lc_rs, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio_rustls::TlsAcceptor;

/// An authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate, with those that lead to its root, and its key.
#[derive(Clone)]
pub(crate) struct Issued {
    /// PEM, the certificate first.
    pub(crate) chain: String,
    /// PEM.
    pub(crate) key: String,
    /// SHA-256 of the public key.
    pub(crate) pin: [u8; 32],
}

fn params(names: Vec<String>, is_authority: bool) -> CertificateParams {
    let mut params = CertificateParams::new(names).unwrap();
    if is_authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    }
    params
}

fn pin(key: &KeyPair) -> [u8; 32] {
    use ::aws_lc_rs::digest::{SHA256, digest};
    digest(&SHA256, &key.subject_public_key_info())
        .as_ref()
        .try_into()
        .unwrap()
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params(Vec::new(), true), key).unwrap())
    }

    /// An authority below this one.
    pub(crate) fn below(&self, name: &str) -> Self {
        let mut params = params(Vec::new(), true);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(params, key, &self.0).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn pin(&self) -> [u8; 32] {
        pin(self.0.key())
    }

    pub(crate) fn issue(&self, name: &str) -> Issued {
        self.issue_numbered(name, 1)
    }

    pub(crate) fn issue_numbered(&self, name: &str, serial: u64) -> Issued {
        let mut params = params(vec![name.to_owned()], false);
        params.serial_number = Some(SerialNumber::from(serial));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Issued {
            chain: certificate.pem(),
            key: key.serialize_pem(),
            pin: pin(&key),
        }
    }

    /// A revocation list of the certificates of these numbers.
    pub(crate) fn revoke(&self, serials: &[u64]) -> String {
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2099, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials
                .iter()
                .map(|it| RevokedCertParams {
                    serial_number: SerialNumber::from(*it),
                    revocation_time: date_time_ymd(2026, 1, 1),
                    reason_code: Some(RevocationReason::KeyCompromise),
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.0).unwrap().pem().unwrap()
    }
}

impl Issued {
    /// With `others` sent along.
    pub(crate) fn with(mut self, others: &[&Authority]) -> Self {
        for it in others {
            self.chain.push_str(&it.pem());
        }
        self
    }

    /// A server that speaks `protocols` and, with `clients`, wants a certificate of theirs.
    pub(crate) fn acceptor(&self, protocols: &[&str], clients: Option<&Authority>) -> TlsAcceptor {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(self.chain.as_bytes())
            .collect::<Result<_, _>>()
            .unwrap();
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = rustls::RootCertStore::empty();
                roots
                    .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
                    .unwrap();
                builder.with_client_cert_verifier(
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                        .build()
                        .unwrap(),
                )
            }
        };
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}
