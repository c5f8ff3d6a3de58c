//! Where a walk stands: the open containers, and the nodes that are made of them when something is found.

use super::super::{
    super::{detect::KeyHint, selector::Roles},
    keys::KeyId,
    pair::Pair,
    reading::{NodeId, NodeKind, Reading, Scan, Spot},
};
use super::table::Columns;
use crate::model::finding::Step;

/// An open container.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) is_object: bool,
    /// Its members have numbers for names.
    pub(super) is_numbered: bool,
    /// It is the list of the values of a repeated name.
    pub(super) is_repetition: bool,
    /// The step to it; `None` for the root of the document.
    pub(super) step: Option<Place>,
    /// Elements or members so far.
    pub(super) len: u64,
    pub(super) node: Option<NodeId>,
    /// Hint of the key under which it stands (an array's for its elements).
    pub(super) own: KeyHint,
    /// Hint of the key of the object around it.
    pub(super) outer: KeyHint,
    /// Where its member names start in [`Walk::names`](super::Walk::names).
    pub(super) names_from: usize,
    /// Byte at which it starts.
    pub(super) start: usize,
    /// Where the last of its values that are pieces of a number start in [`Walk::pieces`](super::Walk::pieces).
    pub(super) pieces_from: usize,
    /// Numbers in it that may be codes of characters.
    pub(super) codes: u64,
    /// Where they start in [`Walk::codes`](super::Walk::codes).
    pub(super) codes_from: usize,
    /// The record that it is.
    pub(super) opens: Option<usize>,
    /// What of it is a name and its value.
    pub(super) pair: Pair,
    /// What it is in a table.
    pub(super) columns: Columns,
    /// What it was selected for.
    pub(super) roles: Roles,
}

impl Frame {
    /// Whether what it holds has names.
    pub(super) const fn is_named(&self) -> bool {
        self.is_object && !self.is_numbered
    }

    /// Whether it is a list of values that are said of one thing.
    fn is_row(&self) -> bool {
        !self.is_object && self.columns.kind().is_some()
    }

    /// Whether it is an element of a list of attributes, so that its label is no name of a person.
    pub(super) fn is_named_attribute(&self) -> bool {
        self.is_object && self.own.is_attribute_list && self.pair.is_whole()
    }
}

/// A step that has not become a [`Step`] yet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Index(u64),
    Name(KeyId),
}

/// Makes nodes for the open containers, when something is found in them.
pub(super) struct Places<'f> {
    pub(super) frames: &'f mut [Frame],
    pub(super) root: NodeId,
    pub(super) name: KeyId,
}

impl Places<'_> {
    /// The node of the innermost open container.
    pub(super) fn node<S: Scan>(&mut self, reading: &mut Reading<'_, S>) -> NodeId {
        let known = self.frames.iter().rposition(|it| it.node.is_some());
        let mut parent = known
            .and_then(|at| self.frames.get(at)?.node)
            .unwrap_or(self.root);
        for frame in self.frames.iter_mut().skip(known.map_or(0, |it| it + 1)) {
            let step = frame.step.map(|it| match it {
                Place::Index(at) => Step::Index(at),
                Place::Name(id) => Step::Name(reading.keys.name(id)),
            });
            let kind = frame.columns.kind().unwrap_or(if frame.is_object {
                NodeKind::Object
            } else {
                NodeKind::Array
            });
            parent = reading.push(Some(parent), kind, step, frame.own.is_person);
            if let Some(node) = reading.nodes.last_mut() {
                node.is_attribute = frame.own.category.is_some()
                    || (!frame.is_object && frame.own.is_attribute_list);
            }
            frame.node = Some(parent);
        }
        parent
    }

    /// The place of the scalar (or member name) that stands now. An element gets a node of its own: it may be a person.
    pub(super) fn spot<S: Scan>(
        &mut self,
        reading: &mut Reading<'_, S>,
        record: Option<usize>,
    ) -> Spot {
        let node = self.node(reading);
        let (node, leaf) = match self.frames.last() {
            None => (node, None),
            Some(frame) if frame.is_numbered || frame.is_row() => {
                (node, Some(Step::Index(frame.len.saturating_sub(1))))
            }
            Some(frame) if frame.is_object => {
                (node, Some(Step::Name(reading.keys.name(self.name))))
            }
            Some(frame) => {
                let step = Some(Step::Index(frame.len.saturating_sub(1)));
                let element = reading.push(Some(node), NodeKind::Scalar, step, frame.own.is_person);
                (element, None)
            }
        };
        Spot {
            node,
            leaf,
            in_key: false,
            record,
            is_person: false,
        }
    }
}
