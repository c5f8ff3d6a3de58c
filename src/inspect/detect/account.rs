//! Accounts in social networks and messengers by their addresses: `https://t.me/name`, `skype:name`. The page of a company looks the
//! same, so an address counts only beside other data of a person.

use super::{Context, Hit, Sink, nearby::is_free};
use crate::model::{
    Category,
    finding::Confidence,
    subject::{Identifier, IdentifierKind},
};

/// Name of the detector.
const ACCOUNT: &str = "account-address";

/// Hosts whose paths are accounts, what comes before the name, and of which kind they are.
const HOSTS: &[(&str, &str, Category)] = &[
    ("t.me", "", Category::Messenger),
    ("telegram.me", "", Category::Messenger),
    ("vk.com", "", Category::Social),
    ("instagram.com", "", Category::Social),
    ("facebook.com", "", Category::Social),
    ("ok.ru", "profile/", Category::Social),
    ("linkedin.com", "in/", Category::Social),
    ("x.com", "", Category::Social),
    ("twitter.com", "", Category::Social),
    ("tiktok.com", "@", Category::Social),
    ("threads.net", "@", Category::Social),
    ("my.mail.ru", "mail/", Category::Social),
];

/// First words of paths that are pages of the network.
const PAGES: &[&str] = &[
    "share",
    "sharer",
    "sharer.php",
    "intent",
    "p",
    "reel",
    "reels",
    "hashtag",
    "joinchat",
    "s",
    "c",
    "addstickers",
    "stories",
    "explore",
    "groups",
    "events",
    "watch",
    "away.php",
    "feed",
    "search",
    "home",
    "login",
    "i",
    "tr",
    "plugins",
    "dialog",
    "video",
    "photo",
    "pages",
    "v",
];

/// Hosts whose path or query is a telephone number.
const WHATSAPP: &[&str] = &[
    "wa.me/",
    "api.whatsapp.com/send?phone=",
    "api.whatsapp.com/send/?phone=",
];

/// Reads what follows the colon at `at`; returns its end.
pub(super) fn after_colon(
    text: &str,
    at: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    let after = text.get(at + 1..)?;
    if !after.starts_with("//") {
        return skype(text, at, context, sink);
    }
    // A name has no address, so that of an account under a key for one is what else the key means: Bitrix' `IM`.
    let is_name = |it: Category| it.code().starts_with("name");
    if !is_free(context) && !context.inherited.is_some_and(is_name) {
        return None;
    }
    let start = at + 3;
    let rest = after.get(2..)?;
    let bare = ["www.", "m."]
        .iter()
        .find_map(|it| rest.strip_prefix(it))
        .unwrap_or(rest);
    let skipped = rest.len() - bare.len();
    if let Some(number) = WHATSAPP.iter().find_map(|it| bare.strip_prefix(it)) {
        let run = number.bytes().take_while(u8::is_ascii_digit).count();
        let from = text.len() - number.len();
        let identifier = Identifier::normalise(IdentifierKind::Phone, number.get(..run)?);
        return (10..=15).contains(&run).then(|| {
            sink.push(
                Category::Phone,
                ACCOUNT,
                Confidence::High,
                from..from + run,
                identifier,
            );
            from + run
        });
    }
    let (host, path) = bare.split_once('/')?;
    let (_, prefix, category) = HOSTS.iter().find(|it| it.0.eq_ignore_ascii_case(host))?;
    let name = path.strip_prefix(prefix)?;
    let length = name_length(name);
    if length < 3 || PAGES.contains(&name.get(..length)?) {
        return None;
    }
    let end = start + skipped + host.len() + 1 + prefix.len() + length;
    push(*category, start..end, sink);
    Some(end)
}

/// `skype:name`.
fn skype(text: &str, at: usize, context: &Context, sink: &mut Sink<'_>) -> Option<usize> {
    let start = at.checked_sub("skype".len())?;
    let is_skype = text.get(start..at)?.eq_ignore_ascii_case("skype");
    let length = if is_skype && is_free(context) {
        name_length(text.get(at + 1..)?)
    } else {
        0
    };
    (length >= 3).then(|| {
        push(Category::Messenger, start..at + 1 + length, sink);
        at + 1 + length
    })
}

/// Length of the name of an account that begins `text`.
fn name_length(text: &str) -> usize {
    text.bytes()
        .take_while(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'.' | b'-'))
        .count()
}

fn push(category: Category, range: std::ops::Range<usize>, sink: &mut Sink<'_>) {
    sink.spend_validator();
    sink.hits.push(Hit {
        category,
        detector: ACCOUNT,
        confidence: Confidence::Medium,
        confidence_beside_person: Confidence::High,
        range,
        identifier: None,
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_none, found};
    use super::*;

    #[test]
    fn addresses_of_accounts() {
        check_found(
            Category::Messenger,
            &[
                (
                    "https://t.me/aru_serik",
                    "t.me/aru_serik",
                    Confidence::Medium,
                ),
                (
                    "skype:aru.serik?chat",
                    "skype:aru.serik",
                    Confidence::Medium,
                ),
            ],
        );
        check_found(
            Category::Social,
            &[
                (
                    "см. https://www.instagram.com/aru.serik/",
                    "www.instagram.com/aru.serik",
                    Confidence::Medium,
                ),
                (
                    "https://ok.ru/profile/aru5",
                    "ok.ru/profile/aru5",
                    Confidence::Medium,
                ),
            ],
        );
        check_found(
            Category::Phone,
            &[("https://wa.me/77010000001", "77010000001", Confidence::High)],
        );
        check_none(&[
            "https://t.me/",
            "https://t.me/share/url",
            "https://example.org/aru_serik",
            "https://www.instagram.com/p/abc/",
            "https://ok.ru/group/aru5",
            "skype: нет",
        ]);
        let hits = found("https://t.me/aru_serik");
        assert!(
            hits.iter()
                .all(|it| it.confidence_beside_person == Confidence::High)
        );
    }
}
