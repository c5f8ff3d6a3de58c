//! The law as shipped: the files under `config/`, embedded so that the binary needs none beside it.

/// Regimes, by file name.
pub const REGIMES: &[(&str, &str)] = &[
    (
        "regimes/kz-94v.yaml",
        include_str!("../../config/regimes/kz-94v.yaml"),
    ),
    (
        "regimes/eu-gdpr.yaml",
        include_str!("../../config/regimes/eu-gdpr.yaml"),
    ),
    (
        "regimes/ru-152fz.yaml",
        include_str!("../../config/regimes/ru-152fz.yaml"),
    ),
];

/// Profiles, by file name.
pub const PROFILES: &[(&str, &str)] = &[
    (
        "profiles/baseline.yaml",
        include_str!("../../config/profiles/baseline.yaml"),
    ),
    (
        "profiles/kz-law-strict.yaml",
        include_str!("../../config/profiles/kz-law-strict.yaml"),
    ),
    (
        "profiles/baseline-eu-gdpr.yaml",
        include_str!("../../config/profiles/baseline-eu-gdpr.yaml"),
    ),
    (
        "profiles/baseline-ru-152fz.yaml",
        include_str!("../../config/profiles/baseline-ru-152fz.yaml"),
    ),
    (
        "profiles/health-programme.yaml",
        include_str!("../../config/profiles/health-programme.yaml"),
    ),
    (
        "profiles/it-service.yaml",
        include_str!("../../config/profiles/it-service.yaml"),
    ),
    (
        "profiles/retail-loyalty.yaml",
        include_str!("../../config/profiles/retail-loyalty.yaml"),
    ),
    (
        "profiles/clinic-email.yaml",
        include_str!("../../config/profiles/clinic-email.yaml"),
    ),
    (
        "profiles/training-ngo.yaml",
        include_str!("../../config/profiles/training-ngo.yaml"),
    ),
];

/// Countries that an operator might assess as adequate: hints for `check` and `init`, never a verdict.
pub const ADEQUACY_HINTS: (&str, &str) = (
    "adequacy/hints.yaml",
    include_str!("../../config/adequacy/hints.yaml"),
);

/// Rule, citation, status and texts of every reason; read it with [`ReasonTable::parse`](super::ReasonTable::parse).
pub const REASONS: (&str, &str) = (
    "messages/reasons.yaml",
    include_str!("../../config/messages/reasons.yaml"),
);

/// Every shipped file that a decision or its texts rest on, to be hashed into the record's versions.
pub fn embedded() -> impl Iterator<Item = (&'static str, &'static str)> {
    REGIMES
        .iter()
        .chain(PROFILES)
        .copied()
        .chain([ADEQUACY_HINTS, REASONS])
}
