//! Many workspaces: jobs over patterns, and scheduled times that are spread.

use super::*;

fn workspaces(names: &[&str]) -> String {
    names.iter().map(|name| WORKSPACE.replace("acme", name)).collect()
}

fn job(workspaces: &str, more: &str) -> String {
    format!("[jobs.nightly]\nworkspaces = {workspaces}\nschedule = \"0 1 * * *\"\n{more}")
}

#[test]
fn a_pattern_stands_for_every_workspace_that_matches_by_name() {
    let all = workspaces(&["emea-2", "emea-1", "apac-1", "hq"]);
    for (written, resolved) in [
        (r#"["emea-*"]"#, vec!["emea-1", "emea-2"]),
        (r#"["hq", "*-1", "emea-2"]"#, vec!["hq", "apac-1", "emea-1", "emea-2"]),
        (r#"["emea-2", "emea-?"]"#, vec!["emea-2", "emea-1"]),
        (r#"["/(emea|apac)-1/"]"#, vec!["apac-1", "emea-1"]),
        (r#"["*"]"#, vec!["apac-1", "emea-1", "emea-2", "hq"]),
    ] {
        let (settings, problems) = read_text(&format!("{all}{}", job(written, ""))).unwrap();
        assert_eq!(problems, []);
        assert_eq!(settings.jobs["nightly"].workspaces, resolved, "{written}");
        // Evidence keeps the names.
        let applied: toml::Table = settings.applied().parse().unwrap();
        let kept: Vec<_> = applied["jobs"]["nightly"]["workspaces"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap())
            .collect();
        assert_eq!(kept, resolved, "{written}");
    }
}

#[test]
fn a_pattern_that_matches_nothing_and_one_that_cannot_be_read_are_errors_with_their_place() {
    let text = format!("{}{}", workspaces(&["emea-1", "hq"]), job(r#"["hq", "emae-*", "/(/"]"#, ""));
    let problems = read_text(&text).map_or_else(|problems| problems, |(_, problems)| problems);
    let found: Vec<(&str, &str)> =
        problems.iter().map(|problem| (&text[problem.span.clone().unwrap()], problem.message.as_str())).collect();
    assert_eq!(found[0], ("\"emae-*\"", "no workspace matches `emae-*`"));
    assert_eq!(found[1].0, "\"/(/\"");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(problems[0].help.contains("emea-1 and hq"), "{problems:?}");
}

#[test]
fn a_splay_is_part_of_the_schedule_and_what_contradicts_it_is_an_error() {
    let all = workspaces(&["emea-1", "hq"]);
    let (settings, problems) = read_text(&format!("{all}{}", job(r#"["*"]"#, "splay_minutes = 120\n"))).unwrap();
    assert_eq!(problems, []);
    assert_eq!(settings.jobs["nightly"].schedule.splay(), chrono::Duration::minutes(120));
    let smtp = "[smtp]\nhost = \"x\"\nfrom = \"a@example.com\"\n";
    let combine = "splay_minutes = 30\nemail = { to = [\"a@example.com\"], combine = true }\n";
    for (more, said) in [
        ("splay_minutes = 0\n", "invalid value 0; expected 1 to 10080"),
        (
            "splay_minutes = 30\nheartbeat = { env = \"H\" }\n",
            "`splay_minutes` and `heartbeat` cannot be used together",
        ),
        (combine, "`splay_minutes` and `combine` cannot be used together"),
    ] {
        assert_eq!(messages(&format!("{all}{}{smtp}", job(r#"["*"]"#, more))), [said]);
    }
    let hourly = job(r#"["*"]"#, "splay_minutes = 90\n").replace("0 1 * * *", "0 * * * *");
    let (_, problems) = read_text(&format!("{all}{hourly}")).unwrap();
    assert!(problems[0].warning && problems[0].message.contains("longer than the 60 minutes"), "{problems:?}");
}
