//! The query plan of every statement of the adapter: none walks a table that grows with the history.

use super::*;

/// Tables with a row for each job, schedule, daemon or client, or with one row.
const SMALL: [&str; 7] = ["cursor", "review_plan", "replica", "access_token", "ledger_head", "ledger_file", "probe"];

/// Indexes that hold only rows with something left to do, or that are read from one end (`LIMIT`).
const BOUNDED: [&str; 17] = [
    "access_token_pkey",
    "cursor_pkey",
    "review_plan_pkey",
    "review_under_way",
    "notification_kept",
    "run_open",
    "run_busy",
    "run_delivered",
    "run_unfinished",
    "notification_waiting",
    "combination_open",
    "review_unfinished",
    "review_untold",
    "run_by_time",
    "gap_by_time",
    "review_by_time",
    "ledger_pkey",
];

/// Steps to the first row of a walk over pairs and addresses, which goes on from there.
const FIRST: [&str; 3] = ["run_job_workspace_fire_at_key", "run_of_fire_time", "notification_settled"];

/// The texts between double quotes of a source, without comments.
fn literals(source: &str) -> Vec<String> {
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n").replace("\\\"", "");
    code.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every statement in the sources of the adapter that reads or changes more than the state of a connection.
fn statements() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/postgres");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    // `tables` reads whole tables, to copy them; `schema` and `check` look at the catalog.
    let others =
        ["tests.rs", "testing.rs", "tables.rs", "schema.rs", "check.rs", "replicas.rs", "server.rs", "error.rs"];
    let is_source = |path: &&std::path::PathBuf| {
        path.extension().is_some_and(|end| end == "rs") && !others.iter().any(|other| path.ends_with(other))
    };
    let texts: Vec<String> =
        files.iter().filter(is_source).flat_map(|path| literals(&std::fs::read_to_string(path).unwrap())).collect();
    let time = texts.iter().find(|text| text.starts_with("WITH t AS MATERIALIZED")).unwrap();
    let pairs = texts.iter().find(|text| text.contains("RECURSIVE pair AS")).unwrap();
    let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", ", done AS"];
    let statement = |text: &String| {
        let is_part = text == time || text == pairs;
        let is_statement = !is_part && verbs.iter().any(|verb| text.trim_start().starts_with(verb));
        let text = if text.contains("FROM pair AS p") {
            format!("{pairs}{text}")
        } else if ["FROM t)", "FROM t CROSS", "FROM t\nWHERE"].iter().any(|time| text.contains(time)) {
            format!("{time}{text}")
        } else {
            text.clone()
        };
        is_statement.then_some(text)
    };
    texts.iter().filter_map(statement).collect()
}

/// The types of the values of a statement: inferred, unless it does not use one.
fn types(statement: &str) -> Vec<&'static str> {
    let used: BTreeSet<usize> = statement
        .split('$')
        .skip(1)
        .filter_map(|rest| rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok())
        .collect();
    let last = used.last().copied().unwrap_or(0);
    (1..=last).map(|number| if used.contains(&number) { "unknown" } else { "bigint" }).collect()
}

#[tokio::test]
async fn no_statement_walks_the_history() {
    let server = testing::database().await;
    testing::open(&server).await;
    let mut connection = server.connect().await.unwrap();
    // On small tables a walk is cheaper than an index; here it is taken only if there is no index.
    connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan").await.unwrap();
    let statements = statements();
    assert!(statements.len() > 50, "{} statements", statements.len());
    let mut walks = Vec::new();
    for statement in &statements {
        let types = types(statement);
        let list = |of: &[&str]| if of.is_empty() { String::new() } else { format!("({})", of.join(", ")) };
        let prepare = format!("DEALLOCATE ALL; PREPARE s {} AS {statement}", list(&types));
        let prepared = sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut connection).await;
        prepared.unwrap_or_else(|error| panic!("{error}: {statement}"));
        let values = list(&vec!["NULL"; types.len()]);
        let explain = format!("EXPLAIN (COSTS off) EXECUTE s{values}");
        let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut connection).await;
        let rows = rows.unwrap_or_else(|error| panic!("{error}: {statement}"));
        let lines: Vec<String> = rows.iter().map(|row| row.get::<String, _>(0)).collect();
        for (at, line) in lines.iter().enumerate() {
            let step = line.trim_start_matches([' ', '-', '>']);
            let is_walk = match step.split_once("Scan ") {
                Some(("Seq ", rest)) => !SMALL.iter().any(|small| rest.starts_with(&format!("on {small}"))),
                Some((_, rest)) => {
                    let index = rest.trim_start_matches("using ").trim_start_matches("Backward using ");
                    let index = index.trim_start_matches("on ").split(' ').next().unwrap_or_default();
                    let has_condition = lines.get(at + 1).is_some_and(|next| next.contains("Index Cond"));
                    let is_bounded = BOUNDED.contains(&index) || FIRST.contains(&index);
                    step.contains("Index") && !has_condition && !is_bounded
                }
                None => false,
            };
            if is_walk {
                walks.push(format!("{step}: {statement}"));
            }
        }
    }
    assert!(walks.is_empty(), "{}", walks.join("\n\n"));
}
