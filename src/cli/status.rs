//! `shekara status`: the running gate on one screen, from what its admin listener shows.

use std::{fmt::Write as _, process::ExitCode, time::Duration};

use super::{Common, Outcome, healthcheck::Page, print};
use crate::{
    config::expiry::ExpiryKind,
    gatekeeper::ports::{Clock as _, SystemClock},
    model::Timestamp,
};

/// Shows the running gate on one screen: what is in force and since when, what is under way, what is opened, what ends soon
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Admin listener, such as http://127.0.0.1:9464 [default: the one that the configuration names]
    #[arg(long)]
    url: Option<String>,
}

/// Longest time to wait for a page.
const PATIENCE: Duration = Duration::from_secs(5);
/// What ends within 30 days is shown.
const SOON_MILLIS: i64 = 30 * 86_400_000;

/// Exit code 0 when the gate is ready, 1 when it says that it is not.
///
/// # Errors
/// Nobody answers.
pub fn run(args: &Args, common: &Common) -> Outcome {
    let page = Page::find(args.url.as_deref(), common)?;
    let (status, ready) = page.at("/readyz?verbose").ask(PATIENCE)?;
    let (_, metrics) = page.at("/metrics").ask(PATIENCE)?;
    let failed = ready.lines().filter_map(|it| it.strip_prefix("[-] "));
    let failed: Vec<&str> = failed.collect();
    let readiness = match (status, failed.as_slice()) {
        (200, _) => "yes".to_owned(),
        (_, []) => "no".to_owned(),
        (_, failed) => format!("no: {}", failed.join(", ")),
    };
    let noted = ready.lines().filter_map(|it| it.strip_prefix("[!] "));
    let noted: Vec<&str> = noted.collect();
    let shown = Shown::read(&metrics);
    print(screen((&readiness, &noted), &shown, SystemClock.now()).trim_end());
    Ok(if status == 200 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn screen((readiness, noted): (&str, &[&str]), shown: &Shown<'_>, now: Timestamp) -> String {
    let mut out = String::new();
    let mut line = |key: &str, text: &str| {
        let _infallible = writeln!(out, "{key:<14} {text}");
    };
    line("ready", readiness);
    for it in noted {
        line("note", it);
    }
    line("version", shown.label("shekara_build_info", "version"));
    let since = shown.number("process_start_time_seconds");
    line("since", &at(since).to_string());
    let reloads = |outcome| shown.with("shekara_config_reloads_total", "outcome", outcome);
    let configuration = format!(
        "{}, generation {}, {} refused since the start",
        shown.label("shekara_config_info", "version"),
        shown.number("shekara_config_generation"),
        reloads("refused"),
    );
    line("configuration", &configuration);
    line(
        "in flight",
        &shown.number("shekara_requests_in_flight").to_string(),
    );
    for it in shown.all("shekara_opened_total") {
        let (what, destination) = (it.label("what"), it.label("destination"));
        line(
            "opened",
            &format!("{what} at {destination}, {} passed", it.value),
        );
    }
    let certificates = shown.all("shekara_certificate_expiry_timestamp_seconds");
    for it in certificates {
        let text = format!(
            "of listener {}, until {}",
            it.label("listener"),
            at(it.value)
        );
        line("certificate", &text);
    }
    let soon = now.plus_millis(SOON_MILLIS);
    let mut ends: Vec<_> = shown
        .all("shekara_expiry_timestamp_seconds")
        .map(|it| (at(it.value), it.label("kind"), it.label("destination")))
        .filter(|(end, kind, _)| *end <= if is_short_lived(kind) { now } else { soon })
        .collect();
    ends.sort_unstable();
    for (end, kind, destination) in ends {
        let key = if end <= now { "ended" } else { "ends soon" };
        line(key, &format!("{kind} at {destination}, {end}"));
    }
    out
}

/// Whether it is always about to end: authorities write their revocation lists anew every day or week.
fn is_short_lived(kind: &str) -> bool {
    kind == ExpiryKind::RevocationList.as_str()
}

/// An instant from seconds since 1970.
fn at(seconds: f64) -> Timestamp {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole seconds of this century"
    )]
    let seconds = seconds as i64;
    Timestamp::from_millis(seconds.saturating_mul(1000))
}

/// A page of metrics.
struct Shown<'a>(Vec<Series<'a>>);

/// A line of it.
struct Series<'a> {
    name: &'a str,
    /// `a="x",b="y"`; values hold no quotes, since all labels are of closed sets or ids.
    labels: &'a str,
    value: f64,
}

impl<'a> Shown<'a> {
    fn read(text: &'a str) -> Self {
        let series = |line: &'a str| {
            let (series, value) = line.rsplit_once(' ')?;
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            Some(Series {
                name,
                labels: labels.trim_end_matches('}'),
                value: value.parse().ok()?,
            })
        };
        let lines = text.lines().filter(|it| !it.starts_with('#'));
        Self(lines.filter_map(series).collect())
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &Series<'a>> {
        self.0.iter().filter(move |it| it.name == name)
    }

    /// The value of a metric without labels; 0 when it is not shown.
    fn number(&self, name: &str) -> f64 {
        self.all(name).next().map_or(0.0, |it| it.value)
    }

    /// The value where `label` is `wanted`; 0 when it is not shown.
    fn with(&self, name: &str, label: &str, wanted: &str) -> f64 {
        let mut all = self.all(name);
        all.find(|it| it.label(label) == wanted)
            .map_or(0.0, |it| it.value)
    }

    /// A label of the first series of a metric.
    fn label(&self, name: &str, label: &str) -> &'a str {
        self.all(name).next().map_or("?", |it| it.label(label))
    }
}

impl<'a> Series<'a> {
    fn label(&self, name: &str) -> &'a str {
        self.labels
            .split(',')
            .filter_map(|it| it.split_once('='))
            .find(|(key, _)| *key == name)
            .map_or("?", |(_, value)| value.trim_matches('"'))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::telemetry::Metrics;

    /// If this fails, a metric was renamed and the screen shows nothing in its place.
    #[test]
    fn the_screen_shows_what_the_metrics_say() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let metrics = Arc::new(Metrics::new().unwrap());
        metrics.took_into_force("36620a8c26d021cc", 3);
        metrics.refused_reload();
        metrics.opened("crm", "redirects");
        metrics.certificates([("main", now.as_millis() / 1000 + 86_400)]);
        metrics.expiries([
            ("waiver", "crm", now.plus_millis(86_400_000)),
            ("agreement", "crm", now.plus_millis(-86_400_000)),
            ("revocation-list", "crm", now.plus_millis(86_400_000)),
            ("revocation-list", "mail", now.plus_millis(-3_600_000)),
            ("agreement", "shop", now.plus_millis(SOON_MILLIS + 1000)),
        ]);
        let _exchange = metrics.exchange();
        let text = String::from_utf8(metrics.render().unwrap()).unwrap();
        let screen = screen(
            (
                "yes",
                &["opened: failure-open audit at crm until 2026-12-31"],
            ),
            &Shown::read(&text),
            now,
        );
        let rest: Vec<&str> = screen
            .lines()
            .filter(|it| !it.starts_with("since "))
            .collect();
        let expected = [
            "ready          yes",
            "note           opened: failure-open audit at crm until 2026-12-31",
            concat!("version        ", env!("CARGO_PKG_VERSION")),
            "configuration  36620a8c26d021cc, generation 3, 1 refused since the start",
            "in flight      1",
            "opened         redirects at crm, 1 passed",
            "certificate    of listener main, until 2026-11-26T12:00:00.000Z",
            "ended          agreement at crm, 2026-11-24T12:00:00.000Z",
            "ended          revocation-list at mail, 2026-11-25T11:00:00.000Z",
            "ends soon      waiver at crm, 2026-11-26T12:00:00.000Z",
        ];
        assert_eq!(rest, expected);
        assert!(!screen.contains("1970"), "{screen}");
    }
}
