//! Answers from reports made by hand.

use std::{collections::BTreeMap, sync::Arc};

use http_body_util::BodyExt as _;

use super::*;
use crate::{
    gatekeeper::record::{Recipient, Versions},
    model::{
        Category, Timestamp,
        decision::{Decision, Reduction},
        destination::Role,
        transfer::Transfer,
    },
    policy::reasons::Texts,
};

#[test]
fn texts_are_filled() {
    let values = [
        ("recipient", "Mail GmbH".to_owned()),
        ("purpose", String::new()),
    ];
    assert_eq!(
        fill("{recipient}: {purpose}, {other}. {", &values),
        "Mail GmbH: –, –. "
    );
}

/// A refusal of two persons for want of a consent, and a rule that is only recorded.
fn decision() -> Decision {
    let reason = |code, mode, person, category| Reason {
        mode,
        person,
        categories: CategorySet::from_iter([category]),
        regime: person.map(|_| "kz-94v".into()),
        ..Reason::of(code)
    };
    Decision {
        verdict: Verdict::Block,
        would_be: Verdict::Block,
        reduction: Reduction::default(),
        reasons: vec![
            reason(
                ReasonCode::NoAgreement,
                Mode::LogOnly,
                None,
                Category::Email,
            ),
            reason(
                ReasonCode::NoConsent,
                Mode::Enforce,
                Some(0),
                Category::Email,
            ),
            reason(
                ReasonCode::NoConsent,
                Mode::Enforce,
                Some(2),
                Category::Phone,
            ),
        ],
        persons: Vec::new(),
        regime: None,
    }
}

fn report() -> Report {
    let recipient = Recipient {
        party: "mail-gmbh".into(),
        legal_name: "Mail GmbH".into(),
        role: Role::Processor,
        country: "DE".parse().unwrap(),
        countries: Vec::new(),
        controlled_zone: false,
    };
    let transfer = Transfer {
        destination: "mail".into(),
        route: None,
        at: Timestamp::MIN,
        purpose: Some("marketing.email".parse().unwrap()),
        purpose_claimed: false,
        section_purposes: Vec::new(),
        caller_allowed: true,
        persons: Vec::new(),
        gaps: BTreeMap::new(),
        is_signed: false,
    };
    let decided = Decided {
        id: DecisionId(uuid::Uuid::nil()),
        at: Timestamp::MIN,
        caller: "erp".into(),
        listener: "main".into(),
        method: "POST".into(),
        recipient: Some(recipient),
        transfer,
        decision: decision(),
        register_sequence: None,
        findings: Vec::new(),
        locations: vec!["body $['to']".to_owned()],
        fault: None,
        bytes_in: 0,
        leaves: None,
        opened: Vec::new(),
        versions: Arc::new(Versions::default()),
    };
    Report {
        decided,
        gaps: BTreeMap::new(),
        receipt: None,
        timings: Default::default(),
    }
}

fn table() -> ReasonTable {
    let texts = |text: &str| Texts {
        en: text.to_owned(),
        ru: text.to_owned(),
        kk: text.to_owned(),
    };
    let entry = |code: &ReasonCode| ReasonEntry {
        rule: "R-04".to_owned(),
        citation: "art. 16".to_owned(),
        status: 451,
        title: texts(&format!("{code}: {{recipient}}, {{country}}")),
        mend: texts("{persons} persons, {categories}, {purpose}"),
    };
    let entries = ReasonCode::ALL.iter().map(|it| (*it, entry(it))).collect();
    ReasonTable::new(entries).unwrap()
}

async fn body(response: Response<Body>) -> serde_json::Value {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_legal_refusal_says_why_and_how_to_mend_it() {
    let (report, reasons) = (report(), table());
    let operator = Operator {
        legal_name: "Operator LLP".to_owned(),
        bin: "990340000000".into(),
        home: "KZ".parse().unwrap(),
        utc_offset: "+05:00".parse().unwrap(),
    };
    let about = |legal_status| About {
        report: &report,
        reasons: &reasons,
        operator: &operator,
        destination: None,
        legal_status,
        language: Language::En,
    };
    let response = refusal(about(403), None);
    assert_eq!(response.status(), 403);
    assert!(!response.headers().contains_key(header::LINK));
    let response = refusal(about(451), None);
    assert_eq!(response.status(), 451);
    assert_eq!(
        response.headers()[header::LINK],
        "<urn:shekara:operator:990340000000>; rel=\"blocked-by\""
    );
    assert!(!response.headers().contains_key(header::RETRY_AFTER));
    let id = "00000000-0000-0000-0000-000000000000";
    let message = "no-consent: no-consent: Mail GmbH, DE 2 persons, phone, email, marketing.email";
    assert_eq!(
        body(response).await,
        serde_json::json!({
            "type": "urn:shekara:reason:no-consent",
            "title": "no-consent: Mail GmbH, DE",
            "status": 451,
            "detail": "2 persons, phone, email, marketing.email",
            "instance": format!("urn:uuid:{id}"),
            "decision_id": id,
            "verdict": "block",
            "would_be": "block",
            "reasons": [
                {"code": "no-agreement", "rule": "R-04", "citation": "art. 16", "mode": "log-only",
                 "categories": ["email"], "persons": 0},
                {"code": "no-consent", "rule": "R-04", "regime": "kz-94v", "citation": "art. 16", "mode": "enforce",
                 "categories": ["phone", "email"], "persons": 2},
            ],
            "categories": ["phone", "email"],
            "locations": ["body $['to']"],
            "recipient": "Mail GmbH",
            "country": "DE",
            "purpose": "marketing.email",
            "message": message,
            "error": {"code": "no-consent", "message": message},
        })
    );
    let fault = Fault {
        code: ReasonCode::NoConsent,
        ..Fault::with_status(408, "too late")
    };
    let detail = &body(refusal(about(451), Some(fault))).await["detail"];
    assert_eq!(
        detail,
        "2 persons, phone, email, marketing.email (too late)."
    );
}
