//! The one list of personal-data categories: used in rules, consents, findings, metrics, audit and reports.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

macro_rules! categories {
    ($($variant:ident = $code:literal),+ $(,)?) => {
        /// A leaf category. The code (`name.surname`) is the same string in configuration, metrics, log and reports.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "the code beside each variant is its meaning; labels are in config/dictionaries")]
        pub enum Category { $($variant),+ }

        impl Category {
            /// Every category, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The dotted code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }
    };
}

categories! {
    NameFull = "name.full", NameSurname = "name.surname", NameGiven = "name.given",
    NamePatronymic = "name.patronymic", NameFormer = "name.former",
    NationalId = "national_id",
    IdDocument = "id_document", IdDocumentNumber = "id_document.number",
    IdDocumentIssuer = "id_document.issuer", IdDocumentDate = "id_document.date",
    BirthDate = "birth_date", BirthPlace = "birth_place", Sex = "sex", Citizenship = "citizenship",
    AddressRegistration = "address.registration", AddressRegistrationDate = "address.registration_date",
    AddressResidence = "address.residence", AddressOther = "address.other",
    Phone = "phone", Email = "email", Messenger = "messenger", Social = "social", Website = "website",
    EmploymentWorkplace = "employment.workplace", EmploymentPosition = "employment.position",
    EmploymentSpeciality = "employment.speciality", EmploymentIncome = "employment.income",
    HealthDiagnosis = "health.diagnosis", HealthHistory = "health.history", HealthTherapy = "health.therapy",
    HealthResult = "health.result", HealthOther = "health.other",
    SpecialEthnicity = "special.ethnicity", SpecialRace = "special.race", SpecialPolitics = "special.politics",
    SpecialReligion = "special.religion", SpecialPhilosophy = "special.philosophy",
    SpecialIntimate = "special.intimate", SpecialCriminal = "special.criminal",
    Biometric = "biometric", Photo = "photo", Voice = "voice",
    PaymentCard = "payment.card", PaymentCardCode = "payment.card_code", PaymentToken = "payment.token",
    PaymentIban = "payment.iban", PaymentAccount = "payment.account", PaymentWallet = "payment.wallet",
    OnlineIp = "online.ip", OnlineDeviceId = "online.device_id", OnlineCookieId = "online.cookie_id",
    OnlineAccountId = "online.account_id", OnlineUserAgent = "online.user_agent",
    Location = "location", Vehicle = "vehicle", Loyalty = "loyalty", Family = "family", FreeText = "free_text",
}

impl Category {
    /// Health, the other special categories, and biometrics: refused unless a consent names them.
    pub const fn is_special(self) -> bool {
        matches!(
            self,
            Self::HealthDiagnosis
                | Self::HealthHistory
                | Self::HealthTherapy
                | Self::HealthResult
                | Self::HealthOther
                | Self::SpecialEthnicity
                | Self::SpecialRace
                | Self::SpecialPolitics
                | Self::SpecialReligion
                | Self::SpecialPhilosophy
                | Self::SpecialIntimate
                | Self::SpecialCriminal
                | Self::Biometric
        )
    }

    /// A card's number or code in clear. A token of a payment system is not card data.
    pub const fn is_card_data(self) -> bool {
        matches!(self, Self::PaymentCard | Self::PaymentCardCode)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What people write for a category, and the category. Not near to its code in letters, so that a nearest code would mislead
/// (`iin` is one letter off `iban`).
const WRITTEN: &[(&str, Category)] = &[
    ("birthdate", Category::BirthDate),
    ("birthday", Category::BirthDate),
    ("card", Category::PaymentCard),
    ("credit_card", Category::PaymentCard),
    ("date_of_birth", Category::BirthDate),
    ("device_id", Category::OnlineDeviceId),
    ("diagnosis", Category::HealthDiagnosis),
    ("dob", Category::BirthDate),
    ("fio", Category::NameFull),
    ("first_name", Category::NameGiven),
    ("full_name", Category::NameFull),
    ("gender", Category::Sex),
    ("iban", Category::PaymentIban),
    ("iin", Category::NationalId),
    ("inn", Category::NationalId),
    ("ip", Category::OnlineIp),
    ("ip_address", Category::OnlineIp),
    ("last_name", Category::NameSurname),
    ("mail", Category::Email),
    ("mobile", Category::Phone),
    ("pan", Category::PaymentCard),
    ("passport", Category::IdDocumentNumber),
    ("pinfl", Category::NationalId),
    ("plate", Category::Vehicle),
    ("snils", Category::NationalId),
    ("ssn", Category::NationalId),
    ("surname", Category::NameSurname),
    ("tel", Category::Phone),
    ("telephone", Category::Phone),
    ("жсн", Category::NationalId),
    ("иин", Category::NationalId),
    ("телефон", Category::Phone),
    ("фио", Category::NameFull),
];

impl Category {
    /// The category that a word means which is no code, such as `iin`. For a message's fix only; nothing is ever read so.
    pub fn meant(text: &str) -> Option<Self> {
        let plain = text.trim().to_lowercase().replace(['-', ' '], "_");
        let written = WRITTEN.iter().find(|(word, _)| *word == plain);
        written.map(|(_, category)| *category)
    }
}

impl fmt::Debug for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Category {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|it| it.code() == text)
            .ok_or_else(|| format!("`{text}` is not a category code such as name.full or email"))
    }
}

impl Serialize for Category {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Category {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// A set of leaf categories, one bit each. Written as a list of codes, where a parent stands for all its leaves:
/// `["name", "email"]`; as text the expanded leaves are listed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct CategorySet(u128);

impl CategorySet {
    /// No category.
    pub const EMPTY: Self = Self(0);

    /// Every category.
    pub fn all() -> Self {
        Category::ALL.iter().copied().collect()
    }

    /// The leaves that `code` names: itself, or everything below `code.`.
    ///
    /// # Errors
    /// `code` is neither a leaf nor a parent.
    pub fn named(code: &str) -> Result<Self, String> {
        let set: Self = Category::ALL
            .iter()
            .copied()
            .filter(|it| {
                it.code()
                    .strip_prefix(code)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
            .collect();
        if set.is_empty() {
            Err(format!(
                "`{code}` is not a category code such as name, name.surname, email or health"
            ))
        } else {
            Ok(set)
        }
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether `category` is in the set.
    pub const fn contains(self, category: Category) -> bool {
        self.0 & (1 << category as u8) != 0
    }

    /// Whether every member of `other` is in this set.
    pub const fn contains_all(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Adds `category`.
    pub const fn insert(&mut self, category: Category) {
        self.0 |= 1 << category as u8;
    }

    /// Members of either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Members of both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Members of this set that are not in `other`.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The members, in the order of the list.
    pub fn iter(self) -> impl Iterator<Item = Category> {
        Category::ALL
            .iter()
            .copied()
            .filter(move |it| self.contains(*it))
    }
}

impl FromIterator<Category> for CategorySet {
    fn from_iter<I: IntoIterator<Item = Category>>(iter: I) -> Self {
        let mut set = Self::EMPTY;
        for category in iter {
            set.insert(category);
        }
        set
    }
}

impl fmt::Debug for CategorySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for CategorySet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for CategorySet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut set = Self::EMPTY;
        for code in Vec::<String>::deserialize(deserializer)? {
            set = set.union(Self::named(&code).map_err(de::Error::custom)?);
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_known_by_what_people_write() {
        assert_eq!(Category::meant("IIN"), Some(Category::NationalId));
        assert_eq!(Category::meant("date of birth"), Some(Category::BirthDate));
        assert_eq!(Category::meant("email"), None);
        let is_code = |word: &str| Category::ALL.iter().any(|it| it.code() == word);
        assert!(WRITTEN.iter().all(|(word, _)| !is_code(word)));
    }

    #[test]
    fn a_parent_names_its_leaves() {
        let name = CategorySet::named("name").unwrap();
        assert_eq!(name.len(), 5);
        assert!(name.contains(Category::NameSurname));
        assert!(
            CategorySet::named("id_document")
                .unwrap()
                .contains(Category::IdDocument)
        );
        assert!(CategorySet::named("nam").is_err());
        assert!(Category::ALL.len() <= 128);
    }
}
