//! What `/readyz?verbose` says beside yes and no: whether registers and spool can be used, and what is opened.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::time::{sleep, timeout};

use crate::{
    admin::{Check, Weight},
    config::{
        Configuration,
        expiry::{Exception, ExpiryKind},
    },
    gatekeeper::ports::Registers,
    model::{Timestamp, UtcOffset},
    proxy::Handle,
};

/// From one look at registers and spool to the next.
const PAUSE: Duration = Duration::from_secs(5);
/// Time for an answer. What takes longer cannot be used.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was last seen of the adapters, and what the configuration in force has opened.
#[derive(Debug)]
pub(super) struct Condition {
    opened: ArcSwap<Opened>,
    has_registers: AtomicBool,
    has_spool: AtomicBool,
}

#[derive(Debug)]
struct Opened {
    exceptions: Vec<Exception>,
    offset: UtcOffset,
}

impl Opened {
    fn of(configuration: &Configuration) -> Arc<Self> {
        let kinds = [ExpiryKind::FailureOpen, ExpiryKind::Waiver];
        let own = configuration.exceptions.iter();
        Arc::new(Self {
            exceptions: own.filter(|it| kinds.contains(&it.kind)).cloned().collect(),
            offset: configuration.operator.utc_offset,
        })
    }
}

impl Condition {
    /// At the start: registers and spool were opened a moment ago.
    pub(super) fn new(configuration: &Configuration) -> Self {
        Self {
            opened: ArcSwap::new(Opened::of(configuration)),
            has_registers: AtomicBool::new(true),
            has_spool: AtomicBool::new(true),
        }
    }

    /// `configuration` is in force from now on.
    pub(super) fn take(&self, configuration: &Configuration) {
        self.opened.store(Opened::of(configuration));
    }

    /// Whether registers and spool can be used. A gate without them still refuses in order, and passes what needs neither.
    pub(super) fn checks(&self) -> [Check; 2] {
        let check = |name, has: &AtomicBool| Check {
            name,
            is_ok: has.load(Ordering::Relaxed),
            weight: Weight::Partial,
        };
        [
            check("registers", &self.has_registers),
            check("spool", &self.has_spool),
        ]
    }

    /// Failure policies that are open and waivers in force at `now`, one sentence each: names, ids and days.
    pub(super) fn notes(&self, now: Timestamp) -> Vec<String> {
        let opened = self.opened.load();
        opened
            .exceptions
            .iter()
            .filter(|it| it.until.end(opened.offset) > now)
            .map(|it| {
                let (kind, what) = (it.kind.as_str(), &it.what);
                format!("{kind} {what} at {} until {}", it.destination, it.until)
            })
            .collect()
    }

    /// Looks at registers and spool again and again.
    pub(super) async fn watch(self: Arc<Self>, registers: Arc<dyn Registers>, proxy: Handle) {
        loop {
            self.look(&*registers, &proxy).await;
            sleep(PAUSE).await;
        }
    }

    async fn look(&self, registers: &dyn Registers, proxy: &Handle) {
        let known = timeout(PATIENCE, registers.evidence(&[])).await;
        note(&self.has_registers, "registers", matches!(known, Ok(Ok(_))));
        let kept = timeout(PATIENCE, proxy.can_spool()).await;
        note(&self.has_spool, "spool", kept == Ok(true));
    }
}

/// Notes what was seen, and logs a change of it.
fn note(has: &AtomicBool, name: &str, is_ok: bool) {
    match (has.swap(is_ok, Ordering::Relaxed), is_ok) {
        (true, false) => tracing::error!(component = name, "It cannot be used."),
        (false, true) => tracing::info!(component = name, "It can be used again."),
        (true, true) | (false, false) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{law, load_text};

    const CONFIG: &str = r#"
version: 1
operator: {legal_name: Test LLP, bin: "990140000007", home: KZ, utc_offset: "+05:00", profile: baseline, regimes: [kz-94v]}
state_dir: state
listeners: [{id: main, bind: "127.0.0.1:0"}]
parties: [{id: us, legal_name: Example Inc., role: controller}]
destinations:
  - id: us
    party: us
    country: US
    match: {path_prefix: /us}
    upstream: {url: "https://us.example.test/"}
    routes: [{path: /, purpose: order.notice}]
"#;
    const OPENED: &str = r#"    failure: {audit: {open: {owner: Head, reason: tested, until: "2026-12-31"}}}
    waivers: [{reason: no-agreement, officer: Officer, why: tested, until: "2027-01-01"}]
"#;

    fn configuration(more: &str) -> Configuration {
        let (dir, now) = (tempfile::tempdir().unwrap(), at("2026-11-25T00:00:00Z"));
        load_text(
            &format!("{CONFIG}{more}"),
            "shekara.yaml",
            dir.path(),
            now,
            &law::SHIPPED,
        )
        .unwrap_or_else(|it| panic!("{it}"))
        .configuration
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The day ends where the operator is.
    #[test]
    fn what_is_opened_is_told_until_its_last_day_is_over() {
        let condition = Condition::new(&configuration(""));
        assert!(condition.notes(at("2026-11-25T00:00:00Z")).is_empty());
        condition.take(&configuration(OPENED));
        let waiver = "waiver no-agreement at us until 2027-01-01";
        assert_eq!(
            condition.notes(at("2026-12-31T18:59:59Z")),
            ["failure-open audit at us until 2026-12-31", waiver]
        );
        assert_eq!(condition.notes(at("2026-12-31T19:00:00Z")), [waiver]);
        assert!(condition.notes(at("2027-01-01T19:00:00Z")).is_empty());
    }
}
