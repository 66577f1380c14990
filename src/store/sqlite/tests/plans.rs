//! The query plan of every statement of the adapter: none walks a table that grows with the history.

use sqlx::Row as _;

use super::*;

/// The condition that statements of a worker end with.
const HELD: &str = "WHERE id = ? AND fence = ? AND state IN ('claimed', 'read', 'judged')";

/// Steps that SQLite calls a scan and that read a bounded number of rows: the first rows of an index (`LIMIT`), the
/// rows that an index holds only while there is something to do, one row for each job, and the rows of a step before.
const BOUNDED: [&str; 24] = [
    "SCAN CONSTANT ROW",
    "SCAN first",
    "SCAN last",
    "SCAN done",
    "SCAN pair",
    "SCAN p",
    "SCAN to_whom",
    "SCAN run USING INDEX run_by_time",
    "SCAN run USING COVERING INDEX sqlite_autoindex_run_2",
    "SCAN gap USING INDEX gap_by_time",
    "SCAN notification USING INDEX notification_settled",
    "SCAN notification USING INDEX notification_waiting",
    "SCAN notification USING COVERING INDEX notification_waiting",
    "SCAN m USING INDEX notification_waiting",
    "SCAN r USING INDEX run_open",
    "SCAN run USING INDEX run_delivered",
    "SCAN review USING INDEX review_by_time",
    "SCAN review USING INDEX review_unfinished",
    "SCAN r USING INDEX review_unfinished",
    "SCAN review USING INDEX review_untold",
    "SCAN review_plan",
    "SCAN combination USING INDEX combination_open",
    "SCAN cursor",
    "SCAN c USING COVERING INDEX sqlite_autoindex_cursor_1",
];

/// The last row of a table.
const LAST_ROW: (&str, &str) = ("ORDER BY number DESC LIMIT 1", "SCAN ledger");

/// The texts between double quotes of a source, without comments.
fn literals(source: &str) -> Vec<String> {
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n").replace("\\\"", "");
    code.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every statement in the sources of the adapter.
fn statements() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sqlite");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let is_source = |path: &&std::path::PathBuf| {
        path.extension().is_some_and(|end| end == "rs")
            && !path.ends_with("tests.rs")
            && !path.ends_with("testing.rs")
            && !path.ends_with("tables.rs")
    };
    let texts: Vec<String> =
        files.iter().filter(is_source).flat_map(|path| literals(&std::fs::read_to_string(path).unwrap())).collect();
    let pairs = texts.iter().find(|text| text.contains("), pair(job, workspace) AS (")).unwrap();
    let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];
    let statement = |text: &String| {
        let is_pairs = text == pairs;
        let text = if text.contains("FROM pair AS p") { format!("{pairs}{text}") } else { text.clone() };
        let is_statement = !is_pairs && verbs.iter().any(|verb| text.trim_start().starts_with(verb));
        is_statement.then(|| text.replace("{HELD}", HELD))
    };
    texts.iter().filter_map(statement).collect()
}

#[tokio::test]
async fn no_statement_walks_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let statements = statements();
    assert!(statements.len() > 50, "{} statements", statements.len());
    let mut walks = Vec::new();
    for statement in &statements {
        let query = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")));
        let steps = query.fetch_all(&store.pool).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
        for step in steps {
            let step: String = step.get("detail");
            let is_bounded = BOUNDED.contains(&step.as_str())
                || (statement.contains(LAST_ROW.0) && step == LAST_ROW.1)
                || !step.starts_with("SCAN");
            if !is_bounded {
                walks.push(format!("{step}: {statement}"));
            }
        }
    }
    assert_eq!(walks, Vec::<String>::new());
}
