//! Reviews, from the text to their terms.

use super::*;
use crate::review::{
    assign::Choice,
    event::{RemediationDays, Scope},
    person::Address,
};

const JOB: &str = "[jobs.weekly]\nworkspaces = [\"acme\"]\nschedule = \"0 8 * * MON\"\n[evidence]\ndirectory = \"bags\"\n\
                   signing_key = { file = \"key\" }\n";

const ROSTER: &str = "[policy]\nroster = \"hr\"\n[rosters.hr]\nsource = { file = \"people.csv\" }\n";

fn review(body: &str) -> String {
    format!("{WORKSPACE}{JOB}[reviews.quarterly]\njob = \"weekly\"\nowner = \"ana@example.com\"\n{body}")
}

#[test]
fn a_review_has_its_terms_and_the_defaults_of_the_rest() {
    let (settings, problems) = read_text(&review("reviewers = [{ reviewer = \"Ben@Example.com\" }]\n")).unwrap();
    assert_eq!(problems, []);
    let quarterly = &settings.reviews["quarterly"];
    let terms = &quarterly.terms;
    assert!(quarterly.schedule.is_none() && terms.escalate_to.is_none() && !terms.four_eyes);
    assert_eq!((terms.scope, terms.due_days, terms.remediation_days), (Scope::All, 14, RemediationDays::default()));
    assert_eq!(terms.reviewers[0].reviewer, Choice::Person(Address::of("ben@example.com")));

    let text = review(
        "schedule = \"0 9 1 1,4,7,10 *\"\ntime_zone = \"Europe/Berlin\"\nscope = \"privileged\"\ndue_days = 7\n\
         reviewers = [{ role = \"Sales*\", department = \"North\", reviewer = \"lead@example.com\" }, { roster = \"manager\" },\n\
         { reviewer = \"ana@example.com\", alternate = \"ben@example.com\" }]\nfour_eyes = true\n\
         remediation_days = { administrator = 2 }\nescalate_to = \"cto@example.com\"\n",
    );
    let (settings, problems) = read_text(&format!("{text}{ROSTER}")).unwrap();
    assert_eq!(problems, []);
    let quarterly = &settings.reviews["quarterly"];
    assert_eq!(quarterly.schedule.as_ref().unwrap().pattern(), "0 9 1 1,4,7,10 *");
    assert_eq!((quarterly.terms.scope, quarterly.terms.due_days), (Scope::Privileged, 7));
    assert_eq!(quarterly.terms.remediation_days, RemediationDays { administrator: 2, ..RemediationDays::default() });
    let rules = &quarterly.terms.reviewers;
    assert!(rules[0].role.as_ref().unwrap().matches("Sales Rep") && rules[0].department.is_some());
    assert_eq!((&rules[1].reviewer, &rules[2].alternate), (&Choice::Manager, &Some(Address::of("ben@example.com"))));
}

#[test]
fn everything_that_is_wrong_is_said_at_its_place() {
    let wrong = |body: &str, expected: &str| {
        let found = shown(&review(body));
        assert!(found.contains(expected), "{body}: {found}");
    };
    wrong("reviewers = []\n", "`reviewers` is empty");
    wrong("reviewers = [{ role = \"x\" }]\n", "names one who decides");
    wrong("reviewers = [{ roster = \"boss\" }]\n", "invalid value `boss`; expected manager");
    wrong("reviewers = [{ reviewer = \"ana\" }]\n", "invalid e-mail address `ana`");
    wrong(
        "reviewers = [{ reviewer = \"a@example.com\", alternate = \"A@example.com\" }]\n",
        "the alternate is the reviewer",
    );
    wrong("reviewers = [{ role = \"/(/\", reviewer = \"a@example.com\" }]\n", "invalid regular expression");
    wrong("reviewers = [{ reviewer = \"a@example.com\" }]\ndue_days = 0\n", "invalid value 0; expected 1 to 365");
    wrong("reviewers = [{ reviewer = \"a@example.com\" }]\ntime_zone = \"UTC\"\n", "`time_zone` without `schedule`");
    wrong("reviewers = [{ reviewer = \"a@example.com\" }]\nschedule = \"daily\"\n", "invalid schedule `daily`");
    wrong("reviewers = [{ reviewer = \"a@example.com\" }]\nscope = \"some\"\n", "scope");
    let text = review("reviewers = [{ reviewer = \"a@example.com\" }]\n");
    assert!(shown(&text.replace("job = \"weekly\"", "job = \"weakly\"")).contains("did you mean `weekly`?"));
    let found = shown(&text.replace("[evidence]\ndirectory = \"bags\"\nsigning_key = { file = \"key\" }\n", ""));
    assert!(found.contains("the review `quarterly` needs evidence"), "{found}");
    let (_, problems) =
        read_text(&review("reviewers = [{ role = \"Sales\", reviewer = \"a@example.com\" }]\n")).unwrap();
    assert!(
        problems.len() == 1 && problems[0].warning && problems[0].message.contains("has no reviewer"),
        "{problems:?}"
    );
}

#[test]
fn who_decides_by_the_roster_needs_one_in_the_policy_of_every_workspace_of_the_job() {
    let text = review(
        "reviewers = [{ roster = \"manager\" }, { department = \"Sales\", reviewer = \"b@example.com\" },\n\
         { reviewer = \"ana@example.com\" }]\n",
    );
    let found = shown(&text);
    for key in ["roster", "department"] {
        let expected = format!("`{key}` needs a roster, but the policy of the workspace `acme`");
        assert!(found.contains(&expected), "{found}");
    }
    let problems = |text: &str| read_text(text).map_or_else(|_| panic!("{text}"), |(_, problems)| problems);
    assert_eq!(problems(&format!("{text}{ROSTER}")), []);
    // The job has a policy of its own, which inherits the roster.
    let named = text.replace("[evidence]", "policy = \"strict\"\n[evidence]");
    let strict = "[policies.strict]\nmax_administrators = 1\n";
    assert_eq!(problems(&format!("{named}{ROSTER}{strict}")), []);
    assert!(shown(&format!("{named}{strict}")).contains("needs a roster"));
}
