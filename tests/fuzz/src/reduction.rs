//! Inspect, reduce, read again: what left the gate holds nothing that was to go, and is still what it was.

use serde_json::Value;

use crate::{
    checks,
    inspect::Order,
    model::{
        CategorySet, destination::Operator, finding::Part, inspection::Inspection, message::Message,
    },
    targets::message,
};

const TYPES: [&str; 8] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b7MA4",
    "application/xml",
    "text/csv",
    "application/x-ndjson",
    "text/plain; charset=utf-8",
    "text/tab-separated-values",
];

/// The first byte chooses the format, the second what is done.
pub fn reduce(data: &[u8]) {
    let [kind, how, body @ ..] = data else {
        return;
    };
    let label = TYPES[usize::from(*kind) % TYPES.len()];
    let before_message = message(label, body);
    let before = checks::read(&before_message);
    let operator = match how % 3 {
        0 => Operator::Remove,
        1 => Operator::Mask,
        _ => Operator::Pseudonymise,
    };
    let fields: Vec<_> = (0..before.persons.len())
        .map(|it| (it, CategorySet::all()))
        .collect();
    let order = Order {
        records: &[],
        fields: &fields,
        operator: &|_, _| operator,
        token: &|category, value| format!("p{:x}{}", value.len(), category.code().len()),
    };
    let inspector = checks::inspector();
    let Ok(reduced) = inspector.reduce(&before_message, &before, checks::plan(), &order) else {
        return;
    };
    let after = inspector.inspect_reduced(&reduced, checks::plan());
    if !no_new_gap(&before, &after) || reduced.check(&before, &after).is_err() {
        // The gate refuses the message then.
        return;
    }
    let left = after.findings.iter().find(|it| it.acts);
    assert!(left.is_none(), "{:?} is left", left.map(|it| it.detector));
    gone(&before_message, &before, &reduced.message);
    shape(label, &before_message, &reduced.message, operator);
    checks::read(&reduced.message);
}

fn no_new_gap(before: &Inspection, after: &Inspection) -> bool {
    after
        .gaps
        .iter()
        .all(|it| before.gaps.iter().any(|old| old.kind == it.kind))
}

/// No value of an address, sure enough and written plainly, stands in what is left.
fn gone(message: &Message, read: &Inspection, left: &Message) {
    let inspector = checks::inspector();
    let (Some(old), Some(new)) = (
        inspector.decoded_body(message, checks::plan()),
        inspector.decoded_body(left, checks::plan()),
    ) else {
        return;
    };
    let met = read.findings.iter().filter(|it| {
        it.location.part == Part::Body
            && it.acts
            && !it.is_encoded
            && matches!(it.detector, "email" | "phone" | "payment-card" | "iban")
    });
    for finding in met {
        let value = &old[finding.span.clone()];
        if value.chars().count() >= 6 {
            assert!(
                !new.contains(value),
                "a value of {} still stands there",
                finding.detector
            );
        }
    }
}

/// The format still parses, and what was not taken out is where it was.
fn shape(label: &str, before: &Message, after: &Message, operator: Operator) {
    if label == TYPES[0] {
        let Ok(old) = serde_json::from_slice::<Value>(&before.body) else {
            return;
        };
        let new = serde_json::from_slice::<Value>(&after.body);
        let new = new.expect("reduced JSON parses");
        assert!(within(&new, &old, operator), "another shape");
    }
    if label == TYPES[4] && !before.body.contains(&b'"') {
        let count = |it: &Message, byte| memchr::memchr_iter(byte, &it.body).count();
        assert!(
            count(before, b'\n') == count(after, b'\n'),
            "rows were lost"
        );
    }
}

/// Whether `new` is `old` but for members that went and strings that changed.
fn within(new: &Value, old: &Value, operator: Operator) -> bool {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            // A name may be data itself and be written over.
            new.len() <= old.len()
                && new
                    .iter()
                    .filter_map(|(name, it)| Some((it, old.get(name)?)))
                    .all(|(new, old)| within(new, old, operator))
        }
        (Value::Array(new), Value::Array(old)) => {
            new.len() <= old.len()
                && (new.len() < old.len()
                    || new
                        .iter()
                        .zip(old)
                        .all(|(new, old)| within(new, old, operator)))
        }
        (Value::Bool(new), Value::Bool(old)) => new == old,
        (Value::Object(_) | Value::Array(_), _) => false,
        _ => true,
    }
}
