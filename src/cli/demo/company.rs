//! The company of the demo, beside its workspace: who works there, as its HR system exports it. Two accounts are not in it: one
//! with a private address, and that of the colleague who is invited in the story. One person leaves and keeps an account. The
//! policy declares a shared account, and one that a program signs in with.

use chrono::NaiveDate;
use rolecall_simulator::{World, WorldError};
use serde_json::{Value, json};

use super::quarter::with_profile;

/// The address of the account that a program signs in with.
pub(super) const SERVICE: &str = "crm-sync@example.com";
/// What the HR system does not have.
const UNKNOWN: [&str; 2] = ["info@", "@example.net"];
const COLUMNS: [&str; 8] =
    ["Employee #", "Name", "Work Email", "Status", "Department", "Manager Email", "Hire Date", "Termination Date"];

/// Makes one of the accounts that of a program.
pub(super) fn found(world: &mut World) -> Result<(), WorldError> {
    let Some(account) = with_profile(world, "Standard").pop() else { return Ok(()) };
    let name = json!({"full_name": "CRM Sync", "first_name": "CRM", "last_name": "Sync", "email": SERVICE});
    world.patch_user(&account, &name)
}

/// The export of the HR system, at the beginning of the story. One person's last day is known from the beginning.
pub(super) fn roster(world: &World, last_day: NaiveDate) -> Result<String, csv::Error> {
    let ordinary = with_profile(world, "Standard");
    // The last one is that of the program; the first ones have a part in the story.
    let leaver = ordinary.iter().rev().nth(1).filter(|_| ordinary.len() > 9);
    let users = world.users();
    let text = |user: &Value, key: &str| user[key].as_str().unwrap_or_default().to_owned();
    let manager = users.first().map(|user| text(user, "email")).unwrap_or_default();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for (number, user) in (1_u32..).zip(&users) {
        let (id, address) = (text(user, "id"), text(user, "email"));
        if address.is_empty() || address == SERVICE || UNKNOWN.iter().any(|part| address.contains(part)) {
            continue;
        }
        let (status, end) = match leaver {
            _ if user["status"] == "deleted" => ("Terminated", "2024-12-31".to_owned()),
            Some(leaver) if *leaver == id => ("Active", last_day.to_string()),
            _ => ("Active", String::new()),
        };
        let department = user["role"]["name"].as_str().unwrap_or_default();
        // The list may be opened in a spreadsheet, and one name is a formula.
        let name =
            Some(text(user, "full_name")).filter(|name| name.starts_with(char::is_alphabetic)).unwrap_or_default();
        let number = format!("E{number:04}");
        writer.write_record([number.as_str(), &name, &address, status, department, &manager, "2020-01-15", &end])?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hr_knows_nearly_everybody_and_one_of_them_leaves() {
        let mut world = World::generate(48, 1);
        found(&mut world).unwrap();
        let last_day: NaiveDate = "2026-11-09".parse().unwrap();
        let roster = roster(&world, last_day).unwrap();
        assert_eq!(roster.matches("2026-11-09").count(), 1, "{roster}");
        assert!(!roster.contains(SERVICE) && !roster.contains("info@") && !roster.contains("@example.net"), "{roster}");
        let known = roster.lines().count() - 1;
        assert!((40..48).contains(&known), "{known} of 48");
        let is_service = |user: &Value| user["email"] == SERVICE && user["full_name"] == "CRM Sync";
        assert_eq!(world.users().iter().filter(|user| is_service(user)).count(), 1);
    }
}
