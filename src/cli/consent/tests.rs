use super::*;
use crate::{
    cli::register::bench::{self, WHO},
    store::{
        Outbox, Reader,
        contract::email,
        writer::{ConsentText, Whose},
    },
};

struct Bench(bench::Bench);

const GRANT: &str = "grant --subject - --any-recipient --country DE --purpose marketing.email --category email,name \
    --until 2026-12-31 --method web-checkbox --evidence-ref form-1 --text t --text-version 1 --locale kk --text-sha256 ";

impl Bench {
    fn new() -> Self {
        Self(bench::Bench::new())
    }

    fn run(&self, line: &str, input: &str) -> Result<(String, String), Failure> {
        let line = line.replace("email,name", "email --category name");
        self.0.run::<Args>(&line, input)
    }

    fn grant(&self, more: &str) -> Result<(String, String), Failure> {
        self.run(&format!("{GRANT}{} {more}", "ab".repeat(32)), WHO)
    }

    #[track_caller]
    fn check_refused(&self, line: &str, input: &str, says: &[&str]) {
        let line = line.replace("email,name", "email --category name");
        self.0.check_refused::<Args>(&line, input, says);
    }

    fn state(&self, at: &str) -> String {
        let line = format!("list --subject - --format json {at}");
        let (output, _) = self.run(&line, WHO).unwrap();
        let answer: serde_json::Value = serde_json::from_str(&output).unwrap();
        answer["consents"][0]["state"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_consent_is_recorded_shown_and_withdrawn() {
    let bench = Bench::new();
    let (output, _) = bench.grant("--id c-1").unwrap();
    assert!(output.starts_with("consent c-1\nsubject "), "{output}");
    assert!(
        output.contains("\nrecorded 2026-11-22T07:00:00.000Z\nacts from 2026-11-22T07:00:00.000Z"),
        "{output}"
    );
    assert!(
        bench
            .grant("--id c-1")
            .unwrap()
            .0
            .contains("recorded before")
    );
    assert_eq!(bench.state(""), "standing");
    let (table, _) = bench
        .run("list --subject -", "phone: +7 701 000 00 01")
        .unwrap();
    assert!(
        table.contains("c-1  standing  2026-11-22  2026-12-31  marketing.email  DE         any"),
        "{table}"
    );
    let (full, _) = bench.run("show --consent c-1", "").unwrap();
    assert!(full.contains("evidence      web-checkbox form-1"), "{full}");

    let (output, notes) = bench
        .run("withdraw --consent c-1 --effective-at 2026-12-20", "")
        .unwrap();
    assert!(
        output.contains("acts from 2026-11-22T07:00:00.00"),
        "{output}"
    );
    assert!(
        notes.contains("acts at once") && notes.contains("clean-up"),
        "{notes}"
    );
    bench.0.at("2026-11-22T07:00:01Z");
    assert_eq!(bench.state(""), "withdrawn");
}

#[test]
fn a_state_is_computed_at_a_time() {
    let bench = Bench::new();
    bench.grant("--from 2026-11-25").unwrap();
    bench
        .run("withdraw --all --subject - --channel sms", WHO)
        .unwrap();
    for (at, state) in [
        ("2026-11-01", "not-yet-recorded"),
        ("2026-11-23", "not-yet"),
        ("2026-11-25", "partly-withdrawn"),
        ("2026-12-31T18:59:59.999Z", "partly-withdrawn"),
        ("2026-12-31T19:00:00Z", "expired"),
    ] {
        assert_eq!(bench.state(&format!("--at {at}")), state, "{at}");
    }
}

#[test]
fn what_is_wrong_is_named_with_the_mend() {
    let bench = Bench::new();
    let hash = "ab".repeat(32);
    let wrong = format!("{GRANT}{hash}")
        .replace("marketing.email", "marketing.emial")
        .replace("DE", "UK");
    bench.check_refused(
        &wrong,
        WHO,
        &[
            "--purpose: ",
            "did you mean `marketing.email`?",
            "--country: ",
            "`GB`",
        ],
    );
    bench.check_refused(&format!("{GRANT}abc"), WHO, &["--text-sha256: is not 64"]);
    let early = format!("{GRANT}{hash} --from 2027-01-01");
    bench.check_refused(&early, WHO, &["--until: is before `--from`"]);
    let unregistered = GRANT.replace("--text-sha256", "");
    bench.check_refused(
        &unregistered,
        WHO,
        &["--text-sha256: this version of the text is not registered"],
    );
    bench.check_refused(
        "withdraw --all --subject -",
        WHO,
        &["no subject is registered"],
    );
    bench.check_refused(
        "withdraw --consent nope",
        "",
        &["no consent with id `nope`"],
    );
    bench.check_refused("withdraw", "", &["--consent ID", "--all"]);
    bench.check_refused(
        "withdraw --consent c --action cross_border",
        "",
        &["`cross-border`"],
    );
    bench.check_refused("list", "", &["--subject: nobody is named"]);
}

#[test]
fn an_identifier_is_never_taken_from_the_command_line_nor_shown() {
    let bench = Bench::new();
    bench.check_refused(
        "list --subject Ann@Example.org",
        "",
        &["can be read by others", "--subject-file"],
    );
    bench.check_refused(
        "list --subject -",
        "Ann@Example.org",
        &["--subject: line 1: no kind"],
    );
    bench.check_refused(
        "list --subject -",
        "emial: Ann@Example.org",
        &["did you mean `email`?"],
    );
    bench.check_refused(
        "list --subject -",
        "\nphone: Ann@Example.org",
        &["line 2: the value is not a usable phone"],
    );
    bench.check_refused("list --subject -", "", &["no identifier was given"]);
}

#[test]
fn the_hash_of_a_registered_text_is_taken() {
    let bench = Bench::new();
    let mut writer = bench.0.writer();
    let text = ConsentText {
        text: "t".into(),
        version: "1".into(),
        locale: "kk".into(),
        sha256: "cd".repeat(32).into(),
        from: "2026-01-01".parse().unwrap(),
        until: None,
    };
    writer.add_text(&text).unwrap();
    bench.run(&GRANT.replace("--text-sha256", ""), WHO).unwrap();
    bench.0.at("2026-11-22T07:00:01Z");
    assert_eq!(bench.state(""), "standing");
    let other = Bench::new();
    other.grant("").unwrap();
    let mut writer = other.0.writer();
    writer.add_text(&text).unwrap();
    assert_eq!(other.state(""), "evidence-mismatch");
}

fn line(id: usize, change: &[(&str, serde_json::Value)]) -> String {
    let mut line = serde_json::json!({
        "id": format!("crm-{id}"),
        "identifiers": {"email": format!("p{id}@example.org"), "phone": [format!("+7701{id:07}")]},
        "given_at": "2026-11-20T10:00:00+05:00", "from": "2026-11-20", "until": {"day": "2027-11-20"},
        "third_party": {"parties": ["mailer"]}, "cross_border": ["DE"],
        "categories": ["email"], "purposes": ["marketing.email"],
        "evidence": {"method": "web-checkbox", "ref": "form-1", "text": "t", "version": "1",
            "sha256": "ab".repeat(32), "locale": "kk", "at": "2026-11-20T10:00:00+05:00"},
    });
    for (name, value) in change {
        line[*name] = value.clone();
    }
    line.to_string() + "\n"
}

#[test]
fn a_file_is_imported_once_and_exported_without_identifiers() {
    let bench = Bench::new();
    let file: String = (0..300).map(|it| line(it, &[])).collect();
    assert!(
        bench
            .run("import -", &file)
            .unwrap()
            .0
            .starts_with("imported 300\nrecorded before 0\n")
    );
    assert_eq!(
        bench.run("import -", &file).unwrap().0,
        "imported 0\nrecorded before 300\n"
    );
    let outbox = Outbox::open(&bench.0.settings()).unwrap();
    assert_eq!(outbox.pending(1_000).unwrap().len(), 600);
    bench.run("withdraw --consent crm-7", "").unwrap();

    let (export, _) = bench.run("export", "").unwrap();
    assert_eq!(export.lines().count(), 300);
    assert!(!export.contains("example.org"), "an address");
    assert!(!export.contains("77010000007"), "a phone");
    let seventh: serde_json::Value = serde_json::from_str(export.lines().nth(7).unwrap()).unwrap();
    assert_eq!(seventh["id"], "crm-7");
    assert_eq!(seventh["withdrawals"].as_array().unwrap().len(), 1);
    assert!(
        seventh["references"][0]
            .as_str()
            .unwrap()
            .starts_with("email:1:")
    );
}

#[test]
fn one_bad_line_refuses_the_file_and_all_are_named() {
    let bench = Bench::new();
    let file = [
        line(0, &[]),
        line(
            1,
            &[
                ("purposes", serde_json::json!(["marketing.emial"])),
                ("cross_border", serde_json::json!(["UK"])),
            ],
        ),
        line(
            2,
            &[(
                "identifiers",
                serde_json::json!({"phone": "Ann@Example.org"}),
            )],
        ),
        line(
            3,
            &[
                ("id", serde_json::Value::Null),
                ("untill", serde_json::json!("x")),
            ],
        ),
        line(4, &[("from", serde_json::json!("20.11.2026"))]),
        "not json\n".to_owned(),
    ]
    .concat();
    bench.check_refused(
        "import -",
        &file,
        &[
            "line 2: purposes: `marketing.emial` is not a known purpose; did you mean `marketing.email`?",
            "line 2: cross_border: ",
            "line 3: identifiers.phone: the value is not a usable phone",
            "line 4: id: is missing",
            "line 4: untill: unknown field; did you mean `until`?",
            "line 5: from: `20.11.2026` is not a day",
            "line 6: column ",
            "nothing was imported",
        ],
    );
    bench.check_refused(
        "list --subject -",
        "email: p0@example.org",
        &["no subject is registered"],
    );
    let twice = line(0, &[]) + &line(0, &[("public", true.into())]);
    bench.check_refused(
        "import -",
        &twice,
        &["line 2: id: id `crm-0` is already recorded"],
    );
}

#[test]
fn a_lost_key_stops_the_command() {
    let bench = Bench::new();
    bench.grant("").unwrap();
    std::fs::remove_file(bench.0.dir.path().join("keys.json")).unwrap();
    bench.check_refused(
        "list --subject -",
        WHO,
        &["keys.json", "restore it from a backup"],
    );
    let whose = Whose::Identified(vec![email("ann@example.org")]);
    let mut reader = Reader::open(&bench.0.settings()).unwrap();
    assert_eq!(
        reader.state().unwrap().record(&whose).unwrap(),
        None,
        "another key knows nobody"
    );
}

#[test]
fn a_consent_is_limited_to_the_addresses_that_were_read() {
    let bench = Bench::new();
    bench.grant("--id any").unwrap();
    bench.grant("--id both --only-these-addresses").unwrap();
    let named = serde_json::json!({"email": ["a@example.org", "b@example.org"], "national-id": "991231100010"});
    let only = [
        ("identifiers", named),
        ("only_these_addresses", true.into()),
    ];
    bench.run("import -", &line(1, &only)).unwrap();
    for (id, says) in [
        ("any", "any\n"),
        ("both", "only 2 addresses (email, phone)\n"),
        ("crm-1", "only 2 addresses (email)\n"),
    ] {
        let (shown, _) = bench.run(&format!("show --consent {id}"), "").unwrap();
        let found = shown.lines().find(|it| it.starts_with("addresses"));
        let found = found.map(|it| format!("{}\n", it.trim_start_matches("addresses").trim()));
        assert_eq!(found.as_deref(), Some(says), "{id}");
    }
    let again = bench.grant("--id both --only-these-addresses").unwrap().0;
    assert!(again.contains("recorded before"), "{again}");
    let grant = format!("{GRANT}{}", "ab".repeat(32));
    bench.check_refused(
        &format!("{grant} --id both"),
        WHO,
        &["`both` is already recorded"],
    );
    bench.check_refused(
        &format!("{grant} --only-these-addresses"),
        "national-id: 991231100010",
        &["--only-these-addresses: no address is named"],
    );
    let none = serde_json::json!({"national-id": "991231100010"});
    let only = [("identifiers", none), ("only_these_addresses", true.into())];
    bench.check_refused(
        "import -",
        &line(2, &only),
        &["line 1: only_these_addresses: no address is named"],
    );
}
