//! Every preset that ships, and what a preset may not say.

use std::path::Path;

use super::*;
use crate::{
    cli::init::starter_with,
    config::{Severity, law, load_text},
    model::Timestamp,
};

fn now() -> Timestamp {
    "2026-11-22T07:00:00Z".parse().unwrap()
}

#[test]
fn each_is_valid_and_named_as_its_file() {
    assert!(names().count() >= 27);
    assert!(names().is_sorted());
    for (name, text) in shipped::PRESETS {
        let preset = Preset::parse(text).unwrap();
        assert_eq!(preset.name, *name);
    }
}

/// Whatever is chosen, `check` finds nothing wrong but what only the operator can say.
#[test]
fn each_alone_and_all_together_pass_with_what_is_to_be_filled_in() {
    let everything: Vec<Preset> = all().collect();
    let mut choices: Vec<Vec<Preset>> = everything.iter().map(|it| vec![it.clone()]).collect();
    choices.push(everything);
    for presets in choices {
        let text = starter_with(now(), &presets);
        let loaded = load_text(&text, "shekara.yaml", Path::new(""), now(), &law::SHIPPED)
            .unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        assert_eq!(loaded.configuration.destinations.len(), presets.len());
        for problem in loaded.warnings.iter() {
            assert_eq!(problem.severity, Severity::Warning);
            let is_to_fill_in = problem.path.ends_with(".country")
                || problem.path.ends_with(".party")
                || problem.path == "mode";
            assert!(is_to_fill_in, "{}: {}", problem.path, problem.message);
        }
        let undeclared = loaded.warnings.iter();
        let undeclared = undeclared.filter(|it| it.path.ends_with(".country"));
        assert_eq!(undeclared.count(), presets.len());
    }
}

/// Uncommented as they stand, agreement and exceptions are of the file's form.
#[test]
fn comments_become_keys() {
    for preset in all() {
        let text = starter_with(now(), std::slice::from_ref(&preset))
            .replace("country: ZZ", "country: DE")
            .replace("owner: \"\"", "owner: \"officer\"")
            .replace("expires: \"\"", "expires: \"2027-06-30\"")
            .replace("    # agreement:", "    agreement:")
            .replace("    # not_personal:", "    not_personal:")
            .replace("    #   ", "      ");
        let loaded = load_text(&text, "shekara.yaml", Path::new(""), now(), &law::SHIPPED);
        let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        let destination = &loaded.configuration.destinations[0];
        assert!(destination.facts.agreement.is_some(), "{text}");
        let exceptions = &destination.facts.routes[0].plan.not_personal_until;
        assert_eq!(exceptions.len(), preset.not_personal.len());
    }
}

#[test]
fn a_name_that_is_not_there_gets_the_nearest() {
    let check = |name: &str, wanted: &str| {
        let said = find(name).unwrap_err();
        assert!(said.contains(wanted), "{said}");
    };
    check("SendGrid_", "did you mean `sendgrid`?");
    check("twillio", "did you mean `twilio`?");
    check("quite-another", "there are: amocrm, bitrix24");
    assert_eq!(find("stripe").unwrap().title, "Stripe");
}

const SMALL: &str = r#"
name: some-mailer
title: "Some mailer"
source: ["https://example.org/api"]
as_of: "2026-11-22"
role: processor
classes: [mailing-services]
url: https://api.example.org
categories: [email]
routes:
  - id: mail
    methods: [POST]
    paths: [/send]
    purposes: [service]
    actions: [send]
    subjects:
      - {in: body, at: "$.to", kind: email}
  - id: rest
    paths: [/]
    purposes: [service]
    actions: [store]
"#;

#[test]
fn mistakes_are_refused() {
    Preset::parse(SMALL).unwrap();
    for (from, to, wanted) in [
        ("title:", "titel:", "titel"),
        ("some-mailer", "Some Mailer", "name"),
        ("https://example.org/api", "example.org", "source"),
        ("classes: [mailing-services]", "classes: []", "classes"),
        ("https://api.example.org", "http://api.example.org", "url"),
        (
            "https://api.example.org",
            "https://api.example.org/v3",
            "url",
        ),
        ("categories: [email]", "categories: [mail]", "mail"),
        ("purposes: [service]", "purposes: []", "purposes"),
        ("paths: [/send]", "paths: [/a/../send]", "dot segment"),
        ("id: rest", "id: mail", "id"),
        ("at: \"$.to\"", "at: \"$.to[\"", "RFC 9535"),
    ] {
        let text = SMALL.replacen(from, to, 1);
        assert_ne!(text, SMALL);
        let said = Preset::parse(&text).unwrap_err();
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn a_route_that_is_never_reached_is_refused() {
    let check = |from: &str, to: &str| {
        let said = Preset::parse(&SMALL.replacen(from, to, 1)).unwrap_err();
        assert!(said.contains("taken by `mail` before"), "{said}");
    };
    let any = SMALL.replace("    methods: [POST]\n", "");
    assert!(Preset::parse(&any).is_ok());
    check("    methods: [POST]\n    paths: [/send]", "    paths: [/]");
    check(
        "    paths: [/]\n",
        "    paths: [/send/now]\n    methods: [POST]\n",
    );
}
