//! Parties, law, paper and exceptions.

use super::{super::SMALL, check, lines};

#[test]
fn parties() {
    check(
        "    role: processor",
        r"    role: public
  - id: other
    legal_name: ''
    role: public
    protection_level: {by: a, at: x, reason: '', until: 2026-12-01}",
        r#"
            16:9 W parties[1].id: no destination names the party `other` [remove it, or name it in a destination]
            17:17 E parties[1].legal_name: the text is empty [say it in words; it goes into the record]
            19:35 E parties[1].protection_level.at: `x` is not a day such as 2026-11-22 [-]
            19:46 E parties[1].protection_level.reason: the text is empty [say it in words; it goes into the record]
            19:57 W parties[1].protection_level.until: the protection level expires on 2026-12-01 [assess the recipient again]
            30:7 W destinations[0].agreement: an agreement with `mailer` is never asked for [remove it, or correct the party's role]
        "#,
    );
}

#[test]
fn regimes_and_profiles() {
    check(
        r"    country: DE
",
        r"    country: DE
    profile: clinc
    regimes: [eu-gdpr]
",
        r#"
            20:14 E destinations[0].profile: unknown profile `clinc` [did you mean `clinic`?]
            21:15 E destinations[0].regimes[0]: unknown regime `eu-gdpr` [one of: kz-94v]
        "#,
    );
    check(
        r"    country: DE
",
        r"    country: DE
    profile: clinic
",
        r#"
            17:5 W destinations[0].retention: the profile compares the recipient's retention (R-24), and none is given [write how long the recipient keeps the data, such as `retention: 365d`]
            35:30 E destinations[0].routes[0].purposes_claimable[0]: the profile `clinic` does not know the purpose `marketing.email` [one of: info]
            37:18 E destinations[0].routes[1].purpose: the profile `clinic` does not know the purpose `service.orders` [one of: info]
        "#,
    );
    check(
        r"    country: DE
",
        r"    country: DE
    profile: clinic
    retention: 60d
",
        r#"
            21:16 W destinations[0].retention: 60 days are more than the 30 of the profile `clinic` (R-24) [agree on a shorter retention with the recipient]
            36:30 E destinations[0].routes[0].purposes_claimable[0]: the profile `clinic` does not know the purpose `marketing.email` [one of: info]
            38:18 E destinations[0].routes[1].purpose: the profile `clinic` does not know the purpose `service.orders` [one of: info]
        "#,
    );
    check(
        r#"bin: "990140000007""#,
        r"bin: 12
  home: ZZ
  utc_offset: 5
  profile: base
  regimes: []",
        r#"
            4:8 E operator.bin: not a BIN: 12 digits [write the 12 digits in quotes]
            5:9 E operator.home: `ZZ` is not an ISO 3166-1 alpha-2 country code such as KZ or DE [-]
            6:15 E operator.utc_offset: `5` is not a UTC offset such as +05:00 [-]
            7:12 E operator.profile: unknown profile `base` [one of: baseline, clinic, mailing]
            8:12 E operator.regimes: no regime applies [name at least one, such as kz-94v]
        "#,
    );
    let by_hand = "bin: \"990140000008\"";
    check(
        r#"bin: "990140000007""#,
        by_hand,
        "
            4:8 W operator.bin: the last digit is not the check digit of a BIN [compare it with the certificate of registration: a consent counts only if it names this number]
        ",
    );
    let abroad = format!("{by_hand}\n  home: DE");
    let text = SMALL.replacen(r#"bin: "990140000007""#, &abroad, 1);
    assert!(!lines(&text).iter().any(|it| it.contains("check digit")));
}

#[test]
fn agreements_and_days() {
    check(
        r"    callers:
      - {caller: shop, purposes: [marketing.email]}
",
        "",
        r#"
            32:29 E destinations[0].routes[0].purposes_claimable: purposes can be claimed, but no caller may: the destination has no `callers:` [add `callers:` with the purposes of each, or declare one `purpose:`]
        "#,
    );
    check(
        "signed: 2026-01-01",
        r"signed: 2027-01-01
      until: 2026-12-01",
        r#"
            27:15 E destinations[0].agreement.signed: the agreement is signed in the future [write the day of signature; an agreement holds from then]
            28:14 E destinations[0].agreement.until: the agreement ends before it is signed [swap the days, or correct them]
        "#,
    );
    check(
        "signed: 2026-01-01",
        r"signed: 2026-01-01
      until: 2026-12-01",
        r#"
            28:14 W destinations[0].agreement.until: the agreement expires on 2026-12-01 [renew it and record the new last day]
        "#,
    );
    check(
        "signed: 2026-01-01",
        r"signed: 2026-01-01
      until: 2026-11-21
      party: other
      sha256: abc
      categories: [emial, iin]",
        r#"
            28:14 W destinations[0].agreement.until: the agreement expired on 2026-11-21 [renew it and record the new last day]
            29:14 E destinations[0].agreement.party: the agreement is with `other`, the destination's party is `mailer` [name the same party in both, or remove this key]
            30:15 E destinations[0].agreement.sha256: `abc` is not a SHA-256 [write 64 lower-case hex digits: sha256sum FILE]
            31:20 E destinations[0].agreement.categories[0]: `emial` is not a category code such as name, name.surname, email or health [did you mean `email`?]
            31:27 E destinations[0].agreement.categories[1]: `iin` is not a category code such as name, name.surname, email or health [did you mean `national_id`?]
        "#,
    );
}

#[test]
fn assessments_and_notifications() {
    check(
        r"      confidentiality: true
",
        "",
        r#"
            26:7 W destinations[0].agreement: the agreement does not bind to confidentiality: transfers are refused (no-agreement) [write `confidentiality: true` once the document says so]
        "#,
    );
    check(
        "country: DE",
        r"country: KZ
    safeguards: [{kind: scc, ref: a, signed: 2026-01-01}]",
        r#"
            19:14 W destinations[0].country: KZ is home: safeguards and notifications are never asked for [correct the country, or remove them]
        "#,
    );
    check(
        r"    country: DE
",
        r"    country: DE
    notifications: [{regime: kz, authority: a, ref: b, submitted: x, countries: [], outcome: maybe}]
",
        r#"
            20:30 E destinations[0].notifications[0].regime: unknown regime `kz` [one of: kz-94v]
            20:67 E destinations[0].notifications[0].submitted: `x` is not a day such as 2026-11-22 [-]
            20:81 E destinations[0].notifications[0].countries: the notification covers no country [list the countries that the notification names]
            20:94 E destinations[0].notifications[0].outcome: unknown outcome [write accepted or refused, or leave it out while there is no answer]
        "#,
    );
    check(
        r"version: 1
",
        r"version: 1
adequacy: [{regime: kz-94v, country: DE, result: adequate, by: a, at: 2026-11-23, reason: b}, {regime: kz-94v, country: KZ, result: adequate, by: a, at: 2025-01-01, reason: b, party: q}]
",
        r#"
            2:71 E adequacy[0].at: 2026-11-23 is in the future [write the day on which it was made]
            2:95 W adequacy[1].until: the assessment of KZ expired on 2026-01-01 [assess the country again]
            2:121 W adequacy[1].country: an assessment of the home country is never asked for [remove it: a transfer at home crosses no border]
            2:184 E adequacy[1].party: unknown party `q` [one of: mailer]
        "#,
    );
}

#[test]
fn exceptions_and_modes() {
    check(
        r"    country: DE
",
        r"    country: DE
    failure: {audit: {open: {owner: x, reason: y, until: 2026-11-21}}, registers: {open: {owner: '', reason: y, until: 2028-01-01}}}
",
        r#"
            20:58 E destinations[0].failure.audit.open.until: the opening expired on 2026-11-21 [remove it, or let its owner renew it]
            20:98 E destinations[0].failure.registers.open.owner: the text is empty [say it in words; it goes into the record]
            20:120 W destinations[0].failure.registers.open.until: the opening holds for more than a year [end it within a year, then review it]
        "#,
    );
    check(
        r"    country: DE
",
        r"    country: DE
    not_personal: [{in: body, at: $.x, reason: a, owner: b, expires: 2026-11-21}]
",
        r#"
            20:70 E destinations[0].not_personal[0].expires: the exception expired on 2026-11-21 [remove it, or let its owner renew it]
        "#,
    );
    check(
        r"    country: DE
",
        r"    country: DE
    not_personal: [{in: body, at: $.x, reason: a, owner: b, expires: 2026-12-21}]
    failure: {inspection: {open: {owner: a, reason: b, until: 2026-11-22}}}
",
        r#"
            20:70 W destinations[0].not_personal[0].expires: the exception expires on 2026-12-21 [remove it, or let its owner renew it]
            21:63 W destinations[0].failure.inspection.open.until: the opening expires on 2026-11-22 [remove it, or let its owner renew it]
        "#,
    );
    check(
        r"    country: DE
",
        r"    country: DE
    rule_modes: {no-consnt: log-only, R-08: enforce, R-99: enforce, framing: log-only}
",
        r#"
            20:29 E destinations[0].rule_modes.no-consnt: unknown reason code or rule `no-consnt` [did you mean `no-consent`?]
            20:60 E destinations[0].rule_modes.R-99: unknown reason code or rule `R-99` [did you mean `R-09`?]
            20:78 E destinations[0].rule_modes.framing: `framing` acts always; log-only cannot soften it [remove the line]
        "#,
    );
    check(
        r"version: 1
",
        r"version: 1
mode: log-only
",
        r#"
            2:7 W mode: nothing is enforced: transfers without a basis are recorded, and sent [write `mode: enforce` when the log shows what you expect]
        "#,
    );
}

/// If this fails, a waiver could open what nothing opens, or outlive its day without anybody's word.
#[test]
fn waivers() {
    check(
        r"    country: DE
",
        r"    country: DE
    waivers:
      - {reason: no-agrement, officer: A, why: b, until: 2099-01-01}
      - {reason: framing, officer: A, why: b, until: 2099-01-01}
      - {reason: no-agreement, officer: '', why: b, until: 2099-01-01}
      - {reason: no-agreement, officer: A, why: b, until: 2099-01-01}
      - {reason: no-consent, officer: A, why: b, until: 2020-01-01}
",
        r#"
            21:18 E destinations[0].waivers[0].reason: unknown reason code `no-agrement` [did you mean `no-agreement`?]
            22:18 E destinations[0].waivers[1].reason: `framing` acts always; it cannot be waived [remove the waiver]
            23:41 E destinations[0].waivers[2].officer: the text is empty [say it in words; it goes into the record]
            23:60 W destinations[0].waivers[2].until: the waiver holds for more than a year [end it within a year, then review it]
            24:18 E destinations[0].waivers[3].reason: `no-agreement` is waived twice [keep one of the two]
            24:59 W destinations[0].waivers[3].until: the waiver holds for more than a year [end it within a year, then review it]
            25:57 E destinations[0].waivers[4].until: the waiver expired on 2020-01-01 [remove it, or let its owner renew it]
        "#,
    );
}

#[test]
fn a_purpose_that_is_nearly_a_class_escapes_its_opt_in() {
    let wanted = |purpose: &str, lines: &str| {
        let text = SMALL
            .replace(
                "    country: DE\n",
                "    country: DE\n    profile: mailing\n",
            )
            .replace(
                "purposes: [service, marketing.email]",
                &format!("purposes: [service, marketing, {purpose}]"),
            )
            .replace("marketing.email", purpose);
        assert_eq!(super::lines(&text).join("\n"), lines, "{purpose}");
    };
    wanted("marketing.email", "");
    let told = "35:30 W destinations[0].routes[0].purposes_claimable[0]: the profile `mailing` has no class for the purpose \
                `marketnig.email`, so it is judged without an opt-in [did you mean `marketing`?]";
    wanted("marketnig.email", told);
    // No class, and near to none.
    wanted("delivery", "");
}

#[test]
fn thresholds() {
    check(
        "    country: DE\n",
        r"    country: DE
    thresholds:
      - {of: phone, confidence_min: medium}
      - {of: phonee, confidence_min: low}
      - {of: name-in-text, confidence_min: never}
      - {of: phone, confidence_min: low, expires: 2027-01-01}
      - {of: online, confidence_min: certain, reason: '', owner: x, expires: 2026-11-30}
",
        r#"
            22:14 E destinations[0].thresholds[1].of: `phonee` is neither a category nor a detector [did you mean `phone`?]
            23:9 E destinations[0].thresholds[2]: the threshold asks for more than `confidence_min`, so findings no longer act [say `reason`, `owner` and `expires`, or ask for less]
            24:14 E destinations[0].thresholds[3].of: `phone` has two thresholds [keep one of the two]
            24:51 W destinations[0].thresholds[3].expires: a threshold that asks for no more than `confidence_min` hides nothing and does not end [remove the key]
            25:55 E destinations[0].thresholds[4].reason: the text is empty [say it in words; it goes into the record]
            25:78 W destinations[0].thresholds[4].expires: the threshold expires on 2026-11-30 [remove it, or let its owner renew it]
        "#,
    );
}
