//! Message → inspection, and reduction back. Pure: bytes in, findings and gaps out.
//!
//! Parts are read in the order path, query, header, body, trailer. A reader (`format`) turns a part into fields for the detectors
//! ([`detect`]) and knows the way back to bytes; the plan's selectors are matched in the same pass; `person` then says who the
//! findings are about.

mod charset;
mod claim;
mod coding;
mod confidence;
mod content;
pub mod detect;
mod format;
pub mod key_names;
mod look_alikes;
mod media_type;
mod person;
mod reduce;
mod selector;
mod signature;
mod signs;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeSet};

pub use format::reading::Scratch;
pub use reduce::{Order, Reduced, Token};

use crate::model::{
    Category, Purpose, Timestamp,
    finding::{Confidence, Part, Threshold, ThresholdOf},
    inspection::{Budget, Inspection, PlanSpec},
    message::Message,
};
use detect::Detectors;
use format::reading::{Lexicon, Reading, Scan};
use key_names::KeyNames;
use selector::{Role, Selectors};

/// Reads messages. One per process; immutable.
#[derive(Debug, Default)]
pub struct Inspector {
    lexicon: Lexicon,
}

/// A [`PlanSpec`] compiled for the one pass over a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    selectors: Selectors,
    has_records: bool,
    /// Purposes of the sections, in the order of the plan.
    sections: Vec<Purpose>,
    confidence_min: Confidence,
    /// In the order in which they are asked.
    thresholds: Vec<Threshold>,
    combination_min: u32,
    budget: Budget,
    /// Instants at which exceptions end, latest first, each with the plan from then on.
    later: Vec<(Timestamp, Self)>,
}

impl Default for Plan {
    fn default() -> Self {
        let spec = PlanSpec::default();
        Self {
            selectors: Selectors::default(),
            has_records: false,
            sections: Vec::new(),
            confidence_min: spec.confidence_min,
            thresholds: spec.thresholds,
            combination_min: spec.combination_min,
            budget: spec.budget,
            later: Vec::new(),
        }
    }
}

/// A message could not be reduced to the same shape; it must not be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message cannot be reduced: {0}")]
pub struct ReductionFailed(pub &'static str);

impl Inspector {
    /// An inspector with these detectors and this dictionary.
    pub const fn new(detectors: Detectors, key_names: KeyNames) -> Self {
        Self {
            lexicon: Lexicon {
                detectors,
                key_names,
            },
        }
    }

    /// Compiles `spec`.
    ///
    /// # Errors
    /// A selector is not RFC 9535, or of a form that is refused; the text names it and the mend.
    pub fn compile(&self, spec: &PlanSpec) -> Result<Plan, String> {
        Plan::compile(spec)
    }

    /// Reads `message`. Total: what cannot be read is a gap. One pass, with work bounded by the plan's budget.
    pub fn inspect(&self, message: &Message, plan: &Plan) -> Inspection {
        self.inspect_with(message, plan, &mut Scratch::default())
    }

    /// As [`inspect`](Self::inspect), faster for one message after another: `scratch` keeps what is known of names and empty buffers,
    /// and must be used with inspectors of one dictionary only. The result does not depend on it.
    pub fn inspect_with(
        &self,
        message: &Message,
        plan: &Plan,
        scratch: &mut Scratch,
    ) -> Inspection {
        inspect(&self.lexicon, message, plan, scratch)
    }

    /// The text that body spans of `message` refer to: the body without its content coding, in UTF-8; `None` when it is not text
    /// here.
    pub fn decoded_body<'m>(&self, message: &'m Message, plan: &Plan) -> Option<Cow<'m, str>> {
        let opened = content::open(message, &plan.budget);
        opened.content.ok()?.into_text()
    }

    /// Whether `name` is a member or field name of the key dictionary, and so may be printed in locations.
    pub fn is_known_key(&self, name: &str) -> bool {
        self.lexicon.key_names.is_known(name)
    }

    /// `message` without what `order` names, same shape and coding-free. Every other byte of the content is as it was; digests of
    /// the whole content are taken out, since they no longer hold. `plan` is the one by which `inspection` was made.
    ///
    /// # Errors
    /// Something cannot be taken out so that the rest stays valid and the same.
    pub fn reduce(
        &self,
        message: &Message,
        inspection: &Inspection,
        plan: &Plan,
        order: &Order<'_>,
    ) -> Result<Reduced, ReductionFailed> {
        reduce::reduce(message, inspection, &plan.budget, order)
    }

    /// Reads a reduced message like any other, but for what the reduction wrote into it: that is neither found nor anybody's.
    pub fn inspect_reduced(&self, reduced: &Reduced, plan: &Plan) -> Inspection {
        inspect_reduced(&self.lexicon, reduced, plan)
    }
}

impl Plan {
    /// Whether a finding is acted on.
    fn acts(&self, category: Category, detector: &str, confidence: Confidence) -> bool {
        let own = self
            .thresholds
            .iter()
            .find(|it| it.covers(category, detector));
        match own {
            Some(threshold) => threshold.min.is_some_and(|min| confidence >= min),
            None => confidence >= self.confidence_min,
        }
    }

    /// The plan in force at `at`: without the exceptions that have ended by then.
    pub fn at(&self, at: Timestamp) -> &Self {
        let ended = self.later.iter().find(|(end, _)| *end <= at);
        ended.map_or(self, |(_, plan)| plan)
    }

    fn compile(spec: &PlanSpec) -> Result<Self, String> {
        let mut plan = Self::compile_whole(spec)?;
        let exceptions = spec.not_personal_until.iter().map(|it| it.1);
        let thresholds = spec.thresholds.iter().filter_map(|it| it.until);
        let ends: BTreeSet<Timestamp> = exceptions.chain(thresholds).collect();
        for end in ends.into_iter().rev() {
            let mut rest = spec.clone();
            rest.not_personal_until.retain(|it| it.1 > end);
            rest.thresholds
                .retain(|it| it.until.is_none_or(|until| until > end));
            plan.later.push((end, Self::compile_whole(&rest)?));
        }
        Ok(plan)
    }

    /// The plan with every exception of `spec`, whenever it ends.
    fn compile_whole(spec: &PlanSpec) -> Result<Self, String> {
        let mut selectors = Selectors::default();
        if let Some(records) = &spec.records {
            if records.part != Part::Body {
                return Err(format!(
                    "records selector `{}` must look into the body",
                    records.at
                ));
            }
            selectors.add(records, Role::Record)?;
        }
        for (selector, kind) in &spec.subjects {
            selectors.add(selector, Role::Subject(*kind))?;
        }
        let ending = spec.not_personal_until.iter().map(|it| &it.0);
        for selector in spec.not_personal.iter().chain(ending) {
            selectors.add(selector, Role::NotPersonal)?;
        }
        for (at, (selector, _)) in spec.sections.iter().enumerate() {
            selectors.add(selector, Role::Section(at))?;
        }
        Ok(Self {
            selectors,
            has_records: spec.records.is_some(),
            sections: spec.sections.iter().map(|it| it.1.clone()).collect(),
            confidence_min: spec.confidence_min,
            thresholds: in_order(&spec.thresholds),
            combination_min: spec.combination_min,
            budget: spec.budget.clone(),
            later: Vec::new(),
        })
    }
}

/// Thresholds of detectors first, then those of few categories.
fn in_order(thresholds: &[Threshold]) -> Vec<Threshold> {
    let mut out = thresholds.to_vec();
    out.sort_by_key(|it| match &it.of {
        ThresholdOf::Detector(_) => 0,
        ThresholdOf::Categories(set) => set.len(),
    });
    out
}

/// Reads `message` with any detection.
fn inspect<S: Scan>(scan: &S, message: &Message, plan: &Plan, scratch: &mut Scratch) -> Inspection {
    let mut reading = read(scan, message, plan, std::mem::take(scratch));
    let inspection = conclude(&mut reading, message);
    *scratch = reading.into_scratch();
    inspection
}

/// The same for a reduced message, without what was written into it.
fn inspect_reduced<S: Scan>(scan: &S, reduced: &Reduced, plan: &Plan) -> Inspection {
    let mut reading = read(scan, &reduced.message, plan, Scratch::default());
    reduce::strip(&mut reading, reduced);
    conclude(&mut reading, &reduced.message)
}

fn read<'p, S: Scan>(
    scan: &'p S,
    message: &Message,
    plan: &'p Plan,
    scratch: Scratch,
) -> Reading<'p, S> {
    let mut reading = Reading::new(scan, plan, scratch);
    format::head::read_path(&mut reading, message);
    if !reading.is_halted {
        format::head::read_query(&mut reading, message);
    }
    if !reading.is_halted {
        format::head::read_fields(&mut reading, &message.headers, Part::Header);
    }
    if !reading.is_halted {
        format::body::read(&mut reading, message);
    }
    if !reading.is_halted {
        format::head::read_fields(&mut reading, &message.trailers, Part::Trailer);
    }
    reading
}

fn conclude<S: Scan>(reading: &mut Reading<'_, S>, message: &Message) -> Inspection {
    let mut inspection = person::conclude(reading);
    inspection.is_signed = signature::is_signed(message);
    inspection
}
