//! How problems look, and what they must not show.

use super::{SMALL, load, load_in};

#[test]
fn a_problem_shows_its_line_with_a_caret() {
    let text = SMALL.replace("country: DE", "country: de");
    let wanted = "\
error: destinations[0].country: `de` is not an ISO 3166-1 alpha-2 country code such as KZ or DE
  --> shekara.yaml:19:14
   |
19 |     country: de
   |              ^
   = fix: did you mean `DE`?

1 error, 0 warnings";
    assert_eq!(load(&text).unwrap_err().to_string(), wanted);
}

#[test]
fn json_has_the_counts_and_every_field() {
    let text = SMALL.replace("country: DE", "country: de");
    let json = load(&text).unwrap_err().to_json();
    assert_eq!(json["errors"], 1);
    assert_eq!(json["warnings"], 0);
    let problem = &json["problems"][0];
    assert_eq!(problem["severity"], "error");
    assert_eq!(
        (&problem["line"], &problem["column"]),
        (&19.into(), &14.into())
    );
    assert_eq!(problem["path"], "destinations[0].country");
    assert_eq!(problem["fix"], "did you mean `DE`?");
    assert_eq!(problem["excerpt"], "    country: de");
}

/// A secret that was written into the file by mistake is not repeated on terminals and in logs of pipelines.
#[test]
fn secrets_stay_out_of_problems() {
    let canary = "canary-7f3a";
    for (from, to) in [
        ("cidr: [10.0.0.0/8]", format!("token_sha256: [{canary}]")),
        ("cidr: [10.0.0.0/8]", format!("token: {canary}")),
        (
            "cidr: [10.0.0.0/8]",
            format!("token_sha256:\n      - {canary}"),
        ),
        ("https://mail", format!("https://user:{canary}@mail")),
        (
            "      url:",
            format!("      credentials: {canary}\n      url:"),
        ),
        (
            "      url:",
            format!("      credentials: {{header: a, value: {canary}}}\n      url:"),
        ),
    ] {
        let text = SMALL.replace(from, &to);
        assert!(text.contains(canary));
        let problems = load(&text).unwrap_err();
        assert!(!problems.to_string().contains(canary), "{problems}");
        assert!(!problems.to_json().to_string().contains(canary));
    }
}

/// A certificate of `name` and its key, in PEM.
fn identity(name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[test]
fn certificates_and_tokens_are_read_when_the_configuration_loads() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    let (certificate, key) = identity("gate.test");
    write("gate.pem", &certificate);
    write("gate.key", &key);
    write("other.key", &identity("other.test").1);
    write("short", "abc\n");
    write("token", "0123456789abcdef0123\n");
    let with = |key: &str, token: &str| {
        let tls = format!(
            "    bind: 127.0.0.1:8080\n    tls: {{certificate_file: gate.pem, key_file: {key}}}"
        );
        let text = SMALL
            .replace("    bind: 127.0.0.1:8080", &tls)
            .replace("cidr: [10.0.0.0/8]", &format!("token_file: {token}"));
        load_in(dir.path(), &text)
    };
    let configuration = with("gate.key", "token").unwrap().configuration;
    assert!(configuration.proxy.listeners[0].tls.is_some());
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"0123456789abcdef0123");
    assert_eq!(configuration.callers[0].tokens[0], *hash.as_ref());

    for (key, token, wanted) in [
        (
            "other.key",
            "token",
            "the key does not belong to the certificate",
        ),
        ("gate.pem", "token", "the file holds no private key"),
        (
            "gate.key",
            "short",
            "does not hold one token of at least 16 characters",
        ),
        ("gate.key", "none", "cannot read"),
    ] {
        let problems = with(key, token).unwrap_err();
        assert!(problems.to_string().contains(wanted), "{problems}");
    }
}

#[test]
fn the_state_directory_must_be_one() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("state"), "").unwrap();
    let problems = load_in(dir.path(), SMALL).unwrap_err();
    assert!(
        problems.to_string().contains("is not a directory"),
        "{problems}"
    );
}
