//! The files as shipped.

use std::collections::BTreeSet;

use super::setting::{profile, regime};
use crate::{
    model::{
        Country,
        consent::{BasisKind, Facet},
        law::{AdequacyRule, Profile, Regime},
    },
    policy::data,
};

#[test]
fn every_file_is_what_its_name_says() {
    for (name, text) in data::REGIMES {
        let it: Regime = serde_saphyr::from_str(text).unwrap();
        assert_eq!(*name, format!("regimes/{}.yaml", it.code));
        for rule in 1..=36 {
            let rule = format!("R-{rule:02}");
            assert!(it.citations.contains_key(&rule), "{name}: {rule}");
        }
        assert!(!it.sources.is_empty(), "{name}");
    }
    for (name, text) in data::PROFILES {
        let it: Profile = serde_saphyr::from_str(text).unwrap();
        assert_eq!(*name, format!("profiles/{}.yaml", it.code));
        assert!(!it.sources.is_empty(), "{name}");
        let known = |it: &str| data::REGIMES.iter().any(|file| file.0.contains(it));
        assert!(known(&it.on_regime), "{name}");
    }
    assert_eq!(
        data::embedded().count(),
        data::REGIMES.len() + data::PROFILES.len() + 2
    );
}

#[test]
fn the_statute_grants_no_contract_and_no_legitimate_interest() {
    let it = regime();
    assert_eq!(it.adequacy, AdequacyRule::Assessment);
    assert!(it.adequate.is_empty());
    for facet in [Facet::ThirdParty, Facet::CrossBorder] {
        let bases = &it.bases[&facet];
        assert!(!bases.contains(&BasisKind::Contract));
        assert!(!bases.contains(&BasisKind::LegitimateInterest));
    }
    assert!(profile("kz-law-strict").extra_bases.is_empty());
    assert!(profile("baseline").extra_bases.is_empty());
}

#[test]
fn hints_name_countries_once() {
    #[derive(serde::Deserialize)]
    struct Hints {
        hints: Vec<Hint>,
    }
    #[derive(serde::Deserialize)]
    struct Hint {
        source: String,
        confidence: String,
        countries: Vec<Country>,
    }
    let file: Hints = serde_saphyr::from_str(data::ADEQUACY_HINTS.1).unwrap();
    let all: Vec<Country> = file
        .hints
        .iter()
        .flat_map(|it| it.countries.clone())
        .collect();
    assert_eq!(all.len(), 55, "parties to Convention 108");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert!(file.hints.iter().all(|it| !it.source.is_empty()));
    let known = ["low", "medium", "high"];
    assert!(
        file.hints
            .iter()
            .all(|it| known.contains(&it.confidence.as_str()))
    );
}
