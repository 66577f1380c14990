use std::path::Path;

use super::{read_text, rendered};
use crate::config::settings::{Bucket, BucketCredentials, EvidencePlace};

const REST: &str = "signing_key = { file = \"key\" }\n[workspaces.acme]\nconnector = \"truto\"\n\
                    integrated_account_id = \"i\"\napi_token = { env = \"T\" }\n";

fn place(evidence: &str) -> EvidencePlace {
    let (settings, problems) = read_text(&format!("[evidence]\n{evidence}\n{REST}")).unwrap();
    assert_eq!(problems, []);
    settings.evidence.unwrap().place
}

fn bucket(evidence: &str) -> Bucket {
    match place(evidence) {
        EvidencePlace::Bucket(bucket) => *bucket,
        EvidencePlace::Folder(path) => panic!("{} is a folder", path.display()),
    }
}

#[test]
fn evidence_is_in_a_folder_or_in_a_bucket() {
    let folder = |path: &str| EvidencePlace::Folder(path.into());
    assert_eq!(place("directory = \"bags\""), folder("/etc/rolecall/bags"));
    assert_eq!(place("url = \"file:///srv/bags\""), folder("/srv/bags"));
    let bucket = bucket("url = \"s3://audit-evidence/eu/rolecall/\"");
    assert_eq!((&*bucket.name, &*bucket.prefix), ("audit-evidence", "eu/rolecall"));
    assert_eq!(bucket.credentials, BucketCredentials::Environment);
    assert_eq!(bucket.spool, Path::new("/etc/rolecall/evidence-spool"), "beside the store");
}

#[test]
fn a_bucket_has_an_endpoint_and_a_key_of_its_own() {
    let text = "url = \"s3://bags\"\nspool = \"wait\"\nspool_megabytes = 2\nsigning_key = { file = \"key\" }\n\
                [evidence.s3]\nregion = \"eu-central-1\"\nendpoint = \"http://127.0.0.1:9000\"\nca_file = \"ca.pem\"\n\
                access_key_id = { env = \"ID\" }\nsecret_access_key = { file = \"secret\" }\n";
    let rest = REST.split_once('\n').unwrap().1;
    let (settings, problems) = read_text(&format!("[evidence]\n{text}{rest}")).unwrap();
    assert_eq!(problems, []);
    let secrets: Vec<String> = settings.secrets().into_iter().map(|(key, _)| key).collect();
    assert!(secrets.contains(&"evidence.s3.secret_access_key".to_owned()), "{secrets:?}");
    let EvidencePlace::Bucket(bucket) = settings.evidence.unwrap().place else { panic!("a bucket") };
    assert_eq!((bucket.spool_bytes, &*bucket.spool), (2 << 20, Path::new("/etc/rolecall/wait")));
    assert_eq!(bucket.endpoint.unwrap().as_str(), "http://127.0.0.1:9000/");
}

#[test]
fn what_is_wrong_with_a_bucket_is_said_with_its_place() {
    let mut all = String::new();
    for evidence in [
        "",
        "directory = \"bags\"\nurl = \"s3://bags\"",
        "url = \"s3://Bags/ü\"",
        "url = \"s3://bags?endpoint=https://example.com\"",
        "url = \"gs://bags\"",
        "directory = \"bags\"\nspool = \"wait\"",
        "url = \"s3://bags\"\ns3 = { endpoint = \"http://store.example.com\" }",
        "url = \"s3://bags\"\ns3 = { access_key_id = { env = \"ID\" } }",
        "url = \"s3://bags\"\ns3 = { secret_access_key = \"wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\" }",
        "url = \"s3://bags\"\ns3 = { credentials = \"profile\" }",
        "url = \"s3://bags\"\nspool_megabytes = 0",
    ] {
        all += &rendered(&format!("[evidence]\n{evidence}\n{REST}"));
        all += "\n";
    }
    assert!(!all.contains("wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"));
    insta::assert_snapshot!(all);
}
