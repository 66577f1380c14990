//! Which roster an audit was judged by.

use crate::{
    model::{audit::Audit, roster::JudgedSource},
    words::{counted, number},
};

/// Which roster an audit was judged by, how old it was, how many people it had, and how many users are in it. `None` if the
/// policy has none.
pub fn roster(audit: &Audit) -> Option<String> {
    let roster = audit.roster.as_ref()?;
    let judged = audit.judged_roster.as_ref()?;
    let source = |source: &crate::model::roster::Source| {
        let counts = judged.sources.iter().find(|counts| counts.name == source.name);
        let people = |counts: &JudgedSource| {
            let people = counted(counts.people, "person", "people");
            format!("{people}, of whom {} work here and {} have left", number(counts.current), number(counts.left))
        };
        let of = source.as_of.map_or_else(|| "not read".to_owned(), |as_of| format!("of {}", as_of.format("%Y-%m-%d")));
        match counts.filter(|_| source.problem.is_none()) {
            Some(counts) => format!("{} ({of}): {}", source.name, people(counts)),
            None => format!("{}: not read", source.name),
        }
    };
    let sources: Vec<String> = roster.sources.iter().map(source).collect();
    let matched = format!("{} of {} are in it", number(judged.matched), counted(judged.users, "user", "users"));
    let relied = if judged.unreliable.is_empty() { "" } else { "; it was not relied on" };
    Some(format!("{}; {matched}{relied}", sources.join("; ")))
}
