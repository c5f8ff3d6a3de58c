//! Persons: in a payload (identifiers in clear, wrapped) and in the registers (keyed references).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Sensitive;

/// What an identifier is.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum IdentifierKind {
    /// E-mail address, lower-cased.
    Email,
    /// Number of an identity document, upper-cased, without separators.
    IdDocument,
    /// The operator's own id of the person, as given.
    InternalId,
    /// IIN, SNILS, personal INN, PINFL, SSN …: digits only.
    NationalId,
    /// Phone number in E.164 without `+`: digits only.
    Phone,
}

impl IdentifierKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Email,
        Self::IdDocument,
        Self::InternalId,
        Self::NationalId,
        Self::Phone,
    ];

    /// The kebab-case name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::IdDocument => "id-document",
            Self::InternalId => "internal-id",
            Self::NationalId => "national-id",
            Self::Phone => "phone",
        }
    }

    /// Whether a person is written to or called at it. A consent can be limited to some of them.
    pub const fn is_address(self) -> bool {
        matches!(self, Self::Email | Self::Phone)
    }
}

impl FromStr for IdentifierKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|it| it.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a kind of identifier (email, phone, national-id, id-document, internal-id); an IIN is a `national-id`"))
    }
}

/// An identifier in clear, normalised for its kind. Lives only between inspection and the keyed hash.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Identifier {
    /// What it is.
    pub kind: IdentifierKind,
    /// The normalised value; make it with [`Identifier::normalise`].
    pub value: Sensitive<String>,
}

impl Identifier {
    /// Normalises `raw` for `kind`; `None` if nothing usable remains.
    ///
    /// E-mail: trimmed, `mailto:` removed, lower-cased. Phone: digits; an 11-digit number that starts with 8 and a 10-digit
    /// number that starts with 7 or 9 become +7 (Kazakhstan and Russia share it, ITU-T E.164). National id: digits.
    /// Document: letters upper-cased and digits. Internal id: trimmed.
    pub fn normalise(kind: IdentifierKind, raw: &str) -> Option<Self> {
        let trimmed = raw.trim();
        let value = match kind {
            IdentifierKind::Email => {
                let bare = trimmed.strip_prefix("mailto:").unwrap_or(trimmed);
                bare.contains('@').then(|| bare.to_lowercase())?
            }
            IdentifierKind::Phone => normalise_phone(trimmed)?,
            IdentifierKind::NationalId => {
                let digits: String = trimmed.chars().filter(char::is_ascii_digit).collect();
                (digits.len() >= 6).then_some(digits)?
            }
            IdentifierKind::IdDocument => {
                let kept: String = trimmed
                    .chars()
                    .filter(|it| it.is_alphanumeric())
                    .flat_map(char::to_uppercase)
                    .collect();
                (kept.len() >= 4).then_some(kept)?
            }
            IdentifierKind::InternalId => (!trimmed.is_empty()).then(|| trimmed.to_owned())?,
        };
        Some(Self {
            kind,
            value: Sensitive::new(value),
        })
    }
}

/// E.164 digits of `raw`, or `None` when fewer than 7 or more than 15 digits remain.
fn normalise_phone(raw: &str) -> Option<String> {
    let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
    let international = raw.trim_start_matches("tel:").starts_with('+');
    let full = match (digits.len(), digits.as_bytes().first()) {
        (11, Some(b'8')) if !international => format!("7{}", digits.get(1..)?),
        (10, Some(b'7' | b'9')) if !international => format!("7{digits}"),
        _ => digits
            .strip_prefix("00")
            .map_or_else(|| digits.clone(), str::to_owned),
    };
    (7..=15).contains(&full.len()).then_some(full)
}

/// A keyed hash (HMAC-SHA-256, first 16 bytes) of an identifier, with the number of its key.
///
/// It is personal data still (a keyed hash is pseudonymous, not anonymous), but says nothing without the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectRef {
    /// Which key made it.
    pub key_id: u32,
    /// What the identifier is.
    pub kind: IdentifierKind,
    /// The hash.
    pub hash: [u8; 16],
}

impl fmt::Display for SubjectRef {
    /// `email:1:0123…ef`: kind, key id, 32 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.kind.as_str(), self.key_id)?;
        self.hash.iter().try_for_each(|it| write!(f, "{it:02x}"))
    }
}

impl fmt::Debug for SubjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SubjectRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "not a subject reference such as email:1:<32 hex digits>".to_owned();
        let mut parts = text.splitn(3, ':');
        let (Some(kind), Some(key), Some(hex)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let number = u128::from_str_radix(hex, 16).map_err(|_| wrong())?;
        if hex.len() != 32 {
            return Err(wrong());
        }
        Ok(Self {
            key_id: key.parse().map_err(|_| wrong())?,
            kind: kind.parse()?,
            hash: number.to_be_bytes(),
        })
    }
}

impl Serialize for SubjectRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SubjectRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// The register's own id of a person (UUIDv7 as text).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectId(pub std::sync::Arc<str>);

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(raw: &str) -> Option<String> {
        Identifier::normalise(IdentifierKind::Phone, raw).map(|it| it.value.into_exposed())
    }

    #[test]
    fn one_phone_has_one_normal_form() {
        for raw in [
            "+7 701 000 00 01",
            "8 (701) 000-00-01",
            "77010000001",
            "7010000001",
            "tel:+77010000001",
        ] {
            assert_eq!(phone(raw).as_deref(), Some("77010000001"), "{raw}");
        }
        assert_eq!(phone("+49 30 901820").as_deref(), Some("4930901820"));
        assert_eq!(phone("12345"), None);
    }

    #[test]
    fn references_round_trip_and_debug_hides_values() {
        let it = SubjectRef {
            key_id: 1,
            kind: IdentifierKind::Email,
            hash: [7; 16],
        };
        assert_eq!(it.to_string().parse::<SubjectRef>().unwrap(), it);
        let id = Identifier::normalise(IdentifierKind::Email, " A@Example.ORG ").unwrap();
        assert_eq!(id.value.expose(), "a@example.org");
        assert!(!format!("{id:?}").contains("example"));
    }
}
