//! Every metric. Labels come from closed sets: ids of the configuration, codes of the model.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use prometheus::{
    Encoder as _, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::{
    gatekeeper::{Report, capacity::Capacity, record::TimeLimit},
    model::{
        Timestamp,
        decision::{Mode, ReasonCode},
        finding::GapKind,
    },
};

/// From a tenth of a millisecond, which is a fraction of the gate's own share, to ten seconds.
const SECONDS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// The registry of one process, and one method for each event.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    decisions: Decisions,
    times: Times,
    reloads: IntCounterVec,
    upstreams: Upstreams,
    connection_faults: IntCounterVec,
    in_flight: IntGauge,
    generation: IntGauge,
    config: IntGaugeVec,
    generations_alive: IntGauge,
    audit_writable: IntGauge,
    expiries: IntGaugeVec,
    tls_reloads: IntCounterVec,
    certificates: IntGaugeVec,
    load: Load,
}

/// What is in use, and what was turned away for it.
#[derive(Debug)]
struct Load {
    capacity: OnceLock<Arc<Capacity>>,
    memory: IntGauge,
    spool: IntGauge,
    inspections: IntGauge,
    inspections_waiting: IntGauge,
    timeouts: IntCounterVec,
    connections_refused: IntCounter,
}

/// What was decided.
#[derive(Debug)]
struct Decisions {
    transfers: IntCounterVec,
    categories: IntCounterVec,
    bases: IntCounterVec,
    refusals: IntCounterVec,
    would_refuse: IntCounterVec,
    gaps: IntCounterVec,
    findings: IntCounterVec,
    opened: IntCounterVec,
    reduced: IntCounterVec,
}

/// How long it took.
#[derive(Debug)]
struct Times {
    inspection: Histogram,
    decision: Histogram,
    evidence: Histogram,
    audit_append: Histogram,
    upstream: HistogramVec,
    request: Histogram,
}

/// The ways to recipients.
#[derive(Debug)]
struct Upstreams {
    failures: IntCounterVec,
    connections: IntGaugeVec,
    connected: IntCounterVec,
    breakers: IntGaugeVec,
}

/// Registers what a constructor made. Names and labels are constants, so that a failure shows in the first test.
struct Maker(Registry);

impl Maker {
    fn add<C: prometheus::core::Collector + Clone + 'static>(
        &self,
        made: prometheus::Result<C>,
    ) -> prometheus::Result<C> {
        let collector = made?;
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> prometheus::Result<IntCounterVec> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels))
    }

    fn seconds(&self, name: &str, help: &str) -> prometheus::Result<Histogram> {
        let options = HistogramOpts::new(name, help).buckets(SECONDS.to_vec());
        self.add(Histogram::with_opts(options))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        self.add(IntGauge::new(name, help))
    }
}

impl Decisions {
    fn new(make: &Maker) -> prometheus::Result<Self> {
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
    fn new(make: &Maker) -> prometheus::Result<Self> {
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
                "Inspections of large bodies under way, at most one a core.",
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
    fn look(&self) {
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
    fn new(make: &Maker) -> prometheus::Result<Self> {
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
    fn new(make: &Maker) -> prometheus::Result<Self> {
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

impl Metrics {
    /// All metrics, at zero.
    ///
    /// # Errors
    /// A name is taken twice, which is a defect of this file.
    pub fn new() -> prometheus::Result<Self> {
        let make = Maker(Registry::new());
        make.0.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;
        make.add(IntGaugeVec::new(
            Opts::new("shekara_build_info", "Version of the program; always 1."),
            &["version"],
        ))?
        .with_label_values(&[env!("CARGO_PKG_VERSION")])
        .set(1);
        Ok(Self {
            decisions: Decisions::new(&make)?,
            times: Times::new(&make)?,
            reloads: make.counters(
                "shekara_config_reloads_total",
                "Configurations offered to the running process.",
                &["outcome"],
            )?,
            upstreams: Upstreams::new(&make)?,
            connection_faults: make.counters(
                "shekara_connection_faults_total",
                "Connections and streams that the gate ended because the client broke the protocol or kept it waiting.",
                &["fault"],
            )?,
            in_flight: make.gauge("shekara_requests_in_flight", "Exchanges under way.")?,
            generation: make.gauge(
                "shekara_config_generation",
                "Counts the configurations taken into force.",
            )?,
            config: make.add(IntGaugeVec::new(
                Opts::new(
                    "shekara_config_info",
                    "Version of the configuration in force, as in every record; always 1.",
                ),
                &["version"],
            ))?,
            generations_alive: make.gauge(
                "shekara_config_generations_alive",
                "Configurations in memory: the one in force, and those under which exchanges still finish.",
            )?,
            tls_reloads: make.counters(
                "shekara_tls_reloads_total",
                "Certificates, keys and client roots offered to listeners of the running process.",
                &["outcome"],
            )?,
            certificates: make.add(IntGaugeVec::new(
                Opts::new(
                    "shekara_certificate_expiry_timestamp_seconds",
                    "When the certificate that a listener presents ends, in seconds since 1970-01-01T00:00:00Z.",
                ),
                &["listener"],
            ))?,
            audit_writable: make.gauge(
                "shekara_audit_writable",
                "Whether the audit log accepts records.",
            )?,
            expiries: make.add(IntGaugeVec::new(
                Opts::new(
                    "shekara_expiry_timestamp_seconds",
                    "When the first of its kind at the destination ends, in seconds since 1970-01-01T00:00:00Z.",
                ),
                &["kind", "destination"],
            ))?,
            load: Load::new(&make)?,
            registry: make.0,
        })
    }

    /// A message was decided on.
    pub fn screened(&self, report: &Report) {
        let decided = &report.decided;
        let destination = &*decided.transfer.destination;
        let decision = &decided.decision;
        let verdict = decision.verdict.as_str();
        let country = decided.recipient.as_ref().map(|it| it.country);
        self.decisions
            .transfers
            .with_label_values(&[
                destination,
                country.as_ref().map_or("unknown", |it| it.code()),
                verdict,
                decision.would_be.as_str(),
            ])
            .inc();
        for category in decided
            .transfer
            .persons
            .iter()
            .flat_map(|it| it.categories.iter())
        {
            self.decisions
                .categories
                .with_label_values(&[destination, category.code(), verdict])
                .inc();
        }
        for (_, carrier) in decision.persons.iter().flat_map(|it| &it.carriers) {
            self.decisions
                .bases
                .with_label_values(&[destination, carrier.as_str()])
                .inc();
        }
        for it in &decided.findings {
            self.decisions
                .findings
                .with_label_values(&[it.category.code(), it.part.as_str()])
                .inc_by(u64::from(it.count));
        }
        if let Some(leaves) = &decided.leaves {
            for (what, count) in [("values", leaves.removed), ("records", leaves.dropped)] {
                self.decisions
                    .reduced
                    .with_label_values(&[destination, what])
                    .inc_by(u64::from(count));
            }
        }
        for (kind, count) in &report.gaps {
            self.decisions
                .gaps
                .with_label_values(&[destination, kind.as_str()])
                .inc_by(u64::from(*count));
        }
        self.reasons(report);
        self.timings(report);
    }

    fn reasons(&self, report: &Report) {
        let decided = &report.decided;
        let destination = &*decided.transfer.destination;
        if decided.leaves.is_none()
            && let Some(primary) = decided.decision.primary()
        {
            self.decisions
                .refusals
                .with_label_values(&[destination, primary.code.as_str()])
                .inc();
        }
        let recorded = decided.decision.reasons.iter();
        for it in recorded.filter(|it| it.mode == Mode::LogOnly) {
            self.decisions
                .would_refuse
                .with_label_values(&[destination, it.code.as_str()])
                .inc();
        }
        for what in &decided.opened {
            self.opened(destination, what);
        }
    }

    fn timings(&self, report: &Report) {
        let timings = &report.timings;
        self.times
            .inspection
            .observe(timings.inspection.as_secs_f64());
        self.times.evidence.observe(timings.evidence.as_secs_f64());
        self.times.decision.observe(timings.decision.as_secs_f64());
        self.times.audit_append.observe(timings.audit.as_secs_f64());
        self.audit_writable.set(i64::from(report.receipt.is_some()));
    }

    /// An upstream's answer with `status` ended after `time`.
    pub fn answered(&self, destination: &str, status: u16, time: Duration) {
        self.times
            .upstream
            .with_label_values(&[destination, status_class(status)])
            .observe(time.as_secs_f64());
    }

    /// A cleared message got no answer to pass on; `error` is of RFC 9209.
    pub fn upstream_failed(&self, destination: &str, error: &'static str) {
        self.upstreams
            .failures
            .with_label_values(&[destination, error])
            .inc();
    }

    /// The gate ended a connection or a stream; `fault` is of a closed set.
    pub fn connection_fault(&self, fault: &'static str) {
        self.connection_faults.with_label_values(&[fault]).inc();
    }

    /// A connection to an upstream is being opened.
    pub fn upstream_connected(&self, destination: &str) {
        self.upstreams
            .connected
            .with_label_values(&[destination])
            .inc();
        self.upstreams
            .connections
            .with_label_values(&[destination])
            .inc();
    }

    /// A connection to an upstream is no more, or came to nothing.
    pub fn upstream_disconnected(&self, destination: &str) {
        self.upstreams
            .connections
            .with_label_values(&[destination])
            .dec();
    }

    /// The breaker of an upstream is closed (0), half-open (1) or open (2).
    pub fn breaker(&self, destination: &str, state: i64) {
        self.upstreams
            .breakers
            .with_label_values(&[destination])
            .set(state);
    }

    /// A time limit ended an exchange.
    pub fn timed_out(&self, destination: &str, limit: TimeLimit) {
        self.load
            .timeouts
            .with_label_values(&[destination, limit.as_str()])
            .inc();
    }

    /// A connection was closed because its address had enough of them.
    pub fn refused_connection(&self) {
        self.load.connections_refused.inc();
    }

    /// Shows what is in use of `capacity` from now on.
    pub fn watch(&self, capacity: Arc<Capacity>) {
        // One process has one; a second is refused, and the first stays shown.
        let _shown_already = self.load.capacity.set(capacity);
    }

    /// A message or answer passed because a policy was opened.
    pub fn opened(&self, destination: &str, what: &str) {
        self.decisions
            .opened
            .with_label_values(&[destination, opened_label(what)])
            .inc();
    }

    /// An exchange began; it ends when the value is dropped.
    pub fn exchange(self: &Arc<Self>) -> InFlight {
        self.in_flight.inc();
        InFlight {
            metrics: Arc::clone(self),
            started: std::time::Instant::now(),
        }
    }

    /// A configuration was taken into force.
    pub fn took_into_force(&self, version: &str, generation: u64) {
        self.config.reset();
        self.config.with_label_values(&[version]).set(1);
        self.generation
            .set(i64::try_from(generation).unwrap_or(i64::MAX));
        self.reloads.with_label_values(&["taken"]).inc();
    }

    /// A configuration was refused; the old one stays in force.
    pub fn refused_reload(&self) {
        self.reloads.with_label_values(&["refused"]).inc();
    }

    /// A configuration is in memory until the value is dropped.
    pub fn generation(&self) -> GenerationAlive {
        self.generations_alive.inc();
        GenerationAlive(self.generations_alive.clone())
    }

    /// A listener presents a new certificate, or knows clients by new roots.
    pub fn renewed_certificate(&self) {
        self.tls_reloads.with_label_values(&["taken"]).inc();
    }

    /// A certificate, key or root was refused; the listener keeps the old one.
    pub fn refused_certificate(&self) {
        self.tls_reloads.with_label_values(&["refused"]).inc();
    }

    /// When the certificate of each listener ends, in seconds since 1970.
    pub fn certificates<'a>(&self, all: impl IntoIterator<Item = (&'a str, i64)>) {
        for (listener, end) in all {
            self.certificates.with_label_values(&[listener]).set(end);
        }
    }

    /// What ends when, as (kind, destination, instant): of the configuration that took force, in the place of the one before.
    pub fn expiries<'a>(&self, all: impl IntoIterator<Item = (&'static str, &'a str, Timestamp)>) {
        self.expiries.reset();
        for (kind, destination, end) in all {
            self.expiries
                .with_label_values(&[kind, destination])
                .set(end.as_millis().div_euclid(1000));
        }
    }

    /// Whether the audit log accepts records, as readiness last saw it.
    pub fn audit_writable(&self, is_writable: bool) {
        self.audit_writable.set(i64::from(is_writable));
    }

    /// The text of `GET /metrics`, in Prometheus' text format 0.0.4.
    ///
    /// # Errors
    /// A collector gave a metric without value.
    pub fn render(&self) -> prometheus::Result<Vec<u8>> {
        self.load.look();
        let mut out = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut out)?;
        Ok(out)
    }

    /// How many series there are; for the bound on cardinality.
    pub fn series(&self) -> usize {
        self.registry
            .gather()
            .iter()
            .map(|it| it.get_metric().len())
            .sum()
    }
}

/// A configuration in memory.
#[derive(Debug)]
pub struct GenerationAlive(IntGauge);

impl Drop for GenerationAlive {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// An exchange under way.
#[derive(Debug)]
pub struct InFlight {
    metrics: Arc<Metrics>,
    started: std::time::Instant,
}

impl InFlight {
    /// Time since the exchange began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
        self.metrics
            .times
            .request
            .observe(self.started.elapsed().as_secs_f64());
    }
}

/// A closed set, whatever the record says.
fn opened_label(what: &str) -> &str {
    let is_known = matches!(
        what,
        "failure:audit" | "failure:registers" | "failure:inspection" | "redirects"
    ) || what
        .strip_prefix("gap:")
        .is_some_and(|it| it.parse::<GapKind>().is_ok())
        || what
            .strip_prefix("waiver:")
            .is_some_and(|it| it.parse::<ReasonCode>().is_ok());
    if is_known { what } else { "other" }
}

const fn status_class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_show_in_the_text() {
        let metrics = Arc::new(Metrics::new().unwrap());
        metrics.took_into_force("36620a8c26d021cc", 3);
        metrics.answered("crm", 204, Duration::from_millis(2));
        metrics.upstream_failed("crm", "dns_error");
        metrics.connection_fault("slow-reader");
        let exchange = metrics.exchange();
        let text = |metrics: &Metrics| String::from_utf8(metrics.render().unwrap()).unwrap();
        for line in [
            "shekara_config_generation 3",
            "shekara_config_reloads_total{outcome=\"taken\"} 1",
            "shekara_upstream_seconds_count{destination=\"crm\",status_class=\"2xx\"} 1",
            "shekara_upstream_failures_total{destination=\"crm\",error=\"dns_error\"} 1",
            "shekara_connection_faults_total{fault=\"slow-reader\"} 1",
            "shekara_requests_in_flight 1",
        ] {
            assert!(text(&metrics).contains(line), "{line}");
        }
        drop(exchange);
        assert!(text(&metrics).contains("shekara_requests_in_flight 0"));
        assert!(text(&metrics).contains("shekara_request_seconds_count 1"));
    }

    #[test]
    fn expiries_are_those_of_the_configuration_in_force() {
        let metrics = Metrics::new().unwrap();
        let text = || String::from_utf8(metrics.render().unwrap()).unwrap();
        let end = Timestamp::from_millis(1_801_500_000_000);
        metrics.expiries([("agreement", "crm", end), ("safeguard", "crm", end)]);
        let series = "shekara_expiry_timestamp_seconds{destination=\"crm\",kind=";
        assert!(text().contains(&format!("{series}\"agreement\"}} 1801500000")));
        metrics.expiries([("safeguard", "crm", end)]);
        assert!(!text().contains(&format!("{series}\"agreement\"")));
        assert!(text().contains(&format!("{series}\"safeguard\"")));
    }

    #[test]
    fn opened_policies_are_a_closed_set() {
        for known in ["gap:opaque", "failure:audit", "waiver:no-consent"] {
            assert_eq!(opened_label(known), known);
        }
        assert_eq!(opened_label("gap:991231100010"), "other");
    }
}
