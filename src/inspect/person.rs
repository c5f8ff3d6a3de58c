//! Who the findings are about.
//!
//! With a `records` selector each record is one person, and everything outside the records is one more. Without it, nearness and
//! identifiers decide: elements of an array that hold identifiers of their own are persons each; inside such an element, or the
//! document, objects that hold different identifiers of one kind are persons each; what holds none belongs to the nearest person
//! around it. Persons who share an identifier are one.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use super::{
    confidence::{combine, confidences},
    format::reading::{Claim, Find, Node, NodeId, NodeKind, Reading, Spot},
};
use crate::model::{
    Category,
    finding::{Finding, Part, Step},
    inspection::{Inspection, Person, Record},
    subject::Identifier,
};

/// Turns what was read into the inspection.
pub(super) fn conclude<S: super::format::reading::Scan>(
    reading: &mut Reading<'_, S>,
) -> Inspection {
    let plan = reading.plan;
    let mut confidences = confidences(&reading.nodes, &reading.finds);
    combine(
        &reading.nodes,
        &reading.finds,
        &mut confidences,
        plan.combination_min,
    );
    let findings: Vec<Finding> = reading
        .finds
        .iter()
        .zip(&confidences)
        .map(|(find, (confidence, raised))| Finding {
            category: find.category,
            detector: find.detector,
            confidence: *confidence,
            raised: *raised,
            acts: plan.acts(find.category, find.detector, *confidence),
            location: reading.location(find.spot.node, find.spot.leaf.as_ref()),
            in_key: find.spot.in_key,
            span: find.span.clone(),
            is_encoded: find.is_encoded,
            line: find.line,
        })
        .collect();
    let members = if plan.has_records {
        BTreeMap::new()
    } else {
        members(&mut reading.nodes, &reading.finds)
    };
    let mut mentions = mentions(&reading.finds, &reading.claims, &findings);
    for (find, node) in &members {
        if let Some(mention) = mentions.get_mut(*find) {
            mention.node = *node;
        }
    }
    let groups = if mentions.is_empty() {
        Vec::new()
    } else if plan.has_records {
        by_record(&mentions)
    } else {
        Groups::new(&reading.nodes, &mentions).resolve(&mentions)
    };
    let persons = persons(&reading.records, &mentions, &groups, plan.has_records);
    let met = plan.sections.iter().zip(&reading.sections);
    let mut section_purposes: Vec<_> = Vec::new();
    for (purpose, _) in met.filter(|it| *it.1) {
        if !section_purposes.contains(purpose) {
            section_purposes.push(purpose.clone());
        }
    }
    Inspection {
        findings,
        gaps: std::mem::take(&mut reading.gaps),
        persons,
        section_purposes,
        is_signed: false,
        work: reading.work,
    }
}

/// Something said of a person: a finding, or an identifier that the operator pointed at.
struct Mention<'a> {
    spot: &'a Spot,
    /// The node that it is said of.
    node: NodeId,
    /// Index of the finding, its category, and whether it is sure enough to act on.
    finding: Option<(usize, Category, bool)>,
    /// Only of what is sure enough.
    identifier: Option<&'a Identifier>,
}

fn mentions<'a>(finds: &'a [Find], claims: &'a [Claim], findings: &[Finding]) -> Vec<Mention<'a>> {
    let found = finds.iter().zip(findings).enumerate();
    let found = found.map(|(at, (find, finding))| {
        let is_sure = finding.acts;
        Mention {
            spot: &find.spot,
            node: find.spot.node,
            finding: Some((at, find.category, is_sure)),
            identifier: find.identifier.as_ref().filter(|_| is_sure),
        }
    });
    let claimed = claims.iter().map(|it| Mention {
        spot: &it.spot,
        node: it.spot.node,
        finding: None,
        identifier: Some(&it.identifier),
    });
    found.chain(claimed).collect()
}

/// For each find in the name of a member, the node of the member, which is made if nothing was found in its value: in a map by
/// address what stands under a name is said of whom it names.
fn members(nodes: &mut Vec<Node>, finds: &[Find]) -> BTreeMap<usize, NodeId> {
    let mut out = BTreeMap::new();
    if !finds.iter().any(|it| it.spot.in_key) {
        return out;
    }
    let mut known: BTreeMap<(NodeId, Arc<str>), NodeId> = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate() {
        if let (Some(parent), Some(Step::Name(name))) = (node.parent, &node.step) {
            known.entry((parent, Arc::clone(name))).or_insert(at);
        }
    }
    for (at, find) in finds.iter().enumerate().filter(|it| it.1.spot.in_key) {
        let Some(Step::Name(name)) = &find.spot.leaf else {
            continue;
        };
        let parent = find.spot.node;
        let node = *known.entry((parent, Arc::clone(name))).or_insert_with(|| {
            nodes.push(Node {
                parent: Some(parent),
                kind: NodeKind::Scalar,
                step: find.spot.leaf.clone(),
                is_person: false,
                is_attribute: false,
            });
            nodes.len() - 1
        });
        out.insert(at, node);
    }
    out
}

/// The group of each mention: its record, or the one group outside.
fn by_record(mentions: &[Mention<'_>]) -> Vec<usize> {
    mentions
        .iter()
        .map(|it| it.spot.record.map_or(0, |record| record + 1))
        .collect()
}

/// One person for each group, in the order of mention.
fn persons(
    records: &[Range<usize>],
    mentions: &[Mention<'_>],
    groups: &[usize],
    has_records: bool,
) -> Vec<Person> {
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    let mut persons: Vec<Person> = Vec::new();
    let mut known: BTreeSet<(usize, &Identifier)> = BTreeSet::new();
    for (mention, group) in mentions.iter().zip(groups) {
        let at = *places.entry(*group).or_insert_with(|| {
            let ordinal = mention.spot.record.filter(|_| has_records);
            persons.push(Person {
                record: ordinal.and_then(|ordinal| {
                    let span = records.get(ordinal)?.clone();
                    Some(Record { ordinal, span })
                }),
                ..Person::default()
            });
            persons.len() - 1
        });
        let Some(person) = persons.get_mut(at) else {
            continue;
        };
        if let Some((finding, category, is_sure)) = mention.finding {
            person.findings.push(finding);
            if is_sure {
                person.categories.insert(category);
            } else {
                person.weak_categories.insert(category);
            }
        }
        if let Some(identifier) = mention.identifier
            && known.insert((at, identifier))
        {
            person.identifiers.push(identifier.clone());
        }
    }
    for person in &mut persons {
        person.weak_categories = person.weak_categories.minus(person.categories);
    }
    persons
}

/// Number of a distinct identifier.
type IdentifierId = usize;

/// Identifiers below a node. Identifiers that stand in one object are one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Below {
    Many,
    None,
    One(IdentifierId),
}

/// Grouping without records.
struct Groups<'a> {
    nodes: &'a [Node],
    /// Every mention's identifier, by number.
    identifiers: BTreeMap<&'a Identifier, IdentifierId>,
    /// Whether a node is an array whose elements are persons each.
    splits: Vec<bool>,
}

impl<'a> Groups<'a> {
    fn new(nodes: &'a [Node], mentions: &[Mention<'a>]) -> Self {
        let mut identifiers = BTreeMap::new();
        for identifier in mentions.iter().filter_map(|it| it.identifier) {
            let next = identifiers.len();
            identifiers.entry(identifier).or_insert(next);
        }
        let mut groups = Self {
            nodes,
            identifiers,
            splits: vec![false; nodes.len()],
        };
        groups.find_splits(mentions);
        groups
    }

    fn id(&self, mention: &Mention<'_>) -> Option<IdentifierId> {
        self.identifiers.get(mention.identifier?).copied()
    }

    /// An array is split when two elements or more hold identifiers, and not all the same; an object when the names of its members
    /// are identifiers.
    fn find_splits(&mut self, mentions: &[Mention<'_>]) {
        let mut linked = Union::new(self.identifiers.len());
        let mut direct: Vec<Option<IdentifierId>> = vec![None; self.nodes.len()];
        for mention in mentions {
            let Some(id) = self.id(mention) else { continue };
            match direct.get_mut(mention.node) {
                Some(Some(first)) => linked.join(*first, id),
                Some(none) => *none = Some(id),
                None => {}
            }
        }
        let mut below: Vec<Below> = direct
            .iter()
            .map(|it| it.map_or(Below::None, |id| Below::One(linked.root(id))))
            .collect();
        let keyed: BTreeSet<NodeId> = mentions
            .iter()
            .filter(|it| it.spot.in_key && it.identifier.is_some())
            .map(|it| it.spot.node)
            .collect();
        let mut holding = vec![0_u64; self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate().rev() {
            let here = below.get(at).copied().unwrap_or(Below::None);
            if node.kind == NodeKind::Array || keyed.contains(&at) {
                let elements = holding.get(at).copied().unwrap_or_default();
                if let Some(split) = self.splits.get_mut(at) {
                    *split = elements >= 2 && here == Below::Many;
                }
            }
            let Some(parent) = node.parent.filter(|_| here != Below::None) else {
                continue;
            };
            if let (Some(sum), Some(count)) = (below.get_mut(parent), holding.get_mut(parent)) {
                *count += 1;
                *sum = match *sum {
                    Below::None => here,
                    same if same == here => same,
                    Below::One(_) | Below::Many => Below::Many,
                };
            }
        }
    }

    fn is_element_of_split(&self, node: &Node) -> bool {
        node.parent
            .and_then(|it| self.splits.get(it))
            .copied()
            .unwrap_or_default()
    }

    /// Where the identifiers of a node count: the object around it, unless it is a person by itself.
    fn bearer(&self, node: NodeId) -> NodeId {
        let mut at = node;
        while let Some(node) = self.nodes.get(at) {
            match (node.kind, node.parent) {
                (NodeKind::Array | NodeKind::Field | NodeKind::Scalar, Some(parent))
                    if !self.is_element_of_split(node) =>
                {
                    at = parent;
                }
                _ => break,
            }
        }
        at
    }

    /// The group of each mention.
    fn resolve(&self, mentions: &[Mention<'_>]) -> Vec<usize> {
        let bearers: Vec<NodeId> = mentions.iter().map(|it| self.bearer(it.node)).collect();
        let mut borne: Vec<Vec<(u8, IdentifierId)>> = vec![Vec::new(); self.nodes.len()];
        for (mention, bearer) in mentions.iter().zip(&bearers) {
            if let (Some(id), Some(borne)) = (self.id(mention), borne.get_mut(*bearer)) {
                let kind = mention.identifier.map_or(0, |it| it.kind as u8);
                borne.push((kind, id));
            }
        }
        let (owners, count) = self.owners(&borne);
        let owner = |node: NodeId| owners.get(node).copied().unwrap_or_default();
        let mut union = Union::new(count);
        let mut first: BTreeMap<IdentifierId, usize> = BTreeMap::new();
        for (mention, bearer) in mentions.iter().zip(&bearers) {
            if let Some(id) = self.id(mention) {
                let group = owner(*bearer);
                union.join(*first.entry(id).or_insert(group), group);
            }
        }
        let used: BTreeSet<usize> = bearers
            .iter()
            .map(|it| owner(*it))
            .filter(|it| *it != OUTSIDE)
            .map(|it| union.root(it))
            .collect();
        if let (1, Some(only)) = (used.len(), used.first()) {
            union.join(*only, OUTSIDE);
        }
        bearers.iter().map(|it| union.root(owner(*it))).collect()
    }

    /// The group of each node, and how many there are. A node starts a group when it is an element of a split array, or when it holds
    /// identifiers, its scope holds different ones of a kind, and the group around it has none or other ones.
    fn owners(&self, borne: &[Vec<(u8, IdentifierId)>]) -> (Vec<usize>, usize) {
        let scopes = self.scopes();
        let disputed = disputed(&scopes, borne);
        let mut owners = vec![OUTSIDE; self.nodes.len()];
        // For each group the first identifier of each kind.
        let mut held: Vec<BTreeMap<u8, IdentifierId>> = vec![BTreeMap::new()];
        for (at, node) in self.nodes.iter().enumerate() {
            let ids = borne.get(at).map(Vec::as_slice).unwrap_or_default();
            let around = node.parent.and_then(|it| owners.get(it)).copied();
            let scope = scopes.get(at).copied().unwrap_or_default();
            let starts = match node.kind {
                NodeKind::Part { part, .. } => part == Part::Body,
                NodeKind::Array
                | NodeKind::Field
                | NodeKind::Inner
                | NodeKind::Object
                | NodeKind::Scalar => {
                    let group = around.and_then(|it| held.get(it));
                    let is_other = !ids.is_empty()
                        && disputed.contains(&scope)
                        && group.is_none_or(|group| {
                            group.is_empty()
                                || ids.iter().any(|(kind, id)| {
                                    group.get(kind).is_some_and(|other| other != id)
                                })
                        });
                    is_other || self.is_element_of_split(node)
                }
            };
            let group = if starts {
                held.push(BTreeMap::new());
                held.len() - 1
            } else {
                around.unwrap_or(OUTSIDE)
            };
            if let Some(owner) = owners.get_mut(at) {
                *owner = group;
            }
            if let Some(held) = held.get_mut(group) {
                for (kind, id) in ids {
                    held.entry(*kind).or_insert(*id);
                }
            }
        }
        (owners, held.len())
    }

    /// For each node, the element of a split array or the part in which identifiers are compared.
    fn scopes(&self) -> Vec<NodeId> {
        let mut scopes = Vec::with_capacity(self.nodes.len());
        for (at, node) in self.nodes.iter().enumerate() {
            let around = node.parent.and_then(|it| scopes.get(it)).copied();
            scopes.push(match around {
                Some(scope) if !self.is_element_of_split(node) => scope,
                _ => at,
            });
        }
        scopes
    }
}

/// The group of everything outside the body.
const OUTSIDE: usize = 0;

/// The scopes in which different objects hold different identifiers of one kind.
fn disputed(scopes: &[NodeId], borne: &[Vec<(u8, IdentifierId)>]) -> BTreeSet<NodeId> {
    let mut first: BTreeMap<(NodeId, u8), (IdentifierId, NodeId)> = BTreeMap::new();
    let mut disputed = BTreeSet::new();
    for (at, (scope, ids)) in scopes.iter().zip(borne).enumerate() {
        for (kind, id) in ids {
            let known = first.entry((*scope, *kind)).or_insert((*id, at));
            if known.0 != *id && known.1 != at {
                disputed.insert(*scope);
            }
        }
    }
    disputed
}

/// Disjoint sets. The root of a set is its least member.
struct Union(Vec<usize>);

impl Union {
    fn new(len: usize) -> Self {
        Self((0..len).collect())
    }

    fn root(&self, member: usize) -> usize {
        let mut at = member;
        while let Some(up) = self.0.get(at).copied().filter(|it| *it != at) {
            at = up;
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(up) = self.0.get_mut(one.max(other)) {
            *up = one.min(other);
        }
        // Paths are halved on the way, so that chains stay short.
        for mut at in [one, other] {
            while let Some(up) = self.0.get(at).copied().filter(|it| *it != at) {
                let above = self.0.get(up).copied().unwrap_or(up);
                if let Some(slot) = self.0.get_mut(at) {
                    *slot = above;
                }
                at = up;
            }
        }
    }
}
