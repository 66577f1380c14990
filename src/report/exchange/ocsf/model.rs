//! The event class Compliance Finding (2003) of OCSF 1.5.0, as far as an audit fills it.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use uuid::Uuid;

/// The version of the schema.
pub(super) const VERSION: &str = "1.5.0";
/// The class, Compliance Finding.
pub(super) const CLASS: u32 = 2003;

/// One event.
#[derive(Serialize)]
pub(super) struct Event<'a> {
    pub(super) activity_id: u32,
    pub(super) activity_name: &'static str,
    pub(super) category_name: &'static str,
    pub(super) category_uid: u32,
    pub(super) class_name: &'static str,
    pub(super) class_uid: u32,
    pub(super) compliance: Compliance<'a>,
    #[serde(serialize_with = "milliseconds")]
    pub(super) end_time: DateTime<Utc>,
    pub(super) finding_info: FindingInfo<'a>,
    pub(super) message: String,
    pub(super) metadata: Metadata<'a>,
    pub(super) resources: [Resource<'a>; 1],
    pub(super) severity: &'static str,
    pub(super) severity_id: u32,
    #[serde(serialize_with = "milliseconds")]
    pub(super) start_time: DateTime<Utc>,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status_detail: Option<String>,
    pub(super) status_id: u32,
    #[serde(serialize_with = "milliseconds")]
    pub(super) time: DateTime<Utc>,
    pub(super) type_name: String,
    pub(super) type_uid: u32,
    pub(super) unmapped: Unmapped<'a>,
}

#[derive(Serialize)]
pub(super) struct Compliance<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) control: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) requirements: Vec<&'a str>,
    pub(super) standards: Vec<&'static str>,
    pub(super) status: &'static str,
    pub(super) status_id: u32,
}

#[derive(Serialize)]
pub(super) struct FindingInfo<'a> {
    pub(super) analytic: Analytic<'a>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_milliseconds")]
    pub(super) first_seen_time: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_milliseconds")]
    pub(super) last_seen_time: Option<DateTime<Utc>>,
    pub(super) title: &'a str,
    pub(super) types: [&'static str; 1],
    pub(super) uid: String,
}

#[derive(Serialize)]
pub(super) struct Analytic<'a> {
    pub(super) name: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) type_id: u32,
    pub(super) uid: &'a str,
}

#[derive(Serialize)]
pub(super) struct Metadata<'a> {
    pub(super) log_name: &'static str,
    pub(super) product: Product<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant_uid: Option<&'a str>,
    pub(super) uid: Uuid,
    pub(super) version: &'static str,
}

#[derive(Serialize)]
pub(super) struct Product<'a> {
    pub(super) name: &'static str,
    pub(super) vendor_name: &'static str,
    pub(super) version: &'a str,
}

#[derive(Serialize)]
pub(super) struct Resource<'a> {
    pub(super) name: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    pub(super) uid: &'a str,
}

/// What the schema has no place for.
#[derive(Serialize)]
pub(super) struct Unmapped<'a> {
    pub(super) audit_id: Uuid,
    pub(super) workspace: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) job: Option<&'a str>,
    pub(super) read_completely: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy_sha256: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evidence_bag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evidence_sha256: Option<&'a str>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn milliseconds<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(time.timestamp_millis())
}

#[allow(clippy::ref_option, reason = "serde passes a reference")]
fn some_milliseconds<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => milliseconds(time, serializer),
        None => serializer.serialize_none(),
    }
}
