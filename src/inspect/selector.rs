//! RFC 9535 selectors. Names, indexes, wildcards and one `..` of all selectors together run as one bit-parallel automaton during the
//! reader's pass; filters, slices, unions and negative indexes are answered by jsonpath-rust over a tree, built only for plans that
//! have such a selector.

use std::collections::BTreeMap;

use jsonpath_rust::{
    parser::{
        errors::JsonPathError,
        model::{
            Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Segment, Selector as Pick,
            Test, TestFunction,
        },
        parse_json_path,
    },
    query::js_path_process,
};
use serde_json::Value;

use crate::model::{finding::Part, inspection::Selector, subject::IdentifierKind};

/// What a selected value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    NotPersonal,
    Record,
    /// Index of the section in the plan.
    Section(usize),
    Subject(IdentifierKind),
}

/// What one value was selected for; sections are noted in [`Track::sections`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Roles {
    pub(crate) is_record: bool,
    pub(crate) is_not_personal: bool,
    /// A bit for each of [`IdentifierKind::ALL`].
    subjects: u8,
}

impl Roles {
    fn add(&mut self, role: Role, sections: &mut [bool]) {
        match role {
            Role::NotPersonal => self.is_not_personal = true,
            Role::Record => self.is_record = true,
            Role::Section(at) => {
                if let Some(section) = sections.get_mut(at) {
                    *section = true;
                }
            }
            Role::Subject(kind) => self.subjects |= 1 << kind as u8,
        }
    }

    /// Whether the value was selected as an identifier.
    pub(crate) const fn is_subject(self) -> bool {
        self.subjects != 0
    }

    /// The kinds of identifier that the value was selected as.
    pub(crate) fn subjects(self) -> impl Iterator<Item = IdentifierKind> {
        IdentifierKind::ALL
            .iter()
            .copied()
            .filter(move |it| self.subjects & (1 << *it as u8) != 0)
    }

    /// The roles that hold for a part of the value too.
    pub(crate) const fn without_record(self) -> Self {
        Self {
            is_record: false,
            ..self
        }
    }

    /// Roles of either.
    pub(crate) const fn union(self, other: Self) -> Self {
        Self {
            is_record: self.is_record || other.is_record,
            is_not_personal: self.is_not_personal || other.is_not_personal,
            subjects: self.subjects | other.subjects,
        }
    }
}

/// One step of a selector.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Hop {
    is_descendant: bool,
    pick: Simple,
    /// What is reached when this is the last hop.
    role: Option<Role>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Simple {
    Any,
    Index(u64),
    Name(Box<str>),
}

/// The step from a value to its child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Child<'a> {
    Index(u64),
    /// A member; some formats have names that selectors know by a shorter form too.
    Name {
        name: &'a str,
        local: &'a str,
    },
}

/// All selectors of a plan.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Selectors {
    /// Hops of all simple selectors, one after another: bit `n` of a state says that hop `n` is to be taken next.
    hops: Vec<Hop>,
    /// The bits that are set at the root.
    first: Vec<usize>,
    /// Roles of the root itself.
    root: Vec<Role>,
    complex: Vec<(JpQuery, Role)>,
    named: Vec<(Part, Box<str>, Role)>,
}

impl Selectors {
    /// Adds `selector`.
    ///
    /// # Errors
    /// Names the selector, what is wrong with it and the mend.
    pub(crate) fn add(&mut self, selector: &Selector, role: Role) -> Result<(), String> {
        let at = selector.at.as_str();
        match selector.part {
            Part::Body => self.add_path(at, role),
            Part::Header | Part::Query | Part::Trailer => {
                if at.is_empty() {
                    return Err(format!(
                        "a selector in {} needs the name of a parameter or field",
                        selector.part.as_str()
                    ));
                }
                let name = match selector.part {
                    Part::Query => at.to_owned(),
                    Part::Body | Part::Header | Part::Path | Part::Trailer => {
                        at.to_ascii_lowercase()
                    }
                };
                self.named.push((selector.part, name.into(), role));
                Ok(())
            }
            Part::Path => {
                let number: u64 = at.parse().map_err(|_| {
                    format!("selector `{at}` in path: write the number of the segment, from 0")
                })?;
                self.named
                    .push((Part::Path, number.to_string().into(), role));
                Ok(())
            }
        }
    }

    fn add_path(&mut self, text: &str, role: Role) -> Result<(), String> {
        let query = parse_json_path(text).map_err(|it| unparsed(text, &it))?;
        check_segments(&query.segments, false)
            .map_err(|why| format!("selector `{text}`: {why}"))?;
        let Some(mut hops) = simple(&query.segments) else {
            self.complex.push((query, role));
            return Ok(());
        };
        match hops.last_mut() {
            Some(last) => {
                last.role = Some(role);
                self.first.push(self.hops.len());
                self.hops.append(&mut hops);
            }
            None => self.root.push(role),
        }
        Ok(())
    }

    /// Whether some selector needs the whole document as a tree.
    pub(crate) const fn needs_tree(&self) -> bool {
        !self.complex.is_empty()
    }

    /// Whether no selector looks into bodies.
    pub(crate) const fn has_no_paths(&self) -> bool {
        self.hops.is_empty() && self.root.is_empty() && self.complex.is_empty()
    }

    /// Whether no selector names a segment, parameter or field.
    pub(crate) const fn has_no_names(&self) -> bool {
        self.named.is_empty()
    }

    /// Roles of a parameter, field or segment.
    pub(crate) fn named(&self, part: Part, name: &str, sections: &mut [bool]) -> Roles {
        let mut roles = Roles::default();
        for (_, _, role) in self
            .named
            .iter()
            .filter(|it| it.0 == part && &*it.1 == name)
        {
            roles.add(*role, sections);
        }
        roles
    }

    /// What the selectors that need a tree select in `value`: numbers of values in document order (the root is 0), ascending.
    pub(crate) fn in_tree(&self, value: &Value) -> Vec<(u64, Role)> {
        let mut selected: BTreeMap<*const Value, Vec<Role>> = BTreeMap::new();
        for (query, role) in &self.complex {
            for found in js_path_process(query, value).unwrap_or_default() {
                selected.entry(found.val()).or_default().push(*role);
            }
        }
        let mut out = Vec::new();
        let mut stack = vec![value];
        let mut number = 0;
        while let Some(value) = stack.pop() {
            let roles = selected.get(&std::ptr::from_ref(value));
            out.extend(roles.into_iter().flatten().map(|it| (number, *it)));
            number += 1;
            match value {
                Value::Array(items) => stack.extend(items.iter().rev()),
                Value::Object(members) => stack.extend(members.values().rev()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        out
    }
}

/// Says that `text` is no path, and at which character, where the parser knows one.
fn unparsed(text: &str, error: &JsonPathError) -> String {
    let told = if let JsonPathError::PestError(it) = error {
        it.to_string()
    } else {
        String::new()
    };
    let place = told.lines().find_map(|it| {
        let (_, place) = it.split_once("--> 1:")?;
        place.trim().parse::<usize>().ok()
    });
    let at = place.map(|number| {
        let rest: String = text.chars().skip(number.saturating_sub(1)).collect();
        if rest.is_empty() {
            ": it breaks off".to_owned()
        } else {
            format!(": it cannot be read from character {number} on, `{rest}`")
        }
    });
    format!(
        "selector `{text}` is not an RFC 9535 path such as $.customers[*].email{}",
        at.unwrap_or_default()
    )
}

/// The hops of `segments`, when they need no tree.
fn simple(segments: &[Segment]) -> Option<Vec<Hop>> {
    segments
        .iter()
        .map(|segment| {
            let (is_descendant, segment) = match segment {
                Segment::Descendant(inner) => (true, &**inner),
                Segment::Selector(_) | Segment::Selectors(_) => (false, segment),
            };
            let Segment::Selector(pick) = segment else {
                return None;
            };
            let pick = match pick {
                Pick::Name(name) => Simple::Name(name.as_str().into()),
                Pick::Wildcard => Simple::Any,
                Pick::Index(at) => Simple::Index(u64::try_from(*at).ok()?),
                Pick::Slice(..) | Pick::Filter(_) => return None,
            };
            Some(Hop {
                is_descendant,
                pick,
                role: None,
            })
        })
        .collect()
}

/// Refuses what would be answered wrongly or at a cost that grows with the product of matches.
fn check_segments(segments: &[Segment], in_filter: bool) -> Result<(), String> {
    let mut descendants = 0;
    for segment in segments {
        let segment = match segment {
            Segment::Descendant(inner) => {
                descendants += 1;
                &**inner
            }
            Segment::Selector(_) | Segment::Selectors(_) => segment,
        };
        let picks = match segment {
            Segment::Selector(pick) => std::slice::from_ref(pick),
            Segment::Selectors(picks) => picks.as_slice(),
            Segment::Descendant(_) => return Err("`..` cannot follow `..`; write one".to_owned()),
        };
        for pick in picks {
            match pick {
                Pick::Filter(_) if in_filter => {
                    return Err(
                        "a filter inside a filter is not supported; write two selectors".to_owned(),
                    );
                }
                Pick::Filter(filter) => check_filter(filter)?,
                Pick::Name(_) | Pick::Wildcard | Pick::Index(_) | Pick::Slice(..) => {}
            }
        }
    }
    if descendants > 1 {
        return Err("more than one `..`; name the members between them".to_owned());
    }
    Ok(())
}

fn check_filter(filter: &Filter) -> Result<(), String> {
    match filter {
        Filter::Or(parts) | Filter::And(parts) => parts.iter().try_for_each(check_filter),
        Filter::Atom(FilterAtom::Filter { expr, .. }) => check_filter(expr),
        Filter::Atom(FilterAtom::Test { expr, .. }) => match &**expr {
            Test::RelQuery(segments) => check_segments(segments, true),
            Test::AbsQuery(query) => check_segments(&query.segments, true),
            Test::Function(function) => {
                check_function(function)?;
                Err("the result of a function must be compared, as in `count(@.a) > 1`".to_owned())
            }
        },
        Filter::Atom(FilterAtom::Comparison(comparison)) => {
            let (Comparison::Eq(left, right)
            | Comparison::Ne(left, right)
            | Comparison::Gt(left, right)
            | Comparison::Gte(left, right)
            | Comparison::Lt(left, right)
            | Comparison::Lte(left, right)) = &**comparison;
            for side in [left, right] {
                if let Comparable::Function(function) = side {
                    check_function(function)?;
                }
            }
            Ok(())
        }
    }
}

/// RFC 9535 §2.4.3: `length` takes a value, `count` and `value` take nodes.
fn check_function(function: &TestFunction) -> Result<(), String> {
    let check_query = |argument: &FnArg| match argument {
        FnArg::Test(test) => match &**test {
            Test::RelQuery(segments) => check_segments(segments, true),
            Test::AbsQuery(query) => check_segments(&query.segments, true),
            Test::Function(_) => Err("`count` and `value` take a path".to_owned()),
        },
        FnArg::Literal(_) | FnArg::Filter(_) => Err("`count` and `value` take a path".to_owned()),
    };
    match function {
        TestFunction::Length(argument) => match &**argument {
            FnArg::Literal(_) => Ok(()),
            FnArg::Test(test) => match &**test {
                Test::RelQuery(segments) if is_singular(segments) => Ok(()),
                Test::AbsQuery(query) if is_singular(&query.segments) => Ok(()),
                Test::Function(inner) => check_function(inner),
                Test::RelQuery(_) | Test::AbsQuery(_) => {
                    Err("`length` takes one value; use `count` for several".to_owned())
                }
            },
            FnArg::Filter(_) => Err("`length` takes a value".to_owned()),
        },
        TestFunction::Count(argument) | TestFunction::Value(argument) => check_query(argument),
        TestFunction::Match(..) | TestFunction::Search(..) => {
            Err("`match()` and `search()` are not supported; compare with `==`".to_owned())
        }
        TestFunction::Custom(name, _) => Err(format!("`{name}()` is not a function of RFC 9535")),
    }
}

fn is_singular(segments: &[Segment]) -> bool {
    segments
        .iter()
        .all(|it| matches!(it, Segment::Selector(Pick::Name(_) | Pick::Index(_))))
}

/// The automaton's run over one document.
#[derive(Clone, Debug)]
pub(crate) struct Track<'p> {
    selectors: &'p Selectors,
    /// Words in a state.
    width: usize,
    /// The states of the root and of each open container and value below it.
    states: Vec<u64>,
    /// Values selected over the tree.
    in_tree: Vec<(u64, Role)>,
    next_in_tree: usize,
    number: u64,
    pub(crate) sections: Vec<bool>,
}

impl<'p> Track<'p> {
    /// A run over a document in which [`Selectors::in_tree`] selected `in_tree`; `sections` is how many the plan has.
    pub(crate) fn new(
        selectors: &'p Selectors,
        in_tree: Vec<(u64, Role)>,
        sections: usize,
    ) -> Self {
        Self {
            selectors,
            width: selectors.hops.len().div_ceil(64),
            states: Vec::new(),
            in_tree,
            next_in_tree: 0,
            number: 0,
            sections: vec![false; sections],
        }
    }

    /// Enters the root, in document order.
    pub(crate) fn root(&mut self) -> Roles {
        let mut roles = Roles::default();
        self.states.clear();
        self.states.resize(self.width, 0);
        for at in &self.selectors.first {
            set(&mut self.states, *at);
        }
        for role in &self.selectors.root {
            roles.add(*role, &mut self.sections);
        }
        self.count(&mut roles);
        roles
    }

    /// Enters the value `child` of the container at `depth` (the root is 0), in document order.
    pub(crate) fn child(&mut self, depth: usize, child: Child<'_>) -> Roles {
        let mut roles = Roles::default();
        self.count(&mut roles);
        self.step(depth, child, &mut roles);
        roles
    }

    /// After [`child`](Self::child), for the only value of a name in a format that cannot tell one value from a list of one: it is the
    /// first element of such a list as well.
    pub(crate) fn lone(&mut self, depth: usize) -> Roles {
        let mut roles = Roles::default();
        self.step(depth + 1, Child::Index(0), &mut roles);
        self.join(depth + 1, depth + 2);
        roles
    }

    /// After [`child`](Self::child), for an element of a list that stands for a repeated name: where a selector leaves the index out,
    /// every value of the name is meant.
    pub(crate) fn repeated(&mut self, depth: usize) {
        self.join(depth + 1, depth);
    }

    /// Adds the state at depth `from` to the one at depth `to`.
    fn join(&mut self, to: usize, from: usize) {
        for word in 0..self.width {
            let more = self.states.get(from * self.width + word).copied();
            if let (Some(more), Some(word)) = (more, self.states.get_mut(to * self.width + word)) {
                *word |= more;
            }
        }
    }

    fn count(&mut self, roles: &mut Roles) {
        while let Some((number, role)) = self.in_tree.get(self.next_in_tree) {
            if *number > self.number {
                break;
            }
            roles.add(*role, &mut self.sections);
            self.next_in_tree += 1;
        }
        self.number += 1;
    }

    fn step(&mut self, depth: usize, child: Child<'_>, roles: &mut Roles) {
        let (from, to) = (depth * self.width, (depth + 1) * self.width);
        self.states.truncate(to);
        self.states.resize(to + self.width, 0);
        let Some((parents, state)) = self.states.split_at_mut_checked(to) else {
            return;
        };
        for (word_at, word) in parents.iter().skip(from).enumerate() {
            let mut word = *word;
            while word != 0 {
                let at = word_at * 64 + word.trailing_zeros() as usize;
                word &= word - 1;
                let Some(hop) = self.selectors.hops.get(at) else {
                    break;
                };
                if hop.is_descendant {
                    set(state, at);
                }
                let is_taken = match (&hop.pick, child) {
                    (Simple::Any, _) => true,
                    (Simple::Index(index), Child::Index(it)) => *index == it,
                    (Simple::Name(pick), Child::Name { name, local }) => {
                        **pick == *name || **pick == *local
                    }
                    (Simple::Index(_), Child::Name { .. }) | (Simple::Name(_), Child::Index(_)) => {
                        false
                    }
                };
                match hop.role {
                    Some(role) if is_taken => roles.add(role, &mut self.sections),
                    None if is_taken => set(state, at + 1),
                    Some(_) | None => {}
                }
            }
        }
    }
}

fn set(state: &mut [u64], at: usize) {
    if let Some(word) = state.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}
