//! Evasions and false alarms of our own: one value in every place of a request, in every writing that a recipient undoes.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    OK,
    gate::{Gate, Recipient},
    gate_before, request,
};

const IIN: &str = "991231100010";
const ADDRESS: &str = "a.ivanova@example.com";

/// A gate with its recipient, and what went otherwise.
struct Bench {
    recipient: Recipient,
    gate: Gate,
    wrong: Vec<String>,
}

impl Bench {
    fn start() -> Self {
        let recipient = Recipient::start(OK);
        let gate = gate_before(&recipient, "enforce");
        Self {
            recipient,
            gate,
            wrong: Vec::new(),
        }
    }

    fn refused(&mut self, what: &str, wire: &[u8]) {
        let answer = self.gate.send(wire);
        let is_refused = answer.statuses.iter().all(|it| *it >= 400);
        if !self.recipient.take().is_empty() || !is_refused {
            self.wrong.push(format!("passed: {what}"));
        }
    }

    fn forwarded(&mut self, what: &str, wire: &[u8]) {
        let answer = self.gate.send(wire);
        if self.recipient.take().len() != 1 || answer.statuses != [200] {
            let body = answer.text.split("\r\n\r\n").last().unwrap_or_default();
            self.wrong.push(format!("stopped: {what}: {body}"));
        }
    }

    fn end(self) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

fn each(text: &str, write: impl Fn(char) -> String) -> String {
    text.chars().map(write).collect()
}

fn percent(text: &str) -> String {
    each(text, |it| format!("%{:02x}", it as u32))
}

fn body(value: &Value) -> Vec<u8> {
    request(
        "/v1/contacts",
        b"",
        "application/json",
        value.to_string().as_bytes(),
    )
}

/// Digits of another script, by the first of its ten.
fn digits_from(zero: u32) -> String {
    each(IIN, |it| {
        char::from_u32(zero + it as u32 - 48).unwrap().to_string()
    })
}

fn between(separator: &str) -> String {
    IIN.split("")
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join(separator)
}

/// The value as text, in the forms that people and alphabets have.
fn plain_writings() -> Vec<String> {
    vec![
        "9912 3110 0010".to_owned(),
        "9912-3110-0010".to_owned(),
        "991231-100010".to_owned(),
        "991231.100010".to_owned(),
        "99 12 31 10 00 10".to_owned(),
        "991231\u{a0}100\u{2009}010".to_owned(),
        "ID991231100010X".to_owned(),
        "9912\u{0}31100010".to_owned(),
        format!("+{IIN}"),
        format!("{ADDRESS}.json"),
        between("\u{200b}"),
        between("\u{3164}"),
        between("\u{336}"),
        between("\u{fe0f}\u{20e3}"),
        digits_from(0xff10),
        digits_from(0x660),
        digits_from(0xa620),
        digits_from(0x1d7ce),
        digits_from(0x1e950),
        digits_from(0xe0030),
        "⁹⁹¹²³¹¹⁰⁰⁰¹⁰".to_owned(),
        "⑨⑨①②③①①⓪⓪⓪①⓪".to_owned(),
        "4111 1111-1111 1111".to_owned(),
        "a.ivanova＠example．com".to_owned(),
        "a.ivanova@\u{200b}example.com".to_owned(),
        "a.ivanova@example\u{3002}com".to_owned(),
    ]
}

/// The value encoded, in what recipients undo as a matter of course, and in what nobody can read here.
fn encoded_writings() -> Vec<String> {
    let document = json!({ "iin": IIN }).to_string();
    let token = "eyJhbGciOiJub25lIn0";
    vec![
        percent(IIN),
        percent(&percent(IIN)),
        "a.ivanova%40example.com".to_owned(),
        "a.ivanova&#64;example.com".to_owned(),
        "a.ivanova&commat;example.com".to_owned(),
        each(IIN, |it| format!("&#{};", it as u32)),
        each(IIN, |it| format!("&#{}", it as u32)),
        each(IIN, |it| format!("\\u{:04x}", it as u32)),
        each(IIN, |it| format!("\\x{:02x}", it as u32)),
        each(IIN, |it| format!("\\{:03o}", it as u32)),
        each(IIN, |it| format!("={:02X}", it as u32)),
        format!("=?utf-8?B?{}?=", base64(IIN)),
        base64(IIN),
        base64(ADDRESS),
        base64(&base64(&base64(&document))),
        base64(&base64(&base64(&base64(&base64(IIN))))),
        format!("see {} please", base64(&document)),
        format!("data:text/plain;base64,{}", base64(IIN)),
        format!(
            "Bearer {token}.{}.x",
            base64(&document).trim_end_matches('=')
        ),
        // A token's document must not keep the text beside it from being read.
        format!("eyJhIjoxfQ.{IIN}"),
        each(IIN, |it| format!("{:x}", it as u32)),
        "HE4TCMRTGEYTAMBQGEYA====".to_owned(),
        format!(
            "https://x.example/?u={}",
            percent(&format!("https://y.example/?m={ADDRESS}"))
        ),
        format!(
            "{{\"iin\":\"{}\",}}",
            each(IIN, |it| format!("\\u{:04x}", it as u32))
        ),
        // What nobody can read here.
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..a.b.c".to_owned(),
        "-----BEGIN PGP MESSAGE-----\n\nabc".to_owned(),
        format!("/9j/4{}", "A".repeat(40)),
        "H4sIAAAAAAACA6tWyszMU7JSsrQ0NDI2NDQwMDA0UKoFACy2E5IWAAAA".to_owned(),
    ]
}

#[test]
fn no_writing_hides_a_value() {
    let document = json!({ "iin": IIN }).to_string();
    let writings = [plain_writings(), encoded_writings()].concat();
    let mut bench = Bench::start();
    for writing in &writings {
        bench.refused(writing, &body(&json!({ "note": writing })));
        bench.refused(
            writing,
            &request("/v1", b"", "text/plain", writing.as_bytes()),
        );
    }
    for name in [IIN, ADDRESS, &percent(IIN), &base64(&document), &document] {
        bench.refused(name, &body(&json!({ name: 1 })));
    }
    for number in [
        r#"{"x":9.91231100010e11}"#,
        r#"{"x":99123110001E+1}"#,
        r#"{"x":991231100010.00}"#,
        r#"{"x":99123110001000e-2}"#,
        r#"{"x":0.099123110001e13}"#,
        r#"{"x":9912311000100000E-4}"#,
        r#"{"iin":50314100013}"#,
        r#"{"phone":7.7010000001e10}"#,
    ] {
        bench.refused(
            number,
            &request("/v1", b"", "application/json", number.as_bytes()),
        );
    }
    for key in [
        "first_nаme",
        "ｆｉｒｓｔ＿ｎａｍｅ",
        "first\u{200b}_name",
        "FIRSTNAME",
    ] {
        bench.refused(
            key,
            &body(&json!({ key: "Aigerim", "last_name": "Ivanova" })),
        );
    }
    bench.end();
}

#[test]
fn no_place_hides_a_value() {
    let mut bench = Bench::start();
    for field in [
        format!("X-Client-Iin: {IIN}"),
        format!("X-{IIN}: 1"),
        format!("X-A: {}", base64(IIN)),
        format!("X-A: {}", percent(IIN)),
        format!("Subject: =?utf-8?B?{}?=", base64(IIN)),
        format!("Referer: https://crm.test/c/{IIN}"),
        format!("From: {ADDRESS}"),
        format!("Origin: https://{IIN}.test"),
        format!("Cookie: a=1; uid={}", base64(IIN)),
        format!("Authorization: Basic {}", base64(&format!("{IIN}:x"))),
        format!("Authorization: BASIC\t{}", base64(&format!("{IIN}:x"))),
        format!("Authorization: Token {}", base64(IIN)),
        format!("Authorization: {IIN} x"),
        format!("Authorization: {ADDRESS}\tx"),
        format!("Cookie: a=1; {}=1", percent(IIN)),
        format!("Cookie: a=1; {}", base64("4111111111111111")),
        format!("User-Agent: x/1 ({ADDRESS})"),
        format!("User-Agent: {IIN}/1.0"),
        "X-Forwarded-For: 5.34.1.2".to_owned(),
        format!("baggage: userId={IIN}"),
        format!("If-None-Match: \"{IIN}\""),
        format!("Idempotency-Key: {IIN}"),
        format!(
            "Content-Disposition: attachment; filename*=UTF-8''{}.pdf",
            percent(IIN)
        ),
    ] {
        let line = format!("{field}\r\n");
        let wire = request(
            "/v1",
            line.as_bytes(),
            "application/json",
            b"{\"note\":\"ok\"}",
        );
        bench.refused(&field, &wire);
    }
    let label = format!("application/json; a={IIN}");
    let wire = request("/v1", b"", &label, b"{\"note\":\"ok\"}");
    bench.refused(&label, &wire);
    bench.end();
}

#[test]
fn no_part_of_a_target_or_form_hides_a_value() {
    let mut bench = Bench::start();
    for target in [
        format!("/c/{IIN}"),
        format!("/c/{}", percent(IIN)),
        format!("/c/{}", base64(IIN)),
        format!("/c/{ADDRESS}"),
        format!("/c/{IIN}.json"),
        format!("/c?{IIN}"),
        format!("/c?x[]=1&x[]={IIN}"),
        format!("/c?a=1;iin={IIN}"),
        format!("/c?x={}", percent(&percent(IIN)).replace('%', "%25")),
        format!("/c?{}=1", percent(IIN).replace('%', "%25")),
        format!("/c?x={}", base64(IIN)),
        format!("/Contacts('{IIN}')"),
        format!("http://crm.example/c?x={IIN}"),
    ] {
        bench.refused(
            &target,
            format!("GET {target} HTTP/1.1\r\nHost: crm.example\r\n\r\n").as_bytes(),
        );
    }
    for form in [
        format!("x={}", percent(&percent(IIN)).replace('%', "%25")),
        "x=991231%00100010".to_owned(),
        format!("c[iin]={IIN}"),
        percent(&percent(&percent(IIN))),
        format!("x={}", base64(IIN)),
        "x=a.ivanova%2540example.com".to_owned(),
    ] {
        let label = "application/x-www-form-urlencoded";
        bench.refused(&form, &request("/v1", b"", label, form.as_bytes()));
    }
    // Where fields become variables these are two values of one.
    for field in ["content_type: text/html", "Content_Encoding: gzip"] {
        let line = format!("{field}\r\n");
        bench.refused(
            field,
            &request("/v1", line.as_bytes(), "application/json", b"{}"),
        );
    }
    for claim in [
        "Shekara-Purpose: data.clarification",
        "X-Consent-Ref: 1",
        "Shekara-Decision: allow",
    ] {
        let line = format!("{claim}\r\n");
        let body = json!({ "iin": IIN }).to_string();
        let wire = request("/v1", line.as_bytes(), "application/json", body.as_bytes());
        bench.refused(claim, &wire);
    }
    bench.end();
}

/// A form of one part: what stands in its head after the name, and its content.
fn form(head: &str, content: &str) -> Vec<u8> {
    let body =
        format!("--B\r\nContent-Disposition: form-data; name={head}\r\n\r\n{content}\r\n--B--\r\n");
    let label = "multipart/form-data; boundary=B";
    request("/v1", b"", label, body.as_bytes())
}

#[test]
fn no_part_of_a_multipart_body_hides_a_value() {
    let mut bench = Bench::start();
    let document = json!({ "iin": IIN }).to_string();
    for writing in [plain_writings(), encoded_writings()].concat() {
        bench.refused(&writing, &form("x", &writing));
    }
    for (head, content) in [
        (format!("\"{IIN}\""), "1"),
        (format!("\"c[{IIN}]\""), "1"),
        (format!("x; filename=\"{IIN}.pdf\""), "1"),
        (format!("x; filename=\"{}\"", base64(IIN)), "1"),
        (format!("x; filename*=utf-8''{}", percent(IIN)), "1"),
        ("x; filename*0=991231; filename*1=100010".to_owned(), "1"),
        (format!("x\r\nX-Client: {IIN}"), "1"),
        (format!("x\r\nX-{IIN}: 1"), "1"),
        (format!("x\r\nContent-ID: <{ADDRESS}>"), "1"),
        (format!("x\r\nContent-Type: text/plain; a={IIN}"), "1"),
        (
            "x\r\nContent-Type: application/json".to_owned(),
            document.as_str(),
        ),
        (
            "x\r\nContent-Type: application/octet-stream".to_owned(),
            IIN,
        ),
        (
            "x\r\nContent-Type: multipart/mixed; boundary=C".to_owned(),
            "--C\r\n\r\n991231100010\r\n--C--",
        ),
        (
            "x\r\nContent-Type: multipart/mixed".to_owned(),
            "--C\r\n\r\n1\r\n--C--",
        ),
        (
            "x\r\nContent-Type: message/rfc822".to_owned(),
            "Subject: =?utf-8?B?OTkxMjMxMTAwMDEw?=\r\n\r\n1",
        ),
        ("first_name".to_owned(), "Aigerim"),
        ("\"customer[first_name]\"".to_owned(), "Aigerim"),
    ] {
        bench.refused(&head, &form(&head, content));
    }
    let list = format!("--B\r\nContent-Type: application/json\r\n\r\n{document}\r\n--B--");
    for label in [
        "multipart/mixed; boundary=B",
        "multipart/related; boundary=\"B\"; type=\"application/json\"",
    ] {
        bench.refused(label, &request("/v1", b"", label, list.as_bytes()));
    }
    bench.end();
}

#[test]
fn clean_parts_of_a_multipart_body_are_forwarded() {
    let mut bench = Bench::start();
    for (head, content) in [
        ("note", "ok"),
        (
            "note; filename=\"report.txt\"\r\nContent-Type: text/plain; charset=utf-8",
            "Жеткізілді",
        ),
        (
            "note; filename=a.txt; filename*=UTF-8''a.txt\r\nContent-Transfer-Encoding: 8bit",
            "1\r\n2",
        ),
        (
            "\"items[0][sku]\"\r\nContent-Type: application/json",
            "{\"sku\":\"SKU-991231-100\"}",
        ),
        ("note\r\nContent-Transfer-Encoding: base64", "b2s="),
        (
            "note\r\nContent-Type: multipart/mixed; boundary=C",
            "--C\r\n\r\nok\r\n--C--",
        ),
        (
            "note\r\nContent-Type: message/rfc822",
            "Subject: =?utf-8?B?b2s=?=\r\n\r\nok",
        ),
        ("note", ""),
    ] {
        bench.forwarded(head, &form(head, content));
    }
    bench.end();
}

/// What stands in the disposition of a part that has no name, and in a charset that the parts do not know of.
#[test]
fn no_label_of_a_multipart_body_hides_a_value() {
    let mut bench = Bench::start();
    for disposition in [
        format!("form-data; name=\"{IIN}\""),
        format!("form-data; name*=utf-8''{}", percent(IIN)),
        "form-data; name*0=991231; name*1=100010".to_owned(),
        format!("{ADDRESS}; name=x"),
    ] {
        let list = format!("--B\r\nContent-Disposition: {disposition}\r\n\r\n1\r\n--B--\r\n");
        let label = "multipart/mixed; boundary=B";
        bench.refused(&disposition, &request("/v1", b"", label, list.as_bytes()));
    }
    let label = "multipart/form-data; boundary=B; charset=utf-7";
    let utf7 = "--B\r\nContent-Disposition: form-data; name=x\r\n\r\n+ADkAOQAxADIAMwAxADEAMAAwADAAMQAw-\r\n--B--\r\n";
    bench.refused(label, &request("/v1", b"", label, utf7.as_bytes()));
    bench.end();
}

#[test]
fn no_part_of_an_xml_body_hides_a_value() {
    let mut bench = Bench::start();
    let xml = |body: &str| request("/v1", b"", "application/xml", body.as_bytes());
    let escaped = |it: &str| it.replace('&', "&amp;").replace('<', "&lt;");
    for writing in [plain_writings(), encoded_writings()].concat() {
        bench.refused(&writing, &xml(&format!("<c>{}</c>", escaped(&writing))));
        // Not every recipient undoes the references once only.
        bench.refused(&writing, &xml(&format!("<c><![CDATA[{writing}]]></c>")));
    }
    let digits = each(IIN, |it| format!("&#{};", it as u32));
    for body in [
        format!("<c d='{IIN}'/>"),
        format!("<c d='{digits}'/>"),
        format!("<c>{digits}</c>"),
        format!("<i-{IIN}/>"),
        format!("<c i-{IIN}=''/>"),
        format!("<c xmlns:p='urn:{IIN}'/>"),
        format!("<c><!-- {IIN} --></c>"),
        format!("<c/><!-- {IIN} -->"),
        format!("<c/><?x {IIN}?>"),
        "<c>991231<!--x-->100010</c>".to_owned(),
        "<c>991231<b/>100010</c>".to_owned(),
        "<c>991231<![CDATA[100010]]></c>".to_owned(),
        format!("<!DOCTYPE c [<!ENTITY a '{IIN}'>]><c/>"),
        "<c><first_name>Aigerim</first_name></c>".to_owned(),
        "<c><first_name xml:lang='kk'>Aigerim</first_name></c>".to_owned(),
        "<c><email value='a.ivanova@example.com'/></c>".to_owned(),
        "<m:c xmlns:m='urn:x'><m:first_name>Aigerim</m:first_name></m:c>".to_owned(),
        "<c><field name='first_name'>Aigerim</field></c>".to_owned(),
        "<c><field><value>Aigerim</value><name>first_name</name></field></c>".to_owned(),
        "<c first_name='Aigerim'/>".to_owned(),
    ] {
        bench.refused(&body, &xml(&body));
    }
    let soap = format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><d>{}</d></s:Body></s:Envelope>",
        base64(&json!({ "iin": IIN }).to_string())
    );
    for label in [
        "text/xml; charset=utf-8",
        "application/soap+xml; charset=utf-8; action=\"urn:a\"",
    ] {
        bench.refused(label, &request("/v1", b"", label, soap.as_bytes()));
    }
    for body in [
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<order><line sku='SKU-991231-100'>3</line><line sku='b'>125</line></order>",
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><s:Body><m:Ping xmlns:m=\"urn:example:ping\" xsi:type=\"xsd:string\">ok</m:Ping></s:Body></s:Envelope>",
        "<a><![CDATA[R&D]]> &amp; 50% &#8470; 1001</a>",
        "<a/>",
    ] {
        bench.forwarded(body, &xml(body));
    }
    bench.end();
}

#[test]
fn no_cell_of_a_table_hides_a_value() {
    let mut bench = Bench::start();
    let table = |label: &str, body: &str| request("/v1", b"", label, body.as_bytes());
    for writing in [plain_writings(), encoded_writings()].concat() {
        let cell = writing.replace('"', "\"\"");
        bench.refused(
            &writing,
            &table("text/csv", &format!("a,note\r\n1,\"{cell}\"\r\n")),
        );
    }
    for body in [
        format!("iin\n{IIN}\n"),
        format!("{IIN}\n1\n"),
        format!("a,b\n1,{IIN}"),
        format!("a;b\n1;{IIN}"),
        format!("a\tb\n1\t{IIN}"),
        format!("a|b\n1|{IIN}"),
        format!("\u{feff}a,b\n1,{IIN}"),
        format!("a\n1,{IIN}\n"),
        format!("a,b\n1\n{IIN}\n"),
        format!("a\n=\"{IIN}\"\n"),
        format!("a\n'{IIN}\n"),
        format!("a\n \"{IIN}\"\n"),
        format!("a\n\"{IIN}\n"),
        "id,iin\n1,\"991231\n100010\"\n".to_owned(),
        "iin\n50314100013\n".to_owned(),
        "first_name,last_name\nAigerim,Ivanova\n".to_owned(),
        "name,value\nfirst_name,Aigerim\n".to_owned(),
        "value,name\nAigerim,first_name\n".to_owned(),
    ] {
        bench.refused(&body, &table("text/csv", &body));
    }
    bench.refused(
        "absent",
        &table("text/csv; header=absent", &format!("1,{IIN}\n")),
    );
    bench.refused(
        "tsv",
        &table("text/tab-separated-values", &format!("a\tb\n1\t{IIN}\n")),
    );
    for body in [
        "sku,quantity,price\r\nSKU-991231-100,3,\"1,5\"\r\nb,1,2\r\n",
        "sku;quantity\n\"a \"\"b\"\"\";3\n",
        "order_id\n100000012345\n",
    ] {
        bench.forwarded(body, &table("text/csv", body));
    }
    bench.end();
}

#[test]
fn what_is_nobodys_passes() {
    let mut bench = Bench::start();
    for value in [
        json!({"order_id": "100000012345", "total": "12990.00", "created_at": "2026-11-22T07:50:12.123456Z"}),
        json!({"id": "7f3c2b1e-9a4d-4c55-8f60-1d2e3f405162", "_id": "507f1f77bcf86cd799439011"}),
        json!({"ts": 1_795_322_749_123_u64, "t2": "20261122075012", "t3": "261122075012", "t4": "261122 075012"}),
        json!({"price": "1 299 990,00 KZT", "n": 129_999.99, "m": 1.5e3, "z": 129_999.00}),
        json!({"sku": "SKU-991231-100", "ean": "4006381333931", "isbn": "978-3-16-148410-0"}),
        json!({"d": "npm@1.2.3", "e": "@handle", "f": "user@localhost", "g": "git@github.com:a/b.git", "h": "icon@2x.png"}),
        json!({"sha": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}),
        json!({"nonce": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ", "word": "internationalization"}),
        json!({"discount": "50%", "u": "https://shop.example/a%20b?x=1&y=31"}),
        json!({"html": "<p>Заказ &#8470;&nbsp;1001, 12&nbsp;990&nbsp;&#8376;</p>", "area": "54 м²", "t": "1️⃣ Купить"}),
        json!({"inv": "INV-2026-000123", "awb": "1Z999AA10123456784", "po": "PO230101500123"}),
        json!({"mail": "info@example.com", "bin": "990140000007"}),
        json!({"groups": ["1234 5678 9012", "10 20 30 40 50 60", "2026 11 22 07 50"]}),
        json!({"path": "C:\\Users\\app\\101\\file.txt", "pattern": "^\\d{3}\\.\\d+$"}),
        json!({"data": base64("Hello, your order 1001 is ready at 10:00")}),
        json!({"query": "query($id: ID!, $first: Int = 10) { order(id: $id) { sku } }", "variables": {"id": "gid://shopify/Order/450789469"}}),
        json!({"key": "AAAA-BBBB-CCCC-DDDD-EEEE", "sig": "MEUCIQDhV3h3R0lGODdhAQABAIAAAP8AAP8AACwAAAAAAQABAAACAkQBADs"}),
    ] {
        bench.forwarded(&value.to_string(), &body(&value));
    }
    for field in [
        "User-Agent: python-requests/2.31.0\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n",
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nIdempotency-Key: 01HF7YAT31JZHSMW1CG6Q6MHB7\r\n",
        "X-Stripe-Client-User-Agent: {\"bindings_version\": \"7.0.0\"}\r\nAuthorization: Bearer sk_test_4eC39HqLyjWDarjtT1zdp7dc\r\n",
        "Authorization: Basic YXBpOmtleS0zYXg2eG5qcDI5amQ2ZmRzNGdjMzczc2d2anh0ZW9sMA==\r\n",
        "Cookie: lang=ru; theme=dark\r\nDate: Sun, 22 Nov 2026 07:50:12 GMT\r\n",
    ] {
        let wire = request(
            "/v1",
            field.as_bytes(),
            "application/json",
            b"{\"note\":\"ok\"}",
        );
        bench.forwarded(field, &wire);
    }
    for target in [
        "/v1/items/12345?page=2&per_page=100&sort=-created_at",
        "/v1/items/7f3c2b1e-9a4d-4c55-8f60-1d2e3f405162?since=2026-11-22T07%3A50%3A12Z",
    ] {
        bench.forwarded(
            target,
            format!("GET {target} HTTP/1.1\r\nHost: crm.example\r\n\r\n").as_bytes(),
        );
    }
    bench.end();
}

/// Log-only softens the legal questions and nothing else; the record says what would have been.
#[test]
fn log_only_lets_the_law_pass_and_nothing_unread_of_the_wire() {
    let recipient = Recipient::start(OK);
    let gate = gate_before(&recipient, "log-only");
    let sent = body(&json!({ "iin": IIN }));
    let answer = gate.send(&sent);
    assert_eq!(answer.statuses, [200], "{}", answer.text);
    assert_eq!(recipient.take().len(), 1);
    for wire in [
        b"POST /v1 HTTP/1.1\r\nHost: crm.example\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG".to_vec(),
        b"POST /v1 HTTP/1.1\r\nHost: other.example\r\nContent-Length: 0\r\n\r\n".to_vec(),
        request("/v1", b"Via: 1.1 shekara\r\n", "application/json", b"{}"),
    ] {
        let answer = gate.send(&wire);
        assert!(answer.statuses.iter().all(|it| *it >= 400), "{}", answer.text);
        assert!(recipient.take().is_empty());
    }
    let kept = gate.log() + &gate.audit();
    assert!(
        !kept.contains(IIN),
        "the value is in the log or the audit log"
    );
}

/// What an answer says of other places would lead an SDK, body and all, around the gate.
#[test]
fn answers_lead_nobody_around_the_gate() {
    let check = |answer: &'static str, status: u16| {
        let recipient = Recipient::start(answer);
        let gate = gate_before(&recipient, "enforce");
        let came = gate.send(&body(&json!({ "note": "ok" })));
        assert_eq!(came.statuses, [status], "{answer}");
        assert!(!came.text.contains("us.example"), "{answer}: {}", came.text);
    };
    check(
        "HTTP/1.1 302 Found\r\nLocation: https://us.example/\r\nContent-Length: 0\r\n\r\n",
        302,
    );
    check(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://us.example/\r\nContent-Length: 0\r\n\r\n",
        502,
    );
    check(
        "HTTP/1.1 308 Permanent Redirect\r\nLocation: //us.example/\r\nContent-Length: 0\r\n\r\n",
        502,
    );
    check(
        "HTTP/1.1 200 OK\r\nAlt-Svc: h2=\"us.example:443\"\r\nContent-Length: 0\r\n\r\n",
        200,
    );
    check(
        "HTTP/1.1 200 OK\r\nRefresh: 0; url=https://us.example/\r\nContent-Length: 0\r\n\r\n",
        200,
    );
    // Clients differ in which of two fields they follow.
    check(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: /ok\r\nLocation: https://us.example/\r\nContent-Length: 0\r\n\r\n",
        502,
    );
    check(
        "HTTP/1.1 302 Found\r\nLocation: /ok\r\nLocation: https://us.example/\r\nContent-Length: 0\r\n\r\n",
        302,
    );
}
