//! Question 4: categories that never leave. What may leave only if named is asked of the records.

use crate::{
    model::{
        Category, CategorySet,
        decision::{Reason, ReasonCode},
    },
    policy::{case::Case, findings::Findings},
};

/// Asks.
pub(in crate::policy) fn ask(case: &Case<'_>, findings: &mut Findings<'_>) {
    if case.rules.never.is_empty() {
        return;
    }
    for (person, it) in (0..).zip(&case.transfer.persons) {
        let mut left = it.categories.intersection(case.rules.never);
        while let Some(first) = left.iter().next() {
            let code = code(first);
            let same: CategorySet = left.iter().filter(|it| self::code(*it) == code).collect();
            left = left.minus(same);
            findings.add(Reason {
                person: Some(person),
                categories: same,
                ..case.reason(code)
            });
        }
    }
}

const fn code(category: Category) -> ReasonCode {
    if category.is_special() {
        ReasonCode::SpecialCategoryForbidden
    } else if category.is_card_data() {
        ReasonCode::PaymentData
    } else if matches!(category, Category::Voice) {
        ReasonCode::CallRecording
    } else {
        ReasonCode::CategoryForbidden
    }
}
