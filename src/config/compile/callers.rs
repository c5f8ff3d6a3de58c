//! Who may call, and how they prove it.

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use ipnet::IpNet;

use super::{
    super::{raw, yaml::Trail},
    context::Context,
    settings,
};
use crate::gatekeeper::destination::Caller;

/// Shorter tokens can be guessed.
const TOKEN_LEAST: usize = 16;

pub(super) fn compile(cx: &Context<'_>, root: &raw::Root) -> Vec<Caller> {
    let mut ids = BTreeSet::new();
    let mut proofs = BTreeSet::new();
    let all = Trail::default().key("callers");
    let compile = |(index, raw): (usize, &raw::Caller)| {
        let at = all.index(index);
        cx.id(&at.key("id"), &raw.id, "caller", &mut ids);
        let caller = Caller {
            id: raw.id.as_str().into(),
            sans: raw.san.iter().map(|it| it.as_str().into()).collect(),
            tokens: tokens(cx, &at, raw),
            cidrs: networks(cx, &at.key("cidr"), &raw.cidr),
            concurrency: raw
                .concurrency
                .map(|it| settings::concurrency(cx, &at.key("concurrency"), Some(it), it)),
        };
        let has_proof = !raw.san.is_empty()
            || !raw.token_sha256.is_empty()
            || raw.token_file.is_some()
            || !raw.cidr.is_empty();
        if !has_proof {
            cx.error(
                &at,
                format!("nothing identifies the caller `{}`", raw.id),
                "add `san:`, `token_sha256:`, `token_file:` or `cidr:`",
            );
        }
        let shared = caller
            .tokens
            .iter()
            .filter(|it| !proofs.insert(**it))
            .count();
        if shared > 0 {
            cx.error(
                &at,
                "another caller has the same token",
                "give each caller its own token",
            );
        }
        caller
    };
    root.callers.iter().enumerate().map(compile).collect()
}

fn tokens(cx: &Context<'_>, at: &Trail, raw: &raw::Caller) -> Vec<[u8; 32]> {
    let list = at.key("token_sha256");
    let mut tokens: Vec<_> = raw
        .token_sha256
        .iter()
        .enumerate()
        .filter_map(|(index, text)| {
            let hash = hash(text);
            if hash.is_none() {
                cx.error(
                    &list.index(index),
                    "not a SHA-256: 64 lower-case hex digits",
                    "write the hash, not the token: printf %s TOKEN | sha256sum",
                );
            }
            hash
        })
        .collect();
    if let Some(name) = &raw.token_file {
        let at = at.key("token_file");
        let text = cx.file(&at, name).unwrap_or_default();
        let token = text.trim();
        if token.len() >= TOKEN_LEAST && !token.contains(char::is_whitespace) {
            let hash = digest::digest(&digest::SHA256, token.as_bytes());
            tokens.extend(<[u8; 32]>::try_from(hash.as_ref()));
        } else if !text.is_empty() {
            cx.error(
                &at,
                "the file does not hold one token of at least 16 characters",
                "write one random token: openssl rand -hex 32",
            );
        }
    }
    tokens
}

/// 32 bytes from 64 lower-case hex digits.
pub(super) fn hash(text: &str) -> Option<[u8; 32]> {
    let is_hex = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
    if text.len() != 64 || !text.bytes().all(is_hex) {
        return None;
    }
    let (high, low) = text.split_at_checked(32)?;
    let number = |half| u128::from_str_radix(half, 16).ok();
    let mut bytes = [0; 32];
    let both = number(high)?
        .to_be_bytes()
        .into_iter()
        .chain(number(low)?.to_be_bytes());
    bytes.iter_mut().zip(both).for_each(|(to, from)| *to = from);
    Some(bytes)
}

fn networks(cx: &Context<'_>, at: &Trail, items: &[String]) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for (index, text) in items.iter().enumerate() {
        match text.parse::<IpNet>() {
            Ok(it) if it.trunc() == it => networks.push(it),
            Ok(it) => cx.error(
                &at.index(index),
                format!("`{text}` has bits beyond its prefix"),
                format!("did you mean `{}`?", it.trunc()),
            ),
            Err(_) => cx.error(
                &at.index(index),
                format!("`{text}` is not a network"),
                "write an address and a prefix length, such as 10.0.0.0/8 or 192.0.2.7/32",
            ),
        }
    }
    networks
}
