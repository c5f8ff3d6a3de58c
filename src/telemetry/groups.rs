//! The metrics by what they are about, with names, help and labels.

use std::sync::{Arc, OnceLock};

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry,
};

use crate::gatekeeper::capacity::Capacity;

/// From a tenth of a millisecond, which is a fraction of the gate's own share, to ten seconds.
const SECONDS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// What is in use, and what was turned away for it.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) capacity: OnceLock<Arc<Capacity>>,
    pub(super) memory: IntGauge,
    pub(super) spool: IntGauge,
    pub(super) inspections: IntGauge,
    pub(super) inspections_waiting: IntGauge,
    pub(super) timeouts: IntCounterVec,
    pub(super) connections_refused: IntCounter,
}

/// What was decided.
#[derive(Debug)]
pub(super) struct Decisions {
    pub(super) transfers: IntCounterVec,
    pub(super) categories: IntCounterVec,
    pub(super) bases: IntCounterVec,
    pub(super) refusals: IntCounterVec,
    pub(super) would_refuse: IntCounterVec,
    pub(super) gaps: IntCounterVec,
    pub(super) findings: IntCounterVec,
    pub(super) opened: IntCounterVec,
    pub(super) reduced: IntCounterVec,
}

/// How long it took.
#[derive(Debug)]
pub(super) struct Times {
    pub(super) inspection: Histogram,
    pub(super) decision: Histogram,
    pub(super) evidence: Histogram,
    pub(super) audit_append: Histogram,
    pub(super) upstream: HistogramVec,
    pub(super) request: Histogram,
}

/// The ways to recipients.
#[derive(Debug)]
pub(super) struct Upstreams {
    pub(super) failures: IntCounterVec,
    pub(super) connections: IntGaugeVec,
    pub(super) connected: IntCounterVec,
    pub(super) breakers: IntGaugeVec,
}

/// Registers what a constructor made. Names and labels are constants, so that a failure shows in the first test.
pub(super) struct Maker(pub(super) Registry);

impl Maker {
    pub(super) fn add<C: prometheus::core::Collector + Clone + 'static>(
        &self,
        made: prometheus::Result<C>,
    ) -> prometheus::Result<C> {
        let collector = made?;
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    pub(super) fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> prometheus::Result<IntCounterVec> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels))
    }

    pub(super) fn seconds(&self, name: &str, help: &str) -> prometheus::Result<Histogram> {
        let options = HistogramOpts::new(name, help).buckets(SECONDS.to_vec());
        self.add(Histogram::with_opts(options))
    }

    pub(super) fn gauges(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> prometheus::Result<IntGaugeVec> {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    pub(super) fn gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        self.add(IntGauge::new(name, help))
    }
}

impl Decisions {
    pub(super) fn new(make: &Maker) -> prometheus::Result<Self> {
        Ok(Self {
            transfers: make.counters(
                "shekara_transfers_total",
                "Messages decided on, by verdict and by what it would be if every reason acted.",
                &["destination", "country", "verdict", "would_be"],
            )?,
            categories: make.counters(
                "shekara_transfer_categories_total",
                "Persons' categories in messages decided on.",
                &["destination", "category", "verdict"],
            )?,
            bases: make.counters(
                "shekara_transfer_bases_total",
                "What carried a facet for a person.",
                &["destination", "basis"],
            )?,
            refusals: make.counters(
                "shekara_refusals_total",
                "Messages refused, by primary reason.",
                &["destination", "reason"],
            )?,
            would_refuse: make.counters(
                "shekara_would_refuse_total",
                "Reasons that were only recorded.",
                &["destination", "reason"],
            )?,
            gaps: make.counters(
                "shekara_gaps_total",
                "Parts of messages that could not be read.",
                &["destination", "kind"],
            )?,
            findings: make.counters(
                "shekara_findings_total",
                "Personal data found.",
                &["category", "part"],
            )?,
            opened: make.counters(
                "shekara_opened_total",
                "Messages that passed because a policy was opened.",
                &["destination", "what"],
            )?,
            reduced: make.counters(
                "shekara_reduced_total",
                "Values removed, masked or pseudonymised, and records dropped, in messages that may leave.",
                &["destination", "what"],
            )?,
        })
    }
}

impl Load {
    pub(super) fn new(make: &Maker) -> prometheus::Result<Self> {
        Ok(Self {
            capacity: OnceLock::new(),
            memory: make.gauge(
                "shekara_memory_reserved_bytes",
                "Memory reserved for bodies, of limits.memory.",
            )?,
            spool: make.gauge(
                "shekara_spool_bytes",
                "Bodies kept on the disk, of limits.spool_size.",
            )?,
            inspections: make.gauge(
                "shekara_inspections_in_flight",
                "Inspections and reductions of large bodies under way, at most one a core.",
            )?,
            inspections_waiting: make.gauge(
                "shekara_inspections_waiting",
                "Large bodies that wait to be inspected.",
            )?,
            timeouts: make.counters(
                "shekara_timeouts_total",
                "Exchanges ended by a time limit, by its key in the configuration.",
                &["destination", "limit"],
            )?,
            connections_refused: make.add(IntCounter::new(
                "shekara_connections_refused_total",
                "Connections closed at once because their address had connections_per_client.",
            ))?,
        })
    }

    /// Takes over the state of now.
    pub(super) fn look(&self) {
        let Some(capacity) = self.capacity.get() else {
            return;
        };
        let set =
            |gauge: &IntGauge, value: u64| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        set(&self.memory, capacity.memory.reserved());
        set(&self.spool, capacity.spool.reserved());
        set(&self.inspections, capacity.inspections.held() as u64);
        set(
            &self.inspections_waiting,
            capacity.inspections.waiting() as u64,
        );
    }
}

impl Times {
    pub(super) fn new(make: &Maker) -> prometheus::Result<Self> {
        let upstream = HistogramVec::new(
            HistogramOpts::new(
                "shekara_upstream_seconds",
                "Time from sending a request to the end of its answer.",
            )
            .buckets(SECONDS.to_vec()),
            &["destination", "status_class"],
        );
        Ok(Self {
            inspection: make.seconds("shekara_inspection_seconds", "Time to read a message.")?,
            decision: make.seconds("shekara_decision_seconds", "Time to decide.")?,
            evidence: make.seconds("shekara_evidence_seconds", "Time to ask the registers.")?,
            audit_append: make.seconds(
                "shekara_audit_append_seconds",
                "Time until a decision was on stable storage.",
            )?,
            upstream: make.add(upstream)?,
            request: make.seconds(
                "shekara_request_seconds",
                "Time from a request's head to the end of its answer.",
            )?,
        })
    }
}

impl Upstreams {
    pub(super) fn new(make: &Maker) -> prometheus::Result<Self> {
        Ok(Self {
            failures: make.counters(
                "shekara_upstream_failures_total",
                "Cleared messages that got no answer to pass on, by RFC 9209 error type.",
                &["destination", "error"],
            )?,
            connections: make.gauges(
                "shekara_upstream_connections",
                "Connections to the upstream that are open or being opened.",
                &["destination"],
            )?,
            connected: make.counters(
                "shekara_upstream_connections_total",
                "Connections to the upstream that were begun.",
                &["destination"],
            )?,
            breakers: make.gauges(
                "shekara_upstream_breaker",
                "Whether the upstream is left alone because it kept failing: 0 = no, 1 = one request tries, 2 = yes.",
                &["destination"],
            )?,
        })
    }
}
