//! The acceptance cases of the five operators, each under its shipped profile. The clause is in the profile's file.

use super::setting::{
    Scene, at, basis, consent, country, day, destination, edit_profile, giving, profile, purpose,
    set, subject, withdrawal,
};
use crate::model::{
    consent::{BasisKind, Consent, EvidenceMethod, Facet, Objection, ObjectionTarget},
    decision::ReasonCode,
    destination::{Destination, Notification, ProtectionLevel, Role},
    evidence::SubjectRecord,
    law::WithdrawalEffective,
};

fn to(code: &str, role: Role, under: &str) -> Destination {
    destination("there", code, role, profile(under))
}

fn with(bases: Vec<crate::model::consent::Basis>, consents: Vec<Consent>) -> SubjectRecord {
    SubjectRecord {
        bases,
        consents,
        ..subject("s")
    }
}

/// A recipient as health-programme asks: of a class on its list, with a recorded protection level.
fn health(code: &str, role: Role) -> Destination {
    let mut it = to(code, role, "health-programme");
    it.party.classes = set("processor", Into::into);
    it.party.protection_level = Some(ProtectionLevel {
        by: "Officer".to_owned(),
        at: day("2026-06-01"),
        reason: "Audit".to_owned(),
        until: None,
    });
    it
}

#[test]
fn health_programme() {
    let named = |data: &str, countries: &str| {
        let mut it = consent("c");
        it.categories = super::setting::categories(data);
        it.cross_border = Some(set(countries, country));
        it.purposes = set("service info", purpose);
        with(Vec::new(), vec![it])
    };
    let data = "health.diagnosis phone";
    let scene = |there, record| Scene::new(there, "service.provision", data, record);
    let de = || health("DE", Role::Processor);
    scene(de(), named("health phone", "DE")).check("6 named", "");
    scene(de(), named("phone", "DE")).check("6 not named", "special-category");
    // Cl. 6.3: consent even to a protecting state.
    let mut domestic = named("health phone", "DE");
    domestic.consents[0].cross_border = None;
    scene(de(), domestic).check("23", "cross-border-not-consented");
    // Cl. 6.1, 6.2.2.
    let mut stranger = de();
    stranger.party.classes = set("advertiser", Into::into);
    scene(stranger, named("health phone", "DE")).check("6.1", "recipient-class");
    let mut unassessed = health("KZ", Role::Processor);
    unassessed.party.protection_level = None;
    scene(unassessed, named("health phone", "DE")).check("6.2.2", "protection-level-missing");
    Scene::new(de(), "marketing.email", "phone", named("phone", "DE"))
        .check("3.1", "purpose-not-allowed");
    // Cl. 5.2.1, 5.4: a contract carries third parties until objected to; never a border.
    let contract = basis(
        BasisKind::Contract,
        &[Facet::ThirdParty, Facet::CrossBorder],
        "order",
    );
    let mut record = with(vec![contract], Vec::new());
    let ordered =
        |there, record: &SubjectRecord| Scene::new(there, "order.notice", "phone", record.clone());
    ordered(health("KZ", Role::Processor), &record).check("5.2.1", "");
    ordered(de(), &record).check("6.3 contract", "cross-border-not-consented");
    record.objections.push(Objection {
        id: "o".into(),
        against: ObjectionTarget::Kind(BasisKind::Contract),
        from: at("2026-11-01T10:00:00+05:00"),
        lifted_at: None,
        lifted_record: None,
    });
    ordered(health("KZ", Role::Processor), &record).check("25", "basis-suspended");
}

#[test]
fn it_service() {
    let record = giving(|it| {
        it.categories = super::setting::categories("health name email phone biometric");
        it.purposes = set("hr marketing service", purpose);
    });
    let de = || to("DE", Role::Processor, "it-service");
    let scene = |purpose, data| Scene::new(de(), purpose, data, record.clone());
    scene("service", "health.diagnosis").check("7", "special-category-forbidden");
    scene("service", "special.ethnicity").check("8.13", "special-category-forbidden");
    scene("service", "biometric").check("8.13 omits biometrics", "");
    let mut joined = scene("hr.records", "name");
    joined.transfer.section_purposes = vec![purpose("marketing.email")];
    joined.check("38", "incompatible-purposes");
    let mut plain = scene("service", "name");
    plain.destination.is_secured = false;
    plain.check("8.14", "open-channel");
    let contract = vec![basis(BasisKind::Contract, &[Facet::ThirdParty], "service")];
    Scene::new(de(), "service", "name", with(contract, Vec::new()))
        .check("8.6", "third-party-not-consented");
}

#[test]
fn retail_loyalty() {
    let scene = |code, purpose, data, record: &SubjectRecord| {
        let there = to(code, Role::Processor, "retail-loyalty");
        Scene::new(there, purpose, data, record.clone())
    };
    let mut record = with(Vec::new(), vec![consent("c")]);
    let data = "name phone email";
    scene("RU", "order.notice", data, &record).check("1", "");
    scene("DE", "order.notice", data, &record).check("2", "country-not-covered");
    scene("RU", "order.notice", "name voice", &record).check("R-31", "call-recording");
    scene("RU", "order.notice", "name birth_place", &record).check("L46", "category-not-covered");
    let mut unsubscribed = withdrawal("2026-11-21T10:00:00+05:00", Default::default());
    unsubscribed.scope.purposes = set("marketing", purpose);
    unsubscribed.effective_at = at("2026-12-05T10:00:00+05:00");
    record.withdrawals.push(unsubscribed);
    scene("RU", "order.notice", data, &record).check("15 notice", "");
    let mut mailing = scene("RU", "marketing.email", data, &record);
    mailing.check("15 mailing", "consent-withdrawn");
    edit_profile(&mut mailing.destination, |it| {
        it.withdrawal_effective = WithdrawalEffective::AsFiled;
    });
    mailing.check("L167 by the letter", "");
}

#[test]
fn clinic_email() {
    let record = giving(|it| {
        it.purposes = set("email", purpose);
        it.cross_border = Some(set("US", country));
    });
    let us = to("US", Role::Processor, "clinic-email");
    let mut scene = Scene::new(us, "email.notification", "email", record.clone());
    scene.check("21", "notification-missing");
    scene.destination.notifications.push(Notification {
        regime: "kz-94v".into(),
        authority: "Authority".to_owned(),
        reference: "1".to_owned(),
        submitted: day("2026-11-20"),
        wait_until: None,
        countries: set("US", country),
        purposes: std::collections::BTreeSet::new(),
        outcome: None,
    });
    scene.check("21 notified", "");
    let home = || to("KZ", Role::Processor, "clinic-email");
    Scene::new(home(), "marketing.email", "email", record).check("6.1", "purpose-not-allowed");
    let mut blocked = subject("s");
    blocked.restrictions = vec![super::setting::restriction("2026-11-01T00:00:00+05:00")];
    let own = to("KZ", Role::SelfOperator, "clinic-email");
    Scene::new(own, "data.clarification", "email", blocked.clone()).check("18", "");
    Scene::new(home(), "email.notification", "email", blocked).check("2.2", "subject-blocked");
}

#[test]
fn training_ngo() {
    let contract = || {
        let facets = [Facet::ThirdParty, Facet::CrossBorder];
        vec![basis(BasisKind::Contract, &facets, "contract order")]
    };
    let scene = |code, purpose, data, record: SubjectRecord| {
        Scene::new(
            to(code, Role::Processor, "training-ngo"),
            purpose,
            data,
            record,
        )
    };
    let mut consented = consent("c");
    consented.cross_border = None;
    consented.purposes = set("contract", purpose);
    let both = with(contract(), vec![consented]);
    // Nobody assessed the United States.
    scene("US", "contract.performance", "name", both).check("5", "");
    let bare = with(contract(), Vec::new());
    scene("US", "contract.performance", "name", bare.clone())
        .check("5 bare", "third-party-not-consented");
    scene("DE", "marketing.email", "name", bare).check("4", "purpose-not-covered");
    for (method, expected) in [
        (
            EvidenceMethod::WebCheckbox,
            ReasonCode::WrittenFormMissing.as_str(),
        ),
        (EvidenceMethod::Signature, ""),
    ] {
        let written = giving(|it| {
            it.cross_border = Some(set("US", country));
            it.evidence.method = method;
        });
        scene("US", "order.notice", "name", written.clone()).check("L95", expected);
        scene("DE", "order.notice", "name", written).check("L93", "");
    }
    let all = || giving(|it| it.categories = crate::model::CategorySet::all());
    for (data, expected) in [
        ("health.result", "special-category-forbidden"),
        ("payment.card", "payment-data"),
        ("payment.wallet", "category-forbidden"),
        ("payment.token", ""),
        ("photo", ""),
    ] {
        scene("DE", "order.notice", data, all()).check(data, expected);
    }
    let mut without = scene("DE", "order.notice", "name", all());
    without.destination.agreement = None;
    without.check("L65", "no-agreement");
    let research = giving(|it| it.purposes = set("research", purpose));
    scene("DE", "research.preferences", "name", research).check("L58", "not-depersonalised");
}
