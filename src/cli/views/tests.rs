//! The registers of the example configuration.

use std::path::Path;

use clap::Parser as _;

use super::*;
use crate::config::law;

const EXAMPLE: &str = include_str!("../../../config/shekara.example.yaml");

#[derive(Debug, clap::Parser)]
enum Line {
    Adequacy(AdequacyArgs),
    Agreement(AgreementArgs),
    Destination(DestinationArgs),
    Notification(NotificationArgs),
}

/// The answer to `line`, asked at noon of `day`; the configuration was loaded on 2026-11-22.
fn asked(line: &str, day: &str) -> Result<String, Failure> {
    let at: Timestamp = "2026-11-22T12:00:00+05:00".parse().unwrap();
    let loaded = config::load_text(EXAMPLE, "c", Path::new("nowhere"), at, &law::SHIPPED).unwrap();
    let now = format!("{day}T12:00:00+05:00").parse().unwrap();
    let words = ["shekara"].into_iter().chain(line.split_whitespace());
    let args = match Line::try_parse_from(words).unwrap() {
        Line::Adequacy(it) => return answer(&Args::Adequacy(&it), &loaded.configuration, now),
        Line::Agreement(it) => return answer(&Args::Agreement(&it), &loaded.configuration, now),
        Line::Notification(it) => {
            return answer(&Args::Notification(&it), &loaded.configuration, now);
        }
        Line::Destination(it) => it,
    };
    answer(&Args::Destination(&args), &loaded.configuration, now)
}

#[test]
fn registers_mark_what_ends() {
    for (line, day, says) in [
        (
            "agreement list",
            "2026-11-22",
            "2028-01-31  info,marketing.email",
        ),
        ("agreement list", "2028-01-15", "2028-01-31 (expires soon)"),
        ("agreement list", "2028-02-01", "2028-01-31 (EXPIRED)"),
        ("agreement list --lang ru", "2026-11-22", "Фамилия"),
        (
            "adequacy list",
            "2026-11-22",
            "Data protection officer  2026-02-01  2027-01-31",
        ),
        ("adequacy list", "2027-02-01", "2027-01-31 (EXPIRED)"),
        ("destination list", "2026-11-22", "failure-open 2026-12-31"),
        (
            "destination list",
            "2026-12-05",
            "failure-open 2026-12-31 (expires soon)",
        ),
        ("destination list", "2026-11-22", "DE,FR"),
        ("notification list", "2026-11-22", "accepted"),
        (
            "destination show mailing",
            "2026-11-22",
            "mailer-backup (FR)",
        ),
        ("destination show mailing", "2026-11-22", "365 days"),
        (
            "destination show mailing",
            "2027-06-15",
            "2027-06-30 (expires soon): the shop's own role mailbox",
        ),
        (
            "destination show mailing --lang kk",
            "2026-11-22",
            "Германия (DE)",
        ),
    ] {
        let text = asked(line, day).unwrap();
        assert!(
            text.contains(says),
            "{line} on {day} should say {says}:\n{text}"
        );
    }
    let failure = asked("destination show nothing", "2026-11-22").unwrap_err();
    assert!(
        failure.text.contains("known are mailing,errors,warehouse"),
        "{}",
        failure.text
    );
}

#[test]
fn json_holds_the_record_of_processing() {
    let text = asked("destination list --format json", "2026-11-22").unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 3);
    let mailing = &all[0];
    assert_eq!(mailing["recipient"]["role"], "processor");
    assert_eq!(mailing["effective_countries"], json!(["DE", "FR"]));
    assert_eq!(
        mailing["onward"],
        json!([{"party": "mailer-backup", "country": "FR"}])
    );
    assert_eq!(mailing["agreement"]["standing"], "holds");
    assert_eq!(mailing["adequacy"].as_array().unwrap().len(), 2);
    assert_eq!(mailing["retention_days"], 365);
    assert_eq!(all[2]["exceptions"][0]["owner"], "Head of logistics");
    for (line, count) in [
        ("adequacy list --format json", 3),
        ("agreement list --format json", 2),
        ("notification list --format json", 1),
    ] {
        let all: Value = serde_json::from_str(&asked(line, "2026-11-22").unwrap()).unwrap();
        assert_eq!(all.as_array().unwrap().len(), count, "{line}");
    }
}
