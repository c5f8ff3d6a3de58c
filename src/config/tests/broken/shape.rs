//! What the file looks like, and its own settings.

use super::{check, lines};

#[test]
fn the_shape_of_the_file() {
    check(
        "version: 1",
        "version: [1",
        r#"
            2:9 E : illegal placement of ':' indicator [mend the YAML here; the rest is looked at once all of it can be read]
        "#,
    );
    check(
        "version: 1",
        r"version: 1
version: 1",
        r#"
            2:1 E version: duplicate key `version` [keep one of the two; the later would silently win elsewhere]
        "#,
    );
    check(
        "version: 1",
        r"version: 1
version: 2",
        r#"
            2:1 E version: duplicate key `version` [keep one of the two; the later would silently win elsewhere]
        "#,
    );
    check(
        "    country: DE\n    match",
        "    country: DE # declared\n\tmatch",
        r#"
            20:2 E : tabs disallowed within this context (block indentation) [indent with spaces; the tab is here or on the next line]
        "#,
    );
    check(
        "state_dir: ./state",
        r"state_dir: ./state
log: {level: verbose}",
        r#"
            6:14 W log.level: `verbose` is no level, so that next to nothing is logged [one of: off, error, warn, info, debug, trace]
        "#,
    );
    check(
        "state_dir: ./state",
        r"state_dir: ./state
log: {level: inof}",
        r#"
            6:14 W log.level: `inof` is no level, so that next to nothing is logged [did you mean `info`?]
        "#,
    );
    check(
        "version: 1",
        "version: 2",
        r#"
            1:10 E version: version 2 of the form is unknown [write `version: 1`]
        "#,
    );
    check(
        "    party: mailer",
        "    party: mailer\n\tcontry: DE",
        r#"
            18:12 E : while scanning a plain scalar, found a tab [indent with spaces; the tab is here or on the next line]
        "#,
    );
    check(
        "    party: mailer",
        r"    party: &a mailer
    <<: {country: DE}",
        r#"
            19:5 E : merge keys (`<<`) are refused [write the keys out]
        "#,
    );
}

#[test]
fn a_file_that_is_no_configuration() {
    for text in ["", "hello", "[]"] {
        let found = lines(text);
        let wanted = "[begin with what `shekara init` writes]";
        assert!(found.len() == 1 && found[0].ends_with(wanted), "{found:?}");
    }
}

#[test]
fn a_gap_is_opened_by_somebody_for_a_time() {
    check(
        "country: DE",
        r"country: DE
    gaps:
      opaque: allow-logged
      malformed: {allow-logged: {owner: '', reason: b, until: 2026-11-01}}
      unsupported-coding: {allow-logged: {owner: a, reason: b}}",
        r#"
            21:15 E destinations[0].gaps.opaque: expected `block` or a mapping with allow-logged, found `allow-logged` [write `allow-logged:` with owner, reason, until below it]
            22:41 E destinations[0].gaps.malformed.allow-logged.owner: the text is empty [say it in words; it goes into the record]
            22:63 E destinations[0].gaps.malformed.allow-logged.until: the opening expired on 2026-11-01 [remove it, or let its owner renew it]
            23:42 E destinations[0].gaps.unsupported-coding.allow-logged: missing key `until` [add `until:` (Last day)]
        "#,
    );
}

#[test]
fn keys_and_words() {
    check(
        r"    country: DE
",
        r"    country: DE
    failure: {registers: open, audit: {open: {owner: x}}}
",
        r#"
            20:26 E destinations[0].failure.registers: expected `closed` or a mapping with open, found `open` [write `open:` with owner, reason, until below it]
            20:46 E destinations[0].failure.audit.open: missing key `reason` [add `reason:` (Why)]
            20:46 E destinations[0].failure.audit.open: missing key `until` [add `until:` (Last day)]
        "#,
    );
    check(
        r"    country: DE
",
        r"    country: DE
    retenion: 30d
    gaps: {framing: &o {allow-logged: {owner: a, reason: b, until: 2027-04-01}}, inspection-failed: *o, opaqe: block}
",
        r#"
            20:5 E destinations[0].retenion: unknown key `retenion` [did you mean `retention`?]
            21:24 E destinations[0].gaps.framing: the gap `framing` cannot be opened [remove the line: what can be read in two ways is never sent]
            21:101 E destinations[0].gaps.inspection-failed: the gap `inspection-failed` cannot be opened [use `failure: {inspection: {open: …}}`]
            21:112 E destinations[0].gaps.opaqe: unknown kind of gap `opaqe` [did you mean `opaque`?]
        "#,
    );
    check(
        "country: DE",
        r"contry: DE
    mode: log_only",
        r#"
            17:5 E destinations[0]: missing key `country` [add `country:` (Where, ISO 3166-1 alpha-2; never guessed)]
            19:5 E destinations[0].contry: unknown key `contry` [did you mean `country`?]
            20:11 E destinations[0].mode: expected `enforce` or `log-only`, found `log_only` [did you mean `log-only`?]
        "#,
    );
    check(
        "    role: processor",
        r"    role: processer
  - id: other
    legal_name: ''
    role: public",
        r#"
            15:11 E parties[0].role: expected one of `affiliate`, `controller`, `payment-system`, `processor`, `public`, `self`, `state-body`, `subprocessor`, found `processer` [did you mean `processor`?]
            17:17 E parties[1].legal_name: the text is empty [say it in words; it goes into the record]
        "#,
    );
    check(
        r"    party: mailer
",
        r"    party: maler
    retenion: 30d
",
        r#"
            13:9 W parties[0].id: no destination names the party `mailer` [remove it, or name it in a destination]
            18:12 E destinations[0].party: unknown party `maler` [did you mean `mailer`?]
            19:5 E destinations[0].retenion: unknown key `retenion` [did you mean `retention`?]
        "#,
    );
}

#[test]
fn what_is_not_there_yet() {
    check(
        r"    country: DE
",
        r"    country: DE
    fallback: [reduce-fields, block]
    operators: {emai: mask}
",
        r#"
            20:15 E destinations[0].fallback: `block` stands beside other fallbacks [write `block` alone, or only the reductions]
            21:23 E destinations[0].operators.emai: `emai` is not a category code such as name, name.surname, email or health [did you mean `email`?]
        "#,
    );
}

#[test]
fn reductions_that_would_not_act() {
    check(
        r"    country: DE
",
        r"    country: DE
    fallback: [drop-records, drop-records]
    operators: {email: mask}
",
        r#"
            20:15 W destinations[0].fallback: no route says what a record is, so that `drop-records` drops nothing [write `records: "$.path[*]"` in the routes that send batches]
            20:30 E destinations[0].fallback[1]: the fallback stands here twice [write it once]
            21:16 E destinations[0].operators: `operators` say how fields are reduced, and none are here [write `fallback: [reduce-fields]`, or remove the key]
        "#,
    );
    check(
        r"    country: DE
",
        r"    country: DE
    fallback: [reduce-fields]
    operators: {name: mask, name.surname: mask, id_documnt: remove}
",
        r#"
            21:43 W destinations[0].operators.name.surname: the parent of `name.surname` says the same already [remove one of the two]
            21:61 E destinations[0].operators.id_documnt: `id_documnt` is not a category code such as name, name.surname, email or health [did you mean `id_document`?]
        "#,
    );
}

#[test]
fn limits_and_settings() {
    check(
        r"    country: DE
",
        r"    country: DE
    legal_status: 404
    sole_store: true
",
        r#"
            20:19 E destinations[0].legal_status: 404 is not a status of legal refusals [write 451 or 403]
            21:17 W destinations[0].sole_store: a destination that is the only store is refused (localisation) [keep the data at home too, then remove the key]
        "#,
    );
    check(
        r"    country: DE
",
        r"    country: DE
    limits: {body_size: 2GiB, body_time: 1, connect_time: 2d, depth: 0, concurrency: 0,
      decoded_size: 2GiB, decoded_ratio: 0}
",
        r#"
            20:25 E destinations[0].limits.body_size: `2GiB` is out of range [a size from 1KiB to 1GiB]
            20:42 E destinations[0].limits.body_time: `1` is not a duration such as 500ms, 30s, 5m, 2h or 365d: the unit is missing [-]
            20:59 E destinations[0].limits.connect_time: `2d` is out of range [a duration from 10ms to 1h]
            20:70 E destinations[0].limits.depth: 0 is out of range [a number from 1 to 128]
            20:86 E destinations[0].limits.concurrency: 0 is out of range [a number from 1 to 100000]
            21:21 E destinations[0].limits.decoded_size: `2GiB` is out of range [a size from 1KiB to 1GiB]
            21:42 E destinations[0].limits.decoded_ratio: 0 is out of range [a number from 1 to 1000000]
        "#,
    );
    check(
        r"version: 1
",
        r"version: 1
audit: {segment_size: 1}
limits: {drain_time: 2h, per_client: 0, memory: 32MiB, spool_above: 16MiB, spool_size: 1MiB, spool_dir: /dev/null/x}
log: {level: 'a=b=c'}
admin: {bind: '127.0.0.1:8080'}
data_dir: ./none
",
        r#"
            2:23 E audit.segment_size: `1` is out of range [a size from 1MiB to 4GiB]
            3:22 E limits.drain_time: `2h` is out of range [a duration from 0s to 1h]
            3:38 E limits.per_client: 0 is out of range [a number from 1 to 1000000]
            3:49 E limits.memory: there is no memory for four bodies that are not spooled [raise `memory`, or lower `spool_above`]
            3:88 E limits.spool_size: `1MiB` is out of range [a size from 16MiB to 1024GiB]
            3:105 E limits.spool_dir: /dev/null is not a directory [make the directory for the gate's user, or name another]
            4:14 E log.level: not a log filter: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5 [write error, warn, info, debug, or a filter such as `info,shekara::proxy=debug`]
            5:15 E admin.bind: 127.0.0.1:8080 is the address of a listener too [give the admin listener a port of its own]
            6:11 E data_dir: nowhere/./none is not a directory [remove the key to use the shipped law, or name a directory]
        "#,
    );
}

#[test]
fn listeners_and_callers() {
    check(
        "bind: 127.0.0.1:8080",
        r"bind: 127.0.0.1:8080
  - id: main
    bind: 127.0.0.1:8080
  - id: X
    bind: localhost",
        r#"
            9:9 E listeners[1].id: duplicate listener id `main` [give each its own id]
            10:11 E listeners[1].bind: 127.0.0.1:8080 is the address of another listener [give each listener its own address]
            11:9 E listeners[2].id: `X` is not an id [1 to 64 of a-z, 0-9, - and _ (it becomes a metric label)]
            12:11 E listeners[2].bind: `localhost` is not an address with a port [write an IP address and a port, such as 127.0.0.1:8080 or [::]:8080]
        "#,
    );
    check(
        "    bind: 127.0.0.1:8080",
        r"    bind: 127.0.0.1:8080
    tls: {certificate_file: a.pem, key_file: b.pem, client_required: true}",
        r#"
            9:29 E listeners[0].tls.certificate_file: cannot read nowhere/a.pem: No such file or directory (os error 2) [check the path (relative to the configuration file) and its permissions]
            9:46 E listeners[0].tls.key_file: cannot read nowhere/b.pem: No such file or directory (os error 2) [check the path (relative to the configuration file) and its permissions]
            9:70 E listeners[0].tls.client_required: client certificates are required, but no roots are named [add `client_roots_file:`]
        "#,
    );
    check(
        "    cidr: [10.0.0.0/8]",
        r"    cidr: [10.0.0.1/8, x]
    token_sha256: [abc]
  - id: nobody
  - id: shop
    san: [a]",
        r#"
            11:12 E callers[0].cidr[0]: `10.0.0.1/8` has bits beyond its prefix [did you mean `10.0.0.0/8`?]
            11:24 E callers[0].cidr[1]: `x` is not a network [write an address and a prefix length, such as 10.0.0.0/8 or 192.0.2.7/32]
            12:20 E callers[0].token_sha256[0]: not a SHA-256: 64 lower-case hex digits [write the hash, not the token: printf %s TOKEN | sha256sum]
            13:5 E callers[1]: nothing identifies the caller `nobody` [add `san:`, `token_sha256:`, `token_file:` or `cidr:`]
            14:9 E callers[2].id: duplicate caller id `shop` [give each its own id]
        "#,
    );
}
