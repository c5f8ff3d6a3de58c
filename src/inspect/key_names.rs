//! The key dictionary: what member, field, parameter and header names say about their values. Data from `config/dictionaries`.

use super::detect::KeyHint;

/// The dictionary, compiled. Immutable.
#[derive(Debug, Default)]
pub struct KeyNames {}

impl KeyNames {
    /// What `key` says. Case, `_ - .` and camelCase do not matter; prefixes such as `customer_` are looked through.
    pub fn lookup(&self, _key: &str) -> KeyHint {
        KeyHint::default()
    }

    /// Whether `key` is a word of the dictionary (personal or not), so that it may be printed in locations.
    pub fn is_known(&self, _key: &str) -> bool {
        false
    }
}
