//! Rows whose columns are named once, and values that are named beside them.

use std::collections::BTreeSet;

use super::{json, message};
use crate::{
    inspect::{Inspector, Plan},
    model::{finding::normalized_path, inspection::Inspection, message::Message},
};

fn read(message: &Message) -> Inspection {
    Inspector::default().inspect(message, &Plan::default())
}

/// The categories that are acted on, with the last step of their place.
fn found(message: &Message) -> Vec<String> {
    let inspection = read(message);
    let acted = inspection.findings.iter().filter(|it| it.acts);
    let mut out: Vec<String> = acted
        .map(|it| {
            let path = it.location.path.as_deref().unwrap_or_default();
            format!("{} {}", normalized_path(path), it.category.code())
        })
        .collect();
    out.sort();
    out
}

/// Whether a name and a birth date are found, which only their columns tell.
fn finds_name_and_date(message: &Message) -> bool {
    let inspection = read(message);
    let acted = inspection.findings.iter().filter(|it| it.acts);
    let codes: BTreeSet<_> = acted.map(|it| it.category.code()).collect();
    codes.contains("name.given") && codes.contains("birth_date")
}

#[test]
fn columns_name_the_values_of_rows() {
    for body in [
        r#"{"columns":["first_name","dob"],"rows":[["Aru","1999-12-31"]]}"#,
        r#"{"rows":[["Aru","1999-12-31"]],"columns":["first_name","dob"]}"#,
        r#"{"headers":["id","first_name","dob"],"rows":[[1,"Aru","1999-12-31"]]}"#,
        r#"{"columns":["first_name","tags","dob"],"data":[["Aru",[{"a":1}],"1999-12-31"]],"index":[0]}"#,
        r#"{"fields":["first_name","dob"],"values":["Aru","1999-12-31"]}"#,
        r#"{"values":["Aru","1999-12-31"],"fields":["first_name","dob"]}"#,
        r#"{"schema":[{"name":"first_name"},{"name":"dob"}],"data":[["Aru","1999-12-31"]]}"#,
        r#"{"schema":{"fields":[{"name":"first_name"},{"name":"dob"}]},"rows":[{"f":[{"v":"Aru"},{"v":"1999-12-31"}]}]}"#,
        r#"{"rows":[{"f":[{"v":"Aru"},{"v":"1999-12-31"}]}],"schema":{"fields":[{"name":"first_name"},{"name":"dob"}]}}"#,
        r#"{"meta":[{"name":"first_name","type":"String"},{"name":"dob","type":"Date"}],"data":[["Aru","1999-12-31"]],"rows":1}"#,
        r#"{"cols":[{"id":"A","label":"first_name","type":"string"},{"id":"B","label":"dob"}],"rows":[{"c":[{"v":"Aru"},{"v":"1999-12-31"}]}]}"#,
        r#"{"columns":[{"id":1,"title":"First name"},{"id":2,"title":"Date of birth"}],"rows":[{"cells":[{"columnId":1,"value":"Aru"},{"columnId":2,"value":"1999-12-31"}]}]}"#,
        r#"{"columns":["first_name","dob"],"rows":[{"values":["Aru","1999-12-31"]}]}"#,
        r#"{"manifest":{"schema":{"columns":[{"name":"first_name"},{"name":"dob"}]}},"result":{"data_array":[["Aru","1999-12-31"]]}}"#,
        r#"{"range":"A1:B2","values":[["first_name","dob"],["Aru","1999-12-31"]]}"#,
        r#"[["first_name","dob"],["Aru","1999-12-31"]]"#,
        r#"[["first_name","Aru"],["dob","1999-12-31"]]"#,
        r#"[["id",7],["first_name","Aru"],["dob","1999-12-31"]]"#,
        r#"{"entries":[["first_name","Aru"],["dob","1999-12-31"]]}"#,
        r#"{"users":[[["first_name","Aru"],["dob","1999-12-31"]]]}"#,
        r#"{"payload":"{\"rows\":[[\"Aru\",\"1999-12-31\"]],\"columns\":[\"first_name\",\"dob\"]}"}"#,
    ] {
        assert!(
            finds_name_and_date(&json(body)),
            "{body}: {:?}",
            found(&json(body))
        );
    }
}

#[test]
fn lines_after_a_line_of_names_are_rows() {
    let body = "[\"first_name\",\"dob\"]\n[\"Aru\",\"1999-12-31\"]\n";
    assert!(finds_name_and_date(&message("application/x-ndjson", body)));
}

#[test]
fn binary_tables_are_read_the_same() {
    // {"columns": ["first_name", "dob"], "rows": [["Aru", "1999-12-31"]]}, and the same with the rows first.
    let columns = b"\xa7columns\x92\xaafirst_name\xa3dob";
    let rows = b"\xa4rows\x91\x92\xa3Aru\xaa1999-12-31";
    for (one, other) in [(&columns[..], &rows[..]), (&rows[..], &columns[..])] {
        let body = [b"\x82", one, other].concat();
        assert!(finds_name_and_date(&message("application/msgpack", body)));
    }
}

#[test]
fn a_pair_alone_is_a_pair() {
    let body = json(r#"{"data":[["first_name","Aru"]]}"#);
    assert_eq!(found(&body), ["$['data'][0][1] name.given"]);
}

#[test]
fn a_row_is_one_person() {
    for body in [
        r#"{"columns":["email","phone"],"rows":[["a@example.org","+77010000001"],["b@example.org","+77010000002"]]}"#,
        r#"{"schema":{"fields":[{"name":"email"},{"name":"phone"}]},"rows":[{"f":[{"v":"a@example.org"},{"v":"+77010000001"}]},{"f":[{"v":"b@example.org"},{"v":"+77010000002"}]}]}"#,
        r#"[["email","phone"],["a@example.org","+77010000001"],["b@example.org","+77010000002"]]"#,
        r#"{"users":[[["email","a@example.org"],["phone","+77010000001"]],[["email","b@example.org"],["phone","+77010000002"]]]}"#,
    ] {
        let persons = read(&json(body)).persons;
        let counts: Vec<_> = persons.iter().map(|it| it.identifiers.len()).collect();
        assert_eq!(counts, [2, 2], "{body}");
    }
    let one = r#"{"fields":["email","phone"],"values":["a@example.org","+77010000001"]}"#;
    assert_eq!(read(&json(one)).persons.len(), 1);
}

#[test]
fn names_of_columns_are_no_data() {
    for body in [
        r#"{"columns":["first_name","Loyalty tier","city"],"rows":[]}"#,
        r#"[["first_name","Loyalty tier"],["",""]]"#,
        r#"{"fields":["first_name","country"],"filters":[["country","=","KZ"],["status","=","Open"]],"order_by":[["country","asc"]]}"#,
        r#"{"fields":["first_name"],"conditions":[{"op":"in","values":["Gold","Silver"]}]}"#,
        r#"{"columns":[{"id":1,"title":"Date of birth"}],"rows":[{"cells":[{"columnId":1,"value":""}]}]}"#,
        r#"{"columns":["sku","title"],"rows":[["A-1","Aru"]]}"#,
    ] {
        assert_eq!(found(&json(body)), [""; 0], "{body}");
    }
}

#[test]
fn a_second_pass_leaves_nothing_of_the_first() {
    let body =
        r#"{"a@example.org":1,"rows":[["b@example.org","Aru"]],"columns":["email","first_name"]}"#;
    assert_eq!(
        found(&json(body)),
        [
            "$['a@example.org'] email",
            "$['rows'][0][0] email",
            "$['rows'][0][1] name.given",
        ]
    );
    assert_eq!(read(&json(body)).persons.len(), 2);
}

#[test]
fn values_are_named_beside_them_in_many_words() {
    for body in [
        r#"[{"op":"add","path":"/first_name","value":"Aru"},{"op":"add","path":"/dob","value":"1999-12-31"}]"#,
        r#"{"answers":[{"question":"First name","answer":"Aru"},{"question":"Date of birth","answer":"1999-12-31"}]}"#,
        r#"{"f":[{"label":"First name","text":"Aru"},{"label":"Date of birth","text":"1999-12-31"}]}"#,
        r#"{"f":[{"k":"first_name","v":"Aru"},{"k":"dob","v":"1999-12-31"}]}"#,
        r#"{"f":[{"название":"Имя","значение":"Ару"},{"название":"Дата рождения","значение":"31.12.1999"}]}"#,
        r#"{"Item":{"first_name":{"S":"Aru"},"dob":{"S":"1999-12-31"}}}"#,
        r#"{"fields":{"first_name":{"stringValue":"Aru"},"dob":{"stringValue":"1999-12-31"}}}"#,
        r#"{"first_name":{"0":"Aru"},"dob":{"0":"1999-12-31"}}"#,
    ] {
        assert!(
            finds_name_and_date(&json(body)),
            "{body}: {:?}",
            found(&json(body))
        );
    }
}

#[test]
fn tables_inside_a_value_are_read_by_their_first_row() {
    for body in [
        r#"{"file":"first_name,dob\nAru,1999-12-31\n"}"#,
        r#"{"file":"Имя;Дата рождения\r\nАру;31.12.1999"}"#,
    ] {
        assert!(
            finds_name_and_date(&json(body)),
            "{body}: {:?}",
            found(&json(body))
        );
        assert_eq!(read(&json(body)).gaps, []);
    }
    let two = r#"{"file":"email,phone\na@example.org,+77010000001\nb@example.org,+77010000002"}"#;
    assert_eq!(read(&json(two)).persons.len(), 2);
    let prose = r#"{"text":"Name, first of all\nAru, then the others"}"#;
    assert_eq!(found(&json(prose)), [""; 0]);
}
