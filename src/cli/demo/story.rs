//! The requests of the demo, in order, each with what must come of it.

use std::{
    fs,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    client::{Answer, post},
    upstream::{Received, Upstream},
    world::World,
};
use crate::{cli::print, model::counted};

/// The person of the story: an IIN with a birth century that is over.
const IIN: &str = "991231100010";
/// SHA-256 of the text "demo-text", as a form would have shown it.
const TEXT_SHA256: &str = "8da0594cf371d9b9c30add3fc070393959c6764a9eb7e615605c2cae0923467a";
/// The start of the program that records the withdrawal counts, also on a machine that does much else.
const WITHDRAWAL_SHOWN_WITHIN: Duration = Duration::from_secs(5);
const NOTICE: &str = r#"{"iin":"991231100010","text":"Your order is ready."}"#;

/// What a step must come to.
struct Told<'a> {
    /// Heading.
    title: &'a str,
    /// Path at the gate.
    path: &'a str,
    /// Media type.
    content_type: &'a str,
    /// Body.
    body: Bytes,
    /// Expected status.
    status: u16,
    /// Expected reason code; empty when it passes.
    reason: &'a str,
    /// What the recipient must receive; `None` = nothing.
    received: Option<Bytes>,
    /// Why, in a sentence.
    why: &'a str,
}

/// Prints steps and counts those that came out otherwise.
struct Teller<'a> {
    world: &'a mut World,
    number: u32,
    wrong: u32,
}

/// Tells the whole story; `true` when every line came out as told.
pub(super) async fn tell(world: &mut World, goes_on: bool) -> Result<bool, String> {
    print(&format!(
        "Shekara demo. The gate is this binary, started with `shekara run` on http://{}; three recipients \"in Kazakhstan\",\n\
         \"in Germany\" and \"in the United States\" listen with TLS on loopback. The register of consents is empty.\n",
        world.address
    ));
    let mut teller = Teller {
        world,
        number: 0,
        wrong: 0,
    };
    teller.without_consent().await?;
    teller.consent_and_withdrawal().await?;
    teller.adequate_and_home().await?;
    teller.batch().await?;
    teller.channel_and_blind_spots().await?;
    teller.log_only().await?;
    if goes_on {
        teller.verify_live()?;
    } else {
        teller.tampering()?;
    }
    let wrong = teller.wrong;
    print(&if wrong == 0 {
        "\nEvery line came out as told.".to_owned()
    } else {
        format!("\n{wrong} of the lines above came out otherwise: this is a defect.")
    });
    Ok(wrong == 0)
}

fn json(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

impl Teller<'_> {
    async fn without_consent(&mut self) -> Result<(), String> {
        let us = self.world.recipients.us.clone();
        let notice = json(r#"{"order":"A-1001","status":"shipped","items":2}"#);
        self.step(
            Told {
                title: "An order notice without personal data, to the United States",
                path: "/us/notify",
                content_type: "application/json",
                body: notice.clone(),
                status: 202,
                reason: "",
                received: Some(notice),
                why: "nothing in it is personal data, so no basis is asked for",
            },
            &us,
        )
        .await?;
        self.step(
            Told {
                title: "The same with an IIN in it",
                path: "/us/notify",
                content_type: "application/json",
                body: json(NOTICE),
                status: 451,
                reason: "subject-unknown",
                received: None,
                why: "no record speaks of this person",
            },
            &us,
        )
        .await
        .map(drop)
    }

    async fn consent_and_withdrawal(&mut self) -> Result<(), String> {
        let us = self.world.recipients.us.clone();
        let granted = self.grant(&format!("national-id: {IIN}\n"), "order", &["US"])?;
        self.step(
            Told {
                title: "A consent is recorded that names the recipient, the United States, the purpose and the category",
                path: "/us/notify",
                content_type: "application/json",
                body: json(NOTICE),
                status: 202,
                reason: "",
                received: Some(json(NOTICE)),
                why: &format!("consent {granted} covers exactly this transfer"),
            },
            &us,
        )
        .await?;
        let started = Instant::now();
        self.ran(&["consent", "withdraw", "--consent", &granted], "")?;
        let answer = self
            .step(
                Told {
                    title: "The person withdraws; another process records it while the gate runs",
                    path: "/us/notify",
                    content_type: "application/json",
                    body: json(NOTICE),
                    status: 451,
                    reason: "consent-withdrawn",
                    received: None,
                    why: "a withdrawal acts on the next request",
                },
                &us,
            )
            .await?;
        let took = started.elapsed();
        self.check(
            took < WITHDRAWAL_SHOWN_WITHIN,
            &format!(
                "withdrawn and refused within {} ms: {}",
                took.as_millis(),
                answer.member("detail")
            ),
        );
        Ok(())
    }

    async fn adequate_and_home(&mut self) -> Result<(), String> {
        let de = self.world.recipients.de.clone();
        let kz = self.world.recipients.kz.clone();
        self.grant(
            "email: aigul@example.org\nphone: +7 701 000 00 01\n",
            "order",
            &[],
        )?;
        let mail = json(r#"{"to":{"email":"aigul@example.org"},"text":"Your parcel has left."}"#);
        self.step(
            Told {
                title: "To Germany: the operator has assessed the country as adequate",
                path: "/de/send",
                content_type: "application/json",
                body: mail.clone(),
                status: 202,
                reason: "",
                received: Some(mail),
                why: "adequacy carries the border crossing; the person is known and under no restriction",
            },
            &de,
        )
        .await?;
        let parcel = Bytes::from_static(b"phone=%2B7+701+000+00+01&parcel=A-1001");
        self.step(
            Told {
                title: "Inside Kazakhstan, as a form",
                path: "/kz/parcels",
                content_type: "application/x-www-form-urlencoded",
                body: parcel.clone(),
                status: 202,
                reason: "",
                received: Some(parcel),
                why: "no border is crossed; recipient, agreement and restrictions were checked all the same",
            },
            &kz,
        )
        .await
        .map(drop)
    }

    async fn batch(&mut self) -> Result<(), String> {
        let us = self.world.recipients.us.clone();
        let address = |it: usize| format!("reader{it}@example.org");
        let batch = |who: &[usize]| {
            let rows: Vec<_> = who
                .iter()
                .map(|it| format!(r#"{{"email":"{}"}}"#, address(*it)))
                .collect();
            json(&format!(
                r#"{{"subject":"News","recipients":[{}]}}"#,
                rows.join(",")
            ))
        };
        for reader in (0..10).filter(|it| ![3, 7].contains(it)) {
            self.grant(
                &format!("email: {}\n", address(reader)),
                "marketing",
                &["US"],
            )?;
        }
        let everybody: Vec<usize> = (0..10).collect();
        let consenting: Vec<usize> = (0..10).filter(|it| ![3, 7].contains(it)).collect();
        let answer = self
            .step(
                Told {
                    title: "A mailing to ten readers, two of whom never consented",
                    path: "/us/bulk/send",
                    content_type: "application/json",
                    body: batch(&everybody),
                    status: 202,
                    reason: "",
                    received: Some(batch(&consenting)),
                    why: "each person is judged apart; the destination allows `drop-records`, the rest goes",
                },
                &us,
            )
            .await?;
        let field = answer
            .headers
            .get("shekara-decision")
            .and_then(|it| it.to_str().ok())
            .unwrap_or_default();
        let dropped = field.contains("verdict=reduce") && field.contains("dropped=2");
        self.check(
            dropped,
            &format!("the sender is told: Shekara-Decision: {field}"),
        );
        Ok(())
    }

    async fn channel_and_blind_spots(&mut self) -> Result<(), String> {
        let de = self.world.recipients.de.clone();
        self.step(
            Told {
                title: "To Germany over plain HTTP",
                path: "/plain/send",
                content_type: "application/json",
                body: json(r#"{"to":{"email":"aigul@example.org"}}"#),
                status: 451,
                reason: "open-channel",
                received: None,
                why: "personal data does not go over an open channel; no name was looked up, nothing dialled",
            },
            &de,
        )
        .await?;
        self.step(
            Told {
                title: "A photograph, which the gate cannot read",
                path: "/de/send",
                content_type: "image/png",
                body: Bytes::from_static(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
                status: 415,
                reason: "opaque",
                received: None,
                why: "what could not be read is a gap, never \"nothing found\"",
            },
            &de,
        )
        .await?;
        self.step(
            Told {
                title: "To a destination that nobody declared",
                path: "/elsewhere",
                content_type: "application/json",
                body: json("{}"),
                status: 403,
                reason: "destination-unknown",
                received: None,
                why: "the country is declared by the operator, never guessed",
            },
            &de,
        )
        .await
        .map(drop)
    }

    async fn log_only(&mut self) -> Result<(), String> {
        let us = self.world.recipients.us.clone();
        let answer = self
            .step(
                Told {
                    title: "A destination on trial (`mode: log-only`)",
                    path: "/trial/notify",
                    content_type: "application/json",
                    body: json(NOTICE),
                    status: 202,
                    reason: "",
                    received: Some(json(NOTICE)),
                    why: "it passes, and the record says what would have happened",
                },
                &us,
            )
            .await?;
        let shown = self.ran(
            &["audit", "show", &answer.decision(), "--format", "json"],
            "",
        )?;
        let would =
            shown.contains(r#""would_be":"block""#) || shown.contains(r#""would_be": "block""#);
        self.check(
            would,
            "on record: verdict allow, would have been block (consent-withdrawn)",
        );
        Ok(())
    }

    /// With `--serve` the log has an owner: it is verified beside it, and not touched.
    fn verify_live(&mut self) -> Result<(), String> {
        self.heading("The audit log, verified beside the running gate");
        let told = self.ran(&["audit", "verify"], "")?;
        self.check(
            told.contains("The log holds together."),
            told.lines().next().unwrap_or_default(),
        );
        Ok(())
    }

    /// Stops the gate, verifies its log, edits one byte of it by hand, and verifies again.
    fn tampering(&mut self) -> Result<(), String> {
        self.heading(
            "The gate stops; its log is verified, then edited by hand, then verified again",
        );
        self.world.stop()?;
        let before = self.world.command(&["audit", "verify"], "")?;
        let text = String::from_utf8_lossy(&before.stdout).into_owned();
        self.check(
            before.status.success(),
            &format!("untouched: {}", text.lines().next().unwrap_or_default()),
        );
        edit_one_verdict(&self.world.folder.0.join("state/audit"))?;
        let after = self.world.command(&["audit", "verify"], "")?;
        let text = String::from_utf8_lossy(&after.stderr).into_owned();
        let first = text.lines().next().unwrap_or_default();
        let first = first.trim_start_matches("error: ");
        self.check(
            after.status.code() == Some(4),
            &format!("a \"block\" made an \"allow\" by hand: {first}"),
        );
        Ok(())
    }

    fn heading(&mut self, title: &str) {
        self.number += 1;
        print(&format!("\n{}. {title}", self.number));
    }

    fn check(&mut self, holds: bool, line: &str) {
        if !holds {
            self.wrong += 1;
        }
        print(&format!(
            "   {} {line}",
            if holds { "✓" } else { "✗ NOT AS TOLD:" }
        ));
    }

    /// Sends the request of `told` and holds what came of it against what was told.
    async fn step(&mut self, told: Told<'_>, recipient: &Upstream) -> Result<Answer, String> {
        self.heading(told.title);
        recipient.take();
        let shown = String::from_utf8_lossy(&told.body).into_owned();
        let shown: String = shown
            .chars()
            .filter(|it| !it.is_control())
            .take(96)
            .collect();
        let answer = post(self.world.address, told.path, told.content_type, told.body).await?;
        let received = recipient.take();
        print(&format!("   sent      POST {}  {shown}", told.path));
        print(&format!(
            "   answer    {}{}",
            answer.status,
            explanation(&answer)
        ));
        print(&format!("   received  {}", received_line(&received)));
        print(&format!("   why       {}", told.why));
        let as_told = answer.status.as_u16() == told.status
            && (told.reason.is_empty() || answer.reason() == told.reason)
            && received.iter().map(|it| &it.body).eq(told.received.iter());
        let expected = format!("expected {} {}", told.status, told.reason);
        self.check(as_told, if as_told { "as told" } else { &expected });
        Ok(answer)
    }

    /// Records a consent as an operator would, the identifier on stdin. Gives the record's id.
    fn grant(
        &mut self,
        subject: &str,
        purpose: &str,
        countries: &[&str],
    ) -> Result<String, String> {
        let mut arguments = vec![
            "consent",
            "grant",
            "--subject",
            "-",
            "--any-recipient",
            "--purpose",
            purpose,
        ];
        for category in ["national_id", "email", "phone", "name"] {
            arguments.extend(["--category", category]);
        }
        for country in countries {
            arguments.extend(["--country", country]);
        }
        arguments.extend([
            "--until-purpose",
            "--method",
            "web-checkbox",
            "--evidence-ref",
            "demo-form-1",
        ]);
        arguments.extend(["--text", "demo-text", "--text-version", "1"]);
        arguments.extend(["--text-sha256", TEXT_SHA256, "--locale", "kk"]);
        arguments.extend(["--format", "json"]);
        let told = self.ran(&arguments, subject)?;
        serde_json::from_str::<serde_json::Value>(&told)
            .ok()
            .and_then(|it| it.get("id").and_then(|it| it.as_str()).map(str::to_owned))
            .ok_or_else(|| format!("`consent grant` did not name the record: {told}"))
    }

    /// Runs a command beside the gate; its stdout when it succeeds.
    fn ran(&mut self, arguments: &[&str], input: &str) -> Result<String, String> {
        let output = self.world.command(arguments, input)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("`shekara {}` failed: {told}", arguments.join(" ")))
    }
}

/// Reason and sentence of a refusal.
fn explanation(answer: &Answer) -> String {
    let reason = answer.reason();
    if reason.is_empty() {
        String::new()
    } else {
        format!(" {reason}: {}", answer.member("title"))
    }
}

fn received_line(received: &[Received]) -> String {
    match received {
        [] => "nothing".to_owned(),
        [one] => format!("{}  {}", one.target, counted(one.body.len(), "byte")),
        many => format!("{} requests", many.len()),
    }
}

/// What somebody with file access would do: make a refusal look like a permission, same length.
fn edit_one_verdict(dir: &std::path::Path) -> Result<(), String> {
    let told = |it: std::io::Error| format!("cannot edit {}: {it}", dir.display());
    for entry in fs::read_dir(dir).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.extension().is_none_or(|it| it != "seg") {
            continue;
        }
        let mut bytes = fs::read(&path).map_err(told)?;
        let from = br#""verdict":"block""#;
        let to = br#""verdict":"allow""#;
        if let Some(at) = memchr::memmem::find(&bytes, from) {
            bytes
                .iter_mut()
                .skip(at)
                .zip(to)
                .for_each(|(old, new)| *old = *new);
            return fs::write(&path, bytes).map_err(told);
        }
    }
    Err("the log holds no refusal to edit".to_owned())
}
