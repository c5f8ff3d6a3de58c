//! TLS on both sides: who the upstream is, who calls.

use std::{collections::BTreeSet, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::{ClientConfig, ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use shekara::{
    gatekeeper::destination::{Caller, Roots, TlsFloor},
    model::Sensitive,
    proxy::{Listener, ListenerTls},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};

use crate::{
    start,
    support::{
        client::Client,
        gate::{Gate, Setup, destination},
        ports::{FixedResolver, Order},
        upstream::{Script, Upstream},
    },
};

const GET: &str = "GET /v1 HTTP/1.1\r\nHost: crm.test\r\n\r\n";

/// An authority for tests.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key, both PEM.
    pub(crate) fn issue(&self, name: &str) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.subject_alt_names.push(SanType::URI(
            format!("spiffe://{name}/a").try_into().unwrap(),
        ));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

fn acceptor((certificate, key): (String, String), tls13: bool) -> TlsAcceptor {
    let versions: &[_] = if tls13 {
        &[&rustls::version::TLS13]
    } else {
        &[&rustls::version::TLS12]
    };
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn an_upstream_proves_its_name_before_a_byte_is_sent() {
    let authority = Authority::new();
    let check = async |name: &str, tls13: bool, floor, roots: String, expected: Option<&str>| {
        let tls = acceptor(authority.issue(name), tls13);
        let upstream = Upstream::start_with_tls(Script::ok(), Order::default(), Some(tls)).await;
        let mut crm = destination("crm", "https://crm.example.org");
        crm.upstream.roots = Roots::Pem(roots.into());
        crm.upstream.tls_floor = floor;
        let mut setup = Setup::new(vec![Arc::new(crm)]);
        setup.resolver = Some(Arc::new(FixedResolver {
            order: Order::default(),
            calls: 0.into(),
            answers: vec![vec![upstream.address]],
        }));
        let gate = start(setup, Order::default()).await;
        let answer = Client::connect(gate.address).await.ask(GET).await;
        let error = answer.field("proxy-status").map(str::to_owned);
        assert_eq!(error, expected.map(|it| format!("shekara; error={it}")));
        assert_eq!(answer.status, if expected.is_some() { 502 } else { 200 });
        let completed = gate.stop().await.completed();
        let version = if tls13 { "TLSv1.3" } else { "TLSv1.2" };
        let spoken = completed[0].tls.as_deref();
        assert_eq!(spoken, expected.is_none().then_some(version));
        assert_eq!(completed[0].sent, expected.is_none());
        assert_eq!(upstream.requests().len(), usize::from(expected.is_none()));
    };
    let (roots, name) = (authority.pem(), "crm.example.org");
    check(name, true, TlsFloor::Tls12, roots.clone(), None).await;
    check(name, true, TlsFloor::Tls13, roots.clone(), None).await;
    check(name, false, TlsFloor::Tls12, roots.clone(), None).await;
    let low = Some("tls_protocol_error");
    check(name, false, TlsFloor::Tls13, roots.clone(), low).await;
    let wrong = Some("tls_certificate_error");
    check("other.example.org", true, TlsFloor::Tls12, roots, wrong).await;
    check(name, true, TlsFloor::Tls12, Authority::new().pem(), wrong).await;
}

/// A client of a TLS listener that asks for `crm.test`, with a certificate or without.
async fn connect(
    gate: &Gate,
    roots: &Authority,
    identity: Option<(String, String)>,
) -> Option<Client<TlsStream<TcpStream>>> {
    let stream = handshake(gate, roots, identity, &[b"http/1.1"]).await;
    stream.map(Client::over)
}

/// The same, offering the protocols `alpn`.
pub(crate) async fn handshake(
    gate: &Gate,
    roots: &Authority,
    identity: Option<(String, String)>,
    alpn: &[&[u8]],
) -> Option<TlsStream<TcpStream>> {
    let mut store = rustls::RootCertStore::empty();
    store
        .add(CertificateDer::from_pem_slice(roots.pem().as_bytes()).unwrap())
        .unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            )
            .unwrap(),
    };
    config.alpn_protocols = alpn.iter().map(|it| it.to_vec()).collect();
    let stream = TcpStream::connect(gate.address).await.unwrap();
    let name = ServerName::try_from("crm.test").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .ok()
}

#[tokio::test]
async fn callers_are_known_by_their_certificate() {
    let authority = Authority::new();
    let upstream = Upstream::start(Script::ok(), Order::default()).await;
    let gate = async |required: bool| {
        let crm = destination("crm", &format!("http://{}", upstream.address));
        let mut setup = Setup::new(vec![Arc::new(crm)]);
        setup.callers = vec![Caller {
            id: "erp".into(),
            sans: BTreeSet::from(["spiffe://erp.example.org/a".into()]),
            tokens: Vec::new(),
            cidrs: Vec::new(),
            concurrency: None,
        }];
        let (certificate, key) = authority.issue("crm.test");
        setup.tls = Some((certificate, key, Some(authority.pem()), required));
        start(setup, Order::default()).await
    };
    let optional = gate(false).await;
    let erp = Some(authority.issue("erp.example.org"));
    for identity in [erp.clone(), None, Some(authority.issue("crm.example.org"))] {
        let mut client = connect(&optional, &authority, identity).await.unwrap();
        assert_eq!(client.ask(GET).await.status, 200);
    }
    let mut client = connect(&optional, &authority, None).await.unwrap();
    let other = GET.replace("crm.test", "mail.test");
    assert_eq!(
        client.ask(&other).await.status,
        421,
        "the name asked for in TLS is another"
    );
    let callers: Vec<String> = optional
        .stop()
        .await
        .decided()
        .iter()
        .map(|it| it.caller.to_string())
        .collect();
    assert_eq!(callers, ["erp", "anonymous", "anonymous", "anonymous"]);

    let required = gate(true).await;
    let mut client = connect(&required, &authority, erp).await.unwrap();
    assert_eq!(client.ask(GET).await.status, 200);
    let stranger = Some(Authority::new().issue("erp.example.org"));
    for identity in [None, stranger] {
        // Under TLS 1.3 the client learns of the refusal with its first read.
        if let Some(mut client) = connect(&required, &authority, identity).await {
            assert!(client.is_closed().await);
        }
    }
    assert_eq!(required.stop().await.decided().len(), 1);
}

/// If this fails, a client authority that was taken away is still believed, or renewing one drops connections.
#[tokio::test]
async fn certificate_and_client_roots_are_renewed_for_the_handshakes_that_come() {
    let (own, old, new) = (Authority::new(), Authority::new(), Authority::new());
    let upstream = Upstream::start(Script::ok(), Order::default()).await;
    let crm = destination("crm", &format!("http://{}", upstream.address));
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    let (certificate, key) = own.issue("crm.test");
    setup.tls = Some((certificate.clone(), key.clone(), Some(old.pem()), true));
    let gate = start(setup, Order::default()).await;
    let named = |authority: &Authority| Some(authority.issue("erp.example.org"));
    let mut kept = connect(&gate, &own, named(&old)).await.unwrap();
    assert_eq!(kept.ask(GET).await.status, 200);
    let renewed = |certificate: &str, roots: &Authority| {
        let tls = ListenerTls {
            certificate: certificate.into(),
            key: Sensitive::new(key.as_str().into()),
            client_roots: Some(roots.pem().into()),
            client_required: true,
        };
        let bind = gate.address;
        [Listener {
            id: "main".into(),
            bind,
            tls: Some(tls),
        }]
    };
    let snapshot = gate.handle.snapshot();
    let (unfit, _) = own.issue("crm.test");
    let told = gate
        .handle
        .take(Arc::clone(&snapshot), &renewed(&unfit, &new))
        .unwrap_err();
    assert!(
        told.contains("TLS of listener `main`: certificate and key do not fit"),
        "{told}"
    );
    let mut client = connect(&gate, &own, named(&old)).await.unwrap();
    assert_eq!(client.ask(GET).await.status, 200, "nothing was renewed");
    gate.handle
        .take(snapshot, &renewed(&certificate, &new))
        .unwrap();
    assert_eq!(kept.ask(GET).await.status, 200, "the connection stays");
    let mut client = connect(&gate, &own, named(&new)).await.unwrap();
    assert_eq!(client.ask(GET).await.status, 200);
    if let Some(mut client) = connect(&gate, &own, named(&old)).await {
        assert!(
            client.is_closed().await,
            "the old authority is still believed"
        );
    }
    drop(gate);
}
