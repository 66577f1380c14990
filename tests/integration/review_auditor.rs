//! An auditor's questions about a review by people, answered by an export alone. The numbers are those of the questions that an
//! auditor asks of an access review: privileged users (12), reviewers (15 to 18), carrying out (19, 20), new accounts (22), and the
//! result (25).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    export::exported,
    review::{decide, item_of, items, keep_the_rest, opened, opened_in, text},
    support::Bench,
    tools::read_csv,
};

/// An export of a review in which one account was removed, and of a second one with a new account in which nothing was to be
/// changed. Nothing else of the company is left.
struct Export {
    _folder: tempfile::TempDir,
    inside: PathBuf,
    /// The bags of the reviews, the older first.
    bags: Vec<String>,
}

type Row = BTreeMap<String, String>;

impl Export {
    fn new() -> Self {
        let (bench, id) = opened(14);
        let leaver = item_of(&bench, &id, "leaver@example.com");
        let (number, user) = (text(&leaver, "item").to_owned(), text(&leaver, "user_id").to_owned());
        let reason = ["--reason", "left in May"];
        assert_eq!(decide(&bench, &id, &number, "remove", "ben@example.com", &reason).0, 0);
        keep_the_rest(&bench, &id);
        close(&bench, &id);
        bench.simulator.world().edit(|world| world.remove_user(&user)).unwrap();
        let new = serde_json::json!({"email": "new@example.com"});
        bench.simulator.world().edit(|world| world.add_user(&new));
        let second = opened_in(&bench);
        assert!(items(&bench, &second).iter().any(|item| item["email"] == "new@example.com"));
        keep_the_rest(&bench, &second);
        close(&bench, &second);
        let (folder, inside) = exported(&bench, "all.zip");
        let names = fs::read_dir(&inside).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut bags: Vec<String> =
            names.filter(|name| name.contains("_review-quarterly_") && !name.starts_with("remediation_")).collect();
        bags.sort();
        assert_eq!(bags.len(), 2);
        Self { _folder: folder, inside, bags }
    }

    fn rows(&self, file: impl AsRef<Path>) -> Vec<Row> {
        let rows = read_csv(&self.inside.join(file));
        let (header, rows) = rows.split_first().unwrap();
        rows.iter().map(|row| header.iter().cloned().zip(row.iter().cloned()).collect()).collect()
    }

    fn of(&self, review: usize, file: &str) -> Vec<Row> {
        self.rows(Path::new(&self.bags[review]).join("data").join(file))
    }

    fn readme(&self, review: usize) -> String {
        fs::read_to_string(self.inside.join(&self.bags[review]).join("README.txt")).unwrap()
    }

    /// The bag of an audit with this digest.
    fn audit(&self, sha256: &str) -> String {
        let all = self.rows("coverage.csv");
        all.iter().find(|row| row["bag_sha256"] == sha256).expect("the bag of the audit")["bag"].clone()
    }

    fn matrix(&self, bag: &str) -> Vec<Row> {
        self.rows(Path::new(bag).join("data/reports/access-matrix.csv"))
    }
}

fn close(bench: &Bench, id: &str) {
    assert_eq!(bench.run(&["review", "attest", id, "--as", "ben@example.com"]).0, 0);
    let (code, _, said) = bench.run(&["review", "close", id]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn an_export_alone_answers_what_an_auditor_asks_of_a_review() {
    let export = Export::new();
    let decisions = export.of(0, "decisions.csv");

    // 12: who is privileged, apart from the others, and why they are.
    let privileged: Vec<&Row> = decisions.iter().filter(|row| row["power"] == "administrator").collect();
    assert!(!privileged.is_empty() && privileged.len() < decisions.len());
    assert!(privileged.iter().all(|row| row["decided_by"] == "sec@example.com" && !row["reason"].is_empty()));

    // 15: a named reviewer, and the day. 16: nobody decides about themselves.
    for row in &decisions {
        assert!(
            row["decided_by"].contains('@') && row["decided_at"].len() == "2026-01-01T00:00:00.000Z".len(),
            "{row:?}"
        );
        assert_ne!(row["email"], row["decided_by"]);
    }
    let confirmed = export.of(0, "attestations.csv");
    assert!(confirmed.iter().any(|row| row["attested_by"] == "ben@example.com" && row["stands"] == "yes"));

    // 17: a decision about every account that could sign in when it was opened, with the reason where one is required.
    let before = export.audit(&decisions[0]["audit_bag_sha256"]);
    let mut could: Vec<String> = export
        .matrix(&before)
        .into_iter()
        .filter(|row| row["status"] == "active")
        .map(|row| row["user_id"].clone())
        .collect();
    let mut decided: Vec<String> =
        decisions.iter().filter(|row| row["stands"] == "yes").map(|row| row["user_id"].clone()).collect();
    could.sort();
    decided.sort();
    assert_eq!(could, decided);
    let asks = |row: &&Row| row["decision"] != "keep" || !row["findings"].is_empty();
    assert!(decisions.iter().filter(asks).all(|row| !row["reason"].is_empty()));

    // 18: how many were decided at once.
    assert!(decisions.iter().all(|row| row["decided_together"] == "1"));

    // 19: when it was carried out, within which time. 20: the account before and after.
    let [done] = &export.rows(format!("remediation_{}.csv", export.bags[0]))[..] else { panic!("one removal") };
    assert_eq!(["email", "carried_out", "overdue"].map(|key| &*done[key]), ["leaver@example.com", "proven", "no"]);
    assert!(
        done["shown_at"] > done["decided_at"] && done["due"] > done["shown_at"] && done["days"] == "0.0",
        "{done:?}"
    );
    let status = |bag: &str| {
        let rows = export.matrix(bag);
        rows.into_iter().find(|row| row["user_id"] == done["user_id"]).map(|row| row["status"].clone())
    };
    let after = export.audit(&done["audit_bag_sha256"]);
    assert_eq!(status(&before).as_deref(), Some("active"));
    assert_ne!(status(&after).as_deref(), Some("active"));

    // 22: a new account is shown as one, and somebody decided about it.
    let second = export.of(1, "decisions.csv");
    let new: Vec<&Row> = second.iter().filter(|row| row["changed"] == "yes").collect();
    assert_eq!(new.iter().map(|row| &*row["email"]).collect::<Vec<_>>(), ["new@example.com"]);
    assert_eq!((&*new[0]["decision"], &*new[0]["reason"]), ("keep", "needed for the work"));

    // 25: that nothing had to be changed, and when the next review is.
    assert!(export.readme(0).contains("Result             1 to change or remove"));
    let readme = export.readme(1);
    assert!(
        readme.contains("Result             no change needed") && readme.contains("Next review        20"),
        "{readme}"
    );

    // And somebody who has never seen such an export finds all of that.
    let guide = fs::read_to_string(export.inside.join("README.txt")).unwrap();
    for file in ["data/decisions.csv", "data/attestations.csv", "remediation_BAG.csv", "Result, Next review"] {
        assert!(guide.split("WHERE TO FIND").nth(1).unwrap().contains(file), "{guide}");
    }
    assert!(!guide.contains("What the reviewers decided and did afterwards"), "{guide}");
}
