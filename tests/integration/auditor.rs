//! The 28 questions of an auditor about access reviews (SOC 2, CC6.1 to CC6.3), answered from one export with tools that know
//! nothing of rolecall. The README of the export names the file that answers each.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    authority::{Authority, openssl},
    evidence::judge,
    export::{exported, verified},
    review::{bench, decide, item_of, keep_the_rest, text},
    support::{Bench, rolecall},
    tools::{read_csv, tool},
};

type Table = Vec<BTreeMap<String, String>>;

fn table(path: &Path) -> Table {
    let rows = read_csv(path);
    rows[1..].iter().map(|row| rows[0].iter().cloned().zip(row.iter().cloned()).collect()).collect()
}

/// A period in which everything happened that auditors ask about: a leaver who was removed, somebody new, an exception, a
/// shared account, and a review by people.
fn period() -> (Bench, Authority) {
    let authority = Authority::start();
    let bench = bench(24);
    fs::copy(authority.root(), bench.path("tsa.pem")).unwrap();
    let key = "signing_key = { file = \"key\" }";
    let stamps = format!("[evidence.timestamps]\nurl = \"{}\"\nca_file = \"tsa.pem\"", authority.url());
    let privileged = "[reviews.privileged]\njob = \"weekly\"\nschedule = \"0 9 1 * *\"\ntime_zone = \"Europe/Berlin\"\n\
                      scope = \"privileged\"\nowner = \"ana@example.com\"\nreviewers = [ { reviewer = \"sec@example.com\" } ]";
    bench.reconfigure(key, &format!("keep_days = 1000\n{key}\n\n{stamps}\n\n{privileged}"));
    let users: Vec<Value> = bench.simulator.world().read(rolecall_simulator::World::users);
    let administrator = users.iter().find(|user| user["profile"]["name"] == "Administrator").unwrap();
    let ordinary =
        users.iter().find(|user| user["profile"]["name"] == "Standard" && user["status"] == "active").unwrap();
    let shared = text(ordinary, "email");
    let (domains, admin) = ("company_domains = [\"example.com\"]", text(administrator, "email"));
    let policy = format!(
        "{domains}\nroster = \"hr\"\n\n[[policy.exceptions]]\nrule = \"administrator\"\nsubject = \"{admin}\"\n\
         approved_by = \"ciso@example.com\"\nreason = \"Runs the system\"\nuntil = 2099-12-31\n\n\
         [[policy.accounts]]\nsubject = \"{shared}\"\nkind = \"shared\"\nowner = \"ana@example.com\"\n\
         reason = \"The desk\"\nuntil = 2099-12-31\n"
    );
    bench.reconfigure(domains, &policy);
    let roster = "\n[rosters.hr]\nsource = { file = \"people.csv\" }\nmax_shrink_percent = 100\n";
    fs::write(bench.path("rolecall.toml"), bench.read("rolecall.toml") + roster).unwrap();
    let mut people = "Email,Name,Status,End Date\n".to_owned();
    for user in users.iter().filter(|user| user["email"].as_str().is_some_and(|email| email.contains('@'))) {
        let email = text(user, "email");
        let rest = if email == "leaver@example.com" { "Leaver,Terminated,2020-05-31" } else { "Somebody,Active," };
        people.extend([email, ",", rest, "\n"]);
    }
    fs::write(bench.path("people.csv"), people).unwrap();

    bench.run(&["audit", "--job", "weekly", "--send"]);
    let id = {
        let (code, row, said) = bench.run(&["review", "open", "quarterly", "--format", "json"]);
        assert_eq!(code, 0, "{said}");
        text(&serde_json::from_str::<Value>(&row).unwrap(), "id").to_owned()
    };
    let leaver = item_of(&bench, &id, "leaver@example.com");
    let by = text(&leaver, "reviewer");
    assert_eq!(decide(&bench, &id, text(&leaver, "item"), "remove", by, &["--reason", "left in May"]).0, 0);
    keep_the_rest(&bench, &id);
    assert_eq!(bench.run(&["review", "attest", &id, "--as", "ben@example.com"]).0, 0);
    let (code, _, said) = bench.run(&["review", "close", &id, "--next", "2099-01-31"]);
    assert_eq!(code, 0, "{said}");
    bench.simulator.world().edit(|world| {
        world.remove_user(text(&leaver, "user_id")).unwrap();
        world.add_user(&json!({"full_name": "Nova Joiner", "email": "nova@example.com"}));
    });
    bench.run(&["audit", "--job", "weekly", "--send"]);
    (bench, authority)
}

/// What an auditor has: the unpacked export, and in it two audits and a review by people.
struct Desk {
    _folder: TempDir,
    inside: PathBuf,
    readme: String,
    ledger: Vec<Value>,
    before: PathBuf,
    after: PathBuf,
    review: PathBuf,
}

impl Desk {
    fn new(bench: &Bench) -> Self {
        let (folder, inside) = exported(bench, "all.zip");
        let ledger = fs::read_to_string(inside.join("ledger.jsonl")).unwrap();
        let ledger: Vec<Value> = ledger.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let bag = |kind: &str| -> Vec<PathBuf> {
            let named = ledger.iter().filter(|entry| entry["fact"] == kind);
            named.map(|entry| inside.join(text(&entry["bag"], "folder"))).collect()
        };
        let (audits, reviews) = (bag("recorded"), bag("review_sealed"));
        let [before, after] = &audits[..] else { panic!("{audits:?}") };
        let readme = fs::read_to_string(inside.join("README.txt")).unwrap();
        let (before, after, review) = (before.clone(), after.clone(), reviews[0].clone());
        Self { _folder: folder, readme, ledger, before, after, review, inside }
    }

    fn json(&self, file: &str) -> Value {
        serde_json::from_slice(&fs::read(self.after.join(file)).unwrap()).unwrap()
    }

    fn says(&self, file: &str) -> String {
        fs::read_to_string(self.after.join(file)).unwrap()
    }

    fn report(&self, table_of: &str) -> Table {
        table(&self.after.join("data/reports").join(table_of))
    }

    /// Every answer of the API in the bag of the last audit.
    fn answers(&self) -> String {
        let (read, said) = judge(&self.after, "sh", &["-c", "gzip -dcf data/answers/*"]);
        assert!(read);
        said
    }

    /// Whether `openssl` verifies the timestamp of the last audit's bag, as the README says.
    fn is_stamped(&self) -> bool {
        let folder = self.after.file_name().unwrap().to_str().unwrap();
        let stamp = self.ledger.iter().find(|entry| entry["covers"]["bag"]["folder"] == folder).unwrap();
        let time = text(stamp, "time").parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp().to_string();
        let data = format!("{folder}/tagmanifest-sha256.txt.sig");
        let [token, root] = [("token", "tsr"), ("root", "pem")]
            .map(|(key, ending)| format!("timestamps/{}.{ending}", text(stamp, key)));
        openssl(&self.inside, &["ts", "-verify", "-data", &data, "-in", &token, "-CAfile", &root, "-attime", &time]).0
    }
}

/// Asks the questions, and collects those that are not answered or whose answer the README does not name.
struct Asked<'a> {
    readme: &'a str,
    count: u32,
    unanswered: Vec<String>,
}

impl Asked<'_> {
    /// A question, what the README says about where to look, and whether it is answered there.
    fn ask(&mut self, question: &str, named: &str, is_answered: bool) {
        self.count += 1;
        let number = self.count;
        if !is_answered {
            self.unanswered.push(format!("{number} ({question}) is not answered"));
        }
        if !self.readme.contains(named) {
            self.unanswered.push(format!("{number} ({question}): the README does not say “{named}”"));
        }
    }
}

#[test]
fn every_question_of_an_auditor_is_answered_by_a_file_that_the_readme_names() {
    let (bench, _authority) = period();
    let desk = Desk::new(&bench);
    let mut asked = Asked { readme: &desk.readme, count: 0, unanswered: Vec::new() };
    about_the_list(&desk, &mut asked);
    about_the_accounts(&desk, &mut asked);
    about_people(&desk, &mut asked);
    about_the_period(&desk, &mut asked);
    assert_eq!((asked.count, asked.unanswered), (28, Vec::<String>::new()), "{}", desk.readme);
}

/// Questions 1 to 9: the control as it was designed, and the list.
fn about_the_list(desk: &Desk, asked: &mut Asked<'_>) {
    let configuration = desk.says("data/configuration.toml");
    let has = |text: &str| configuration.contains(text);
    let terms = ["[jobs.weekly]", "0 8 * * MON", "[reviews.quarterly", "due_days = 14", "reviewer", "remediation_days"];
    asked.ask(
        "scope, cadence, who reviews, how soon",
        "data/configuration.toml: [jobs], [reviews]",
        terms.iter().all(|one| has(one)),
    );
    let (organization, source) =
        (desk.json("data/directory/organization.json"), desk.json("data/directory/source.json"));
    let is_named = organization["id"].is_string() && organization["company_name"].is_string();
    asked.ask(
        "system and tenant",
        "data/directory/organization.json, source.json",
        is_named && source["api_url"].is_string(),
    );
    let (matrix, answers) = (desk.report("access-matrix.csv"), desk.answers());
    let is_raw = matrix.iter().all(|row| answers.contains(&format!("\"{}\"", row["user_id"])));
    asked.ask("really from the system", "data/answers/: every answer as received", is_raw);
    let read = desk.json("data/completeness.json");
    let by_status: u64 =
        read["users_by_status"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    let is_whole = read["complete"] == true
        && by_status == matrix.len() as u64
        && read["licences_bought"].is_u64()
        && read["sums"].as_array().unwrap().iter().all(|sum| sum.as_str().unwrap().ends_with("they agree"));
    asked.ask("complete", "data/completeness.json: pages, users by status, licences", is_whole);
    let is_unfiltered = text(&read, "filters").starts_with("none") && read["excluded"] == 0;
    let is_shown = text(&read["reading"], "query").contains("type=AllUsers");
    asked.ask("no exclusions", "data/completeness.json: query, filters, excluded", is_unfiltered && is_shown);
    let (is_unaltered, said) = verified(&desk.inside);
    let is_valid = judge(&desk.after, tool("bagit.py"), &["--validate", "."]).0;
    asked.ask("unaltered", "verify.sh", is_unaltered && is_valid && said.contains("timestamps"));
    let (rules, policy) = (desk.json("data/rules.json"), desk.json("data/policy.json"));
    let is_explained = rules["rules"].as_array().unwrap().len() > 20 && policy["policy"]["max_administrators"].is_u64();
    asked.ask("logic", "data/policy.json (every limit), data/rules.json", is_explained);
    let info = desk.says("bag-info.txt");
    let clock = read["reading"]["checks"].as_array().unwrap().iter().find(|check| check["kind"] == "clock").unwrap();
    let is_timed = info.contains("Rolecall-Judged-At: 20") && clock["outcome"] == "agreed" && desk.is_stamped();
    asked.ask("when, by whose clock", "coverage.csv (time_proven_at), timestamps/", is_timed);
    let reader = desk.json("data/directory/current-user.json");
    let is_known =
        reader["email"].is_string() && source["scopes"][0].is_string() && info.contains("sha256 of the binary");
    asked.ask("who and what made it", "current-user.json, source.json (scopes); bag-info.txt", is_known);
}

/// Questions 10 to 14: the accounts, and what they may do.
fn about_the_accounts(desk: &Desk, asked: &mut Asked<'_>) {
    let (matrix, findings) = (desk.report("access-matrix.csv"), desk.report("findings.csv"));
    let columns = ["user_id", "email", "status", "role_name", "profile_name", "power", "created_time"];
    let is_whole = columns.iter().all(|column| matrix[0].contains_key(*column));
    let is_honest = desk.says("README.txt").contains("last sign-in") && desk.readme.contains("last sign-in");
    asked.ask("each user's access", "data/reports/access-matrix.csv: one row for each account", is_whole && is_honest);
    let statuses: BTreeSet<&str> = matrix.iter().map(|row| row["status"].as_str()).collect();
    let is_all = statuses.len() > 1 && matrix.iter().any(|row| row["confirmed"] == "false");
    asked.ask("inactive, invited and deleted accounts", "whatever its status", is_all);
    let of_administrators = || findings.iter().filter(|row| row["rule"] == "administrator");
    let full = matrix.iter().filter(|row| row["power"] == "administrator" && row["status"] == "active");
    let is_listed = full.clone().all(|row| of_administrators().any(|one| one["subject_id"] == row["user_id"]));
    let approved =
        of_administrators().any(|row| row["approved_by"] == "ciso@example.com" && row["reason"] == "Runs the system");
    asked.ask(
        "privileged users, and why",
        "rule administrator (approved_by, reason,",
        full.count() > 0 && is_listed && approved,
    );
    let configuration = desk.says("data/configuration.toml");
    let is_oftener = configuration.contains("scope = \"privileged\"") && configuration.contains("0 9 1 * *");
    asked.ask("privileged users more often", "Privileged accounts more often?", is_oftener);
    let profiles = desk.json("data/directory/profiles.json");
    let roles = desk.json("data/directory/roles.json");
    let is_permitted = profiles.to_string().contains("permissions") && roles[0]["name"].is_string();
    asked.ask("roles and rules themselves", "data/directory/roles.json, profiles.json", is_permitted);
}

/// Questions 15 to 22: what people decided, and what became of it.
fn about_people(desk: &Desk, asked: &mut Asked<'_>) {
    let decisions = table(&desk.review.join("data/decisions.csv"));
    let standing: Vec<_> = decisions.iter().filter(|row| row["stands"] == "yes").collect();
    let is_dated = standing.iter().all(|row| row["decided_by"].contains('@') && row["decided_at"].ends_with('Z'));
    let attested = table(&desk.review.join("data/attestations.csv"));
    asked.ask(
        "named reviewer and day",
        "REVIEW/data/decisions.csv (reviewer, decided_by, decided_at, via",
        is_dated && attested.len() > 1,
    );
    let is_independent = standing.iter().all(|row| row["decided_by"] != row["email"]);
    asked.ask("independent", "decisions.csv (email, decided_by)", is_independent);
    let population: Value =
        serde_json::from_slice(&fs::read(desk.review.join("data/population.json")).unwrap()).unwrap();
    let is_decided = standing.len() == population["items"].as_array().unwrap().len()
        && standing.iter().all(|row| !row["decision"].is_empty() && !row["reason"].is_empty());
    let reviews = table(&desk.inside.join("coverage-reviews.csv"));
    asked.ask("every account", "coverage-reviews.csv (items, undecided)", is_decided && reviews[0]["undecided"] == "0");
    let together = standing.iter().all(|row| row["decided_together"] == "1");
    asked.ask("no rubber stamp", "decisions.csv (decided_together, decided_at)", together);
    let review = desk.review.file_name().unwrap().to_str().unwrap();
    let work = table(&desk.inside.join(format!("remediation_{review}.csv")));
    let is_done = work.len() == 1 && work[0]["carried_out"] == "proven" && work[0]["days"].parse::<f64>().is_ok();
    asked.ask("carried out in time", "remediation_BAG.csv (carried_out, days, due, overdue)", is_done);
    let covered = table(&desk.inside.join("coverage.csv"));
    let proof = covered.iter().find(|row| row["run"] == work[0]["audit"]).unwrap();
    let account = |bag: &Path| {
        let rows = table(&bag.join("data/reports/access-matrix.csv"));
        rows.into_iter().find(|row| row["user_id"] == work[0]["user_id"]).map(|row| row["status"].clone())
    };
    let is_proven = proof["bag_sha256"] == work[0]["audit_bag_sha256"]
        && account(&desk.before).as_deref() == Some("active")
        && account(&desk.inside.join(&proof["bag"])).is_none_or(|status| status == "deleted");
    asked.ask("before and after", "(run, bag_sha256, bag); its access-matrix.csv", is_proven);
    let left = |bag: &Path| {
        let findings = table(&bag.join("data/reports/findings.csv"));
        findings.iter().any(|row| row["rule"] == "leaver-active" && row["subject_id"] == work[0]["user_id"])
    };
    let roster = fs::read_to_string(desk.before.join("data/roster.json")).unwrap();
    let is_found = left(&desk.before) && !left(&desk.after) && roster.contains("leaver@example.com");
    asked.ask("leavers", "rules leaver-active, not-on-roster; data/roster.json", is_found);
    let changes = desk.report("changes.csv");
    let is_new = changes.iter().any(|row| row["change"] == "user-added" && row["subject"] == "Nova Joiner");
    asked.ask("joiners", "The request behind a new account", is_new);
}

/// Questions 23 to 28: accounts that are not people, and the whole period.
fn about_the_period(desk: &Desk, asked: &mut Asked<'_>) {
    let policy = desk.json("data/policy.json");
    let shared = &policy["policy"]["accounts"][0];
    let is_explained = shared["kind"] == "shared" && shared["owner"].is_string() && shared["reason"].is_string();
    asked.ask("shared accounts", "data/policy.json: accounts (kind, owner, reason, until)", is_explained);
    let covered = table(&desk.inside.join("coverage.csv"));
    let is_covered = covered.len() == 2
        && covered.iter().all(|row| !row["state"].is_empty() && desk.inside.join(&row["bag"]).is_dir());
    asked.ask("every period, on time", "coverage.csv (state, gap, reason)", is_covered && has_a_gap());
    let events = fs::read_to_string(desk.review.join("data/events.jsonl")).unwrap();
    let of_review = fs::read_to_string(desk.review.join("README.txt")).unwrap();
    let is_said = events.contains("\"no_change_needed\":false") && of_review.contains("2099-01-31");
    asked.ask("no change needed, next review", "REVIEW/README.txt: Result, Next review", is_said);
    let findings = desk.report("findings.csv");
    let accepted = findings.iter().find(|row| row["status"] == "excepted").unwrap();
    let is_limited = accepted["until"] == "2099-12-31" && policy["policy"]["exceptions"][0]["approved_by"].is_string();
    asked.ask("exceptions", "data/reports/findings.csv (status, approved_by, reason, until)", is_limited);
    let mut drawn = desk.report("access-matrix.csv");
    drawn.sort_by_key(|row| rolecall::digest::sha256(format!("4711\n{}", row["user_id"]).as_bytes()));
    let answers = desk.answers();
    let delivered = desk.ledger.iter().rfind(|entry| entry["fact"] == "delivery").unwrap();
    let mail = desk.inside.join(format!("mail/{}.eml", text(delivered, "sha256")));
    let is_traced = drawn.iter().take(5).all(|row| answers.contains(&row["user_id"])) && mail.exists();
    asked.ask("samples", "Draw some and follow each", is_traced);
    let is_kept = desk.says("data/configuration.toml").contains("keep_days = 1000");
    asked.ask("retention", "keep_days of [evidence]", is_kept);
}

/// Whether the coverage of a quarter with a missed week says which week, and why.
fn has_a_gap() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let made = rolecall().args(["demo", "--out", "d", "--users", "12"]).current_dir(&folder).output().unwrap();
    assert!(made.status.success());
    let covered = table(&folder.path().join("d/coverage/coverage.csv"));
    let gaps: Vec<_> = covered.iter().filter(|row| row["gap"] == "true").collect();
    covered.len() == 12 && gaps.len() == 1 && gaps[0]["state"] == "missing" && !gaps[0]["reason"].is_empty()
}
