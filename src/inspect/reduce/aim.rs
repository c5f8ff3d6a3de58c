//! What is to be taken out, by the text that it stands in.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::Order;
use crate::model::{
    Category, CategorySet, destination::Operator, finding::Part, inspection::Inspection,
};

/// A text of the message: the path, the query, the body, or one line of the head or the trailer, by its number.
pub(super) type Place = (Part, usize);

/// One finding that is to be taken out.
#[derive(Clone, Debug)]
pub(super) struct Aim {
    /// Its bytes of the text.
    pub(super) span: Range<usize>,
    pub(super) category: Category,
    pub(super) operator: Operator,
    pub(super) in_key: bool,
    /// Its bytes are an encoding as a whole.
    pub(super) is_encoded: bool,
    /// It counts only if it shows a value that is taken out elsewhere.
    pub(super) is_weak: bool,
    /// Name beside its path.
    pub(super) name: Option<Arc<str>>,
    /// Index into the inspection's findings.
    pub(super) finding: usize,
    /// Whether something was done about it.
    pub(super) is_met: bool,
}

/// The aims of `order`, by place and in the order of their bytes.
pub(super) fn collect(inspection: &Inspection, order: &Order<'_>) -> BTreeMap<Place, Vec<Aim>> {
    let mut aims: BTreeMap<Place, Vec<Aim>> = BTreeMap::new();
    let mut add = |at: usize, operator: Operator, is_weak: bool| {
        let Some(finding) = inspection.findings.get(at) else {
            return;
        };
        let place = (finding.location.part, finding.line);
        aims.entry(place).or_default().push(Aim {
            span: finding.span.clone(),
            category: finding.category,
            operator,
            in_key: finding.in_key,
            is_encoded: finding.is_encoded,
            is_weak,
            name: finding.location.name.clone(),
            finding: at,
            is_met: false,
        });
    };
    let mut wanted = CategorySet::EMPTY;
    for (index, categories) in order.fields {
        wanted = wanted.union(*categories);
        let Some(person) = inspection.persons.get(*index) else {
            continue;
        };
        for at in &person.findings {
            let Some(finding) = inspection.findings.get(*at) else {
                continue;
            };
            if categories.contains(finding.category) && finding.acts {
                add(*at, (order.operator)(*index, finding.category), false);
            }
        }
    }
    for (at, finding) in inspection.findings.iter().enumerate() {
        if wanted.contains(finding.category) && !finding.acts {
            add(at, Operator::Remove, true);
        }
    }
    for list in aims.values_mut() {
        list.sort_by_key(|it| (it.span.start, it.span.end));
    }
    aims
}
