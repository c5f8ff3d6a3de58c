//! A gate on port 0 with one destination, `crm`, in front of a recording upstream.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use shekara::{
    gatekeeper::{
        Gatekeeper, Snapshot,
        destination::{Caller, Destination, DestinationTable, Limits, Matcher, Upstream},
        keys::{Keys, SubjectKey},
        ports::{Registers, SystemClock},
        record::Versions,
    },
    inspect::{Inspector, Plan},
    model::{
        Sensitive,
        decision::{Mode, ReasonCode},
        destination::{self as facts, FailurePolicy, Role},
        finding::Confidence,
        law::{Operator, Reading},
    },
    policy::{
        Policy, ReasonTable, data,
        reasons::{ReasonEntry, Texts},
    },
    proxy::{Handle, Listener, ListenerTls, Proxy, Resolve, Settings, SpoolSettings},
    telemetry::Metrics,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::lines;
use super::ports::{EmptyRegisters, FixedResolver, MemoryLog};

/// Knobs of a gate under test.
pub(crate) struct Setup {
    pub(crate) destinations: Vec<Arc<Destination>>,
    pub(crate) callers: Vec<Caller>,
    /// Registers that know somebody.
    pub(crate) registers: Option<Arc<dyn Registers>>,
    pub(crate) tls: Option<(String, String, Option<String>, bool)>,
    pub(crate) resolver: Option<Arc<FixedResolver>>,
    pub(crate) concurrency: usize,
    pub(crate) connections: usize,
    pub(crate) idle_time: Duration,
    pub(crate) write_time: Duration,
    pub(crate) per_client: Option<usize>,
    pub(crate) connections_per_client: usize,
    pub(crate) memory: u64,
    pub(crate) spool_above: u64,
    pub(crate) spool_size: u64,
    /// Instead of a directory of the gate's own.
    pub(crate) spool_dir: Option<PathBuf>,
    pub(crate) head_time: Duration,
    pub(crate) drain_time: Duration,
}

impl Setup {
    pub(crate) fn new(destinations: Vec<Arc<Destination>>) -> Self {
        Self {
            destinations,
            callers: Vec::new(),
            registers: None,
            tls: None,
            resolver: None,
            concurrency: 64,
            connections: 1024,
            idle_time: Duration::from_secs(60),
            write_time: Duration::from_secs(5),
            per_client: None,
            connections_per_client: 1024,
            memory: 64 << 20,
            spool_above: 1 << 20,
            spool_size: 256 << 20,
            spool_dir: None,
            head_time: Duration::from_secs(5),
            drain_time: Duration::from_secs(5),
        }
    }

    pub(crate) async fn start(self, log: Arc<MemoryLog>) -> Gate {
        lines::start();
        let snapshot = snapshot(self.destinations, self.callers, 1);
        let directory = TempDir::new().unwrap();
        let settings = Settings {
            listeners: vec![Listener {
                id: "main".into(),
                bind: SocketAddr::from(([127, 0, 0, 1], 0)),
                tls: self
                    .tls
                    .map(|(certificate, key, roots, required)| ListenerTls {
                        certificate: certificate.into(),
                        key: Sensitive::new(key.into()),
                        client_roots: roots.map(Into::into),
                        client_required: required,
                    }),
            }],
            drain_time: self.drain_time,
            head_time: self.head_time,
            concurrency: self.concurrency,
            connections: self.connections,
            idle_time: self.idle_time,
            write_time: self.write_time,
            per_client: self.per_client.unwrap_or(self.concurrency),
            connections_per_client: self.connections_per_client,
            memory: self.memory,
            spool: SpoolSettings {
                dir: self
                    .spool_dir
                    .unwrap_or_else(|| directory.path().join("spool")),
                above: self.spool_above,
                size: self.spool_size,
            },
        };
        let metrics = Arc::new(Metrics::new().unwrap());
        let resolver: Arc<dyn Resolve> = match self.resolver {
            Some(resolver) => resolver,
            None => Arc::new(shekara::proxy::SystemResolver),
        };
        let gatekeeper = Gatekeeper::new(
            self.registers.unwrap_or_else(|| Arc::new(EmptyRegisters)),
            Arc::clone(&log) as Arc<_>,
            Arc::new(SystemClock),
        );
        let proxy = Proxy::bind(
            settings,
            gatekeeper,
            snapshot,
            Arc::clone(&metrics),
            resolver,
        )
        .await
        .unwrap();
        let shutdown = CancellationToken::new();
        Gate {
            address: proxy.addresses().unwrap()[0].1,
            handle: proxy.handle(),
            served: tokio::spawn(proxy.serve(shutdown.clone())),
            shutdown,
            metrics,
            log,
            _directory: directory,
        }
    }
}

/// A running gate.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    pub(crate) served: JoinHandle<()>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: Arc<MemoryLog>,
    _directory: TempDir,
}

impl Gate {
    /// Ends the gate and waits for it, so that every record is in.
    pub(crate) async fn stop(self) -> Arc<MemoryLog> {
        self.shutdown.cancel();
        self.served.await.unwrap();
        self.log
    }
}

/// `crm` behind host `crm.test`, at `url` in the operator's own network.
pub(crate) fn destination(id: &str, url: &str) -> Destination {
    Destination {
        facts: Arc::new(facts(id)),
        matcher: Matcher {
            listener: None,
            host: Some(format!("{id}.test").into()),
            path_prefix: None,
        },
        callers: BTreeMap::new(),
        upstream: Upstream {
            controlled_zone: true,
            ..Upstream::new(url.parse().unwrap())
        },
        limits: Limits {
            body_bytes: 4 * 1024 * 1024,
            body_idle_time: Duration::from_secs(2),
            body_time: Duration::from_secs(2),
            connect_time: Duration::from_secs(2),
            response_time: Duration::from_secs(2),
            response_idle_time: Duration::from_secs(2),
            ..Limits::default()
        },
        audit_failure: FailurePolicy::Closed,
        plans: vec![plan()],
        default_plan: plan(),
        pass_redirects: false,
        legal_status: 451,
    }
}

fn plan() -> Plan {
    Inspector::default().compile(&Default::default()).unwrap()
}

fn facts(id: &str) -> facts::Destination {
    facts::Destination {
        id: id.into(),
        party: facts::Party {
            id: "mail-gmbh".into(),
            legal_name: "Mail GmbH".to_owned(),
            registration: None,
            certifications: BTreeSet::new(),
            protection_level: None,
            role: Role::Controller,
            classes: BTreeSet::new(),
        },
        country: "DE".parse().unwrap(),
        remote_access_countries: BTreeSet::new(),
        onward: Vec::new(),
        agreement: None,
        safeguards: Vec::new(),
        notifications: Vec::new(),
        sole_store: false,
        retention_days: None,
        readings: vec![Arc::new(reading())],
        // These tests are about the wire: what the law says is recorded, and does not stop them.
        modes: facts::Modes {
            global: Mode::LogOnly,
            ..facts::Modes::default()
        },
        confidence_min: Confidence::High,
        thresholds: Vec::new(),
        combination_min: 3,
        refuse_unverified: false,
        fallback: facts::Fallback::default(),
        operators: BTreeMap::new(),
        gaps: BTreeMap::new(),
        registers_failure: FailurePolicy::Closed,
        inspection_failure: FailurePolicy::Closed,
        is_secured: true,
        controlled_zone: true,
        routes: vec![facts::Route {
            id: format!("{id}/0").into(),
            methods: BTreeSet::new(),
            path: "/".to_owned(),
            purpose: facts::RoutePurpose::Declared("service.provision".parse().unwrap()),
            channel: None,
            actions: BTreeSet::new(),
            plan: Default::default(),
        }],
    }
}

/// The shipped Kazakh law under its baseline profile.
fn reading() -> Reading {
    let text = |files: &[(&str, &'static str)], name: &str| {
        files.iter().find(|(it, _)| it.ends_with(name)).unwrap().1
    };
    Reading {
        regime: Arc::new(serde_saphyr::from_str(text(data::REGIMES, "kz-94v.yaml")).unwrap()),
        profile: Arc::new(serde_saphyr::from_str(text(data::PROFILES, "/baseline.yaml")).unwrap()),
        assessments: Vec::new(),
    }
}

/// A configuration in force.
pub(crate) fn snapshot(
    destinations: Vec<Arc<Destination>>,
    callers: Vec<Caller>,
    generation: u64,
) -> Arc<Snapshot> {
    let operator = Operator {
        legal_name: "Operator LLP".to_owned(),
        bin: "990340000000".into(),
        home: "KZ".parse().unwrap(),
        utc_offset: "+05:00".parse().unwrap(),
    };
    Arc::new(Snapshot {
        operator: operator.clone(),
        destinations: DestinationTable::new(destinations),
        callers: callers.into(),
        inspector: Arc::new(Inspector::default()),
        policy: Policy::new(operator, Arc::new(reasons())),
        keys: Keys::new(SubjectKey::new(1, &[1; 32]), Vec::new(), &[2; 32]),
        versions: Arc::new(Versions {
            generation,
            ..Versions::default()
        }),
    })
}

/// A text for every code, with the statuses of the technical ones.
fn reasons() -> ReasonTable {
    let status = |code: ReasonCode| match code.as_str() {
        "destination-unknown" | "caller-not-allowed" => 403,
        "method-not-allowed" => 405,
        "framing" | "ambiguous" | "malformed" => 400,
        "body-too-large" => 413,
        "audit-unavailable" | "registers-unavailable" | "overloaded" | "spool-unavailable" => 503,
        "address-prohibited" => 502,
        "proxy-loop" => 508,
        _ => 451,
    };
    let entries = ReasonCode::ALL
        .iter()
        .map(|code| {
            let entry = ReasonEntry {
                rule: "R-00".to_owned(),
                citation: "art. 0".to_owned(),
                status: status(*code),
                title: texts(&format!("{code} at {{destination}}")),
                mend: texts("mend it"),
            };
            (*code, entry)
        })
        .collect();
    ReasonTable::new(entries).unwrap()
}

fn texts(text: &str) -> Texts {
    Texts {
        en: format!("en {text}"),
        ru: format!("ru {text}"),
        kk: format!("kk {text}"),
    }
}
