//! Identifiers that follow from ours. OSCAL accepts UUIDs of version 4 and 5 only, and ours are of version 7; one of version 5
//! (RFC 9562, 5.5) is the same whenever a document is made again.

use sha1::{Digest as _, Sha1};
use uuid::{Builder, Uuid};

/// The namespace of identifiers that outlive one audit: those of accounts, roles, profiles and rules.
const ROLECALL: Uuid = Uuid::from_u128(0x0d0f_3c1e_6b0c_5f4e_9a53_7c1f_02d7_8a41);

/// The identifier of something inside an audit. The parts are joined by line feeds, which no part has.
pub(super) fn of_audit(audit: Uuid, parts: &[&str]) -> Uuid {
    version_5(audit, parts)
}

/// The identifier of something that several audits name.
pub(super) fn lasting(parts: &[&str]) -> Uuid {
    version_5(ROLECALL, parts)
}

fn version_5(namespace: Uuid, parts: &[&str]) -> Uuid {
    let mut digest = Sha1::new();
    digest.update(namespace.as_bytes());
    digest.update(parts.join("\n").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    Builder::from_sha1_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_uuid_of_version_5_as_others_make_it() {
        // python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_DNS, "www.example.com"))'
        let expected = "2ed6657d-e927-568b-95e1-2665a8aea6a2";
        assert_eq!(version_5(Uuid::NAMESPACE_DNS, &["www.example.com"]).to_string(), expected);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(lasting(&["ab", "c"]), lasting(&["a", "bc"]));
    }
}
