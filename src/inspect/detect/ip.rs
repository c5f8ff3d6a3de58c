//! Internet and hardware addresses: IPv4, IPv6, MAC.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Context, Sink, nearby};
use crate::model::{Category, finding::Confidence};

/// Words near the address of a device.
const MAC_WORDS: &[&str] = &[
    "mac ",
    "macs",
    "mac:",
    "mac-",
    "physical address",
    "hardware address",
];

/// Longest text of an IPv6 address (RFC 4291 §2.2, with an embedded IPv4 address).
const IPV6_MAX: usize = 45;

/// Reads an IPv4 address that starts at byte `start`; returns its end.
pub(super) fn v4(
    text: &str,
    start: usize,
    context: &Context,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let len = bytes
        .get(start..)?
        .iter()
        .take(16)
        .take_while(|it| it.is_ascii_digit() || **it == b'.')
        .count();
    let token = text.get(start..start + len)?.trim_end_matches('.');
    if token.bytes().filter(|it| *it == b'.').count() != 3 {
        return None;
    }
    sink.spend_validator();
    let address: Ipv4Addr = token.parse().ok()?;
    let end = start + token.len();
    let before = start.checked_sub(1).and_then(|at| bytes.get(at)).copied();
    let after = bytes.get(end).copied();
    let is_word = |it: u8| it.is_ascii_alphanumeric() || it == b'_';
    if before.is_some_and(|it| is_word(it) || it == b'.') || after.is_some_and(is_word) {
        return None;
    }
    let names_nobody = address.is_loopback()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || address.octets().starts_with(&[255]);
    let is_weak = context.is_order_like
        || names_nobody
        || after == Some(b'/')
        || is_product_version(bytes, start);
    sink.push(
        Category::OnlineIp,
        "ip.v4",
        confidence(is_weak, context),
        start..end,
        None,
    );
    Some(end)
}

/// Whether `Product/` stands before, as in a user agent (RFC 9110 section 10.1.5), and not a path or a URL.
fn is_product_version(bytes: &[u8], start: usize) -> bool {
    let Some((b'/', product)) = bytes.get(..start).and_then(<[u8]>::split_last) else {
        return false;
    };
    let length = product
        .iter()
        .rev()
        .take_while(|it| it.is_ascii_alphanumeric())
        .count();
    let before = product.iter().rev().nth(length);
    length > 0 && before.is_none_or(|it| matches!(it, b' ' | b'(' | b'"' | b';'))
}

/// Reads an IPv6 or MAC address around the `:` at byte `at`; returns where to go on.
pub(super) fn around_colon(text: &str, at: usize, context: &Context, sink: &mut Sink<'_>) -> usize {
    let bytes = text.as_bytes();
    let is_part = |it: &u8| it.is_ascii_hexdigit() || matches!(it, b':' | b'.');
    let back = bytes
        .get(..at)
        .unwrap_or_default()
        .iter()
        .rev()
        .take(4)
        .take_while(|it| is_part(it))
        .count();
    let start = at - back;
    if has_neighbour(bytes, start, bytes.len()) {
        return at + 1;
    }
    let len = bytes
        .get(start..)
        .unwrap_or_default()
        .iter()
        .take(IPV6_MAX + 1)
        .take_while(|it| is_part(it))
        .count();
    let token = text
        .get(start..start + len)
        .unwrap_or_default()
        .trim_end_matches('.');
    let colons = token.bytes().filter(|it| *it == b':').count();
    let end = start + token.len();
    if colons < 3 || token.len() > IPV6_MAX || has_neighbour(bytes, start, end) {
        return at + 1;
    }
    sink.spend_validator();
    if is_mac(token) {
        let sure = if context.names(Category::OnlineDeviceId) {
            Confidence::Certain
        } else if nearby::is_free(context) && nearby::has_word(text, start, end, MAC_WORDS) {
            Confidence::High
        } else {
            Confidence::Medium
        };
        sink.push(Category::OnlineDeviceId, "mac", sure, start..end, None);
        return end;
    }
    let Ok(address) = token.parse::<Ipv6Addr>() else {
        return at + 1;
    };
    let is_weak = context.is_order_like || address.is_loopback() || address.is_multicast();
    sink.push(
        Category::OnlineIp,
        "ip.v6",
        confidence(is_weak, context),
        start..end,
        None,
    );
    end
}

/// An address under an IP key is certain even if it is private: it still stands for one person's device.
fn confidence(is_weak: bool, context: &Context) -> Confidence {
    match (is_weak, context.names(Category::OnlineIp)) {
        (true, false) => Confidence::Low,
        (true, true) => Confidence::Medium,
        (false, false) => Confidence::High,
        (false, true) => Confidence::Certain,
    }
}

/// Whether the token is a part of a longer word.
fn has_neighbour(bytes: &[u8], start: usize, end: usize) -> bool {
    let is_word = |it: &u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b':');
    start
        .checked_sub(1)
        .and_then(|at| bytes.get(at))
        .is_some_and(is_word)
        || bytes.get(end).is_some_and(is_word)
}

/// Six pairs of hex digits with colons, not all alike.
fn is_mac(token: &str) -> bool {
    token.len() == 17
        && token.split(':').count() == 6
        && token
            .split(':')
            .all(|it| it.len() == 2 && it.bytes().all(|byte| byte.is_ascii_hexdigit()))
        && !token.bytes().all(|it| matches!(it, b'0' | b':'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_found, check_none};
    use crate::model::{Category, finding::Confidence};

    #[test]
    fn internet_addresses_in_text() {
        check_found(
            Category::OnlineIp,
            &[
                ("from 198.51.100.7:443", "198.51.100.7", Confidence::High),
                ("198.51.100.7.", "198.51.100.7", Confidence::High),
                ("127.0.0.1", "127.0.0.1", Confidence::Low),
                ("Browser/122.0.0.0 (x)", "122.0.0.0", Confidence::Low),
                ("203.0.113.0/24", "203.0.113.0", Confidence::Low),
                (
                    "[2001:db8::ff00:42:8329]",
                    "2001:db8::ff00:42:8329",
                    Confidence::High,
                ),
                (
                    "2001:db8:0:0:0:0:0:1",
                    "2001:db8:0:0:0:0:0:1",
                    Confidence::High,
                ),
            ],
        );
        check_found(
            Category::OnlineDeviceId,
            &[(
                "mac 00:1B:44:11:3A:B7 up",
                "00:1B:44:11:3A:B7",
                Confidence::High,
            )],
        );
        check_none(&[
            "v1.2.3.4",
            "1.2.3.4.5",
            "256.1.1.1",
            "12:30:45",
            "std::vec::Vec",
            "2024-01-15T10:30:00",
            "::",
            "1.2.3",
            "01:02:03:04",
        ]);
    }
}
