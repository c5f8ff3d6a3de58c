//! Ports in memory: they remember what happened in which order, and can fail.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use shekara::{
    gatekeeper::{
        keys::IdentifierRefs,
        ports::{AuditError, AuditLog, Registers, RegistersError},
        record::{AuditEvent, Completed, Decided, Receipt},
    },
    model::evidence::{Known, PersonEvidence},
    proxy::Resolve,
};

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order(Arc<Mutex<Vec<&'static str>>>);

impl Order {
    pub(crate) fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    pub(crate) fn all(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

/// A log in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryLog {
    pub(crate) order: Order,
    pub(crate) events: Mutex<Vec<AuditEvent>>,
    pub(crate) is_broken: AtomicBool,
    pub(crate) panics: AtomicBool,
    pub(crate) delay: Mutex<Duration>,
}

impl MemoryLog {
    pub(crate) fn decided(&self) -> Vec<Decided> {
        self.events
            .lock()
            .unwrap()
            .iter()
            .filter_map(|it| {
                if let AuditEvent::Decided(it) = it {
                    Some((**it).clone())
                } else {
                    None
                }
            })
            .collect()
    }

    pub(crate) fn completed(&self) -> Vec<Completed> {
        self.events
            .lock()
            .unwrap()
            .iter()
            .filter_map(|it| {
                if let AuditEvent::Completed(it) = it {
                    Some(it.clone())
                } else {
                    None
                }
            })
            .collect()
    }

    /// Primary reason codes of the decisions so far; `-` for none.
    pub(crate) fn reasons(&self) -> Vec<&'static str> {
        self.decided()
            .iter()
            .map(|it| it.decision.primary().map_or("-", |it| it.code.as_str()))
            .collect()
    }
}

#[async_trait]
impl AuditLog for MemoryLog {
    async fn append(&self, event: AuditEvent) -> Result<Receipt, AuditError> {
        assert!(!self.panics.load(Ordering::SeqCst), "told to break down");
        let delay = *self.delay.lock().unwrap();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(AuditError("no space".into()));
        }
        let mut events = self.events.lock().unwrap();
        events.push(event);
        self.order.note("appended");
        Ok(Receipt {
            sequence: events.len() as u64 - 1,
            hash: [0; 32],
        })
    }

    fn append_later(&self, event: AuditEvent) {
        self.events.lock().unwrap().push(event);
    }

    fn is_writable(&self) -> bool {
        !self.is_broken.load(Ordering::SeqCst)
    }
}

/// Registers that know nobody.
#[derive(Debug)]
pub(crate) struct EmptyRegisters;

#[async_trait]
impl Registers for EmptyRegisters {
    async fn evidence(&self, persons: &[Vec<IdentifierRefs>]) -> Result<Known, RegistersError> {
        Ok(Known {
            persons: vec![PersonEvidence::default(); persons.len()],
            ..Known::default()
        })
    }
}

/// Answers with the given addresses, one list a call; the last one for ever.
#[derive(Debug)]
pub(crate) struct FixedResolver {
    pub(crate) order: Order,
    pub(crate) calls: AtomicUsize,
    pub(crate) answers: Vec<Vec<SocketAddr>>,
}

#[async_trait]
impl Resolve for FixedResolver {
    async fn resolve(&self, _host: &str, _port: u16) -> io::Result<Vec<SocketAddr>> {
        self.order.note("resolved");
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let last = self.answers.len().saturating_sub(1);
        Ok(self
            .answers
            .get(call.min(last))
            .cloned()
            .unwrap_or_default())
    }
}
