//! What holds of every message, whatever it is.

use std::{ops::Range, sync::LazyLock};

use crate::{
    inspect::{Inspector, Plan},
    model::{
        finding::{Finding, GapKind, Part},
        inspection::{Budget, Inspection, PlanSpec},
        message::Message,
    },
};

/// Processor time for one reading, in microseconds for a body of 64 KiB. The build is instrumented and checks itself: it is some five
/// times slower than a release.
const MICROS_MAX: u64 = 400_000;

/// Work units for a byte, and for a message without any. A text is read again in each of its disguises, so this is far above one.
const WORK_A_BYTE: u64 = 160;
const WORK_AT_LEAST: u64 = 20_000;

static INSPECTOR: LazyLock<Inspector> = LazyLock::new(Inspector::default);
static PLAN: LazyLock<Plan> = LazyLock::new(Plan::default);
static TIGHT: LazyLock<Plan> = LazyLock::new(|| compile(tight()));

fn tight() -> Budget {
    Budget {
        depth: 4,
        values: 24,
        work: 4_000,
        decoded_bytes: 2_048,
        decoded_ratio: 8,
    }
}

fn compile(budget: Budget) -> Plan {
    let spec = PlanSpec {
        budget,
        ..PlanSpec::default()
    };
    INSPECTOR.compile(&spec).expect("a plan without selectors")
}

/// The one inspector of the process.
pub(crate) fn inspector() -> &'static Inspector {
    &INSPECTOR
}

/// The plan that targets read by.
pub(crate) fn plan() -> &'static Plan {
    &PLAN
}

/// Reads `message` and asserts what must hold of any reading.
pub(crate) fn read(message: &Message) -> Inspection {
    let before = cpu_micros();
    let read = INSPECTOR.inspect(message, &PLAN);
    let micros = cpu_micros() - before;
    let size = size(message);
    if size <= 64 * 1024 {
        assert!(micros <= MICROS_MAX, "{micros} µs for {size} bytes");
    }
    let is_packed = message.headers.contains_key(http::header::CONTENT_ENCODING);
    if !is_packed {
        let most = WORK_AT_LEAST + WORK_A_BYTE * size as u64;
        assert!(read.work <= most, "{} work for {size} bytes", read.work);
    }
    assert!(
        read == INSPECTOR.inspect(message, &PLAN),
        "two readings differ"
    );
    places(message, &read);
    persons(&read);
    bounded(message, &read);
    read
}

/// A tight budget is kept to, and what it leaves unread is a gap.
fn bounded(message: &Message, whole: &Inspection) {
    let part = INSPECTOR.inspect(message, &TIGHT);
    // The text under way is read to its end.
    let most = tight().work + WORK_AT_LEAST + WORK_A_BYTE * size(message) as u64;
    assert!(part.work <= most, "{} work under a budget", part.work);
    let is_less = |it: &GapKind| {
        matches!(
            it,
            GapKind::DecodedTooLarge
                | GapKind::DepthExceeded
                | GapKind::PartsExceeded
                | GapKind::RatioExceeded
                | GapKind::WorkExceeded
        )
    };
    if !part.gaps.iter().any(|it| is_less(&it.kind)) {
        assert!(
            part.findings == whole.findings,
            "less is found without a gap"
        );
    }
}

fn size(message: &Message) -> usize {
    let fields = message.headers.iter().chain(&message.trailers);
    message.path.len()
        + message.query.as_ref().map_or(0, String::len)
        + message.body.len()
        + fields
            .map(|it| it.0.as_str().len() + it.1.len())
            .sum::<usize>()
}

/// Every span lies in its part, on the bounds of characters, and findings stand in order of parts.
fn places(message: &Message, read: &Inspection) {
    let body = INSPECTOR.decoded_body(message, &PLAN);
    let mut last = 0;
    for finding in &read.findings {
        let order = match finding.location.part {
            Part::Path => 0,
            Part::Query => 1,
            Part::Header => 2,
            Part::Body => 3,
            Part::Trailer => 4,
        };
        assert!(order >= last, "findings out of order");
        last = order;
        let span = &finding.span;
        assert!(span.start < span.end, "{} finds nothing", finding.detector);
        match finding.location.part {
            Part::Path => within(&message.path, finding),
            Part::Query => within(message.query.as_deref().unwrap_or_default(), finding),
            Part::Body => match &body {
                Some(text) => within(text, finding),
                None if !message.headers.contains_key(http::header::CONTENT_ENCODING) => {
                    assert!(span.end <= message.body.len(), "beyond the body");
                }
                None => {}
            },
            Part::Header => field(&message.headers, finding),
            Part::Trailer => field(&message.trailers, finding),
        }
    }
}

fn within(text: &str, finding: &Finding) {
    let Range { start, end } = finding.span;
    assert!(
        text.get(start..end).is_some(),
        "{}: {start}..{end} is not in a text of {}",
        finding.detector,
        text.len()
    );
}

fn field(fields: &http::HeaderMap, finding: &Finding) {
    let mut lines = fields.iter().filter(|it| it.0 != http::header::HOST);
    let (name, value) = lines.nth(finding.line).expect("a line of that number");
    let len = if finding.in_key {
        name.as_str().len().max(value.len())
    } else {
        value.len()
    };
    assert!(finding.span.end <= len, "beyond the line");
}

/// Each finding belongs to one person.
fn persons(read: &Inspection) {
    let mut owned = vec![0; read.findings.len()];
    for person in &read.persons {
        for at in &person.findings {
            owned[*at] += 1;
            let category = read.findings[*at].category;
            let known = person.categories.union(person.weak_categories);
            assert!(known.contains(category), "a category nobody has");
        }
    }
    assert!(owned.iter().all(|it| *it == 1), "a finding of nobody");
}

/// Processor time of this thread: other work on the machine does not count.
fn cpu_micros() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a value of this frame.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
}
