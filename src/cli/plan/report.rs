//! What the replay came to, for a terminal and as JSON.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use serde_json::{Value, json};

use crate::{
    gatekeeper::{
        record::{Decided, DecisionId},
        replay::{Answer, Replayed, Unreplayable},
    },
    model::{
        counted,
        decision::{ReasonCode, Verdict},
    },
};

/// What cannot be seen from the record.
const LIMITS: [&str; 3] = [
    "messages are not kept: findings, persons, records, sections and gaps are those of then, so changed selectors, sizes, formats \
     or detectors are not seen",
    "a route is found by its id, and matching by listener, host, path and method is not done again; a claim of a purpose that \
     was not accepted is taken as none",
    "another confidence_min is judged where the recorded findings decide it, and counted as `confidence` where they do not",
];

/// Decisions that go the same way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Way {
    destination: Arc<str>,
    was: Verdict,
    is: Verdict,
    reason: Option<ReasonCode>,
}

/// How many, and which if they are to be listed.
#[derive(Debug, Default)]
struct Tally {
    count: u64,
    decisions: Vec<DecisionId>,
}

/// Counts of decisions.
#[derive(Debug)]
pub(super) struct Report {
    lists: bool,
    decisions: u64,
    same: u64,
    by_others: u64,
    flips: BTreeMap<Way, Tally>,
    /// In log-only: what is recorded as what would be done is another.
    would_flip: BTreeMap<Way, Tally>,
    missed: BTreeMap<Unreplayable, Tally>,
}

impl Report {
    /// Nothing yet; `lists`: keep the ids of what is not the same.
    pub(super) const fn new(lists: bool) -> Self {
        Self {
            lists,
            decisions: 0,
            same: 0,
            by_others: 0,
            flips: BTreeMap::new(),
            would_flip: BTreeMap::new(),
            missed: BTreeMap::new(),
        }
    }

    /// A decision was asked about.
    pub(super) const fn count(&mut self, is_of_present: bool) {
        self.decisions += 1;
        if !is_of_present {
            self.by_others += 1;
        }
    }

    /// It was made again.
    pub(super) fn take(&mut self, decided: &Decided, replayed: &Replayed) {
        let (was, is) = (&replayed.was, &replayed.is);
        let way = |from: Verdict, to: Verdict| Way {
            destination: Arc::clone(&decided.transfer.destination),
            was: from,
            is: to,
            reason: reason(was, is, from, to),
        };
        let tally = if replayed.flips() {
            self.flips.entry(way(was.verdict, is.verdict))
        } else if replayed.would_flip() {
            self.would_flip.entry(way(was.would_be, is.would_be))
        } else {
            self.same += 1;
            return;
        };
        tally.or_default().add(decided.id, self.lists);
    }

    /// It could not be made again.
    pub(super) fn miss(&mut self, decided: &Decided, why: Unreplayable) {
        let tally = self.missed.entry(why).or_default();
        tally.add(decided.id, self.lists);
    }

    /// Whether a decision is another.
    pub(super) fn flips(&self) -> bool {
        !self.flips.is_empty()
    }

    /// For a terminal; `against` is the configuration's name.
    pub(super) fn to_text(&self, against: &str) -> String {
        let mut out = format!(
            "{} on record, made again under {against}: {} stay, {} flip, {} would flip if enforced, {} cannot be made \
             again\n",
            counted(self.decisions, "decision"),
            self.same,
            sum(&self.flips),
            sum(&self.would_flip),
            sum(&self.missed),
        );
        if self.by_others > 0 {
            let _infallible = writeln!(
                out,
                "{} of them were made under another configuration than the one in force",
                self.by_others
            );
        }
        ways("", &self.flips, &mut out);
        ways(
            "\nIn log-only, what would be done:",
            &self.would_flip,
            &mut out,
        );
        if !self.missed.is_empty() {
            out.push_str("\nCannot be made again:\n");
        }
        for (why, tally) in &self.missed {
            let (count, code) = (tally.count, why.as_str());
            let _infallible = writeln!(out, "  {count}  {code}: {}", meaning(*why));
            list(tally, &mut out);
        }
        out.push_str("\nSeen from the record only:\n");
        for limit in LIMITS {
            let _infallible = writeln!(out, "  - {limit}");
        }
        out
    }

    /// One document. Members are added, never renamed.
    pub(super) fn to_json(&self) -> Value {
        let ways = |all: &BTreeMap<Way, Tally>| -> Vec<Value> {
            all.iter()
                .map(|(way, tally)| {
                    json!({
                        "destination": way.destination, "was": way.was, "is": way.is, "reason": way.reason,
                        "count": tally.count, "decisions": tally.decisions,
                    })
                })
                .collect()
        };
        let missed = self.missed.iter().map(|(why, tally)| {
            json!({
                "why": why.as_str(), "count": tally.count, "decisions": tally.decisions,
            })
        });
        json!({
            "decisions": self.decisions,
            "same": self.same,
            "of_other_configurations": self.by_others,
            "flips": ways(&self.flips),
            "would_flip": ways(&self.would_flip),
            "not_replayed": missed.collect::<Vec<_>>(),
            "limits": LIMITS,
        })
    }
}

impl Tally {
    fn add(&mut self, id: DecisionId, lists: bool) {
        self.count += 1;
        if lists {
            self.decisions.push(id);
        }
    }
}

/// Why it is stricter; or what no longer stands against it.
fn reason(was: &Answer, is: &Answer, from: Verdict, to: Verdict) -> Option<ReasonCode> {
    if to < from { was.reason } else { is.reason }
}

fn sum<K>(tallies: &BTreeMap<K, Tally>) -> u64 {
    tallies.values().map(|it| it.count).sum()
}

fn ways(title: &str, all: &BTreeMap<Way, Tally>, out: &mut String) {
    if all.is_empty() {
        return;
    }
    let width = all.keys().map(|it| it.destination.chars().count());
    let width = width.max().unwrap_or_default().max("DESTINATION".len());
    let _infallible = writeln!(
        out,
        "{title}\n{:width$}  {:6}  {:6}  {:>6}  REASON",
        "DESTINATION", "WAS", "IS", "COUNT"
    );
    for (way, tally) in all {
        let reason = way.reason.map_or("none", ReasonCode::as_str);
        let dropped = if way.is < way.was { " (no longer)" } else { "" };
        let _infallible = writeln!(
            out,
            "{:width$}  {:6}  {:6}  {:>6}  {reason}{dropped}",
            way.destination,
            way.was.as_str(),
            way.is.as_str(),
            tally.count
        );
        list(tally, out);
    }
}

fn list(tally: &Tally, out: &mut String) {
    for id in &tally.decisions {
        let _infallible = writeln!(out, "    {id}");
    }
}

const fn meaning(why: Unreplayable) -> &'static str {
    match why {
        Unreplayable::Unread => {
            "refused on the head alone; neither path nor body is on record, so what another configuration would find is not known"
        }
        Unreplayable::PersonsUnknown => {
            "the persons are not who they were: erased since, or registered under another key or identifier"
        }
        Unreplayable::ChangesMissing => {
            "the log lacks changes of the registers up to then; start the gate, which hands them on, and try again"
        }
        Unreplayable::ChangesUnknown => {
            "the log has changes of the registers that this program does not know; use the newer program"
        }
        Unreplayable::Confidence => {
            "another confidence_min decides, and the record does not say whose findings those were"
        }
        Unreplayable::Reduction => "the reduction failed then, and another one needs the body",
        Unreplayable::Unfaithful => {
            "the configuration in force made it, and does not make it so again: verify the log and compare the registers with a backup"
        }
    }
}
