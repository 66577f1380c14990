//! What the people say, in sentences.

use std::collections::BTreeSet;

use super::{People, Person, Standing};
use crate::words::{count, counted, form, list, number};

/// Names that a sentence spells out.
const NAMED: usize = 3;

impl People {
    /// The answer in a few sentences.
    pub fn verdict(&self) -> String {
        let mut sentences = self.missing();
        let read: Vec<&str> = self.read().map(|workspace| workspace.name.as_str()).collect();
        if read.is_empty() {
            sentences.push("No workspace could be read, so nothing is known about anybody.".to_owned());
            return sentences.join(" ");
        }
        let several = self.persons.iter().filter(|person| person.active_in().len() > 1).count();
        sentences.push(format!(
            "{} in {}; {} active in more than one.",
            counted(self.persons.len(), "person", "people"),
            count(read.len(), "workspace"),
            counted(several, "is", "are"),
        ));
        sentences.push(self.administering(read.len()));
        sentences.extend(self.forgotten());
        sentences.extend(self.together());
        let alone = self.without_address();
        if alone > 0 {
            sentences.push(format!(
                "{} no address, so {} for itself.",
                counted(alone, "account has", "accounts have"),
                form(alone, "it stands", "each stands")
            ));
        }
        sentences.join(" ")
    }

    /// The workspaces that are missing or incomplete, as sentences.
    pub fn missing(&self) -> Vec<String> {
        let said = self.workspaces.iter().filter_map(|workspace| match &workspace.standing {
            Standing::Complete => None,
            Standing::Incomplete => Some(format!(
                "{} is incomplete: somebody who is not listed there may still have an account.",
                workspace.name
            )),
            Standing::Missing(reason) => {
                Some(format!("{} is missing: {}.", workspace.name, reason.trim_end_matches('.')))
            }
        });
        said.collect()
    }

    fn administering(&self, read: usize) -> String {
        let administrators = self.administrators();
        let everywhere: Vec<&str> = administrators
            .iter()
            .filter(|person| person.administers().len() == read)
            .map(|person| person.label.as_str())
            .collect();
        let all = counted(administrators.len(), "person can", "people can");
        if read < 2 {
            return format!("{all} administer.");
        }
        let named: Vec<&&str> = everywhere.iter().take(NAMED).collect();
        let which = if read == self.workspaces.len() { "every workspace" } else { "every workspace that was read" };
        let who = if everywhere.is_empty() {
            format!("nobody administers {which}")
        } else {
            format!(
                "{} {} {which}",
                list(&named, everywhere.len()),
                form(everywhere.len(), "administers", "administer")
            )
        };
        format!("{all} administer at least one workspace; {who}.")
    }

    fn forgotten(&self) -> Option<String> {
        let left: Vec<&Person> = self.left_behind().collect();
        let named: Vec<&str> = left.iter().take(NAMED).map(|person| person.label.as_str()).collect();
        (!left.is_empty()).then(|| {
            format!(
                "{} still active in one workspace and disabled or removed in another: {}.",
                counted(left.len(), "person is", "people are"),
                list(&named, left.len())
            )
        })
    }

    fn together(&self) -> Vec<String> {
        let found = self.open_conflicts().next().is_some().then(|| {
            let people: BTreeSet<usize> = self.open_conflicts().map(|conflict| conflict.person).collect();
            let named: Vec<&str> =
                people.iter().take(NAMED).map(|person| self.persons[*person].label.as_str()).collect();
            format!(
                "{} rights in different workspaces that must be separate: {}.",
                counted(people.len(), "person holds", "people hold"),
                list(&named, people.len())
            )
        });
        found.into_iter().chain(self.undecided.iter().map(|why| format!("{why}."))).collect()
    }

    /// Where a person is still active, and where not any more: `active in acme-eu; removed from acme-us`.
    pub fn left_behind_in(&self, person: &Person) -> String {
        let part = |verb: &str, places: &[usize]| {
            let names = self.names(places);
            format!("{verb} {}", list(&names[..names.len().min(NAMED)], names.len()))
        };
        format!("{}; {}", part("active in", &person.active_in()), part("disabled or removed in", &person.gone_from()))
    }

    /// Where a person can administer: `all 3 workspaces`, or their names.
    pub fn administers_in(&self, person: &Person) -> String {
        let places = person.administers();
        if places.len() > 1 && places.len() == self.workspaces.len() {
            return format!("all {} workspaces", number(places.len()));
        }
        let names = self.names(&places);
        list(&names[..names.len().min(NAMED)], names.len())
    }
}
