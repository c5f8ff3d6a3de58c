//! The way through the operator's proxy.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant},
};

use http::HeaderValue;
use shekara::{
    gatekeeper::destination::{Destination, ForwardProxy, Roots},
    model::Sensitive,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use url::Host;

use crate::{
    start,
    support::{
        authority::Authority,
        client::Client,
        frames::Secured,
        gate::{Gate, Setup, destination},
        lines,
        ports::{FixedResolver, Order},
    },
};

const GET: &str = "GET /v1 HTTP/1.1\r\nHost: crm.test\r\n\r\n";
/// Base64 of `gate:canary-of-the-proxy`.
const AUTHORIZATION: &str = "Basic Z2F0ZTpjYW5hcnktb2YtdGhlLXByb3h5";

/// What the proxy does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    /// Opens tunnels to the upstream for who says [`AUTHORIZATION`].
    Opens,
    /// Answers with this and closes.
    Says(&'static str),
    /// Says nothing.
    Hangs,
}

/// A proxy in front of `upstream`; remembers the requests.
async fn proxy(manner: Manner, upstream: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests: Arc<Mutex<Vec<String>>> = Arc::default();
    let copy = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let requests = Arc::clone(&copy);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                requests.lock().unwrap().push(head.clone());
                let answer = match manner {
                    Manner::Hangs => return tokio::time::sleep(Duration::from_secs(30)).await,
                    Manner::Says(answer) => answer,
                    Manner::Opens if head.contains(AUTHORIZATION) => "HTTP/1.1 200 OK\r\n\r\n",
                    Manner::Opens => {
                        "HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"
                    }
                };
                stream.write_all(answer.as_bytes()).await.unwrap();
                if answer.contains(" 200 ") && manner == Manner::Opens {
                    let mut onward = TcpStream::connect(upstream).await.unwrap();
                    let _ended = copy_bidirectional(&mut stream, &mut onward).await;
                }
            });
        }
    });
    (address, requests)
}

struct Scene {
    gate: Gate,
    upstream: Secured,
    asked: Arc<Mutex<Vec<String>>>,
    resolved: Order,
    address: SocketAddr,
}

/// A gate that reaches `crm.example.org` through a proxy.
async fn scene(manner: Manner, change: impl FnOnce(&mut Destination)) -> Scene {
    let authority = Authority::new();
    let tls = authority.issue("crm.example.org").acceptor(&["h2"], None);
    let upstream = Secured::start(tls).await;
    let (address, asked) = proxy(manner, upstream.address).await;
    let mut crm = destination("crm", "https://crm.example.org");
    crm.upstream.roots = Roots::Pem(authority.pem().into());
    crm.upstream.controlled_zone = false;
    crm.upstream.proxy = Some(ForwardProxy {
        host: Host::Domain("proxy.internal.test".to_owned()),
        port: address.port(),
        authorization: Some(Sensitive::new(HeaderValue::from_static(AUTHORIZATION))),
    });
    change(&mut crm);
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    let resolved = Order::default();
    setup.resolver = Some(Arc::new(FixedResolver {
        order: resolved.clone(),
        calls: 0.into(),
        answers: vec![vec![address]],
    }));
    let gate = start(setup, Order::default()).await;
    Scene {
        gate,
        upstream,
        asked,
        resolved,
        address,
    }
}

#[tokio::test]
async fn a_tunnel_leads_to_the_upstream_and_the_record_says_so() {
    let scene = scene(Manner::Opens, |it| {
        assert!(!format!("{it:?}").contains("canary"));
        assert!(!format!("{it:?}").contains("Z2F0ZTpj"));
    })
    .await;
    for _ in 0..2 {
        let mut client = Client::connect(scene.gate.address).await;
        assert_eq!(client.ask(GET).await.text(), "ok");
    }
    let asked = scene.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1, "the tunnel is kept");
    assert!(asked[0].starts_with("CONNECT crm.example.org:443 HTTP/1.1\r\n"));
    assert_eq!(scene.resolved.all(), ["resolved"], "only the proxy's name");
    let requests = scene.upstream.requests.lock().unwrap().clone();
    assert_eq!(requests.len(), 2);
    assert!(!requests[0].0.headers().contains_key("proxy-authorization"));
    let log = scene.gate.stop().await;
    let completed = log.completed();
    assert!(completed[0].via_proxy);
    assert_eq!(completed[0].peer, Some(scene.address.to_string()));
    assert_eq!(completed[0].tls.as_deref(), Some("TLSv1.3"));
    let record = serde_json::to_string(&completed[0]).unwrap();
    assert!(record.contains("\"via_proxy\":true"), "{record}");
    assert!(!lines::written().contains("Z2F0ZTpj"));
}

#[tokio::test]
async fn a_proxy_that_opens_no_tunnel_is_told_from_an_upstream_that_fails() {
    for (manner, status, error) in [
        (
            Manner::Says("HTTP/1.1 403 No\r\n\r\n"),
            502,
            "connection_refused",
        ),
        (
            Manner::Says("HTTP/1.1 503 No\r\n\r\n"),
            502,
            "connection_refused",
        ),
        (
            Manner::Says("HTTP/1.1 504 No\r\n\r\n"),
            504,
            "connection_timeout",
        ),
        (
            Manner::Says("HTTP/1.1 200 OK\r\n\r\nmore"),
            502,
            "http_protocol_error",
        ),
        (
            Manner::Says("SSH-2.0-x\r\n\r\n"),
            502,
            "http_protocol_error",
        ),
        (Manner::Says("HTTP/1.1 2"), 502, "connection_terminated"),
    ] {
        let scene = scene(manner, |_| {}).await;
        let answer = Client::connect(scene.gate.address).await.ask(GET).await;
        assert_eq!(answer.status, status, "{manner:?}");
        assert_eq!(
            answer.field("proxy-status"),
            Some(format!("shekara; error={error}").as_str()),
            "{manner:?}"
        );
        assert_eq!(scene.upstream.connections.load(Ordering::SeqCst), 0);
        assert!(!scene.gate.stop().await.completed()[0].sent);
    }
}

#[tokio::test]
async fn a_proxy_that_does_not_know_the_gate_is_a_matter_of_configuration() {
    let scene = scene(Manner::Opens, |it| {
        it.upstream.proxy.as_mut().unwrap().authorization = None;
    })
    .await;
    let answer = Client::connect(scene.gate.address).await.ask(GET).await;
    assert_eq!(answer.status, 502);
    assert_eq!(
        answer.field("proxy-status"),
        Some("shekara; error=proxy_configuration_error")
    );
    drop(scene.gate);
}

#[tokio::test]
async fn the_time_for_connecting_covers_the_tunnel() {
    let scene = scene(Manner::Hangs, |it| {
        it.limits.connect_time = Duration::from_millis(200);
    })
    .await;
    let began = Instant::now();
    let answer = Client::connect(scene.gate.address).await.ask(GET).await;
    assert_eq!(answer.status, 504);
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(
        answer.field("proxy-status"),
        Some("shekara; error=connection_timeout")
    );
    drop(scene.gate);
}

/// The proxy stands in the operator's own network; that does not open the metadata service of a cloud.
#[tokio::test]
async fn the_proxys_address_is_checked_too() {
    let mut crm = destination("crm", "https://crm.example.org");
    crm.upstream.proxy = Some(ForwardProxy {
        host: Host::Ipv4([169, 254, 169, 254].into()),
        port: 80,
        authorization: None,
    });
    let gate = start(Setup::new(vec![Arc::new(crm)]), Order::default()).await;
    let answer = Client::connect(gate.address).await.ask(GET).await;
    assert_eq!(
        answer.field("proxy-status"),
        Some("shekara; error=destination_ip_prohibited")
    );
    drop(gate);
}
