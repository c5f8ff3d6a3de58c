//! Every metric. Labels come from closed sets: ids of the configuration, codes of the model.

use std::{sync::Arc, time::Duration};

use prometheus::{Encoder as _, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

use super::groups::{Decisions, Load, Maker, Times, Upstreams};

use crate::{
    gatekeeper::{Report, capacity::Capacity, record::TimeLimit},
    model::{
        Timestamp,
        decision::{Mode, ReasonCode},
        finding::GapKind,
    },
};

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
