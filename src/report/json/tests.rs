use super::*;
use crate::{access::matrix::AccessMatrix, model::audit::Audit, report::testing};

fn written(audit: &Audit) -> String {
    let matrix = AccessMatrix::of(audit);
    let mut out = Vec::new();
    write(&ReportInput::new(audit, &matrix), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_report_of_a_hostile_world() {
    let value: serde_json::Value = serde_json::from_str(&written(&testing::hostile())).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn what_the_api_did_not_give_is_null_and_what_is_empty_stays_empty() {
    let value: serde_json::Value = serde_json::from_str(&written(&testing::hostile())).unwrap();
    let row = |id: &str| {
        let rows = value["access_matrix"].as_array().unwrap();
        rows.iter().find(|row| row["user_id"] == id).unwrap().clone()
    };
    assert!(row("5000000000004")["email"].is_null());
    assert!(row("5000000000004")["confirmed"].is_null());
    assert_eq!(row("5000000000007")["full_name"], "");
    assert_eq!(row("5000000000007")["confirmed"], false);
    assert!(row("5000000000005")["role"]["name"].is_null());
}

#[test]
fn users_whose_power_is_unknown_are_counted() {
    let summary =
        |audit: &Audit| serde_json::from_str::<serde_json::Value>(&written(audit)).unwrap()["summary"].clone();
    let unknown = summary(&testing::with_unknown_power());
    assert_eq!((&unknown["administrators"], &unknown["administrators_unknown"]), (&1.into(), &1.into()));
    assert!(summary(&testing::quiet()).get("administrators_unknown").is_none());
}

#[test]
fn the_schema_is_published_and_describes_every_part_of_a_report() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let value: serde_json::Value = serde_json::from_str(&written(&testing::hostile())).unwrap();
    for key in value.as_object().unwrap().keys() {
        assert!(schema["properties"].get(key).is_some(), "{key} is not in the schema");
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&schema).unwrap());
}
