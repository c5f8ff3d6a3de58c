mod broken;
mod expiry;
mod good;
mod reload;
mod rendering;
mod robust;

use std::path::Path;

use super::{Loaded, Problems, Shipped, load_text};
use crate::model::{Timestamp, decision::ReasonCode};

const REGIME: &str = r#"
code: kz-94v
title: "Law 94-V"
as_of: "2026-01-01"
sources: ["test"]
edition: "2026"
home: KZ
adequacy: assessment
third_party_needs_consent: true
adequate_state_requires_consent: false
bases: {}
citations: {}
"#;

const BASELINE: &str = r#"
code: baseline
title: "The law as it stands"
on_regime: kz-94v
as_of: "2026-01-01"
sources: ["test"]
agreement_required_roles: [affiliate, processor, subprocessor]
"#;

const CLINIC: &str = r#"
code: clinic
title: "One purpose"
on_regime: kz-94v
as_of: "2026-01-01"
sources: ["test"]
agreement_required_roles: []
purposes: [info]
retention_check: true
terms: {retention: 30}
"#;

const MAILING: &str = r#"
code: mailing
title: "Advertising by opt-in"
on_regime: kz-94v
as_of: "2026-01-01"
sources: ["test"]
agreement_required_roles: []
opt_in_classes: [marketing]
"#;

/// A table with an entry for each code; the rule of each is `R-` and the number of its question.
fn reasons() -> String {
    ReasonCode::ALL
        .iter()
        .map(|it| {
            format!(
                "{it}: {{rule: R-{:02}, citation: x, status: 451, title: {{en: x, ru: x, kk: x}}, mend: {{en: x, ru: x, kk: x}}}}\n",
                it.question()
            )
        })
        .collect()
}

/// Noon of 22 November 2026 in Almaty.
fn now() -> Timestamp {
    "2026-11-22T12:00:00+05:00".parse().unwrap()
}

/// Compiles `text` as `shekara.yaml` in `base`, under small texts of the law.
fn load_in(base: &Path, text: &str) -> Result<Loaded, Problems> {
    let reasons = reasons();
    let shipped = Shipped {
        regimes: &[("regimes/kz-94v.yaml", REGIME)],
        profiles: &[
            ("profiles/baseline.yaml", BASELINE),
            ("profiles/clinic.yaml", CLINIC),
            ("profiles/mailing.yaml", MAILING),
        ],
        reasons: ("messages/reasons.yaml", &reasons),
    };
    load_text(text, "shekara.yaml", base, now(), &shipped)
}

/// [`load_in`] a directory that is not there: nothing in the text may need a file.
fn load(text: &str) -> Result<Loaded, Problems> {
    load_in(Path::new("nowhere"), text)
}

/// A small configuration without problems; tests break it.
const SMALL: &str = r#"version: 1
operator:
  legal_name: Example LLP
  bin: "990140000007"
state_dir: ./state
listeners:
  - id: main
    bind: 127.0.0.1:8080
callers:
  - id: shop
    cidr: [10.0.0.0/8]
parties:
  - id: mailer
    legal_name: Mailer GmbH
    role: processor
destinations:
  - id: mailing
    party: mailer
    country: DE
    match: {path_prefix: /mail}
    callers:
      - {caller: shop, purposes: [marketing.email]}
    upstream:
      url: https://mail.example.org
    agreement:
      ref: A-1
      signed: 2026-01-01
      actions: [send]
      purposes: [service, marketing.email]
      confidentiality: true
      security: true
    routes:
      - path: /news
        purposes_claimable: [marketing.email]
        actions: [send]
      - purpose: service.orders
"#;
