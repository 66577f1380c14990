//! What the word of a status means.

use crate::model::roster::Meaning;

/// Works here, also on leave. An account that is locked, or has to change its password, is still somebody's who works here.
const CURRENT: &[&str] = &[
    "active",
    "employed",
    "current",
    "a",
    "yes",
    "y",
    "true",
    "1",
    "enabled",
    "working",
    "on leave",
    "leave",
    "leave of absence",
    "long term leave",
    "garden leave",
    "gardening leave",
    "parental leave",
    "maternity leave",
    "paternity leave",
    "medical leave",
    "sick leave",
    "unpaid leave",
    "paid leave",
    "sabbatical",
    "full time",
    "part time",
    "probation",
    "notice period",
    "recovery",
    "password expired",
    "locked out",
    "aktiv",
    "beurlaubt",
    "elternzeit",
    "abwesend",
    "mutterschutz",
    "actif",
    "activo",
];

/// Does not work here yet.
const JOINING: &[&str] = &[
    "hired",
    "accepted",
    "offer accepted",
    "onboarding",
    "pre hire",
    "prehire",
    "preboarding",
    "new hire",
    "pending",
    "staged",
    "provisioned",
    "future",
    "not started",
];

/// Does not work here any more. An account that the company's own directory has suspended is not somebody's who works here.
const LEFT: &[&str] = &[
    "inactive",
    "terminated",
    "t",
    "deceased",
    "separated",
    "left",
    "former",
    "former employee",
    "resigned",
    "dismissed",
    "retired",
    "exited",
    "offboarded",
    "ended",
    "no",
    "n",
    "false",
    "0",
    "disabled",
    "deprovisioned",
    "suspended",
    "deleted",
    "archived",
    "alumni",
    "not active",
    "inaktiv",
    "ausgeschieden",
    "ausgetreten",
    "ehemalig",
    "inactif",
    "sorti",
    "inactivo",
    "baja",
];

/// What the word of a status means. The words that the configuration names decide, if it names any: every other word then
/// means that the person does not work here, except those for people who have not begun.
pub(super) fn meaning(status: &str, current: Option<&[String]>) -> Meaning {
    let word = plain(status);
    if word.is_empty() {
        return Meaning::Unknown;
    }
    let is = |words: &[&str]| words.contains(&word.as_str());
    match current {
        Some(words) if words.iter().any(|one| plain(one) == word) => Meaning::Current,
        Some(_) if is(JOINING) => Meaning::Joining,
        Some(_) => Meaning::Left,
        None if is(CURRENT) => Meaning::Current,
        None if is(JOINING) => Meaning::Joining,
        None if is(LEFT) => Meaning::Left,
        None => Meaning::Unknown,
    }
}

/// A word in lower case with single blanks: `LONG-TERM  leave` is `long term leave`.
fn plain(word: &str) -> String {
    let lower = word.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
