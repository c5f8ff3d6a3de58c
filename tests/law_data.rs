//! The law as shipped: every file under `config/regimes` and `config/profiles` says what the types can hold, and nothing twice.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde::{Deserialize, de::DeserializeOwned};
use shekara::{
    model::{
        CategorySet, Country, Day, Purpose,
        consent::{BasisKind, Facet},
        law::{AdequacyRule, NotificationRule, Profile, Reading, Regime, ThirdPartyTransfer},
    },
    policy::data,
};

/// File stem to the file's text.
fn texts(folder: &str) -> BTreeMap<String, String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("config")
        .join(folder);
    let files: BTreeMap<_, _> = fs::read_dir(dir)
        .unwrap()
        .map(|it| it.unwrap().path())
        .map(|path| {
            assert_eq!(path.extension().unwrap(), "yaml", "{}", path.display());
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (stem, fs::read_to_string(path).unwrap())
        })
        .collect();
    assert!(!files.is_empty(), "{folder}");
    files
}

fn read<T: DeserializeOwned>(folder: &str) -> BTreeMap<String, T> {
    texts(folder)
        .into_iter()
        .map(|(stem, text)| match serde_saphyr::from_str(&text) {
            Ok(it) => (stem, it),
            Err(error) => panic!("{folder}/{stem}.yaml: {error}"),
        })
        .collect()
}

fn regimes() -> BTreeMap<String, Regime> {
    read("regimes")
}

fn profiles() -> BTreeMap<String, Profile> {
    read("profiles")
}

fn country(code: &str) -> Country {
    code.parse().unwrap()
}

fn purpose(name: &str) -> Purpose {
    name.parse().unwrap()
}

fn reading(profile: &str) -> Reading {
    let profile = profiles().remove(profile).unwrap();
    let regime = regimes().remove(&*profile.on_regime).unwrap();
    Reading {
        regime: regime.into(),
        profile: profile.into(),
        assessments: Vec::new(),
    }
}

/// Rules of the catalogue.
const LAST_RULE: u8 = 36;

fn assert_rules(at: &str, citations: &BTreeMap<String, String>) {
    assert!(!citations.is_empty(), "{at}: nothing is cited");
    for (rule, place) in citations {
        let number = rule.strip_prefix("R-").filter(|it| it.len() == 2);
        let number = number.and_then(|it| it.parse::<u8>().ok());
        assert!(
            number.is_some_and(|it| (1..=LAST_RULE).contains(&it)),
            "{at}: `{rule}` is no rule"
        );
        assert!(!place.trim().is_empty(), "{at}: {rule} cites nothing");
    }
}

#[test]
fn every_file_is_named_after_its_code_and_embedded() {
    let embedded = |files: &[(&str, &str)]| {
        let pairs = files.iter().map(|(name, text)| {
            let stem = name.rsplit_once('/').unwrap().1;
            (
                stem.strip_suffix(".yaml").unwrap().to_owned(),
                (*text).to_owned(),
            )
        });
        pairs.collect::<BTreeMap<_, _>>()
    };
    assert_eq!(texts("regimes"), embedded(data::REGIMES));
    assert_eq!(texts("profiles"), embedded(data::PROFILES));
    for (stem, it) in regimes() {
        assert_eq!(*it.code, *stem);
    }
    for (stem, it) in profiles() {
        assert_eq!(*it.code, *stem);
    }
}

#[test]
fn every_profile_reads_a_regime_that_is_there() {
    let regimes = regimes();
    let profiles = profiles();
    for (code, it) in &profiles {
        assert!(regimes.contains_key(&*it.on_regime), "{code}");
    }
    for code in regimes.keys() {
        let reads = |name: &str| profiles.get(name).is_some_and(|it| *it.on_regime == **code);
        let has_default = reads("baseline") || reads(&format!("baseline-{code}"));
        assert!(has_default, "{code} has no profile of its own");
    }
}

#[test]
fn citations_name_rules_of_the_catalogue() {
    for (code, it) in regimes() {
        assert_rules(&code, &it.citations);
        let all = it.citations.len();
        assert_eq!(all, usize::from(LAST_RULE), "{code}: a rule has no place");
        assert!(!it.sources.is_empty(), "{code}");
    }
    for (code, it) in profiles() {
        if !it.citations.is_empty() {
            assert_rules(&code, &it.citations);
        }
        assert!(!it.sources.is_empty(), "{code}");
    }
}

/// A file with nothing but its dates.
#[derive(Deserialize)]
struct Dated {
    as_of: Day,
}

#[test]
fn nothing_is_dated_after_the_day_it_was_checked() {
    for (stem, text) in texts("regimes").into_iter().chain(texts("profiles")) {
        let Dated { as_of } = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(as_of, "2026-11-22".parse().unwrap(), "{stem}");
    }
    for (code, regime) in regimes() {
        for it in &regime.adequate {
            assert!(
                it.since.is_none_or(|it| it <= regime.as_of),
                "{code}: {} begins after as_of",
                it.code
            );
            assert!(
                it.until.is_none_or(|it| regime.as_of <= it),
                "{code}: {} has ended at as_of",
                it.code
            );
            assert!(it.source.is_some(), "{code}: {} has no source", it.code);
        }
    }
}

#[test]
fn no_country_stands_twice() {
    for (code, regime) in regimes() {
        let mut seen = BTreeSet::from([regime.home]);
        let listed = regime.adequate.iter().map(|it| it.code);
        for it in regime.no_transfer.iter().copied().chain(listed) {
            assert!(seen.insert(it), "{code}: {it} stands twice");
        }
        // A set forgets repeats, so they are counted in the text.
        let text = texts("regimes").remove(&code).unwrap();
        let begin = text
            .find("\nno_transfer:")
            .map_or("", |it| text.split_at(it).1);
        let (list, _) = begin.split_once("\nadequacy:").unwrap_or_default();
        let code_lines = list.lines().filter(|it| !it.trim_start().starts_with('#'));
        let words = code_lines.flat_map(|it| it.split(|c: char| !c.is_ascii_uppercase()));
        let written = words.filter(|it| it.len() == 2).count();
        assert_eq!(written, regime.no_transfer.len(), "{code}");
    }
}

#[test]
fn norway_is_not_false() {
    let regimes = regimes();
    let norway = country("NO");
    assert!(regimes["eu-gdpr"].is_home(norway));
    let listed = &regimes["ru-152fz"].adequate;
    assert!(listed.iter().any(|it| it.code == norway));
}

#[test]
fn the_european_area_is_home_and_its_neighbours_are_not() {
    let gdpr = regimes().remove("eu-gdpr").unwrap();
    for code in ["BE", "DE", "FR", "IS", "LI", "NO", "RE", "AX"] {
        assert!(gdpr.is_home(country(code)), "{code}");
    }
    for code in ["CH", "GB", "GG", "IM", "JE", "GI", "FO", "KZ", "US"] {
        assert!(!gdpr.is_home(country(code)), "{code}");
    }
    // 27 member states with `home` among them, 3 of the EEA, 7 territories.
    assert_eq!(gdpr.no_transfer.len() + 1, 37);
    assert!(gdpr.accepts_safeguard("scc") && gdpr.accepts_safeguard("bcr"));
    assert!(!gdpr.accepts_safeguard("nda"));
    let kz = regimes().remove("kz-94v").unwrap();
    assert!(kz.is_home(Country::KZ) && !kz.is_home(country("RU")));
    assert!(!kz.accepts_safeguard("scc"));
}

#[test]
fn conditions_of_adequacy_are_certifications() {
    let gdpr = regimes().remove("eu-gdpr").unwrap();
    assert_eq!(gdpr.adequacy, AdequacyRule::List);
    for (code, certification) in [
        ("BR", Some("LGPD")),
        ("CA", Some("PIPEDA")),
        ("CH", None),
        ("IL", None),
        ("JP", Some("APPI")),
        ("KR", Some("PIPA")),
        ("US", Some("DPF")),
    ] {
        let found = gdpr.adequate.iter().find(|it| it.code == country(code));
        let required = found.unwrap().requires_certification.as_deref();
        assert_eq!(required, certification, "{code}");
    }
    assert!(!gdpr.adequate.iter().any(|it| it.code == country("KE")));
}

#[test]
fn the_russian_list_holds_confirmed_parties_only() {
    let ru = regimes().remove("ru-152fz").unwrap();
    let lists = |code| ru.adequate.iter().any(|it| it.code == country(code));
    for code in ["AM", "AZ", "DE", "GB", "UY"] {
        assert!(lists(code), "{code}");
    }
    for code in ["RU", "TR", "UA", "BF", "GH", "KZ", "KG", "CN", "IN", "US"] {
        assert!(!lists(code), "{code}");
    }
    assert!(ru.adequate.iter().all(|it| it.since.is_some()));
    assert_eq!(ru.notification.when, NotificationRule::CrossBorder);
    assert_eq!(ru.notification.wait_working_days, 10);
}

#[test]
fn categories_and_purposes_are_known() {
    for (code, it) in profiles() {
        for category in it.categories.keys() {
            assert!(CategorySet::named(category).is_ok(), "{code}: {category}");
        }
        for (a, b) in &it.incompatible {
            assert_ne!(a, b, "{code}");
        }
        let Some(purposes) = &it.purposes else {
            continue;
        };
        let is_open = |name: &Purpose| purposes.iter().any(|it| it.covers(name));
        // What is classed, asked in writing or kept apart must be a purpose at all.
        let pairs = it.incompatible.iter().flat_map(|(a, b)| [a, b]);
        let named = it.purpose_classes.keys();
        for name in named.chain(&it.written_evidence_for_purposes).chain(pairs) {
            let is_parent = purposes.iter().any(|it| name.covers(it));
            assert!(is_open(name) || is_parent, "{code}: {name} is not open");
        }
        for statutory in [
            "recall",
            "data.clarification",
            "legal.obligation",
            "state.body",
            "court",
        ] {
            assert!(is_open(&purpose(statutory)), "{code}: {statutory}");
        }
    }
}

/// What distinguishes each operator, by the clause.
#[test]
fn profiles_say_what_their_texts_say() {
    for (profile, third_party, adequate_state) in [
        ("baseline", false, false),
        ("kz-law-strict", true, true),
        ("health-programme", true, true),
        ("it-service", true, false),
        ("retail-loyalty", true, true),
        ("clinic-email", true, false),
        ("training-ngo", true, false),
        ("baseline-eu-gdpr", true, false),
        ("baseline-ru-152fz", true, false),
    ] {
        let it = reading(profile);
        assert_eq!(it.third_party_needs_consent(), third_party, "{profile}");
        let needs = it.adequate_state_requires_consent();
        assert_eq!(needs, adequate_state, "{profile}");
    }
}

#[test]
fn bases_go_no_further_than_text_and_statute() {
    use BasisKind::{Contract, LegitimateInterest, Treaty};
    use Facet::{CrossBorder, ThirdParty};
    // `Some(true)`: accepted beyond the statute.
    for (profile, facet, kind, accepted) in [
        ("kz-law-strict", ThirdParty, Contract, None),
        ("kz-law-strict", CrossBorder, Treaty, Some(false)),
        ("health-programme", ThirdParty, Contract, Some(true)),
        ("health-programme", CrossBorder, Contract, None),
        ("it-service", ThirdParty, Contract, None),
        ("it-service", CrossBorder, LegitimateInterest, None),
        ("retail-loyalty", ThirdParty, Contract, None),
        ("clinic-email", ThirdParty, Contract, None),
        ("training-ngo", CrossBorder, Contract, Some(true)),
        ("training-ngo", ThirdParty, Contract, None),
        (
            "baseline-eu-gdpr",
            ThirdParty,
            LegitimateInterest,
            Some(false),
        ),
        ("baseline-eu-gdpr", CrossBorder, Contract, Some(false)),
        ("baseline-eu-gdpr", CrossBorder, LegitimateInterest, None),
        ("baseline-ru-152fz", CrossBorder, Treaty, Some(false)),
        ("baseline-ru-152fz", CrossBorder, Contract, None),
    ] {
        let found = reading(profile).accepts(facet, kind).map(|it| it.0);
        assert_eq!(found, accepted, "{profile} {facet:?} {kind:?}");
    }
}

#[test]
fn notice_and_third_party_readings() {
    for (profile, notification) in [
        ("clinic-email", NotificationRule::CrossBorder),
        ("baseline-ru-152fz", NotificationRule::CrossBorder),
        ("training-ngo", NotificationRule::Never),
        ("baseline-eu-gdpr", NotificationRule::Never),
    ] {
        assert_eq!(reading(profile).notification(), notification, "{profile}");
    }
    let mut clinic = profiles().remove("clinic-email").unwrap();
    let regime = regimes().remove("kz-94v").unwrap();
    clinic.third_party_transfer = ThirdPartyTransfer::StatutoryOnly;
    let strict = Reading {
        regime: regime.into(),
        profile: clinic.into(),
        assessments: Vec::new(),
    };
    assert!(!strict.consent_answers(Facet::ThirdParty));
    assert!(strict.consent_answers(Facet::CrossBorder));
    assert!(reading("clinic-email").consent_answers(Facet::ThirdParty));
}
