//! The way to an upstream: secrets, proxies, pins, limits.

use std::fs;

use super::{super::load_in, SMALL, check};
use crate::config::Severity;

#[test]
fn files_that_are_not_there() {
    check(
        "      url:",
        r"      identity: {certificate_file: a.pem, key_file: a.key}
      credentials: {header: Authorization, value_file: token}
      crl_file: a.crl
      proxy: http://p.test:3128
      proxy_credentials_file: $CREDENTIALS_DIRECTORY/proxy
      url:",
        r#"
            24:36 E destinations[0].upstream.identity.certificate_file: cannot read nowhere/a.pem: No such file or directory (os error 2) [check the path (relative to the configuration file) and its permissions]
            24:53 E destinations[0].upstream.identity.key_file: cannot read nowhere/a.key: No such file or directory (os error 2) [check the path (relative to the configuration file) and its permissions]
            25:56 E destinations[0].upstream.credentials.value_file: cannot read nowhere/token: No such file or directory (os error 2) [check the path (relative to the configuration file) and its permissions]
            26:17 E destinations[0].upstream.crl_file: cannot read nowhere/a.crl: No such file or directory (os error 2) [check the path (relative to the configuration file) and its permissions]
            28:31 E destinations[0].upstream.proxy_credentials_file: cannot read nowhere/$CREDENTIALS_DIRECTORY/proxy: No such file or directory (os error 2) [CREDENTIALS_DIRECTORY is not set: name the file with LoadCredential= in the unit]
        "#,
    );
}

#[test]
fn proxies() {
    let line = |proxy: &str, wanted: &str| {
        check(
            "      url:",
            &format!("      proxy: {proxy}\n      url:"),
            wanted,
        );
    };
    let fix = "write http://, the proxy's host and its port, such as http://proxy.internal:3128";
    for text in [
        "proxy.internal:3128",
        "https://proxy.internal:3128",
        "socks5://proxy.internal",
        "http://proxy.internal:3128/path",
        "'http://'",
    ] {
        line(
            text,
            &format!(
                "24:14 E destinations[0].upstream.proxy: not the URL of an HTTP proxy [{fix}]"
            ),
        );
    }
    line(
        "http://u:p@proxy.internal:3128",
        "24:14 E destinations[0].upstream.proxy: the URL holds user information [write `user:password` into a file and name it in \
         `proxy_credentials_file`]",
    );
    check(
        "      url: https://mail.example.org",
        "      proxy: http://proxy.internal:3128\n      url: http://10.0.0.1\n      controlled_zone: true",
        "24:14 E destinations[0].upstream.proxy: an http upstream is not reached through a proxy: it would read what it passes on [write \
         https:// in `url`, or remove the proxy]",
    );
    check(
        "      url:",
        "      proxy_credentials_file: x\n      url:",
        "24:31 E destinations[0].upstream.proxy_credentials_file: there are credentials for a proxy, but no proxy [add `proxy:`, or remove \
         the key]",
    );
}

#[test]
fn versions_pins_and_limits() {
    check(
        "      url: https://mail.example.org",
        r"      http: '2'
      pins: [sha256/AAAA]
      url: http://mail.example.org",
        r#"
            24:13 E destinations[0].upstream.http: HTTP/2 without TLS is for the operator's own network [write https://, or `controlled_zone: true` if the upstream stands there]
            25:13 E destinations[0].upstream.pins: `pins` has no meaning over plain HTTP [write https://, or remove the key]
            25:14 E destinations[0].upstream.pins[0]: `sha256/AAAA` is not a pin [write sha256/ and the Base64 of the SHA-256 of the public key: openssl x509 -pubkey -noout -in CERT | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64]
            26:12 W destinations[0].upstream.url: plain HTTP: only messages without personal data can go [write https://, or `controlled_zone: true` if it stands in the operator's own network]
        "#,
    );
    check(
        "      url:",
        "      http: '3'\n      url:",
        "24:13 E destinations[0].upstream.http: expected `auto` or `1.1` or `2`, found `3` [did you mean `2`?]",
    );
    check(
        "      url:",
        r"      connections_max: 0
      idle_time: 1ms
      life_time: 30h
      breaker: {failures: 1001, open_for: 0s}
      url:",
        r#"
            24:24 E destinations[0].upstream.connections_max: 0 is out of range [a number from 1 to 100000]
            25:18 E destinations[0].upstream.idle_time: `1ms` is out of range [a duration from 1s to 1h]
            26:18 E destinations[0].upstream.life_time: `30h` is out of range [a duration from 1s to 1d]
            27:27 E destinations[0].upstream.breaker.failures: 1001 is out of range [a number from 0 to 1000]
            27:43 E destinations[0].upstream.breaker.open_for: `0s` is out of range [a duration from 1s to 1h]
        "#,
    );
    let pin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    check(
        "      url:",
        &format!("      pins: ['{pin}']\n      url:"),
        "24:13 W destinations[0].upstream.pins: there is one pin: when that key is replaced, nothing can be sent [add the key that will \
         follow it, or the authority's]",
    );
    check(
        "      url:",
        &format!(
            "      pins: ['{pin}', '{}']\n      url:",
            pin.replace("sha256/", "sha256//")
        ),
        "",
    );
}

/// Problems of `lines` put before the URL, in a directory with `files`.
fn problems_with(files: &[(&str, &str)], lines: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let text = SMALL.replacen("      url:", &format!("{lines}\n      url:"), 1);
    let problems = match load_in(dir.path(), &text) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    let errors = problems.iter().filter(|it| it.severity == Severity::Error);
    errors
        .map(|it| {
            let shown = it.to_string();
            assert!(!shown.contains("canary"), "{shown}");
            format!("{}: {}", it.path, it.message)
        })
        .collect()
}

#[test]
fn an_identity_is_a_certificate_and_its_key() {
    let issue = || rcgen::generate_simple_self_signed(vec!["gate.test".to_owned()]).unwrap();
    let (own, other) = (issue(), issue());
    let (certificate, key) = (own.cert.pem(), own.signing_key.serialize_pem());
    let lines = "      identity: {certificate_file: a.pem, key_file: a.key}";
    let with = |certificate: &str, key: &str| {
        problems_with(&[("a.pem", certificate), ("a.key", key)], lines).join("|")
    };
    assert_eq!(with(&certificate, &key), "");
    let at = "destinations[0].upstream.identity";
    assert!(
        with(&certificate, &other.signing_key.serialize_pem()).starts_with(&format!(
            "{at}.key_file: the key does not belong to the certificate"
        ))
    );
    assert_eq!(
        with(&certificate, "canary"),
        format!("{at}.key_file: the file holds no private key")
    );
    assert_eq!(
        with(&key, &key),
        format!("{at}.certificate_file: the file holds no certificate")
    );
    let crl = problems_with(&[("a.crl", "canary")], "      crl_file: a.crl");
    assert_eq!(
        crl,
        ["destinations[0].upstream.crl_file: the file holds no revocation list"]
    );
}

#[test]
fn credentials_are_one_line_for_a_field_of_their_own() {
    let with = |secret: &str, credentials: &str| {
        let lines = format!("      credentials: {credentials}");
        problems_with(&[("token", secret)], &lines).join("|")
    };
    let at = "destinations[0].upstream.credentials";
    let one = "{header: Authorization, scheme: bearer, value_file: token}";
    assert_eq!(with("canary\n", one), "");
    assert_eq!(
        with("\n", one),
        format!("{at}.value_file: the file is empty")
    );
    assert_eq!(
        with("canary\nmore", one),
        format!("{at}.value_file: the file holds what no header field can")
    );
    assert_eq!(
        with(
            "canary",
            "{header: Authorization, scheme: basic, value_file: token}"
        ),
        format!("{at}.value_file: the file does not hold `user:password`")
    );
    let list = "[{header: X-A, value_file: token}, {header: x-a, value_file: token}, \
                {header: 'a b', value_file: token}, {header: Host, value_file: token}, \
                {header: Shekara-Purpose, value_file: token}]";
    assert_eq!(
        with("canary", list),
        format!(
            "{at}[1].header: `x-a` is set twice|{at}[2].header: `a b` is not the name of a header field|{at}[3].header: `Host` is written \
             by the gate itself|{at}[4].header: `Shekara-Purpose` is written by the gate itself"
        )
    );
    assert_eq!(
        with("canary", "{header: X-A, value: canary}"),
        format!("{at}: missing key `value_file`|{at}.value: unknown key `value`")
    );
}

/// A secret never goes where everybody on the way can read it.
#[test]
fn credentials_do_not_go_over_plain_http() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("token"), "canary").unwrap();
    let check = |url: &str, wanted: bool| {
        let lines =
            format!("      credentials: {{header: X-A, value_file: token}}\n      url: {url}");
        let text = SMALL.replacen("      url: https://mail.example.org", &lines, 1);
        let loaded = load_in(dir.path(), &text);
        assert_eq!(loaded.is_ok(), wanted, "{url}");
        if let Err(problems) = loaded {
            assert!(
                problems
                    .to_string()
                    .contains("credentials would go over plain HTTP")
            );
        }
    };
    check("http://mail.example.org", false);
    check("http://10.0.0.1\n      controlled_zone: true", true);
}
