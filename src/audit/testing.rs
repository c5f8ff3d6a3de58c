//! Sample events, and a disk that fails and remembers, for the tests of this room.

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tempfile::TempDir;
use uuid::Uuid;

use super::{
    Log, Settings,
    disk::{Disk, Files},
};
use crate::{
    gatekeeper::{
        ports::AuditLog as _,
        record::{
            AuditEvent, Completed, Decided, DecisionId, Leaves, Operated, Outcome, Receipt,
            Recipient, RegisterChange, Versions,
        },
    },
    model::{
        Category, CategorySet, Country, Timestamp,
        decision::{Decision, Reason, ReasonCode, Verdict},
        destination::Role,
        transfer::{Transfer, TransferPerson},
    },
};

pub(crate) const REFERENCE: &str = "email:1:0123456789abcdef0123456789abcdef";

pub(crate) fn id(n: u64) -> DecisionId {
    DecisionId(Uuid::from_u64_pair(0x0193_0000_0000_7000, (2 << 62) | n))
}

fn at(n: u64) -> Timestamp {
    Timestamp::from_millis(1_795_330_000_000 + i64::try_from(n).unwrap())
}

/// An allowed decision about one person.
pub(crate) fn decided(n: u64) -> AuditEvent {
    AuditEvent::Decided(Box::new(Decided {
        id: id(n),
        at: at(n),
        caller: "crm".into(),
        listener: "main".into(),
        method: "POST".into(),
        recipient: Some(Recipient {
            party: "mailer".into(),
            legal_name: "Mailer GmbH".into(),
            role: Role::Processor,
            country: "DE".parse().unwrap(),
            countries: vec!["DE".parse::<Country>().unwrap()],
            controlled_zone: false,
        }),
        transfer: Transfer {
            destination: "mail-de".into(),
            route: None,
            at: at(n),
            purpose: Some("marketing.email".parse().unwrap()),
            purpose_claimed: false,
            section_purposes: Vec::new(),
            caller_allowed: true,
            persons: vec![TransferPerson {
                identifiers: vec![REFERENCE.parse().unwrap()],
                categories: [Category::Email].into_iter().collect(),
                ..TransferPerson::default()
            }],
            gaps: [].into(),
            is_signed: false,
        },
        decision: Decision {
            verdict: Verdict::Allow,
            would_be: Verdict::Allow,
            reasons: Vec::new(),
            ..Decision::refuse(ReasonCode::NoConsent)
        },
        register_sequence: Some(7),
        findings: Vec::new(),
        locations: vec!["body $['email']".to_owned()],
        fault: None,
        bytes_in: 64,
        leaves: Some(Leaves {
            bytes: 64,
            digest: "00".repeat(32),
            dropped: 0,
            removed: 0,
            masked: CategorySet::EMPTY,
            pseudonymised: CategorySet::EMPTY,
        }),
        opened: Vec::new(),
        versions: Arc::new(Versions::default()),
    }))
}

/// A refused decision.
pub(crate) fn refused(n: u64) -> AuditEvent {
    let AuditEvent::Decided(mut it) = decided(n) else {
        panic!("a decision");
    };
    it.decision.verdict = Verdict::Block;
    it.decision.would_be = Verdict::Block;
    it.decision.reasons = vec![Reason::of(ReasonCode::NoConsent)];
    it.leaves = None;
    AuditEvent::Decided(it)
}

pub(crate) fn completed(n: u64) -> AuditEvent {
    AuditEvent::Completed(Completed {
        id: id(n),
        at: at(n + 1),
        outcome: Outcome::Answered,
        status: Some(200),
        sent: true,
        peer: Some("127.0.0.1:443".to_owned()),
        via_proxy: false,
        tls: Some("1.3".to_owned()),
        time_limit: None,
    })
}

/// A small record.
pub(crate) fn operated(n: u64) -> AuditEvent {
    AuditEvent::Operated(Operated {
        at: at(n),
        action: "started".into(),
        detail: [].into(),
    })
}

pub(crate) fn register_change(n: u64) -> AuditEvent {
    AuditEvent::Register(RegisterChange {
        register_sequence: n,
        at: at(n),
        by: "clerk".into(),
        action: "consent-granted".into(),
        record: format!("consent-{n}").into(),
        subject: None,
        body: serde_json::json!({"categories": ["email"]}),
    })
}

pub(crate) fn settings(dir: &Path, segment_bytes: u64) -> Settings {
    Settings {
        dir: dir.to_owned(),
        segment_bytes,
    }
}

/// Waits for one append without an async runtime.
pub(crate) fn append(log: &Log, event: AuditEvent) -> Receipt {
    runtime().block_on(log.append(event)).unwrap()
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

/// A closed log of `events`, one group each.
pub(crate) fn log_of(events: impl IntoIterator<Item = AuditEvent>, segment_bytes: u64) -> TempDir {
    let dir = TempDir::new().unwrap();
    let log = Log::open(&settings(dir.path(), segment_bytes)).unwrap();
    for event in events {
        append(&log, event);
    }
    log.close().unwrap();
    dir
}

/// What a [`Watched`] disk did or is to do.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) fails_to_write: AtomicBool,
    pub(crate) fails_to_sync: AtomicBool,
    /// As a full disk does.
    pub(crate) fails_to_create: AtomicBool,
    pub(crate) panics: AtomicBool,
    /// Let go of to let a sync pass; held by a test to keep the writer waiting.
    pub(crate) gate: Mutex<()>,
    /// `write`, `sync`, `trim`, `create`, in order.
    pub(crate) calls: Mutex<Vec<&'static str>>,
}

/// Files under a [`Watch`].
#[derive(Debug)]
pub(crate) struct Watched {
    files: Files,
    watch: Arc<Watch>,
}

impl Watch {
    pub(crate) fn open(self: &Arc<Self>, dir: &Path, segment_bytes: u64) -> Log {
        let watch = Arc::clone(self);
        Log::open_on(&settings(dir, segment_bytes), |files| {
            Box::new(Watched { files, watch })
        })
        .unwrap()
    }

    fn note(&self, call: &'static str) {
        self.calls.lock().unwrap().push(call);
    }
}

impl Disk for Watched {
    fn write(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.watch.note("write");
        assert!(!self.watch.panics.load(Ordering::SeqCst), "as asked");
        if self.watch.fails_to_write.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.files.write(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        drop(self.watch.gate.lock().unwrap());
        self.watch.note("sync");
        if self.watch.fails_to_sync.load(Ordering::SeqCst) {
            return Err(io::Error::other("EIO"));
        }
        self.files.sync()
    }

    fn trim(&mut self, length: u64) -> io::Result<()> {
        self.watch.note("trim");
        self.files.trim(length)
    }

    fn create(&mut self, first: u64, header: &[u8], bytes: u64) -> io::Result<()> {
        self.watch.note("create");
        if self.watch.fails_to_create.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.files.create(first, header, bytes)
    }
}
