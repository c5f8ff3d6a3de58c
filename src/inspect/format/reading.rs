//! What one message gives while it is read: hits with their places, gaps, records, and what is left of the budgets.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::{
    super::{
        Plan,
        detect::{BY_KEY, DETECTORS, Detectors, Field, Hit, KeyHint, is_persons_address},
        key_names::KeyNames,
    },
    keys::{KeyId, KeyTable},
    layer::Layer,
    veil::{self, Unveiled},
};
use crate::model::{
    Category,
    finding::{Confidence, Gap, GapKind, Location, Part, Step},
    subject::Identifier,
};

/// Gaps of one kind in one part after which further ones are not listed.
const REPEATS_MAX: usize = 16;

/// Detection as the readers see it.
pub(crate) trait Scan {
    /// Appends the hits in `field`; returns the work units spent.
    fn scan(&self, field: &Field<'_>, hits: &mut Vec<Hit>) -> u64;
    /// What the dictionary says of `key`.
    fn lookup(&self, key: &str) -> KeyHint;
}

/// The detectors and the dictionary of the process.
#[derive(Debug, Default)]
pub(crate) struct Lexicon {
    pub(crate) detectors: Detectors,
    pub(crate) key_names: KeyNames,
}

impl Scan for Lexicon {
    fn scan(&self, field: &Field<'_>, hits: &mut Vec<Hit>) -> u64 {
        let work = self.detectors.scan(field, hits);
        // A detector that `thresholds` cannot name is a mistake of ours.
        debug_assert!(hits.iter().all(|it| DETECTORS.contains(&it.detector)));
        work
    }

    fn lookup(&self, key: &str) -> KeyHint {
        self.key_names.lookup(key)
    }
}

/// Number of a [`Node`].
pub(crate) type NodeId = usize;

/// What a [`Node`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NodeKind {
    Array,
    /// A parameter, header field or cookie: its name goes beside the path, not into it.
    Field,
    /// The root of a document that is the value of a string.
    Inner,
    Object,
    /// The root of a part; structured if a path leads on from it.
    Part {
        part: Part,
        is_structured: bool,
    },
    /// A scalar that needs a node of its own.
    Scalar,
}

/// A place in the message. Only places above something found have one, so most messages have few. Parents come before children.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) parent: Option<NodeId>,
    pub(crate) kind: NodeKind,
    pub(crate) step: Option<Step>,
    /// The key under which it stands names a person.
    pub(crate) is_person: bool,
    /// What is in it is said of the object around it: `emails`, `custom_fields`.
    pub(crate) is_attribute: bool,
}

/// One hit, placed.
#[derive(Debug)]
pub(crate) struct Find {
    pub(crate) category: Category,
    pub(crate) detector: &'static str,
    pub(crate) confidence: Confidence,
    pub(crate) beside_person: Confidence,
    pub(crate) identifier: Option<Identifier>,
    pub(crate) span: Range<usize>,
    pub(crate) spot: Spot,
    /// The span is an encoding as a whole.
    pub(crate) is_encoded: bool,
    /// See [`Reading::line`].
    pub(crate) line: usize,
}

impl Find {
    /// Whether only its key calls it a name.
    pub(super) fn is_name_by_key(&self) -> bool {
        self.detector == BY_KEY && self.category == Category::NameFull
    }
}

/// What was found in one value: a text that is read again in another form says most of it again.
#[derive(Debug, Default)]
pub(crate) struct Said {
    identified: BTreeMap<(Category, Option<Identifier>), (Confidence, Confidence)>,
    categories: BTreeMap<Category, (Confidence, Confidence)>,
}

impl Said {
    fn add(&mut self, find: &Find) {
        let sure = (find.confidence, find.beside_person);
        let raise = |known: &mut (Confidence, Confidence)| {
            *known = (known.0.max(sure.0), known.1.max(sure.1));
        };
        let key = (find.category, find.identifier.clone());
        raise(self.identified.entry(key).or_insert(sure));
        raise(self.categories.entry(find.category).or_insert(sure));
    }

    /// What a key says of a value it says of every form of it, so there the identifier need not be the same.
    fn covers(&self, find: &Find) -> bool {
        let known = if find.detector == BY_KEY {
            self.categories.get(&find.category)
        } else {
            self.identified
                .get(&(find.category, find.identifier.clone()))
        };
        known.is_some_and(|it| it.0 >= find.confidence && it.1 >= find.beside_person)
    }
}

/// Where what was found stands: a text that is read again in a piece says some of it again, at the same place.
#[derive(Debug)]
pub(crate) struct Placed(BTreeMap<(usize, usize, Category), usize>);

impl Placed {
    const fn key(find: &Find) -> (usize, usize, Category) {
        (find.span.start, find.span.end, find.category)
    }
}

impl<S: Scan> Reading<'_, S> {
    /// The places of the finds from `first` on.
    pub(crate) fn placed(&self, first: usize) -> Placed {
        let finds = self.finds.iter().enumerate().skip(first);
        Placed(finds.map(|(at, it)| (Placed::key(it), at)).collect())
    }

    /// Of the finds from `first` on and the earlier ones in `placed`, keeps the surest of each place.
    pub(crate) fn keep_surest(&mut self, first: usize, placed: &mut Placed) {
        for it in self.finds.split_off(first.min(self.finds.len())) {
            let at = *placed.0.entry(Placed::key(&it)).or_insert(self.finds.len());
            match self.finds.get_mut(at) {
                Some(known) if known.confidence >= it.confidence => {}
                Some(known) => *known = it,
                None => self.finds.push(it),
            }
        }
    }
}

/// An identifier that the operator pointed at.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) identifier: Identifier,
    pub(crate) spot: Spot,
}

/// Where a value or a name stands.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) node: NodeId,
    /// The last step, when it has no node.
    pub(crate) leaf: Option<Step>,
    pub(crate) in_key: bool,
    /// Index into [`Reading::records`].
    pub(crate) record: Option<usize>,
    /// Its own key or its parent's names a person.
    pub(crate) is_person: bool,
}

impl Spot {
    /// The place that `node` is.
    pub(crate) const fn of(node: NodeId) -> Self {
        Self {
            node,
            leaf: None,
            in_key: false,
            record: None,
            is_person: false,
        }
    }
}

/// What one message leaves for the next to be read faster: what is known of names, and empty buffers. No reading depends on it.
#[derive(Default)]
pub struct Scratch {
    keys: KeyTable,
    nodes: Vec<Node>,
    finds: Vec<Find>,
    hits: Vec<Hit>,
}

/// Names may be personal data, so none is shown.
impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// Items for which a buffer is kept: one message of many findings must not hold memory for all that follow.
const KEPT_ITEMS_MAX: usize = 1024;

/// The buffer of `items`, unless it is too large to keep.
fn emptied<T>(mut items: Vec<T>) -> Vec<T> {
    items.clear();
    items.shrink_to(KEPT_ITEMS_MAX);
    items
}

/// Fields whose value is an id of a message or part.
const MESSAGE_IDS: &[&str] = &["content-id", "in-reply-to", "message-id", "references"];

/// Whether the field `name`, in lower case, holds ids of messages or parts.
pub(crate) fn is_message_id(name: &str) -> bool {
    MESSAGE_IDS.contains(&name)
}

fn is_whole_number(hit: &Hit, length: usize) -> bool {
    hit.range == (0..length)
        && hit.confidence >= Confidence::High
        && matches!(hit.category, Category::NationalId | Category::PaymentCard)
}

/// The state of one `inspect` call.
#[derive(Debug)]
pub(crate) struct Reading<'p, S> {
    pub(crate) scan: &'p S,
    pub(crate) plan: &'p Plan,
    pub(crate) keys: KeyTable,
    pub(crate) nodes: Vec<Node>,
    pub(crate) finds: Vec<Find>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) gaps: Vec<Gap>,
    /// Spans of the records, in order.
    pub(crate) records: Vec<Range<usize>>,
    /// For each section of the plan, whether it was met.
    pub(crate) sections: Vec<bool>,
    pub(crate) work: u64,
    /// Number of the field line that is read, in the head or the trailer.
    pub(crate) line: usize,
    pub(super) values: u64,
    /// A budget of the whole message ran out.
    pub(crate) is_halted: bool,
    hits: Vec<Hit>,
}

impl<'p, S: Scan> Reading<'p, S> {
    pub(crate) fn new(scan: &'p S, plan: &'p Plan, scratch: Scratch) -> Self {
        let Scratch {
            mut keys,
            nodes,
            finds,
            hits,
        } = scratch;
        keys.begin();
        Self {
            scan,
            plan,
            keys,
            nodes,
            finds,
            claims: Vec::new(),
            gaps: Vec::new(),
            records: Vec::new(),
            sections: vec![false; plan.sections.len()],
            work: 0,
            line: 0,
            values: 0,
            is_halted: false,
            hits,
        }
    }

    /// What the next message may use. Names are forgotten where something was found in one.
    pub(crate) fn into_scratch(self) -> Scratch {
        let mut keys = self.keys;
        if self.finds.iter().any(|it| it.spot.in_key) {
            let names = self.finds.iter().filter(|it| it.spot.in_key).map(|it| {
                let node = self.nodes.get(it.spot.node);
                let step = it.spot.leaf.as_ref();
                match step.or_else(|| node.and_then(|it| it.step.as_ref())) {
                    Some(Step::Name(name)) => Some(&**name),
                    _ => None,
                }
            });
            keys.forget(names);
        }
        Scratch {
            keys,
            nodes: emptied(self.nodes),
            finds: emptied(self.finds),
            hits: emptied(self.hits),
        }
    }

    /// Adds the root of a part.
    pub(crate) fn part(&mut self, part: Part, is_structured: bool) -> NodeId {
        let kind = NodeKind::Part {
            part,
            is_structured,
        };
        self.push(None, kind, None, false)
    }

    pub(crate) fn push(
        &mut self,
        parent: Option<NodeId>,
        kind: NodeKind,
        step: Option<Step>,
        is_person: bool,
    ) -> NodeId {
        self.nodes.push(Node {
            parent,
            kind,
            step,
            is_person,
            is_attribute: false,
        });
        self.nodes.len() - 1
    }

    /// Notes a gap at `node` and a step below it.
    pub(crate) fn gap(&mut self, kind: GapKind, node: NodeId, leaf: Option<&Step>) {
        let location = self.location(node, leaf);
        let is_same = |it: &Gap| it.kind == kind && it.location == location;
        if self.gaps.last().is_some_and(is_same) {
            return;
        }
        let repeats = self
            .gaps
            .iter()
            .filter(|it| it.kind == kind && it.location.part == location.part);
        if repeats.count() < REPEATS_MAX {
            self.gaps.push(Gap { kind, location });
        }
    }

    /// Spends one value of the budget; on `false` the message is read no further.
    pub(crate) fn count_value(&mut self, node: NodeId) -> bool {
        self.values += 1;
        if self.values > self.plan.budget.values {
            self.halt(GapKind::PartsExceeded, node);
        }
        !self.is_halted
    }

    /// Spends `units`; on `false` the message is read no further.
    pub(crate) fn spend(&mut self, units: u64, node: NodeId) -> bool {
        self.work = self.work.saturating_add(units);
        if self.work > self.plan.budget.work {
            self.halt(GapKind::WorkExceeded, node);
        }
        !self.is_halted
    }

    fn halt(&mut self, kind: GapKind, node: NodeId) {
        if !self.is_halted {
            self.is_halted = true;
            self.gap(kind, node, None);
        }
    }

    /// Drops the addresses found from `first` on that are ids of messages or parts (RFC 5322 §3.6.4), which are written as addresses
    /// are. `value` starts at `base`; an id that is written as people's addresses are is kept.
    pub(crate) fn drop_message_ids(&mut self, first: usize, value: &str, base: usize) {
        let mut place = 0;
        self.finds.retain(|it| {
            place += 1;
            let range = it.span.start.saturating_sub(base)..it.span.end.saturating_sub(base);
            let local = value.get(range).and_then(|it| it.split('@').next());
            place <= first || it.category != Category::Email || local.is_none_or(is_persons_address)
        });
    }

    /// Runs the detectors over `field`; whether there are hits to [`keep`](Self::keep). `near` is for the gap if the budget ends.
    pub(crate) fn detect(&mut self, field: &Field<'_>, near: NodeId) -> bool {
        if !self.can_read(field.text.len(), near) {
            return false;
        }
        self.hits.clear();
        let units = self.scan.scan(field, &mut self.hits);
        self.work = self.work.saturating_add(units);
        !self.hits.is_empty()
    }

    /// Counts a text of `length` bytes that holds nothing.
    pub(crate) fn pass_over(&mut self, length: usize, near: NodeId) {
        if self.can_read(length, near) {
            self.work = self.work.saturating_add(length as u64);
        }
    }

    /// Whether the name is known to hold nothing under these hints: its own and its parent's.
    pub(crate) fn is_clean_name(
        &mut self,
        id: KeyId,
        under: (KeyHint, KeyHint),
        near: NodeId,
    ) -> bool {
        let Some(work) = self.keys.clean(id, under) else {
            return false;
        };
        // It is counted as if it were read, so that a message means the same whichever came before it.
        if work > 0 && self.can_read(self.keys.text(id).len(), near) {
            self.work = self.work.saturating_add(work);
        }
        true
    }

    /// Reads a name that is the text of `field`: whether there are hits to [`keep`](Self::keep), and what is under its veils; `None`
    /// when it holds nothing.
    pub(crate) fn detect_name(
        &mut self,
        id: KeyId,
        field: &Field<'_>,
        near: NodeId,
    ) -> Option<(bool, Option<Unveiled>)> {
        let before = self.work;
        let has_hits = self.detect(field, near);
        let unveiled = veil::lift(field.text, field.signs);
        if has_hits || unveiled.is_some() {
            return Some((has_hits, unveiled));
        }
        if !self.is_halted {
            let under = (field.key, field.parent);
            self.keys.mark_clean(id, under, self.work - before);
        }
        None
    }

    /// Whether the budget lets a text of `length` bytes be read.
    fn can_read(&mut self, length: usize, near: NodeId) -> bool {
        let ahead = self.work.saturating_add(length as u64);
        let fits = ahead <= self.plan.budget.work;
        if !fits {
            self.halt(GapKind::WorkExceeded, near);
        }
        fits
    }

    /// Places the hits of the last [`detect`](Self::detect), whose text starts at `at` of `layer`'s text.
    pub(crate) fn keep(&mut self, spot: &Spot, layer: &Layer<'_>, at: usize) {
        let (is_encoded, line) = (layer.wholes() > 0, self.line);
        for hit in self.hits.drain(..) {
            self.finds.push(Find {
                category: hit.category,
                detector: hit.detector,
                confidence: hit.confidence,
                beside_person: hit.confidence_beside_person.max(hit.confidence),
                identifier: hit.identifier,
                span: layer.outward(hit.range.start + at..hit.range.end + at),
                spot: spot.clone(),
                is_encoded,
                line,
            });
        }
    }

    /// Places a hit that a reader made itself; its range is cut to the text of `layer`.
    pub(crate) fn note(&mut self, hit: Hit, spot: &Spot, layer: &Layer<'_>) {
        let line = self.line;
        self.finds.push(Find {
            category: hit.category,
            detector: hit.detector,
            confidence: hit.confidence,
            beside_person: hit.confidence_beside_person,
            identifier: hit.identifier,
            span: layer.outward(hit.range),
            spot: spot.clone(),
            is_encoded: layer.wholes() > 0,
            line,
        });
    }

    /// Whether the last [`detect`](Self::detect) found all of its text, `length` bytes, to be a number with a check digit.
    pub(crate) fn is_number(&self, length: usize) -> bool {
        self.hits.iter().any(|it| is_whole_number(it, length))
    }

    /// Keeps the number of the last [`detect`](Self::detect) once for each of the places, spans and lines that it is split over.
    pub(crate) fn keep_split(&mut self, places: Vec<(Spot, Range<usize>, usize)>) {
        let hit = self.hits.drain(..).max_by_key(|it| it.range.len());
        let Some(hit) = hit else { return };
        self.finds
            .extend(places.into_iter().map(|(spot, span, line)| Find {
                category: hit.category,
                detector: hit.detector,
                confidence: hit.confidence,
                beside_person: hit.confidence_beside_person.max(hit.confidence),
                identifier: hit.identifier.clone(),
                span,
                spot,
                is_encoded: false,
                line,
            }));
    }

    /// What the finds from `first` on say.
    pub(crate) fn said(&self, first: usize) -> Said {
        let mut said = Said::default();
        for it in self.finds.get(first..).unwrap_or_default() {
            said.add(it);
        }
        said
    }

    /// Drops the finds from `first` on that say no more than was said before; the others are said now.
    pub(crate) fn drop_repeats(&mut self, first: usize, said: &mut Said) {
        let mut fresh = self.finds.split_off(first.min(self.finds.len()));
        fresh.retain(|it| !said.covers(it));
        for it in &fresh {
            said.add(it);
        }
        self.finds.extend(fresh);
    }

    /// The part that `node` is in.
    pub(crate) fn part_of(&self, node: NodeId) -> Part {
        let mut at = Some(node);
        while let Some(node) = at.and_then(|it| self.nodes.get(it)) {
            if let NodeKind::Part { part, .. } = node.kind {
                return part;
            }
            at = node.parent;
        }
        Part::Body
    }

    /// The place of `node` and a step below it.
    pub(crate) fn location(&self, node: NodeId, leaf: Option<&Step>) -> Location {
        let mut steps: Vec<Step> = leaf.cloned().into_iter().collect();
        let mut inner: Option<Vec<Step>> = None;
        let mut name: Option<Arc<str>> = None;
        let mut at = Some(node);
        while let Some(node) = at.and_then(|it| self.nodes.get(it)) {
            match (node.kind, &node.step) {
                (NodeKind::Inner, _) => inner
                    .get_or_insert_default()
                    .append(&mut std::mem::take(&mut steps)),
                (NodeKind::Field, Some(Step::Name(it))) => name = Some(Arc::clone(it)),
                (
                    NodeKind::Part {
                        part,
                        is_structured,
                    },
                    _,
                ) => {
                    let path = is_structured || !steps.is_empty();
                    return Location {
                        part,
                        name,
                        path: path.then(|| steps.into_iter().rev().collect()),
                        inner: inner.map(|it| it.into_iter().rev().collect()),
                    };
                }
                (_, step) => steps.extend(step.clone()),
            }
            at = node.parent;
        }
        Location {
            part: Part::Body,
            name,
            path: None,
            inner: None,
        }
    }
}
