//! Examples for each command, shown in `--help` and in the manual page. A test parses every one of them.

/// A command line, and what it does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Example {
    pub(crate) does: &'static str,
    pub(crate) line: &'static str,
}

const fn example(does: &'static str, line: &'static str) -> Example {
    Example { does, line }
}

/// The examples of each command, by its path below `rolecall`.
pub(crate) const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "demo",
        &[
            example("Write reports, mail and evidence of a simulated workspace to rolecall-demo/", "rolecall demo"),
            example("Use a larger workspace", "rolecall demo --users 2000 --out large"),
            example("Show the web console with a review under way", "rolecall demo --serve"),
        ],
    ),
    (
        "init",
        &[
            example("Answer a few questions", "rolecall init"),
            example("Show the configuration and write nothing", "rolecall init --print"),
            example(
                "Answer with flags, without a terminal",
                "rolecall init --workspace acme --data-center eu --client-id 1000.ABC --client-secret-file secret --grant-code-file code --no-mail",
            ),
        ],
    ),
    (
        "check",
        &[
            example("Check the configuration in this folder", "rolecall check"),
            example("Check another one", "rolecall --config /etc/rolecall/rolecall.toml check"),
            example("Check it without connecting to anything", "rolecall check --offline"),
        ],
    ),
    (
        "audit",
        &[
            example(
                "Audit a job's workspaces and write the reports",
                "rolecall audit --job weekly-access-review --out report",
            ),
            example(
                "Mail the report; exit with 3 if a high or critical finding is open",
                "rolecall audit --job weekly-access-review --send --fail-on high",
            ),
            example(
                "Write only two of the reports",
                "rolecall audit --workspace acme --out report --reports matrix,findings",
            ),
            example(
                "In a pipeline, write JUnit XML beside the page for people",
                "rolecall audit --workspace acme --out report --reports html,junit --fail-on high",
            ),
            example(
                "See what another policy would have found",
                "rolecall audit --from report/report.json --policy strict",
            ),
        ],
    ),
    (
        "policy show",
        &[
            example("Show the policy `strict` with what it takes from [policy]", "rolecall policy show strict"),
            example(
                "Show what a workspace of a job is judged by",
                "rolecall policy show --job weekly-access-review --workspace acme",
            ),
        ],
    ),
    (
        "policy",
        &[example(
            "Accept for 90 days what is open today, to begin with",
            "rolecall policy baseline --approved-by ana@example.com --out baseline.toml",
        )],
    ),
    ("roster", &[example("Try the rosters of the configuration", "rolecall roster check")]),
    (
        "roster check",
        &[
            example("Try one roster", "rolecall roster check hr"),
            example("Show who is in a workspace and not in its roster", "rolecall roster check --workspace acme"),
        ],
    ),
    (
        "policy backtest",
        &[
            example(
                "Show when a rule would have found something, and about whom",
                "rolecall policy backtest contractor-export --since 2026-07-01",
            ),
            example(
                "See what another policy would have found in the audits of a job",
                "rolecall policy backtest --policy strict --job weekly-access-review --since 2026-07-01",
            ),
        ],
    ),
    (
        "policy test",
        &[example("Run the test cases of the rules of your own", "rolecall policy test --config rolecall.toml")],
    ),
    (
        "policy try",
        &[
            example("Show whom a rule finds now, and why", "rolecall policy try contractor-export --workspace acme"),
            example(
                "As JSON, under the policy of a job",
                "rolecall policy try no-role --job weekly-access-review --format json",
            ),
            example(
                "Try it on what an audit read",
                "rolecall policy try contractor-export --report report/report.json",
            ),
        ],
    ),
    (
        "policy baseline",
        &[
            example(
                "Accept for 90 days what is open today",
                "rolecall policy baseline --workspace acme --approved-by ana@example.com",
            ),
            example(
                "Accept what an audit found",
                "rolecall policy baseline --from report/report.json --approved-by ana@example.com --days 30",
            ),
        ],
    ),
    (
        "review",
        &[
            example("List the reviews", "rolecall review list"),
            example("Open the one that is configured as quarterly", "rolecall review open quarterly"),
        ],
    ),
    ("review list", &[example("For a program", "rolecall review list --format json")]),
    (
        "review show",
        &[example("Show the items, and who is late", "rolecall review show 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59")],
    ),
    ("review open", &[example("Review the latest complete audit of its job", "rolecall review open quarterly")]),
    (
        "review decide",
        &[
            example(
                "Keep an account",
                "rolecall review decide 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59 4 keep --as ana@example.com",
            ),
            example(
                "Keep three ordinary accounts at once",
                "rolecall review decide 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59 1,2,7 keep --as ana@example.com",
            ),
        ],
    ),
    (
        "review work",
        &[example(
            "Write what is to be removed and changed, and by when",
            "rolecall review work 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59 --out work.csv",
        )],
    ),
    (
        "review export",
        &[example(
            "Write a spreadsheet for one reviewer",
            "rolecall review export 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59 --reviewer ana@example.com --out a.csv",
        )],
    ),
    (
        "review import",
        &[example(
            "Import the decisions from a file that was filled in",
            "rolecall review import 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59 ana.xlsx --as ana@example.com",
        )],
    ),
    (
        "review assign",
        &[example(
            "Give an item to another reviewer",
            "rolecall review assign 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59 4 ben@example.com --reason leave",
        )],
    ),
    (
        "review remind",
        &[example(
            "Remind the reviewers who have not decided",
            "rolecall review remind 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59",
        )],
    ),
    (
        "review attest",
        &[example(
            "Confirm your decisions",
            "rolecall review attest 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59 --as ben@example.com",
        )],
    ),
    (
        "review close",
        &[example(
            "Close it and name the day of the next one",
            "rolecall review close 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59 --next 2027-01-04",
        )],
    ),
    (
        "review cancel",
        &[example(
            "Cancel it",
            "rolecall review cancel 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59 --reason \"the wrong job\"",
        )],
    ),
    (
        "preflight",
        &[
            example("Check every workspace", "rolecall preflight"),
            example(
                "Make sure that it is the right organization",
                "rolecall preflight acme --expect \"org=Example Ltd, time_zone=Europe/Berlin\"",
            ),
        ],
    ),
    (
        "who-can",
        &[
            example("List who may export data", "rolecall who-can export"),
            example("As a table for a spreadsheet", "rolecall who-can \"Export Data\" acme --format csv"),
        ],
    ),
    (
        "access",
        &[
            example("Show who had access on a day", "rolecall access --as-of 2026-03-14"),
            example("Only the administrators", "rolecall access acme --as-of 2026-03-14 --profile Administrator"),
            example("With permissions, for a spreadsheet", "rolecall access --as-of 2026-03-14 --format csv"),
        ],
    ),
    (
        "history",
        &[
            example("Show what became of an account", "rolecall history ana@example.com"),
            example("In one workspace, for a program", "rolecall history acme ana@example.com --format json"),
        ],
    ),
    (
        "diff",
        &[
            example("Compare two days", "rolecall diff 2026-03-01 2026-03-31 --workspace acme"),
            example(
                "Compare two audits",
                "rolecall diff 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59 019a9240-1d2c-7e4b-8a3f-5b6c7d8e9f01",
            ),
        ],
    ),
    (
        "findings",
        &[
            example("List the open findings, by rule", "rolecall findings acme"),
            example("Only those to fix this week", "rolecall findings acme --severity high"),
            example("Everything about one user", "rolecall findings acme --subject ana@example.com --accepted"),
            example("Print the lines of the configuration that would accept them", "rolecall findings acme --toml"),
        ],
    ),
    (
        "users",
        &[
            example("List the administrators", "rolecall users acme --administrators"),
            example("List the users who may delete", "rolecall users acme --permission delete"),
            example(
                "Export the active users with a role",
                "rolecall users acme --status active --role \"Sales Rep\" --format csv",
            ),
            example("Show one user", "rolecall users show acme ana@example.com"),
        ],
    ),
    (
        "users show",
        &[example("Show a user and what their profile permits", "rolecall users show acme ana@example.com")],
    ),
    (
        "roles",
        &[
            example("Draw who reports to whom", "rolecall roles acme --tree"),
            example("Export the roles", "rolecall roles acme --format csv"),
        ],
    ),
    (
        "profiles",
        &[
            example("List the profiles", "rolecall profiles acme"),
            example("Show every permission", "rolecall profiles acme --permissions"),
        ],
    ),
    (
        "org",
        &[example("Show the organization", "rolecall org acme"), example("As JSON", "rolecall org acme --format json")],
    ),
    ("me", &[example("Show the account", "rolecall me acme"), example("As JSON", "rolecall me acme --format json")]),
    (
        "offboard",
        &[
            example(
                "Show who would be removed, and the exact request",
                "rolecall offboard acme leaver@example.com --dry-run",
            ),
            example("Remove the user; asks for the address", "rolecall offboard acme leaver@example.com"),
            example("Remove several users with one confirmation", "rolecall offboard acme --from leavers.csv"),
            example(
                "Carry out what somebody else decided in a review",
                "rolecall offboard acme leaver@example.com --as ben@example.com",
            ),
        ],
    ),
    (
        "mcp",
        &[
            example("Serve a client on this machine over stdio", "rolecall mcp"),
            example("Serve over HTTP", "rolecall mcp --http 127.0.0.1:8765 --token-file mcp-token"),
        ],
    ),
    (
        "tools",
        &[
            example("List the tools", "rolecall tools --format table"),
            example("Print the definitions for OpenAI's API", "rolecall tools --format openai"),
            example("Call a tool", "rolecall tools call who_can --arguments '{\"permission\": \"export\"}'"),
        ],
    ),
    (
        "tools call",
        &[
            example(
                "Ask who holds a permission",
                "rolecall tools call who_can --arguments '{\"permission\": \"export\"}'",
            ),
            example("Read the arguments from stdin", "rolecall tools call run_access_audit --arguments -"),
        ],
    ),
    ("tools serve", &[example("Answer calls until stdin closes", "rolecall tools serve")]),
    (
        "daemon",
        &[example("Run the schedule", "rolecall daemon"), example("Log as JSON", "rolecall --log-format json daemon")],
    ),
    (
        "schedule",
        &[
            example("Show when each workspace is audited next", "rolecall schedule"),
            example("Show the next five audits of one workspace", "rolecall schedule --workspace acme --next 5"),
        ],
    ),
    (
        "runs",
        &[
            example("List the latest runs", "rolecall runs"),
            example("Show one run", "rolecall runs show 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59"),
            example("Retry a failed run", "rolecall runs retry 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59"),
        ],
    ),
    ("runs list", &[example("List the latest runs", "rolecall runs list --limit 10")]),
    (
        "runs show",
        &[example("Show one run as JSON", "rolecall runs show 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59 --format json")],
    ),
    ("runs replicas", &[example("See which daemons are running, and what they work on", "rolecall runs replicas")]),
    (
        "runs take-back",
        &[example("After the clock was ahead and is right again", "rolecall runs take-back weekly-access-review")],
    ),
    ("runs retry", &[example("Retry a failed run", "rolecall runs retry 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59")]),
    (
        "evidence",
        &[
            example("Verify everything", "rolecall evidence verify"),
            example("Look for missed reviews", "rolecall evidence coverage --from 2026-01-01 --to 2026-12-31"),
            example("Hand over a year to the auditor", "rolecall evidence export --from 2026-01-01 --to 2026-12-31"),
        ],
    ),
    ("evidence init-key", &[example("Create a signing key", "rolecall evidence init-key --out evidence_ed25519")]),
    (
        "evidence list",
        &[
            example("List the bags", "rolecall evidence list"),
            example("The same for a spreadsheet", "rolecall evidence list --format csv"),
        ],
    ),
    (
        "evidence verify",
        &[
            example("Verify the configured evidence folder", "rolecall evidence verify"),
            example(
                "Verify an unpacked export, trusting given keys",
                "rolecall evidence verify export --allowed-signers allowed_signers",
            ),
        ],
    ),
    (
        "evidence coverage",
        &[
            example(
                "Look for missed reviews in a year",
                "rolecall evidence coverage --from 2026-01-01 --to 2026-12-31",
            ),
            example(
                "Write the calendar and the table",
                "rolecall evidence coverage --from 2026-01-01 --to 2026-12-31 --out coverage",
            ),
        ],
    ),
    (
        "evidence export",
        &[
            example(
                "Write evidence_2026-01-01_2026-12-31.zip",
                "rolecall evidence export --from 2026-01-01 --to 2026-12-31",
            ),
            example(
                "Choose the file",
                "rolecall evidence export --from 2026-01-01 --to 2026-03-31 --out first-quarter.zip",
            ),
            example(
                "Give the findings of a quarter to a governance platform",
                "rolecall evidence export --from 2026-01-01 --to 2026-03-31 --as oscal",
            ),
            example(
                "Hand over the same without names",
                "rolecall evidence export --from 2026-01-01 --to 2026-03-31 --pseudonymise",
            ),
        ],
    ),
    (
        "evidence sample",
        &[
            example(
                "Draw 25 accounts of a quarter and trace each",
                "rolecall evidence sample --from 2026-01-01 --to 2026-03-31 --seed 4711",
            ),
            example(
                "Draw 25 leavers from an export",
                "rolecall evidence sample --from 2026-01-01 --to 2026-03-31 --of leavers --seed 4711 evidence.zip",
            ),
        ],
    ),
    (
        "evidence certificate",
        &[
            example(
                "Certify the read of an audit that `rolecall runs` lists",
                "rolecall evidence certificate 019a0000-0000-7000-8000-000000000000",
            ),
            example(
                "Certify the read in a bag, with the keys that you trust",
                "rolecall evidence certificate evidence/BAG --allowed-signers allowed_signers",
            ),
        ],
    ),
    ("evidence recompute", &[example("Repeat the review in a bag", "rolecall evidence recompute evidence/BAG")]),
    (
        "rules",
        &[example("List the rules", "rolecall rules"), example("Explain one", "rolecall rules administrator-clone")],
    ),
    ("console", &[example("Sign in as Ana", "rolecall console link --as ana@example.com")]),
    ("console sign-out", &[example("A laptop was lost", "rolecall console sign-out --as ana@example.com")]),
    ("console link", &[example("Sign in as Ana", "rolecall console link --as ana@example.com")]),
    ("store", &[example("Find out why the database cannot be reached", "rolecall store check")]),
    (
        "store copy",
        &[example(
            "Move from a file to a database, before the configuration names that",
            "rolecall store copy --from sqlite:rolecall.db --to postgres://rolecall@db.example.com/rolecall",
        )],
    ),
    (
        "store rebuild",
        &[example("Restore a lost store; all daemons are stopped", "rolecall store rebuild --from-evidence")],
    ),
    (
        "store migrate",
        &[example(
            "Prepare a database for a daemon whose role must not own tables",
            "rolecall store migrate --url postgres://owner@db.example.com/rolecall --password-file owner",
        )],
    ),
    ("store check", &[example("Find out why the database cannot be reached", "rolecall store check")]),
    ("mail", &[example("Send a test message", "rolecall mail test --to ana@example.com")]),
    ("mail test", &[example("Send a test message", "rolecall mail test --to ana@example.com")]),
    (
        "simulate",
        &[
            example("Serve a workspace on a fixed port", "rolecall simulate --port 8931"),
            example("Serve 20,000 users with a fault", "rolecall simulate --users 20000 --fault user-inserted-once"),
            example("List the faults", "rolecall simulate --fault list"),
        ],
    ),
    (
        "schema",
        &[
            example("Print the schema of the configuration", "rolecall schema"),
            example("Print the schema of report.json", "rolecall schema report"),
        ],
    ),
    ("completions", &[example("Print completions for bash", "rolecall completions bash")]),
    ("man", &[example("Print the page in roff", "rolecall man")]),
    ("help", &[example("Show help for a command", "rolecall help evidence verify")]),
];
