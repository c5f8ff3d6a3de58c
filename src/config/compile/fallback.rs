//! What may be done instead of a refusal, and how.

use std::{collections::BTreeMap, sync::Arc};

use super::{super::raw_destination as raw, context::Context};
use crate::{
    config::yaml::Trail,
    model::{
        Category, CategorySet,
        destination::{Fallback, Operator},
        law::{CategoryRule, Reading},
    },
};

/// The reductions that the destination at `at` allows.
pub(super) fn compile(cx: &Context<'_>, at: &Trail, raw: &raw::Destination) -> Fallback {
    let at = at.key("fallback");
    let list = &raw.fallback;
    for (index, it) in list.iter().enumerate() {
        if list.iter().take(index).any(|before| before == it) {
            cx.error(
                &at.index(index),
                "the fallback stands here twice",
                "write it once",
            );
        }
    }
    if list.contains(&raw::Fallback::Block) && list.len() > 1 {
        let fix = "write `block` alone, or only the reductions";
        cx.error(&at, "`block` stands beside other fallbacks", fix);
    }
    let drop_records = list.contains(&raw::Fallback::DropRecords);
    if drop_records && !raw.routes.iter().any(|it| it.records.is_some()) {
        cx.warning(
            &at,
            "no route says what a record is, so that `drop-records` drops nothing",
            "write `records: \"$.path[*]\"` in the routes that send batches",
        );
    }
    Fallback {
        drop_records,
        reduce_fields: list.contains(&raw::Fallback::ReduceFields),
    }
}

/// What is done to each category. A parent covers its children; what is written of a child prevails.
pub(super) fn operators(
    cx: &Context<'_>,
    at: &Trail,
    raw: &raw::Destination,
    readings: &[Arc<Reading>],
) -> BTreeMap<Category, Operator> {
    let (fallback_at, at) = (at.key("fallback"), at.key("operators"));
    let is_unread = cx.is_unread(&fallback_at);
    if !raw.operators.is_empty()
        && !is_unread
        && !raw.fallback.contains(&raw::Fallback::ReduceFields)
    {
        cx.error(
            &at,
            "`operators` say how fields are reduced, and none are here",
            "write `fallback: [reduce-fields]`, or remove the key",
        );
    }
    let mut operators = BTreeMap::new();
    // A parent sorts before its children, so the longest code is applied last and wins.
    for (code, operator) in &raw.operators {
        let at = at.key(code);
        let Some(named) = cx.category(&at, code) else {
            continue;
        };
        if named.iter().all(|it| operators.get(&it) == Some(operator)) {
            cx.warning(
                &at,
                format!("the parent of `{code}` says the same already"),
                "remove one of the two",
            );
        }
        if *operator != Operator::Remove
            && let Some(profile) = forbids(readings, named)
        {
            cx.warning(
                &at,
                format!("`{code}` never leaves under the profile {profile}: it is removed, whatever is written here"),
                "write `remove`, or nothing",
            );
        }
        operators.extend(named.iter().map(|it| (it, *operator)));
    }
    operators
}

/// The profile under which none of `named` ever leaves.
fn forbids(readings: &[Arc<Reading>], named: CategorySet) -> Option<&str> {
    let is_never = |it: &&Arc<Reading>| {
        let mut never = CategorySet::EMPTY;
        for (code, rule) in &it.profile.categories {
            // Every code of a profile was read before.
            let set = CategorySet::named(code).unwrap_or_default();
            never = match rule {
                CategoryRule::Never => never.union(set),
                CategoryRule::OnlyIfNamed | CategoryRule::Ordinary => never.minus(set),
            };
        }
        never.contains_all(named)
    };
    let mut readings = readings.iter();
    readings.find(is_never).map(|it| &*it.profile.code)
}
