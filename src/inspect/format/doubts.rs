//! What was read and is taken back by what is read later.

use std::collections::BTreeSet;

use super::reading::{Find, NodeId, Reading, Scan};

/// How much of a message was read at some time.
#[derive(Debug)]
pub(crate) struct Mark {
    nodes: usize,
    finds: usize,
    claims: usize,
    gaps: usize,
    records: usize,
    values: u64,
}

impl<S: Scan> Reading<'_, S> {
    /// How much was read so far.
    pub(crate) const fn mark(&self) -> Mark {
        Mark {
            nodes: self.nodes.len(),
            finds: self.finds.len(),
            claims: self.claims.len(),
            gaps: self.gaps.len(),
            records: self.records.len(),
            values: self.values,
        }
    }

    /// Forgets what was read since `mark`, but for the work that it took.
    pub(crate) fn back_to(&mut self, mark: &Mark) {
        self.nodes.truncate(mark.nodes);
        self.finds.truncate(mark.finds);
        self.claims.truncate(mark.claims);
        self.gaps.truncate(mark.gaps);
        self.records.truncate(mark.records);
        self.values = mark.values;
    }

    /// Drops of the finds from `first` on those before `inner` that one from there on says of the same bytes, and more surely.
    pub(crate) fn drop_doubles(&mut self, first: usize, inner: usize) {
        let said = self.finds.get(inner..).unwrap_or_default().iter();
        let place = |it: &Find| (it.category, it.span.start, it.span.end);
        let said: BTreeSet<_> = said.map(place).collect();
        if said.is_empty() {
            return;
        }
        let fresh = self.finds.split_off(first.min(self.finds.len()));
        let plain = inner.saturating_sub(first);
        let kept = fresh
            .into_iter()
            .enumerate()
            .filter(|(at, it)| *at >= plain || !said.contains(&place(it)));
        self.finds.extend(kept.map(|it| it.1));
    }

    /// Drops the finds from `first` on that are names by their key alone.
    pub(crate) fn drop_names_from(&mut self, first: usize) {
        let mut fresh = self.finds.split_off(first.min(self.finds.len()));
        fresh.retain(|it| !it.is_name_by_key());
        self.finds.append(&mut fresh);
    }

    /// Drops the members of `node` that are names by their ambiguous key alone.
    pub(crate) fn drop_names(&mut self, node: NodeId) {
        let is_inside = |it: &Find| it.spot.node >= node;
        let count = self.finds.iter().rev().take_while(|it| is_inside(it));
        let first = self.finds.len() - count.count();
        let mut fresh = self.finds.split_off(first);
        fresh.retain(|it| {
            let is_label = it.spot.node == node && it.confidence < it.beside_person;
            !(is_label && it.is_name_by_key())
        });
        self.finds.append(&mut fresh);
    }
}
