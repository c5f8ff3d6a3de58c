//! Every component, failing in every way: nothing is sent, the client is told, the record says why. Where an operator has opened
//! the component, the message passes, recorded and counted.

use std::{
    fs,
    future::pending,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use shekara::{
    gatekeeper::{
        destination::Destination,
        keys::IdentifierRefs,
        ports::{Registers, RegistersError},
        record::Outcome,
    },
    model::{
        decision::Mode,
        destination::{FailurePolicy, Modes},
        evidence::Known,
    },
};

use crate::{
    start,
    support::{
        client::Client,
        gate::{Gate, Setup, destination},
        ports::Order,
        upstream::{Script, Upstream},
    },
};

/// About a person, so that the registers are asked.
const BODY: &str = r#"{"iin":"991231100010"}"#;

/// Registers that fail.
#[derive(Clone, Copy, Debug)]
enum Broken {
    /// They say so.
    Refuse,
    /// They never answer.
    Hang,
    /// They answer about somebody else.
    Miscount,
    /// They break down.
    Panic,
}

#[async_trait]
impl Registers for Broken {
    async fn evidence(&self, _: &[Vec<IdentifierRefs>]) -> Result<Known, RegistersError> {
        match self {
            Self::Refuse => Err(RegistersError("disk I/O error".to_owned())),
            Self::Hang => pending().await,
            Self::Miscount => Ok(Known::default()),
            Self::Panic => std::panic::resume_unwind(Box::new("as asked")),
        }
    }
}

/// What is broken, and how.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Registers(Broken),
    LogRefuses,
    LogHangs,
    LogPanics,
    InspectionTime,
    SpoolGone,
    SpoolSpent,
    MemorySpent,
    NoPlace,
    NoPlaceForDestination,
}

/// What the client and the record are to say. A breakdown is answered without a decision.
struct Wanted {
    status: u16,
    reason: Option<&'static str>,
}

const fn wanted(fault: Fault) -> Wanted {
    let (status, reason) = match fault {
        Fault::Registers(Broken::Panic) | Fault::LogPanics => (503, None),
        Fault::Registers(_) => (503, Some("registers-unavailable")),
        Fault::LogRefuses | Fault::LogHangs => (503, Some("audit-unavailable")),
        Fault::InspectionTime => (451, Some("deadline-exceeded")),
        Fault::SpoolGone => (503, Some("spool-unavailable")),
        Fault::SpoolSpent | Fault::MemorySpent | Fault::NoPlace | Fault::NoPlaceForDestination => {
            (503, Some("overloaded"))
        }
    };
    Wanted { status, reason }
}

/// A gate with the fault, as far as it is set up before the start. Every reason acts.
async fn broken(fault: Fault, change: impl FnOnce(&mut Destination)) -> (Gate, Upstream) {
    let order = Order::default();
    let upstream = Upstream::start(Script::ok(), order.clone()).await;
    let mut crm = destination("crm", &format!("http://{}", upstream.address));
    let facts = Arc::make_mut(&mut crm.facts);
    facts.modes = Modes {
        global: Mode::Enforce,
        ..Modes::default()
    };
    if matches!(fault, Fault::InspectionTime) {
        crm.limits.inspection_time = Duration::from_millis(10);
    }
    if matches!(fault, Fault::NoPlaceForDestination) {
        crm.limits.concurrency = 0;
    }
    change(&mut crm);
    let mut setup = Setup::new(vec![Arc::new(crm)]);
    match fault {
        Fault::Registers(how) => setup.registers = Some(Arc::new(how)),
        Fault::SpoolGone => {
            let dir = tempfile::tempdir().unwrap();
            setup.spool_dir = Some(dir.path().join("spool"));
            setup.spool_above = 0;
            let gate = start(setup, order).await;
            fs::remove_dir_all(dir.path()).unwrap();
            return (gate, upstream);
        }
        Fault::SpoolSpent => {
            setup.spool_above = 0;
            setup.spool_size = 1 << 20;
        }
        Fault::MemorySpent => setup.memory = 1 << 20,
        Fault::NoPlace => setup.concurrency = 1,
        Fault::LogRefuses
        | Fault::LogHangs
        | Fault::LogPanics
        | Fault::InspectionTime
        | Fault::NoPlaceForDestination => {}
    }
    (start(setup, order).await, upstream)
}

fn post(body: &str) -> String {
    format!(
        "POST /v1 HTTP/1.1\r\nHost: crm.test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// One whose body is on its way and holds what it announced.
async fn hold(gate: &Gate, bytes: usize, gauge: &str) -> Client {
    let mut client = Client::connect(gate.address).await;
    let head = post("").replace("Length: 0", &format!("Length: {bytes}"));
    client.send(head.as_bytes()).await;
    let is_held = || {
        let text = String::from_utf8(gate.metrics.render().unwrap()).unwrap();
        let line = text.lines().find(|it| it.starts_with(gauge)).unwrap();
        line.rsplit(' ').next() != Some("0")
    };
    while !is_held() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    client
}

/// Asks once, with the rest of the fault in place.
async fn ask(fault: Fault, gate: &Gate) -> crate::support::client::Answer {
    let mut held = None;
    let mut body = BODY.to_owned();
    match fault {
        Fault::LogRefuses => gate.log.is_broken.store(true, Ordering::SeqCst),
        Fault::LogHangs => *gate.log.delay.lock().unwrap() = Duration::from_secs(3600),
        Fault::LogPanics => gate.log.panics.store(true, Ordering::SeqCst),
        Fault::InspectionTime => {
            body = format!("[{}null]", r#"{"a":"b c d e f"},"#.repeat(100_000))
        }
        Fault::SpoolSpent => held = Some(hold(gate, 1 << 20, "shekara_spool_bytes").await),
        Fault::MemorySpent => {
            held = Some(hold(gate, 1 << 20, "shekara_memory_reserved_bytes").await);
        }
        Fault::NoPlace => held = Some(hold(gate, 1000, "shekara_requests_in_flight").await),
        Fault::Registers(_) | Fault::SpoolGone | Fault::NoPlaceForDestination => {}
    }
    let answer = Client::connect(gate.address).await.ask(&post(&body)).await;
    drop(held);
    answer
}

#[tokio::test]
async fn no_component_that_fails_lets_a_message_through() {
    let faults = [
        Fault::Registers(Broken::Refuse),
        Fault::Registers(Broken::Hang),
        Fault::Registers(Broken::Miscount),
        Fault::Registers(Broken::Panic),
        Fault::LogRefuses,
        Fault::LogHangs,
        Fault::LogPanics,
        Fault::InspectionTime,
        Fault::SpoolGone,
        Fault::SpoolSpent,
        Fault::MemorySpent,
        Fault::NoPlace,
        Fault::NoPlaceForDestination,
    ];
    let checks = faults.map(|fault| {
        tokio::spawn(async move {
            let (gate, upstream) = broken(fault, |_| {}).await;
            let answer = ask(fault, &gate).await;
            let Wanted { status, reason } = wanted(fault);
            assert_eq!(answer.status, status, "{fault:?}: {}", answer.text());
            assert_eq!(
                answer.field("retry-after").is_some(),
                status == 503,
                "{fault:?}"
            );
            let kind = reason.map_or("urn:shekara:breakdown".to_owned(), |it| {
                format!("urn:shekara:reason:{it}")
            });
            assert_eq!(answer.json()["type"], kind, "{fault:?}");
            assert_eq!(upstream.connections(), 0, "{fault:?}");
            let metrics = String::from_utf8(gate.metrics.render().unwrap()).unwrap();
            if let Some(reason) = reason {
                let series =
                    format!("shekara_refusals_total{{destination=\"crm\",reason=\"{reason}\"}} 1");
                let unknown = series.replace("crm", "unknown");
                let is_counted = metrics.contains(&series) || metrics.contains(&unknown);
                assert!(is_counted, "{fault:?}: {metrics}");
            }
            assert!(!metrics.contains("shekara_opened_total{"), "{fault:?}");
        })
    });
    for check in checks {
        check.await.unwrap();
    }
}

/// What is opened passes, once for each fault, on record where there is one, and counted. Memory, places and the spool cannot be
/// opened: without them there is nothing to send.
#[tokio::test]
async fn an_opened_component_that_fails_is_recorded_and_counted() {
    let open: fn(&mut Destination) = |it| {
        it.audit_failure = FailurePolicy::Open;
        let facts = Arc::make_mut(&mut it.facts);
        facts.registers_failure = FailurePolicy::Open;
        facts.inspection_failure = FailurePolicy::Open;
    };
    for (fault, what, is_recorded) in [
        (Fault::Registers(Broken::Refuse), "failure:registers", true),
        (Fault::Registers(Broken::Hang), "failure:registers", true),
        (Fault::LogRefuses, "failure:audit", false),
    ] {
        let (gate, upstream) = broken(fault, |it| {
            open(it);
            // An empty register refuses everybody; here it is the log alone that fails.
            if matches!(fault, Fault::LogRefuses) {
                Arc::make_mut(&mut it.facts).modes.global = Mode::LogOnly;
            }
        })
        .await;
        let answer = ask(fault, &gate).await;
        assert_eq!(answer.status, 200, "{fault:?}: {}", answer.text());
        assert_eq!(upstream.requests().len(), 1, "{fault:?}");
        let metrics = String::from_utf8(gate.metrics.render().unwrap()).unwrap();
        let series = format!("shekara_opened_total{{destination=\"crm\",what=\"{what}\"}} 1");
        assert!(metrics.contains(&series), "{metrics}");
        let decided = gate.stop().await.decided();
        assert_eq!(decided.len(), usize::from(is_recorded));
        assert!(decided.iter().all(|it| it.opened == [what]));
    }
}

/// An upstream that fails is the end of a message that was let through: it was decided, and its record says how it ended.
#[tokio::test]
async fn an_upstream_that_fails_is_answered_and_recorded() {
    for (script, error, sent) in [
        (None, "connection_refused", false),
        (Some(Script::answer("")), "connection_terminated", true),
        (
            Some(Script::answer("SSH-2.0\r\n\r\n")),
            "http_protocol_error",
            true,
        ),
    ] {
        let url = match script {
            Some(script) => {
                let upstream = Upstream::start(script, Order::default()).await;
                format!("http://{}", upstream.address)
            }
            None => "http://127.0.0.1:1".to_owned(),
        };
        let setup = Setup::new(vec![Arc::new(destination("crm", &url))]);
        let gate = start(setup, Order::default()).await;
        let answer = Client::connect(gate.address).await.ask(&post(BODY)).await;
        assert_eq!(answer.status, 502, "{error}");
        let status = format!("shekara; error={error}");
        assert_eq!(answer.field("proxy-status"), Some(status.as_str()));
        let metrics = String::from_utf8(gate.metrics.render().unwrap()).unwrap();
        let series =
            format!("shekara_upstream_failures_total{{destination=\"crm\",error=\"{error}\"}} 1");
        assert!(metrics.contains(&series), "{metrics}");
        let log = gate.stop().await;
        assert_eq!(log.decided().len(), 1);
        let completed = log.completed();
        assert_eq!(completed[0].outcome, Outcome::UpstreamFailed);
        assert_eq!(completed[0].sent, sent, "{error}");
    }
}
