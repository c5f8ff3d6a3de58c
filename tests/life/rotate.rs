//! Certificates of a listener change under load: no request is lost, new handshakes see the new one.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustix::process::Signal;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::{net::TcpStream, time::sleep};
use tokio_rustls::TlsConnector;

use crate::{
    gate::Gate,
    load::{Load, Way, upstream},
    scale,
};

/// A folder for each of two certificates, and links as Kubernetes mounts a secret: `tls/tls.crt -> ..data/tls.crt`, `..data -> ..0`.
struct Secret {
    roots: RootCertStore,
    leaves: Vec<CertificateDer<'static>>,
}

impl Secret {
    fn write(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
            .unwrap();
        let tls = folder.join("tls");
        fs::create_dir(&tls).unwrap();
        let mut leaves = Vec::new();
        for number in 0..2 {
            let mut params = CertificateParams::new(vec!["gate.test".to_owned()]).unwrap();
            params.not_after = rcgen::date_time_ymd(2100 + number, 1, 1);
            let key = KeyPair::generate().unwrap();
            let leaf = params.signed_by(&key, &authority).unwrap();
            let place = tls.join(format!("..{number}"));
            fs::create_dir(&place).unwrap();
            fs::write(place.join("tls.crt"), leaf.pem()).unwrap();
            fs::write(place.join("tls.key"), key.serialize_pem()).unwrap();
            leaves.push(leaf.der().clone());
        }
        let mixed = tls.join("..mixed");
        fs::create_dir(&mixed).unwrap();
        fs::copy(tls.join("..0/tls.crt"), mixed.join("tls.crt")).unwrap();
        fs::copy(tls.join("..1/tls.key"), mixed.join("tls.key")).unwrap();
        symlink("..0", tls.join("..data")).unwrap();
        for name in ["tls.crt", "tls.key"] {
            symlink(format!("..data/{name}"), tls.join(name)).unwrap();
        }
        Self { roots, leaves }
    }

    fn client(&self) -> Arc<ClientConfig> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let mut config = builder
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        // Each connection must show which certificate is presented.
        config.resumption = rustls::client::Resumption::disabled();
        Arc::new(config)
    }
}

fn swap(folder: &Path, to: &str) {
    let tls = folder.join("tls");
    symlink(to, tls.join("..next")).unwrap();
    fs::rename(tls.join("..next"), tls.join("..data")).unwrap();
}

fn configuration(upstream: std::net::SocketAddr, watch: &str) -> String {
    format!(
        r#"version: 1
operator: {{legal_name: Test LLP, bin: "990140000007", home: KZ, utc_offset: "+05:00", profile: baseline, regimes: [kz-94v]}}
state_dir: state
mode: log-only
listeners: [{{id: main, bind: "127.0.0.1:0", tls: {{certificate_file: tls/tls.crt, key_file: tls/tls.key}}}}]
admin: {{bind: "127.0.0.1:0"}}
log: {{format: json, level: warn}}
reload: {{watch: {watch}}}
parties: [{{id: us, legal_name: Example Inc., role: controller}}]
destinations:
  - id: us
    party: us
    country: US
    match: {{path_prefix: /us}}
    upstream: {{url: "http://{upstream}/", controlled_zone: true}}
    routes: [{{path: /, purpose: order.notice}}]
"#
    )
}

/// The number of the certificate that a new handshake is presented.
async fn presented(gate: &Gate, secret: &Secret, client: &Arc<ClientConfig>) -> usize {
    let stream = TcpStream::connect(gate.main()).await.unwrap();
    let name = ServerName::try_from("gate.test").unwrap();
    let stream = TlsConnector::from(Arc::clone(client))
        .connect(name, stream)
        .await
        .unwrap();
    let leaf = &stream.get_ref().1.peer_certificates().unwrap()[0];
    secret.leaves.iter().position(|it| it == leaf).unwrap()
}

async fn until_presented(gate: &Gate, secret: &Secret, client: &Arc<ClientConfig>, number: usize) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while presented(gate, secret, client).await != number {
        assert!(
            Instant::now() < deadline,
            "certificate {number} is not presented"
        );
        sleep(Duration::from_millis(5)).await;
    }
}

/// If this fails, a renewed certificate costs requests, or is not presented.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_rotate_under_load() {
    let scale = scale();
    let folder = tempfile::tempdir().unwrap();
    let secret = Secret::write(folder.path());
    let (upstream, _) = upstream(Duration::from_millis(2)).await;
    fs::write(
        folder.path().join("shekara.yaml"),
        configuration(upstream, "off"),
    )
    .unwrap();
    let mut gate = Gate::start(folder.path());
    let client = secret.client();
    let way = Way {
        address: gate.main(),
        tls: Some(Arc::clone(&client)),
        is_fresh: false,
    };
    let kept = Load::start(&way, scale.rate / 2);
    let fresh = Load::start(
        &Way {
            is_fresh: true,
            ..way
        },
        scale.rate / 10,
    );
    let seen: Mutex<BTreeMap<usize, usize>> = Mutex::default();
    let (mut rotations, mut slowest) = (0, Duration::ZERO);
    let began = Instant::now();
    while began.elapsed() < scale.time {
        let number = (rotations + 1) % 2;
        swap(folder.path(), &format!("..{number}"));
        let since = Instant::now();
        gate.signal(Signal::HUP);
        until_presented(&gate, &secret, &client, number).await;
        slowest = slowest.max(since.elapsed());
        *seen.lock().unwrap().entry(number).or_default() += 1;
        rotations += 1;
        sleep(scale.rotate_every.saturating_sub(since.elapsed())).await;
    }
    let (kept, kept_rate) = kept.stop().await;
    let (fresh, fresh_rate) = fresh.stop().await;
    println!(
        "rotate: {rotations} rotations (slowest {:.0} ms until presented), {} requests on kept connections at {kept_rate:.0} a second, \
         {} on fresh ones at {fresh_rate:.0} a second, lost {}",
        slowest.as_secs_f64() * 1000.0,
        kept.answers.len(),
        fresh.answers.len(),
        kept.broken + kept.again + fresh.broken + fresh.again,
    );
    for it in [&kept, &fresh] {
        assert_eq!((it.again, it.broken, it.turned_away), (0, 0, 0));
        assert!(it.answers.iter().all(|it| it.status == 200));
    }
    assert!(seen.lock().unwrap().len() == 2);
    gate.signal(Signal::TERM);
    assert!(gate.ended().success());
}

/// If this fails, a pair that does not fit takes the listener down, or nobody is told of it; or content is not watched.
#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_does_not_fit_keeps_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let secret = Secret::write(folder.path());
    let (upstream, _) = upstream(Duration::ZERO).await;
    fs::write(
        folder.path().join("shekara.yaml"),
        configuration(upstream, "100ms"),
    )
    .unwrap();
    let gate = Gate::start(folder.path());
    let client = secret.client();
    let end = r#"shekara_certificate_expiry_timestamp_seconds{listener="main"}"#;
    let first = gate.metric(end).await;
    assert!(first > 4.0e9, "{first}");
    swap(folder.path(), "..mixed");
    let refused = r#"shekara_tls_reloads_total{outcome="refused"}"#;
    let deadline = Instant::now() + Duration::from_secs(30);
    while gate.metric(refused).await < 1.0 {
        assert!(Instant::now() < deadline, "nobody is told");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(presented(&gate, &secret, &client).await, 0);
    let log = fs::read_to_string(folder.path().join("gate.log")).unwrap();
    assert!(
        log.contains("the key does not belong to the certificate"),
        "{log}"
    );
    swap(folder.path(), "..1");
    until_presented(&gate, &secret, &client, 1).await;
    assert!(gate.metric(end).await > first);
    assert_eq!(gate.metric(refused).await, 1.0);
    let taken = r#"shekara_tls_reloads_total{outcome="taken"}"#;
    assert_eq!(gate.metric(taken).await, 1.0);
}
