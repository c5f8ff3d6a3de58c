//! How sure findings are beside each other: what stands near a finding raises it.

use std::collections::{BTreeMap, BTreeSet};

use super::format::reading::{Find, Node, NodeId, NodeKind};
use crate::model::{
    Category,
    finding::{Confidence, Raised},
};

/// How a find speaks for a person beside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Evidence {
    /// A part of a name, which test data and bots have too: not enough to make an operator's id one of a person.
    Name,
    None,
    Sure,
}

/// Whether a find makes what stands beside it data of a person.
const fn evidence(find: &Find) -> Evidence {
    if !matches!(find.confidence, Confidence::High | Confidence::Certain) {
        return Evidence::None;
    }
    if matches!(
        find.category,
        Category::Email
            | Category::Phone
            | Category::NationalId
            | Category::BirthDate
            | Category::IdDocument
            | Category::IdDocumentNumber
            | Category::PaymentCard
            | Category::PaymentCardCode
            | Category::PaymentToken
    ) {
        Evidence::Sure
    } else if matches!(
        find.category,
        Category::NameGiven | Category::NamePatronymic | Category::NameSurname
    ) {
        Evidence::Name
    } else {
        Evidence::None
    }
}

/// Evidence at one node.
#[derive(Clone, Copy, Default)]
struct Weight {
    sure: u32,
    names: u32,
}

impl Weight {
    const fn add(&mut self, evidence: Evidence) {
        match evidence {
            Evidence::Name => self.names += 1,
            Evidence::None => {}
            Evidence::Sure => self.sure += 1,
        }
    }

    /// Whether it holds more than `own` for a find of `category`.
    fn exceeds(self, own: Self, category: Category) -> bool {
        self.sure > own.sure || (self.names > own.names && category != Category::OnlineAccountId)
    }
}

/// How sure a find is, and why it is surer than alone.
pub(super) type Sure = (Confidence, Option<Raised>);

/// The confidence of each find, with its surroundings: it rises beside other data of a person, that is in the same object or in one
/// around it up to the element of an array, or under a key that names a person. What a list of attributes holds (`emails`,
/// `custom_fields`) stands beside what the object around the list holds.
pub(super) fn confidences(nodes: &[Node], finds: &[Find]) -> Vec<Sure> {
    let mut weights = vec![Weight::default(); nodes.len()];
    for find in finds.iter().filter(|it| evidence(it) != Evidence::None) {
        let mut at = Some(holder(nodes, find.spot.node));
        while let Some(weight) = at.and_then(|it| weights.get_mut(it)) {
            weight.add(evidence(find));
            at = at.and_then(|it| described(nodes, it));
        }
    }
    let is_beside = |find: &Find| {
        let mut own = Weight::default();
        own.add(evidence(find));
        let mut at = holder(nodes, find.spot.node);
        loop {
            if (weights.get(at)).is_some_and(|it| it.exceeds(own, find.category)) {
                return true;
            }
            let Some(node) = nodes.get(at) else {
                return false;
            };
            let (is_person, Some(parent)) = (node.is_person, node.parent) else {
                return false;
            };
            if is_person {
                return true;
            }
            if let Some(around) = described(nodes, at) {
                at = around;
                continue;
            }
            own = Weight::default();
            if nodes
                .get(parent)
                .is_some_and(|it| it.kind == NodeKind::Array)
            {
                return false;
            }
            at = holder(nodes, parent);
        }
    };
    finds
        .iter()
        .map(|find| {
            let can_rise = find.beside_person > find.confidence;
            if can_rise && (find.spot.is_person || is_beside(find)) {
                (find.beside_person, Some(Raised::BesidePerson))
            } else {
                (find.confidence, None)
            }
        })
        .collect()
}

/// Raises finds of medium confidence where `kinds_min` kinds of data or more stand in one object: a name, a date and a number that
/// could each be anything are a person together. Finds of low confidence, which are shape only, neither count nor rise; nor do what devices
/// and companies have too.
pub(super) fn combine(nodes: &[Node], finds: &[Find], confidences: &mut [Sure], kinds_min: u32) {
    // The kind of data that a find speaks for.
    let kind = |find: &Find| {
        let code = find.category.code();
        let kind = code.split_once('.').map_or(code, |it| it.0);
        let is_of_others = matches!(kind, "online" | "website" | "address" | "employment");
        (!is_of_others).then_some(kind)
    };
    let is_medium = |it: &Sure| it.0 == Confidence::Medium;
    if kinds_min == 0 || !confidences.iter().any(is_medium) {
        return;
    }
    let mut kinds: BTreeMap<NodeId, BTreeSet<&str>> = BTreeMap::new();
    for (find, sure) in finds.iter().zip(&*confidences) {
        if let Some(kind) = kind(find).filter(|_| sure.0 >= Confidence::Medium) {
            let own = kinds.entry(holder(nodes, find.spot.node)).or_default();
            own.insert(kind);
        }
    }
    for (find, sure) in finds.iter().zip(confidences) {
        let own = kinds.get(&holder(nodes, find.spot.node));
        if is_medium(sure)
            && kind(find).is_some()
            && own.is_some_and(|it| it.len() >= kinds_min as usize)
        {
            *sure = (Confidence::High, Some(Raised::Combination));
        }
    }
}

/// The object that an attribute is said of: the one around it, or around its list.
fn described(nodes: &[Node], at: NodeId) -> Option<NodeId> {
    let node = nodes.get(at)?;
    let parent = node.parent?;
    let list = nodes.get(parent)?;
    let is_in_list = list.kind == NodeKind::Array;
    if node.is_attribute || (is_in_list && list.is_attribute) {
        let around = if is_in_list { list.parent? } else { parent };
        return Some(holder(nodes, around));
    }
    None
}

/// The object, document or part around a node (itself, if it is one).
pub(super) fn holder(nodes: &[Node], node: NodeId) -> NodeId {
    let mut at = node;
    while let Some(node) = nodes.get(at) {
        match (node.kind, node.parent) {
            (NodeKind::Array | NodeKind::Field | NodeKind::Scalar, Some(parent)) => at = parent,
            _ => break,
        }
    }
    at
}
