//! A message means the same whichever came before it.

use super::{json, plan};
use crate::{
    inspect::{Inspector, Scratch},
    model::inspection::{Budget, PlanSpec},
};

/// Bodies whose names stand in several of them, under other parents, with other findings, with a person's data in a name.
const BODIES: [&str; 7] = [
    r#"{"order": {"id": "991231100010", "note": "call +7 701 000 00 01"}, "name": "Aru Serik"}"#,
    r#"{"customer": {"id": "991231100010", "note": "x", "name": "Aru Serik", "name_2": "y"}}"#,
    r#"{"name": "Aru Serik", "customer[email]": "aru@example.org", "id": 991231100010}"#,
    r#"{"aru@example.org": {"name": "x"}, "id": "2"}"#,
    r#"[{"note": "x", "note": "y"}, {"YXJ1QGV4YW1wbGUub3Jn": 1}]"#,
    r#"{"items": [{"name": "size", "value": "aru@example.org"}, {"value": "x", "name": "phone"}]}"#,
    r#"{"order": {"note": "x"}, "customer": {"note": "x"}, "note": "991231100010"}"#,
];

#[test]
fn what_came_before_changes_nothing() {
    let inspector = Inspector::default();
    // Budgets that end in the middle of a name, of a value and never.
    for work in [20, 33, 48, 60, 75, 100, 150, 1_000_000] {
        let spec = PlanSpec {
            budget: Budget {
                work,
                ..Budget::default()
            },
            ..PlanSpec::default()
        };
        let plan = plan(&spec);
        let mut scratch = Scratch::default();
        for round in 0..3 {
            for (at, body) in BODIES.iter().enumerate().skip(round) {
                let message = json(body);
                let alone = inspector.inspect(&message, &plan);
                let after = inspector.inspect_with(&message, &plan, &mut scratch);
                assert_eq!(after, alone, "body {at} with {work} units, round {round}");
            }
        }
    }
}
