//! Identifiers in a value that the operator pointed at.

use crate::model::subject::{Identifier, IdentifierKind};

/// The identifiers of `kind` that `text` holds. An address field may list several with names beside them (RFC 5322 §3.4), a phone
/// may carry the channel that it is used on (`whatsapp:+7…`); what is no address or number of that kind names nobody.
pub(crate) fn identifiers(kind: IdentifierKind, text: &str) -> Vec<Identifier> {
    let normalise = |it: &str| Identifier::normalise(kind, it);
    match kind {
        IdentifierKind::Email => pieces(text)
            .filter_map(address)
            .filter_map(normalise)
            .collect(),
        IdentifierKind::Phone => pieces(text)
            .filter_map(number)
            .filter_map(normalise)
            .collect(),
        IdentifierKind::IdDocument | IdentifierKind::InternalId | IdentifierKind::NationalId => {
            normalise(text).into_iter().collect()
        }
    }
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '\n'])
}

/// The bare address of `"Aru" <aru@example.org>`.
fn address(piece: &str) -> Option<&str> {
    let bare = match piece.rsplit_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or(rest),
        None => piece,
    };
    let mut words = bare.split_whitespace();
    words.find(|it| it.contains('@'))
}

/// The number of `whatsapp:+77010000001`, `tel:+7…` or `77010000001@c.us`; names of clients and senders are none.
fn number(piece: &str) -> Option<&str> {
    let piece = piece.rsplit_once(':').map_or(piece, |it| it.1);
    let bare = piece.split('@').next().unwrap_or(piece);
    (!bare.chars().any(char::is_alphabetic)).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: IdentifierKind, text: &str, expected: &[&str]) {
        let found = identifiers(kind, text);
        let found: Vec<_> = found.iter().map(|it| it.value.expose().as_str()).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn address_fields_hold_addresses() {
        let email = IdentifierKind::Email;
        check(email, "Aru@Example.org", &["aru@example.org"]);
        check(
            email,
            "\"Serik, Aru\" <aru@example.org>",
            &["aru@example.org"],
        );
        check(
            email,
            "Aru <aru@example.org>, bek@example.org; mailto:dana@example.org",
            &["aru@example.org", "bek@example.org", "dana@example.org"],
        );
        check(email, "nobody", &[]);
        check(email, "", &[]);
    }

    #[test]
    fn phones_come_with_their_channel() {
        let phone = IdentifierKind::Phone;
        for text in [
            "+7 (701) 000-00-01",
            "whatsapp:+77010000001",
            "tel:+77010000001",
            "77010000001@c.us",
        ] {
            check(phone, text, &["77010000001"]);
        }
        check(
            phone,
            "77010000001,77010000002",
            &["77010000001", "77010000002"],
        );
        for text in [
            "client:aru1234567",
            "user1234567@example.org",
            "INFO-7777777",
        ] {
            check(phone, text, &[]);
        }
    }

    #[test]
    fn other_kinds_are_whole() {
        check(IdentifierKind::InternalId, " a,b ", &["a,b"]);
        check(
            IdentifierKind::NationalId,
            "991231-100010",
            &["991231100010"],
        );
    }
}
