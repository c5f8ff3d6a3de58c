//! Stop and restart under load: every request that was taken gets its whole answer.

use std::{
    fs,
    net::TcpListener,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tokio::time::sleep;

use crate::{
    gate::{Gate, Start, get},
    load::{Load, Way, upstream},
    scale,
};

fn configuration(upstream: std::net::SocketAddr, limits: &str) -> String {
    format!(
        r#"version: 1
operator: {{legal_name: Test LLP, bin: "990140000007", home: KZ, utc_offset: "+05:00", profile: baseline, regimes: [kz-94v]}}
state_dir: state
mode: log-only
listeners: [{{id: main, bind: "127.0.0.1:0"}}]
admin: {{bind: "127.0.0.1:0"}}
log: {{format: json, level: info}}
limits: {{{limits}}}
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

/// If this fails, a stop loses requests that were taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_drain_under_load_loses_nothing() {
    let scale = scale();
    let folder = tempfile::tempdir().unwrap();
    let (upstream, _) = upstream(Duration::from_millis(30)).await;
    let text = configuration(upstream, "drain_time: 20s");
    fs::write(folder.path().join("shekara.yaml"), text).unwrap();
    let (mut answered, mut again) = (0, 0);
    let rounds = if scale.rate > 500 { 10 } else { 2 };
    let mut slowest = Duration::ZERO;
    for _ in 0..rounds {
        let mut gate = Gate::start(folder.path());
        let before = if answered == 0 {
            0
        } else {
            gate.decisions().len()
        };
        let way = Way {
            address: gate.main(),
            tls: None,
            is_fresh: false,
        };
        let load = Load::start(&way, scale.rate);
        sleep(Duration::from_millis(600)).await;
        let since = Instant::now();
        gate.signal(Signal::TERM);
        assert!(gate.ended().success());
        slowest = slowest.max(since.elapsed());
        let (outcome, _) = load.stop().await;
        assert_eq!(outcome.broken, 0, "an answer broke off");
        assert!(outcome.turned_away > 0, "the load ended before the gate");
        assert!(outcome.answers.iter().all(|it| it.status == 200));
        let taken = gate.decisions().len() - before;
        assert_eq!(taken, outcome.answers.len(), "taken and answered");
        answered += outcome.answers.len();
        again += outcome.again;
    }
    // Only who connects in the moment between the last accept and the close.
    assert!(again <= rounds, "{again} found a connection closed");
    println!(
        "drain: {rounds} stops at {} requests a second, {answered} taken and answered, {again} found a connection closed before a \
         byte and were sent again, slowest stop {:.0} ms",
        scale.rate,
        slowest.as_secs_f64() * 1000.0
    );
}

/// If this fails, a restart behind a socket that a service manager holds loses requests.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_behind_a_held_socket_loses_nothing() {
    let scale = scale();
    let folder = tempfile::tempdir().unwrap();
    let (upstream, _) = upstream(Duration::from_millis(5)).await;
    let text = configuration(upstream, "drain_time: 20s");
    fs::write(folder.path().join("shekara.yaml"), text).unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let start = Start {
        socket: Some(("main", &socket)),
        ..Start::default()
    };
    let mut gate = Gate::start_with(folder.path(), &start);
    assert_eq!(gate.main(), socket.local_addr().unwrap());
    let way = Way {
        address: gate.main(),
        tls: None,
        is_fresh: false,
    };
    let load = Load::start(&way, scale.rate / 2);
    let restarts = if scale.rate > 500 { 10 } else { 2 };
    let mut slowest = Duration::ZERO;
    for _ in 0..restarts {
        sleep(Duration::from_millis(400)).await;
        let since = Instant::now();
        gate.signal(Signal::TERM);
        assert!(gate.ended().success());
        gate = Gate::start_with(folder.path(), &start);
        slowest = slowest.max(since.elapsed());
    }
    sleep(Duration::from_millis(400)).await;
    let (outcome, rate) = load.stop().await;
    gate.signal(Signal::TERM);
    assert!(gate.ended().success());
    println!(
        "restart: {restarts} restarts (slowest {:.0} ms), {} requests at {rate:.0} a second, all answered; {} found a connection \
         closed before a byte and were sent again, slowest answer {:.0} ms",
        slowest.as_secs_f64() * 1000.0,
        outcome.answers.len(),
        outcome.again,
        outcome.percentile(1.0),
    );
    assert_eq!((outcome.broken, outcome.turned_away), (0, 0));
    assert!(
        outcome.again <= restarts,
        "{} found a connection closed",
        outcome.again
    );
    assert!(outcome.answers.iter().all(|it| it.status == 200));
    assert_eq!(gate.decisions().len(), outcome.answers.len());
}

/// If this fails, a load balancer sends on to a gate that is about to stop, or a second signal waits.
#[tokio::test(flavor = "multi_thread")]
async fn readiness_goes_before_the_listeners_and_a_second_signal_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (upstream, _) = upstream(Duration::ZERO).await;
    let text = configuration(upstream, "drain_delay: 60s");
    fs::write(folder.path().join("shekara.yaml"), text).unwrap();
    let mut gate = Gate::start(folder.path());
    assert_eq!(get(gate.admin, "/readyz").await.0, 200);
    gate.signal(Signal::TERM);
    let deadline = Instant::now() + Duration::from_secs(10);
    while get(gate.admin, "/readyz").await.0 != 503 {
        assert!(Instant::now() < deadline, "readiness does not say no");
    }
    let asked = format!("http://{}", gate.admin);
    let (code, told) = gate.command(&["healthcheck", "--url", &asked]);
    assert_eq!((code, told.as_str()), (1, "error: not ready: accepting\n"));
    let (status, _) = get(gate.main(), "/us/x").await;
    assert_eq!(status, 200, "the listener serves on");
    gate.signal(Signal::TERM);
    assert_eq!(gate.ended().code(), Some(1));
}
