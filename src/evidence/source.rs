//! Which system a review was read from, as its bag says.

use std::{collections::BTreeMap, io};

use serde::Deserialize;
use url::Url;

use super::{
    inventory,
    storage::{Storage, bounded, each, join},
};
use crate::model::kind::ConnectorKind;

/// The file of a bag that names the system.
const FILE: &str = "data/directory/source.json";
/// It is far smaller.
const LARGEST: u64 = 1 << 20;
/// The longest address that is shown, in characters.
const SHOWN: usize = 200;

#[derive(Deserialize)]
struct Source {
    connector: String,
    api_url: String,
}

/// The address that a review was read from, if it is not one of the vendor's: a gateway of the company, a simulation, or a
/// forgery. `None` also for a bag without a review.
pub fn foreign(storage: &dyn Storage, folder: &str) -> Option<String> {
    let file = storage.get(&join(folder, FILE)).ok()?;
    let source = bounded(file, LARGEST).ok().and_then(|bytes| serde_json::from_slice::<Source>(&bytes).ok());
    // It cannot be read: whether it is the vendor's is unknown.
    let Some(source) = source else { return Some("an unknown address".to_owned()) };
    let is_vendor = || {
        let kind = source.connector.parse::<ConnectorKind>().ok()?;
        let url = Url::parse(&source.api_url).ok()?;
        let is_plain = url.scheme() == "https" && url.port().is_none() && url.username().is_empty();
        Some(is_plain && kind.hosts().contains(&url.host_str()?))
    };
    let shown = || source.api_url.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    (is_vendor() != Some(true)).then(shown)
}

/// The bags whose review was not read from the vendor, each with the address.
///
/// # Errors
/// If the storage cannot be read.
pub fn all_foreign(storage: &dyn Storage) -> io::Result<BTreeMap<String, String>> {
    let folders = inventory::of(storage)?.folders;
    let foreign = |folder: &str| inventory::is_bag(storage, folder).then(|| foreign(storage, folder)).flatten();
    let found = each(storage, &folders, foreign);
    Ok(folders.into_iter().zip(found).filter_map(|(bag, address)| Some((bag, address?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::storage::memory::Memory;

    #[test]
    fn only_a_host_of_the_vendor_is_the_vendor() {
        let of = |text: &str| {
            let storage = Memory::new();
            storage.put_new(&join("bag", FILE), text.as_bytes()).unwrap();
            foreign(&storage, "bag")
        };
        let source = |connector: &str, url: &str| format!(r#"{{"connector":"{connector}","api_url":"{url}"}}"#);
        for (connector, url) in [
            ("zoho_bigin", "https://www.zohoapis.eu"),
            ("zoho_bigin", "https://www.zohoapis.com.au/"),
            ("truto", "https://api.truto.one"),
        ] {
            assert_eq!(of(&source(connector, url)), None, "{url}");
        }
        for (connector, url) in [
            ("zoho_bigin", "http://127.0.0.1:18811"),
            ("zoho_bigin", "http://www.zohoapis.eu"),
            ("zoho_bigin", "https://www.zohoapis.eu:8443"),
            ("zoho_bigin", "https://www.zohoapis.eu.example.com"),
            ("zoho_bigin", "https://www.zohoapis.eu@example.com"),
            ("zoho_bigin", "https://api.truto.one"),
            ("other", "https://www.zohoapis.eu"),
        ] {
            assert_eq!(of(&source(connector, url)).as_deref(), Some(url));
        }
        assert_eq!(of("{").as_deref(), Some("an unknown address"));
        assert_eq!(foreign(&Memory::new(), "bag"), None, "a bag without a review");
    }
}
