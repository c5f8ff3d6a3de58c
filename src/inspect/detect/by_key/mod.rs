//! Values that only their key tells: names, documents, dates, addresses, health … The value must not contradict the key.

mod shapes;

use super::{
    BY_KEY, Context, Sink, ValueKind, ValueShape,
    date::{is_birth_year, is_date},
    national::is_company,
    person_name::{is_full_name_like, is_hex_digest, is_name_like, is_placeholder},
};
use crate::model::{
    Category as C, Category,
    finding::Confidence,
    subject::{Identifier, IdentifierKind},
};
use shapes::{
    ethnicity, has_word, is_account, is_account_id, is_address, is_code, is_handle, is_illness,
    is_local_phone, is_masked_card, is_media, is_medical_code, is_plate, is_series, is_street,
    is_token, location, sex,
};

/// Fewest digits in a row of the number of an identity document.
const DOCUMENT_RUN_MIN: usize = 5;

/// Reads the whole text as the value that its key names.
pub(super) fn whole(text: &str, context: &Context, sink: &mut Sink<'_>) {
    let Some(category) = context.own.or(context.inherited) else {
        return;
    };
    let bare = text.trim();
    if is_placeholder(bare) || context.kind == ValueKind::Key {
        return;
    }
    sink.spend_validator();
    let is_inherited = context.own.is_none() && !context.speaks_for_parent;
    let Some((found, sure)) = judge(category, bare, context, is_inherited) else {
        return;
    };
    let start = text.len() - text.trim_start().len();
    let is_line = matches!(context.value, ValueShape::Any | ValueShape::Line);
    let is_part = context.needs_person || !is_line;
    let alone = if context.needs_person || (is_part && context.is_impersonal) {
        Confidence::Low
    } else {
        sure
    };
    let beside = if is_part && context.is_impersonal {
        Confidence::Low
    } else if found == C::OnlineAccountId || (found == C::NameFull && sure == Confidence::Medium) {
        Confidence::High
    } else {
        sure
    };
    sink.push(
        found,
        BY_KEY,
        alone,
        start..start + bare.len(),
        identifier(found, bare, beside),
    );
    if let Some(hit) = sink.hits.last_mut() {
        hit.confidence_beside_person = beside;
    }
}

/// The identifier that a value of `category` is.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "few categories are identifiers; a new one is none until it is listed here"
)]
fn identifier(category: Category, bare: &str, sure: Confidence) -> Option<Identifier> {
    let kind = match category {
        C::NationalId => IdentifierKind::NationalId,
        C::IdDocument | C::IdDocumentNumber => IdentifierKind::IdDocument,
        C::OnlineAccountId => IdentifierKind::InternalId,
        _ => return None,
    };
    (sure >= Confidence::High && !is_hex_digest(bare))
        .then(|| Identifier::normalise(kind, bare))
        .flatten()
}

/// What the value is and how sure, if it does not contradict `category`. A parent's category is only taken over by values of a
/// narrow shape, since the parent says nothing of the other members beside.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a value that no arm believes contradicts its key, whatever the category"
)]
fn judge(
    category: Category,
    bare: &str,
    context: &Context,
    is_inherited: bool,
) -> Option<(Category, Confidence)> {
    let speaks = context.own.is_none() && !is_inherited;
    if !has_shape(bare, context.value) || (speaks && is_code_of_class(category, bare)) {
        return None;
    }
    let sure = match category {
        C::NationalId if context.is_of_others => return None,
        C::NationalId => national_id(bare)?,
        C::IdDocument | C::IdDocumentNumber if is_document_number(bare, context) => {
            Confidence::High
        }
        C::BirthDate if is_date(bare) => Confidence::Certain,
        C::PaymentCardCode if is_code(bare, 3, 4) => Confidence::Certain,
        // With `_` it is the id of a record: `bank_8cad8df5354d33f`.
        C::PaymentAccount if is_account(bare) && !bare.contains('_') => Confidence::High,
        C::Phone if is_local_phone(bare) => Confidence::High,
        _ if is_inherited => inherited(category, bare)?,
        C::Email | C::Phone if is_hex_digest(bare) => Confidence::High,
        // The full name of a place: `address.fullname`.
        C::NameFull if context.around.is_some_and(super::is_address_kind) && is_street(bare) => {
            return Some((C::AddressOther, Confidence::High));
        }
        C::NameGiven | C::NameSurname | C::NamePatronymic | C::NameFormer | C::NameFull => {
            name(bare, context)?
        }
        C::BirthDate if is_birth_year(bare) || context.kind == ValueKind::Number => {
            Confidence::High
        }
        C::IdDocumentDate | C::AddressRegistrationDate if is_date(bare) => Confidence::High,
        C::Sex => sex(bare)?,
        C::Citizenship | C::BirthPlace | C::IdDocumentIssuer if has_word(bare) => Confidence::High,
        C::SpecialEthnicity => return ethnicity(bare),
        C::AddressRegistration | C::AddressResidence | C::AddressOther if is_address(bare) => {
            address(bare, context.value)
        }
        C::Messenger | C::Social if is_handle(bare) => Confidence::High,
        C::Website if bare.contains('.') && !bare.contains(' ') => Confidence::Medium,
        C::EmploymentWorkplace | C::EmploymentPosition | C::EmploymentSpeciality
            if has_word(bare) =>
        {
            Confidence::High
        }
        C::EmploymentIncome if bare.bytes().any(|it| it.is_ascii_digit()) => Confidence::High,
        C::HealthDiagnosis
        | C::HealthHistory
        | C::HealthTherapy
        | C::HealthResult
        | C::HealthOther
        | C::SpecialRace
        | C::SpecialPolitics
        | C::SpecialReligion
        | C::SpecialPhilosophy
        | C::SpecialIntimate
        | C::SpecialCriminal
        | C::Family
            if has_word(bare) || is_medical_code(bare) =>
        {
            Confidence::High
        }
        C::Biometric | C::Voice | C::Photo if is_media(bare) => Confidence::High,
        C::PaymentCard if is_masked_card(bare) => Confidence::Medium,
        // Without a digit it is the name of a wallet: `apple_pay`.
        C::PaymentWallet if !bare.bytes().any(|it| it.is_ascii_digit()) => return None,
        C::PaymentToken | C::PaymentWallet if is_token(bare, 8) => Confidence::High,
        C::OnlineDeviceId | C::OnlineCookieId if is_token(bare, 5) => Confidence::High,
        C::OnlineUserAgent if bare.contains('/') && bare.len() >= 10 => Confidence::High,
        C::OnlineAccountId if is_account_id(bare) => Confidence::Medium,
        C::Location => location(bare)?,
        C::Vehicle if is_account(bare) || is_plate(bare) => Confidence::High,
        C::Loyalty if is_account(bare) => Confidence::High,
        _ => return None,
    };
    Some((category, sure))
}

/// The code of an organisation or an ethnic group among those of a state, which says nothing by itself.
fn is_code_of_class(category: Category, bare: &str) -> bool {
    matches!(category, C::SpecialEthnicity | C::IdDocumentIssuer)
        && bare.bytes().all(|it| it.is_ascii_digit())
}

/// What only a narrow shape says under a key that is the parent's.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a parent says nothing of other members, whatever the category"
)]
fn inherited(category: Category, bare: &str) -> Option<Confidence> {
    match category {
        C::HealthDiagnosis if is_illness(bare) => Some(Confidence::High),
        C::Sex if bare.len() > 1 => sex(bare),
        C::AddressRegistration | C::AddressResidence | C::AddressOther if is_street(bare) => {
            Some(Confidence::High)
        }
        C::NameFull if bare.contains(' ') && is_full_name_like(bare) => Some(Confidence::High),
        _ => None,
    }
}

/// How sure an address is. One word without a capital is a state of it (`deliverable`), a line without a letter a part at most.
fn address(bare: &str, shape: ValueShape) -> Confidence {
    let is_line = matches!(shape, ValueShape::Any | ValueShape::Line);
    if is_line && bare.bytes().all(|it| it.is_ascii_lowercase()) {
        Confidence::Low
    } else if shape == ValueShape::Line && !bare.chars().any(char::is_alphabetic) {
        Confidence::Medium
    } else {
        Confidence::High
    }
}

/// Letters and digits of a national number that no validator knows, or its digest.
fn national_id(bare: &str) -> Option<Confidence> {
    let count = bare.bytes().filter(u8::is_ascii_digit).count();
    let mut digits = [0_u8; 12];
    for (slot, byte) in digits
        .iter_mut()
        .zip(bare.bytes().filter(u8::is_ascii_digit))
    {
        *slot = byte - b'0';
    }
    let is_written_so = bare
        .chars()
        .all(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '.' | '/'));
    let is_plausible = (5..=25).contains(&bare.len()) && count >= 5 && is_written_so;
    let is_of_company = count <= 12 && digits.get(..count).is_some_and(is_company);
    ((is_plausible && !is_of_company) || is_hex_digest(bare)).then_some(Confidence::High)
}

/// A number of a document of any kind; where the key may mean a contract too, no year or counter in groups: `SC-2026-001`.
fn is_document_number(bare: &str, context: &Context) -> bool {
    let digits = bare.bytes().filter(u8::is_ascii_digit).count();
    let has_run = || {
        bare.split(|it: char| !it.is_ascii_digit())
            .any(|run| run.len() >= DOCUMENT_RUN_MIN)
    };
    let is_part = context.value == ValueShape::Series && is_series(bare);
    is_part
        || digits >= 4
            && (!context.needs_person || has_run())
            && bare.len() <= 40
            && bare
                .chars()
                .all(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '№' | '/' | '<'))
            && !is_date(bare)
}

/// A bare `name` must look like a full name; an explicit key is believed sooner.
fn name(bare: &str, context: &Context) -> Option<Confidence> {
    let fits = if context.needs_person {
        is_full_name_like(bare)
    } else {
        is_name_like(bare) || is_numbered_name(bare) || is_hex_digest(bare)
    };
    // One word without a capital is as often a thing's: `yuan`.
    let is_doubtful = context.own == Some(C::NameFull)
        && !bare.contains(' ')
        && bare.starts_with(char::is_lowercase);
    let sure = if is_doubtful {
        Confidence::Medium
    } else {
        Confidence::High
    };
    (fits && context.kind == ValueKind::String).then_some(sure)
}

/// Whether the value looks as its key asks.
fn has_shape(bare: &str, shape: ValueShape) -> bool {
    match shape {
        ValueShape::Any | ValueShape::Line | ValueShape::Series => true,
        ValueShape::Place => {
            is_hex_digest(bare)
                || (bare.chars().any(char::is_alphabetic)
                    && (bare.len() == 2 || !bare.starts_with(char::is_lowercase)))
        }
        ValueShape::PostalCode => {
            is_hex_digest(bare)
                || (bare.len() <= POSTAL_CODE_MAX && bare.bytes().any(|it| it.is_ascii_digit()))
        }
    }
}

/// Longest postal code, with its separator.
const POSTAL_CODE_MAX: usize = 12;

/// A made-up or numbered name, `Aru Serik 2`: an explicit key is believed if words stand apart.
fn is_numbered_name(bare: &str) -> bool {
    let words = bare.trim_end_matches(|it: char| it.is_ascii_digit() || it == ' ');
    words.len() < bare.len() && words.contains(' ') && is_name_like(words)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_ambiguous, check_inherited, check_keyed};
    use super::*;

    #[test]
    fn explicit_keys() {
        let found: &[(Category, &str, Confidence)] = &[
            (C::NameGiven, "Aruzhan", Confidence::High),
            (C::NameSurname, "Серікова", Confidence::High),
            (C::BirthDate, "1991-12-31", Confidence::Certain),
            (C::BirthDate, "1991", Confidence::High),
            (C::Sex, "Ж", Confidence::Certain),
            (C::Sex, "2", Confidence::High),
            (C::IdDocumentNumber, "N12345678", Confidence::High),
            (C::AddressResidence, "Алматы, ул. Абая 10", Confidence::High),
            (C::HealthDiagnosis, "J45.0", Confidence::High),
            (C::Photo, "https://example.org/a.jpg", Confidence::High),
            (C::PaymentCardCode, "123", Confidence::Certain),
            (C::Location, "43.238949", Confidence::High),
            (C::OnlineUserAgent, "Mozilla/5.0 (X11)", Confidence::High),
            (C::OnlineAccountId, "12345", Confidence::Medium),
            (
                C::Email,
                "5d41402abc4b2a76b9719d911017c592",
                Confidence::High,
            ),
            (C::Vehicle, "453 DXA 12", Confidence::High),
        ];
        for (category, text, sure) in found {
            check_keyed(Some(*category), text, Some((*category, *sure)));
        }
    }

    #[test]
    fn values_that_contradict_their_key() {
        let none: &[(Category, &str)] = &[
            (C::NameGiven, "12345"),
            (C::NameFull, "{{name}}"),
            (C::BirthDate, "soon"),
            (C::Sex, "test"),
            (C::AddressResidence, "https://example.org/x"),
            (C::Photo, "true"),
            (C::Location, "Almaty"),
            (C::PaymentCardCode, "12345"),
            (C::FreeText, "anything"),
            (C::PaymentWallet, "apple_pay"),
            (C::NameFull, "Заявка с сайта"),
        ];
        for (category, text) in none {
            check_keyed(Some(*category), text, None);
        }
    }

    #[test]
    fn nationality_is_ethnicity_unless_a_country() {
        let key = Some(C::SpecialEthnicity);
        check_keyed(key, "Казах", Some((C::SpecialEthnicity, Confidence::High)));
        check_keyed(key, "Казахстан", Some((C::Citizenship, Confidence::High)));
        check_keyed(key, "KZ", Some((C::Citizenship, Confidence::High)));
        check_keyed(key, "398", Some((C::Citizenship, Confidence::High)));
    }

    #[test]
    fn an_ambiguous_key_needs_a_person() {
        check_ambiguous(
            C::NameFull,
            "Aru Serik",
            Some((Confidence::Low, Confidence::High)),
        );
        check_ambiguous(
            C::AddressOther,
            "Almaty",
            Some((Confidence::Low, Confidence::High)),
        );
    }

    #[test]
    fn a_parent_is_believed_for_values_of_its_shape_only() {
        check_inherited(
            C::Phone,
            "7010000001",
            Some((C::Phone, Confidence::Certain)),
        );
        check_inherited(
            C::IdDocument,
            "N12345678",
            Some((C::IdDocument, Confidence::High)),
        );
        check_inherited(C::Phone, "WORK", None);
        check_inherited(C::AddressOther, "primary", None);
    }
}
