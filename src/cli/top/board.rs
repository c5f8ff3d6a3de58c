//! What the screen shows, kept from the records as they come. Pure: records and a time in, figures out.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use crate::{
    gatekeeper::record::{AuditEvent, Completed, Decided, DecisionId, Outcome},
    model::{Timestamp, decision::Verdict},
};

/// Decisions kept for the list.
const RECENT_MAX: usize = 500;
/// Decisions kept for the figures; beyond, the oldest are forgotten and the figures speak of a shorter time.
const SAMPLES_MAX: usize = 200_000;
/// Decisions whose end is waited for.
const OPEN_MAX: usize = 20_000;

/// One decision in the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) verdict: Verdict,
    /// What would have been decided if every reason acted, where that is another verdict.
    pub(super) would_be: Option<Verdict>,
    pub(super) destination: Arc<str>,
    /// `party/country`.
    pub(super) recipient: String,
    pub(super) purpose: String,
    pub(super) persons: usize,
    pub(super) reasons: Vec<&'static str>,
    pub(super) id: DecisionId,
}

/// A decision, as counted.
#[derive(Debug)]
struct Sample {
    at: Timestamp,
    destination: Arc<str>,
    verdict: Verdict,
    would_block: bool,
    reason: Option<&'static str>,
}

/// The end of an exchange, as counted.
#[derive(Debug)]
struct Ended {
    at: Timestamp,
    destination: Arc<str>,
    millis: i64,
    failed: bool,
}

/// Figures of one destination over the window.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Row {
    pub(super) destination: String,
    pub(super) allowed: u64,
    pub(super) reduced: u64,
    pub(super) blocked: u64,
    /// Passed by log-only, and would have been blocked or reduced.
    pub(super) would: u64,
    pub(super) failed: u64,
    /// From the decision to the end of the answer, milliseconds.
    pub(super) median: Option<i64>,
    pub(super) p99: Option<i64>,
    /// The commonest reason with its count.
    pub(super) reason: Option<(&'static str, u64)>,
}

impl Row {
    /// Decisions in the window.
    pub(super) const fn total(&self) -> u64 {
        self.allowed + self.reduced + self.blocked
    }
}

/// Everything that was seen and is still of interest.
#[derive(Debug, Default)]
pub(super) struct Board {
    recent: VecDeque<Line>,
    samples: VecDeque<Sample>,
    ended: VecDeque<Ended>,
    open: HashMap<DecisionId, (Timestamp, Arc<str>)>,
    /// The configuration in force, as the last decision or operation said.
    pub(super) config: String,
    pub(super) generation: u64,
    /// The last thing done to the gate.
    pub(super) operated: Option<(Timestamp, String)>,
}

impl Board {
    /// Takes a record.
    pub(super) fn take(&mut self, event: AuditEvent) {
        match event {
            AuditEvent::Decided(it) => self.decided(&it),
            AuditEvent::Completed(it) => self.completed(&it),
            AuditEvent::Register(it) => {
                self.operated = Some((it.at, format!("register: {} by {}", it.action, it.by)));
            }
            AuditEvent::Operated(it) => self.operated = Some((it.at, it.action.to_string())),
        }
    }

    fn decided(&mut self, it: &Decided) {
        let decision = &it.decision;
        let destination = &it.transfer.destination;
        self.config.clone_from(&it.versions.config);
        self.generation = it.versions.generation;
        push(
            &mut self.samples,
            SAMPLES_MAX,
            Sample {
                at: it.at,
                destination: Arc::clone(destination),
                verdict: decision.verdict,
                would_block: decision.would_be != decision.verdict,
                reason: decision.primary().map(|it| it.code.as_str()),
            },
        );
        push(&mut self.recent, RECENT_MAX, line(it));
        if it.leaves.is_some() {
            if self.open.len() >= OPEN_MAX {
                self.open.clear();
            }
            self.open.insert(it.id, (it.at, Arc::clone(destination)));
        }
    }

    fn completed(&mut self, it: &Completed) {
        let Some((since, destination)) = self.open.remove(&it.id) else {
            return;
        };
        push(
            &mut self.ended,
            SAMPLES_MAX,
            Ended {
                at: it.at,
                destination,
                millis: it.at.as_millis() - since.as_millis(),
                failed: it.outcome != Outcome::Answered,
            },
        );
    }

    /// The newest decisions, newest first, of which `takes` is true.
    pub(super) fn recent(
        &self,
        count: usize,
        takes: impl Fn(&Line) -> bool,
    ) -> impl Iterator<Item = &Line> {
        let newest = self.recent.iter().rev();
        newest.filter(move |it| takes(it)).take(count)
    }

    /// The destinations that had decisions after `since`, the busiest first.
    pub(super) fn rows(&self, since: Timestamp) -> Vec<Row> {
        let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
        for it in self.samples.iter().rev().take_while(|it| it.at > since) {
            tallies.entry(&it.destination).or_default().count(it);
        }
        for it in self.ended.iter().rev().take_while(|it| it.at > since) {
            let tally = tallies.entry(&it.destination).or_default();
            tally.row.failed += u64::from(it.failed);
            tally.millis.push(it.millis);
        }
        let mut rows: Vec<Row> = tallies
            .into_iter()
            .map(|(destination, tally)| tally.row(destination))
            .collect();
        rows.sort_by_key(|it| std::cmp::Reverse(it.total()));
        rows
    }
}

#[derive(Default)]
struct Tally {
    row: Row,
    reasons: BTreeMap<&'static str, u64>,
    millis: Vec<i64>,
}

impl Tally {
    fn count(&mut self, sample: &Sample) {
        match sample.verdict {
            Verdict::Allow => self.row.allowed += 1,
            Verdict::Reduce => self.row.reduced += 1,
            Verdict::Block => self.row.blocked += 1,
        }
        self.row.would += u64::from(sample.would_block);
        if let Some(reason) = sample.reason {
            *self.reasons.entry(reason).or_default() += 1;
        }
    }

    fn row(mut self, destination: &str) -> Row {
        self.millis.sort_unstable();
        let at = |share: usize| {
            let last = self.millis.len().checked_sub(1)?;
            self.millis.get(last * share / 100).copied()
        };
        Row {
            destination: destination.to_owned(),
            median: at(50),
            p99: at(99),
            reason: self.reasons.into_iter().max_by_key(|it| it.1),
            ..self.row
        }
    }
}

fn push<T>(queue: &mut VecDeque<T>, most: usize, it: T) {
    if queue.len() == most {
        queue.pop_front();
    }
    queue.push_back(it);
}

fn line(it: &Decided) -> Line {
    let decision = &it.decision;
    let recipient = it.recipient.as_ref();
    Line {
        at: it.at,
        verdict: decision.verdict,
        would_be: (decision.would_be != decision.verdict).then_some(decision.would_be),
        destination: Arc::clone(&it.transfer.destination),
        recipient: recipient.map_or_else(
            || "-".to_owned(),
            |it| format!("{}/{}", it.party, it.country),
        ),
        purpose: it
            .transfer
            .purpose
            .as_ref()
            .map_or_else(|| "-".to_owned(), |it| it.as_str().to_owned()),
        persons: it.transfer.persons.len(),
        reasons: decision.reasons.iter().map(|it| it.code.as_str()).collect(),
        id: it.id,
    }
}
