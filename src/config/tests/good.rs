//! What passes: the small one, the example, the starter; and what becomes of it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{super::*, SMALL, load, load_in, now};
use crate::{
    gatekeeper::{
        destination::{HttpVersions, Roots, TlsFloor},
        keys::{Keys, SubjectKey},
    },
    model::{
        Category, Country,
        decision::Mode,
        destination::{FailurePolicy, GapPolicy, Operator, RoutePurpose},
        finding::{Confidence, GapKind, Part},
        subject::IdentifierKind,
    },
};

const EXAMPLE: &str = include_str!("../../../config/shekara.example.yaml");

fn loaded(text: &str) -> Loaded {
    load(text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_small_one_has_no_problem_and_takes_defaults() {
    let it = loaded(SMALL);
    assert!(it.warnings.is_empty(), "{}", it.warnings);
    let configuration = it.configuration;
    assert_eq!(configuration.proxy.concurrency, 1024);
    assert_eq!(configuration.proxy.connections, 16_384);
    assert_eq!(configuration.proxy.write_time, Duration::from_secs(60));
    assert_eq!(configuration.proxy.drain_time, Duration::from_secs(30));
    assert_eq!(configuration.proxy.per_client, 512);
    assert_eq!(configuration.proxy.connections_per_client, 4096);
    assert_eq!(configuration.proxy.memory, 256 << 20);
    let spool = &configuration.proxy.spool;
    assert_eq!((spool.above, spool.size), (1 << 20, 4 << 30));
    assert!(spool.dir.ends_with("state/spool"));
    let moved = configuration.clone().with_state_dir("/elsewhere".into());
    assert_eq!(moved.proxy.spool.dir, Path::new("/elsewhere/spool"));
    assert_eq!(configuration.admin.bind, "127.0.0.1:9464".parse().unwrap());
    assert_eq!(configuration.audit.segment_bytes, 64 << 20);
    assert!(configuration.audit.dir.ends_with("state/audit"));
    assert_eq!(configuration.telemetry.level, "info");
    let destination = &configuration.destinations[0];
    assert_eq!(destination.facts.modes.global, Mode::Enforce);
    assert_eq!(destination.facts.confidence_min, Confidence::High);
    assert_eq!(
        destination.limits,
        crate::gatekeeper::destination::Limits::default()
    );
    assert_eq!(destination.legal_status, 451);
    assert!(destination.facts.is_secured);
    assert_eq!(&*destination.facts.routes[1].id, "mailing/1");
    assert_eq!(destination.plans.len(), 2);
}

#[test]
fn the_example_passes_and_means_what_it_says() {
    let it = loaded(EXAMPLE);
    assert!(it.warnings.is_empty(), "{}", it.warnings);
    let [mailing, errors, warehouse] = it.configuration.destinations.as_slice() else {
        panic!("three destinations")
    };
    let facts = &mailing.facts;
    // Only the threshold that hides findings ends.
    let ends = facts
        .thresholds
        .iter()
        .map(|it| (it.min.is_none(), it.until.is_some()));
    assert_eq!(ends.collect::<Vec<_>>(), [(false, false), (true, true)]);
    let codes: Vec<String> = facts
        .effective_countries(Country::KZ)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(codes, ["DE", "FR"]);
    assert_eq!(mailing.matcher.host.as_deref(), Some("mail.gate.test"));
    assert_eq!(mailing.upstream.tls_floor, TlsFloor::Tls13);
    assert_eq!(mailing.upstream.roots, Roots::System);
    assert_eq!(mailing.limits.body_bytes, 8 << 20);
    assert_eq!(mailing.limits.body_idle_time, Duration::from_secs(15));
    assert_eq!(mailing.limits.total_time, Duration::from_secs(900));
    assert_eq!(it.configuration.callers[0].concurrency, Some(256));
    assert_eq!(facts.routes[0].plan.budget.depth, 32);
    assert_eq!(facts.routes[0].plan.budget.decoded_bytes, 32 << 20);
    assert_eq!(facts.routes[0].plan.budget.decoded_ratio, 200);
    assert_eq!(facts.retention_days, Some(365));
    assert!(facts.fallback.drop_records && facts.fallback.reduce_fields);
    assert_eq!(facts.operators[&Category::Phone], Operator::Mask);
    assert_eq!(facts.operators[&Category::Email], Operator::Pseudonymise);
    assert_eq!(facts.operators[&Category::NameSurname], Operator::Remove);
    assert_eq!(facts.operators[&Category::NameGiven], Operator::Mask);
    assert_eq!(facts.agreement.as_ref().unwrap().categories.len(), 7);
    let shop: Arc<str> = "campaigns".into();
    assert_eq!(mailing.callers[&shop].len(), 2);
    let route = &facts.routes[0];
    assert!(matches!(&route.purpose, RoutePurpose::Claimable(it) if it.len() == 2));
    assert_eq!(route.plan.records.as_ref().unwrap().at, "$.recipients[*]");
    assert_eq!(route.plan.subjects[1].1, IdentifierKind::InternalId);
    let (value, end) = &route.plan.not_personal_until[0];
    assert_eq!(value.part, Part::Body);
    assert_eq!(end.to_string(), "2027-06-30T19:00:00.000Z");
    assert_eq!(facts.readings.len(), 1);
    assert_eq!(facts.readings[0].assessments.len(), 3);
    let end = "2027-07-01T00:00:00+05:00".parse().unwrap();
    assert_eq!(
        errors.facts.gaps[&GapKind::Opaque],
        GapPolicy::AllowLoggedUntil(end)
    );
    let end = "2027-01-01T00:00:00+05:00".parse().unwrap();
    assert_eq!(
        warehouse.facts.registers_failure,
        FailurePolicy::OpenUntil(end)
    );
    assert_eq!(warehouse.audit_failure, FailurePolicy::Closed);
    assert!(warehouse.upstream.controlled_zone && !warehouse.facts.is_secured);
}

/// Secrets come from files, without the line's end, and do not show.
#[test]
fn what_the_gate_holds_for_an_upstream_is_read_from_files() {
    let dir = tempfile::tempdir().unwrap();
    let issued = rcgen::generate_simple_self_signed(vec!["gate.test".to_owned()]).unwrap();
    let files = [
        ("a.pem", issued.cert.pem()),
        ("a.key", issued.signing_key.serialize_pem()),
        ("token", "canary-1\n".to_owned()),
        ("login", "user:canary-2\r\n".to_owned()),
        ("key", "canary-3".to_owned()),
    ];
    for (name, text) in &files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let lines = r"      identity: {certificate_file: a.pem, key_file: a.key}
      http: '1.1'
      proxy: http://10.0.0.1
      proxy_credentials_file: login
      connections_max: 7
      idle_time: 5s
      life_time: 1h
      breaker: {failures: 0, open_for: 1m}
      credentials:
        - {header: Authorization, scheme: bearer, value_file: token}
        - {header: X-Login, scheme: basic, value_file: login}
        - {header: X-Key, value_file: key}
      url:";
    let text = SMALL.replacen("      url:", lines, 1);
    let it = load_in(dir.path(), &text).unwrap();
    let upstream = &it.configuration.destinations[0].upstream;
    assert_eq!(upstream.http, HttpVersions::Http1);
    assert!(upstream.identity.is_some());
    let proxy = upstream.proxy.as_ref().unwrap();
    assert_eq!(
        (proxy.host.to_string(), proxy.port),
        ("10.0.0.1".to_owned(), 80)
    );
    let basic = "Basic dXNlcjpjYW5hcnktMg==";
    let authorization = proxy.authorization.as_ref().unwrap().expose();
    assert_eq!(authorization.to_str().unwrap(), basic);
    let fields: Vec<_> = upstream
        .credentials
        .iter()
        .map(|it| (it.field.as_str(), it.value.expose().to_str().unwrap()))
        .collect();
    assert_eq!(
        fields,
        [
            ("authorization", "Bearer canary-1"),
            ("x-login", basic),
            ("x-key", "canary-3")
        ]
    );
    assert_eq!(upstream.connections.max, Some(7));
    assert_eq!(upstream.connections.idle_time.as_secs(), 5);
    assert_eq!(upstream.connections.life_time.as_secs(), 3600);
    assert_eq!(upstream.breaker.failures, 0);
    assert_eq!(upstream.breaker.open_for.as_secs(), 60);
    let shown = format!("{:?}", it.configuration);
    for secret in ["canary", "dXNlcjpj", "PRIVATE KEY"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[test]
fn the_starter_passes_with_the_one_warning_that_it_is_log_only() {
    let text = crate::cli::init::starter(now());
    assert!(!text.contains("@TODAY@"));
    let it = loaded(&text);
    let messages: Vec<&str> = it.warnings.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(messages, ["mode"], "{}", it.warnings);
}

#[test]
fn starter_and_example_pass_under_the_shipped_law() {
    let starter = crate::cli::init::starter(now());
    for (text, warnings) in [(EXAMPLE, 0), (starter.as_str(), 1)] {
        let base = Path::new("nowhere");
        match load_text(text, "shekara.yaml", base, now(), &law::SHIPPED) {
            Ok(it) => assert_eq!(it.warnings.iter().count(), warnings, "{}", it.warnings),
            Err(problems) => panic!("{problems}"),
        }
    }
}

#[test]
fn a_snapshot_carries_versions_and_destinations() {
    let configuration = loaded(SMALL).configuration;
    let keys = Keys::new(SubjectKey::new(1, &[7; 32]), Vec::new(), &[8; 32]);
    let snapshot = configuration.build_snapshot(keys, 3);
    assert_eq!(snapshot.versions.generation, 3);
    assert_eq!(snapshot.versions.config.len(), 16);
    let files: Vec<&str> = snapshot.versions.data.keys().map(String::as_str).collect();
    assert_eq!(
        files,
        [
            "messages/reasons.yaml",
            "profiles/baseline.yaml",
            "profiles/clinic.yaml",
            "profiles/mailing.yaml",
            "regimes/kz-94v.yaml"
        ]
    );
    let matched = snapshot
        .destinations
        .find("main", "any", "POST", "/mail/news/1");
    assert_eq!(matched.unwrap().route, Some(0));
    let other = loaded(&SMALL.replace("Example LLP", "Other LLP")).configuration;
    assert_ne!(other.version, configuration.version);
}

#[test]
fn files_of_data_dir_replace_the_shipped_law() {
    let dir = tempfile::tempdir().unwrap();
    let profiles = dir.path().join("law/profiles");
    std::fs::create_dir_all(&profiles).unwrap();
    let mine = super::BASELINE.replace("[affiliate, processor, subprocessor]", "[]");
    std::fs::write(profiles.join("baseline.yaml"), mine).unwrap();
    let text = format!("{SMALL}data_dir: ./law\n");
    let plain = load_in(dir.path(), SMALL).unwrap().configuration;
    let it = load_in(dir.path(), &text).unwrap().configuration;
    let roles = &it.destinations[0].facts.readings[0]
        .profile
        .agreement_required_roles;
    assert!(roles.is_empty());
    let of = |it: &Configuration| it.data_versions["profiles/baseline.yaml"].clone();
    assert_ne!(of(&it), of(&plain));

    std::fs::write(profiles.join("baseline.yaml"), "code: baseline\nttle: x\n").unwrap();
    let problems = load_in(dir.path(), &text).unwrap_err();
    let first = problems
        .iter()
        .find(|it| it.file == "profiles/baseline.yaml")
        .unwrap();
    assert_eq!((first.line, first.column), (2, 1), "{problems}");
}

#[test]
fn load_reads_a_file_and_says_when_it_cannot() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shekara.yaml");
    let problems = super::super::load(&path, now()).unwrap_err();
    assert!(
        problems
            .to_string()
            .contains("cannot read the configuration"),
        "{problems}"
    );
    assert_eq!(discover(Some(&path)).unwrap(), path);
}

/// Every key of the example stands in the schema, and every key of the schema (but those that need files or are refused) in the example.
#[test]
fn the_example_shows_every_key_of_the_schema() {
    let schema = schema();
    let mut known = BTreeSet::new();
    keys_of_schema(&schema, &mut known);
    let tree: Node = yaml::read(EXAMPLE).unwrap();
    let mut shown = BTreeSet::new();
    keys_of_tree(&tree, &mut shown);
    let free = [
        // Codes of categories and reasons.
        "email",
        "identifier-unverified",
        "name",
        "name.surname",
        "phone",
        "retention-too-long",
        "opaque",
        "unsupported-media-type",
    ];
    let unknown: Vec<_> = shown
        .iter()
        .filter(|it| !known.contains(*it) && !free.contains(&it.as_str()))
        .collect();
    assert!(unknown.is_empty(), "not in the schema: {unknown:?}");
    let elsewhere = [
        "tls",
        "certificate_file",
        "key_file",
        "client_roots_file",
        "client_required", // need files
        "token_file",
        "data_dir",
        "crl_file",
        "credentials",
        "header",
        "identity",
        "proxy_credentials_file",
        "scheme",
        "value_file",
    ];
    let missing: Vec<_> = known
        .iter()
        .filter(|it| !shown.contains(*it) && !elsewhere.contains(&it.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in the example: {missing:?}");
}

fn keys_of_schema(schema: &serde_json::Value, keys: &mut BTreeSet<String>) {
    if let Some(properties) = schema.get("properties").and_then(|it| it.as_object()) {
        keys.extend(properties.keys().cloned());
    }
    if let Some(members) = schema.as_object() {
        members.values().for_each(|it| keys_of_schema(it, keys));
    }
    for item in schema.as_array().into_iter().flatten() {
        keys_of_schema(item, keys);
    }
}

fn keys_of_tree(node: &Node, keys: &mut BTreeSet<String>) {
    if let yaml::Value::List(items) = &node.value {
        items.iter().for_each(|it| keys_of_tree(it, keys));
    } else if let yaml::Value::Map(members) = &node.value {
        for (key, it) in members {
            keys.insert(key.name.clone());
            keys_of_tree(it, keys);
        }
    }
}

/// The reader passes over unknown keys, so the schema must close every mapping that has named keys.
#[test]
fn the_schema_closes_every_mapping() {
    fn walk(schema: &serde_json::Value, open: &mut Vec<String>) {
        let is_closed = schema.get("additionalProperties") == Some(&false.into());
        if schema.get("properties").is_some_and(|it| it.is_object()) && !is_closed {
            open.push(schema.to_string());
        }
        let members = schema.as_object().into_iter().flat_map(|it| it.values());
        let items = schema.as_array().into_iter().flatten();
        members.chain(items).for_each(|it| walk(it, open));
    }
    let mut open = Vec::new();
    walk(&schema(), &mut open);
    assert!(open.is_empty(), "{open:?}");
}
