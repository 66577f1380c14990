//! No secret reaches a byte of what the product prints, writes, keeps or mails, whatever goes wrong and however much
//! it is asked to say.

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use rolecall_simulator::{Fault, InboxFault, Login, Options};

use crate::{
    support::{Bench, options},
    tools::{read_mail, run_script},
};

const PASSWORD: &str = "pa55word-Of.the~Mail-Server";
/// The password in base64, alone and as `AUTH PLAIN` sends it for the user `rolecall`.
const ENCODED: [&str; 2] =
    ["cGE1NXdvcmQtT2YudGhlfk1haWwtU2VydmVy", "AHJvbGVjYWxsAHBhNTV3b3JkLU9mLnRoZX5NYWlsLVNlcnZlcg=="];

fn bench(faults: Vec<Fault>) -> Bench {
    let login = Login { username: "rolecall".to_owned(), password: PASSWORD.to_owned() };
    let bench = Bench::new(Options { faults, smtp_login: Some(login), ..options(30) });
    bench.reconfigure(
        "security = \"none\"",
        "security = \"none\"\nusername = \"rolecall\"\npassword = { env = \"TEST_PASSWORD\" }",
    );
    bench
}

/// Runs the binary as talkative as it can be.
fn run(bench: &Bench, arguments: &[&str]) -> (i32, Vec<u8>) {
    let mut command = bench.rolecall(arguments);
    let command = command.env("TEST_PASSWORD", PASSWORD).env("ROLECALL_LOG", "trace").env("RUST_LOG", "trace");
    let output = command.env("RUST_BACKTRACE", "full").output().unwrap();
    (output.status.code().unwrap(), [output.stdout, output.stderr].concat())
}

/// A token of the vendor's form: `1000.`, 32 hexadecimal digits, a dot, 32 more. The refresh token and all access
/// tokens that the simulator gave out look like this.
fn holds_a_token(bytes: &[u8]) -> bool {
    bytes.windows(70).any(|window| {
        window.starts_with(b"1000.")
            && window[37] == b'.'
            && window[5..].iter().enumerate().all(|(place, byte)| place == 32 || byte.is_ascii_hexdigit())
    })
}

/// Fails where a secret stands in these bytes.
fn is_clean(bench: &Bench, bytes: &[u8], what: &str) {
    let credentials = bench.simulator.credentials();
    let holds = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    // Halves too: a secret that is cut is a secret still.
    let half = credentials.client_secret.len() / 2;
    for secret in [
        &credentials.client_secret[..half],
        &credentials.client_secret[half..],
        &credentials.refresh_token[5..37],
        PASSWORD,
        ENCODED[0],
        ENCODED[1],
    ] {
        assert!(!holds(secret), "{what} holds {secret}");
    }
    assert!(!holds_a_token(bytes), "{what} holds a token");
}

/// Looks into every file under a folder, compressed ones opened.
fn files_are_clean(bench: &Bench, folder: &Path) -> usize {
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The one place that keeps a token, for its owner alone.
        if path.file_name().is_some_and(|name| name == "rolecall.db-tokens") {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
            continue;
        }
        if path.is_dir() {
            seen += files_are_clean(bench, &path);
            continue;
        }
        seen += 1;
        let name = path.display().to_string();
        let bytes = fs::read(&path).unwrap();
        is_clean(bench, &bytes, &name);
        if let Ok(inside) = zstd::decode_all(bytes.as_slice()) {
            is_clean(bench, &inside, &name);
        }
        if path.extension().is_some_and(|extension| extension == "xlsx") {
            let mut archive = zip::ZipArchive::new(File::open(&path).unwrap()).unwrap();
            for place in 0..archive.len() {
                let mut inside = Vec::new();
                archive.by_index(place).unwrap().read_to_end(&mut inside).unwrap();
                is_clean(bench, &inside, &name);
            }
        }
    }
    seen
}

/// Looks at everything that a run printed and left.
fn all_is_clean(bench: &Bench, printed: &[u8], what: &str) {
    is_clean(bench, printed, what);
    if bench.path("rolecall.db").exists() {
        let dump = bench.path("dump");
        let _ = fs::remove_dir_all(&dump);
        run_script("dump_store.py", &[bench.path("rolecall.db"), dump]);
    }
    for mail in bench.mails() {
        is_clean(bench, read_mail(&mail).to_string().as_bytes(), "the mail");
    }
    assert!(files_are_clean(bench, bench.folder.path()) > 0);
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let bench = bench(Vec::new());
    let credentials = bench.simulator.credentials();
    assert!(holds_a_token(format!("x{}y", credentials.refresh_token).as_bytes()));
    assert!(!holds_a_token(credentials.client_id.as_bytes()));
    let leaks = |text: &str| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| is_clean(&bench, text.as_bytes(), "it"))).is_err()
    };
    assert!(leaks(&format!("secret={}", credentials.client_secret)) && leaks(ENCODED[1]) && !leaks("nothing"));
}

#[test]
fn an_audit_that_succeeds_leaves_no_secret_anywhere() {
    for format in ["text", "json"] {
        let bench = bench(Vec::new());
        for out in ["one", "two"] {
            let (code, printed) = run(&bench, &["-vv", "--log-format", format, "audit", "--out", out, "--send"]);
            assert_eq!(code, 0, "{}", String::from_utf8_lossy(&printed));
            assert!(printed.len() > 5_000, "it was to say more: {}", String::from_utf8_lossy(&printed));
            all_is_clean(&bench, &printed, out);
        }
        assert_eq!(bench.mails().len(), 4);
        assert!(bench.path("dump").read_dir().unwrap().count() > 5);
    }
}

#[test]
fn audits_that_fail_or_struggle_leave_no_secret_anywhere() {
    for (fault, expected) in [
        (Fault::Revoked, 1),
        (Fault::WrongDataCentre, 1),
        (Fault::TokenThrottledLocalised, 1),
        (Fault::TokenNeverAccepted, 1),
        (Fault::ForeignApiDomain, 1),
        (Fault::Redirect, 1),
        (Fault::EndlessBody, 1),
        (Fault::MissingScopeUsers, 1),
        (Fault::MissingId, 0),
        (Fault::TokenExpires, 0),
        (Fault::TokenServerError, 0),
        (Fault::TruncatedJson, 0),
        (Fault::BadGateway, 0),
    ] {
        let bench = bench(vec![fault]);
        let (code, printed) = run(&bench, &["-vv", "--log-format", "json", "audit", "--out", "out", "--send"]);
        assert_eq!(code, expected, "{fault}: {}", String::from_utf8_lossy(&printed));
        all_is_clean(&bench, &printed, fault.name());
    }
}

#[test]
fn an_api_that_is_down_brings_no_secret_to_light() {
    let bench = bench(vec![Fault::ServerErrorAlways]);
    let (code, printed) = run(&bench, &["-vv", "audit", "--out", "out", "--send"]);
    assert_eq!(code, 1);
    all_is_clean(&bench, &printed, "server-error-always");
}

#[test]
fn a_wrong_client_secret_and_a_mistyped_refresh_token_are_not_echoed() {
    for (variable, words) in [("TEST_CLIENT_SECRET", "the client secret"), ("TEST_REFRESH_TOKEN", "the refresh token")]
    {
        let bench = bench(Vec::new());
        let mistyped = "1000.mistyped-and-still-a-secret";
        let mut command = bench.rolecall(&["-vv", "audit"]);
        let output = command
            .env("ROLECALL_LOG", "trace")
            .env(variable, mistyped)
            .env("TEST_PASSWORD", PASSWORD)
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.code() == Some(1) && printed.contains(words), "{printed}");
        assert!(!printed.contains(mistyped), "{printed}");
    }
}

#[test]
fn a_mail_server_that_refuses_the_login_brings_no_password_to_light() {
    for arguments in [&["-vv", "mail", "test"][..], &["-vv", "audit", "--send"]] {
        let bench = bench(Vec::new());
        bench.simulator.inbox().set_fault(Some(InboxFault::AuthenticationRefused));
        let (code, printed) = run(&bench, arguments);
        assert_eq!(code, 1);
        assert!(String::from_utf8_lossy(&printed).contains("authentication"));
        all_is_clean(&bench, &printed, "mail");
    }
}

#[test]
fn a_secret_that_is_written_into_the_configuration_is_refused_and_not_repeated() {
    let bench = bench(Vec::new());
    let written = "a-secret-in-the-open";
    bench.reconfigure("client_secret = { env = \"TEST_CLIENT_SECRET\" }", &format!("client_secret = \"{written}\""));
    let (code, printed) = run(&bench, &["-vv", "check"]);
    let printed = String::from_utf8_lossy(&printed);
    assert_eq!(code, 2);
    assert!(printed.contains("client_secret") && !printed.contains(written), "{printed}");
}

#[test]
fn what_agents_call_leaves_no_secret_anywhere() {
    for fault in [None, Some(Fault::Revoked), Some(Fault::TokenNeverAccepted), Some(Fault::BadGateway)] {
        let bench = bench(fault.into_iter().collect());
        for tool in ["list_all_zoho_bigin_users", "list_all_zoho_bigin_me", "preflight", "run_access_audit"] {
            let (_, printed) = run(&bench, &["-vv", "tools", "call", tool]);
            assert!(printed.len() > 500, "{}", String::from_utf8_lossy(&printed));
            all_is_clean(&bench, &printed, tool);
        }
    }
}

#[test]
fn a_process_that_is_killed_leaves_no_core_file() {
    let bench = Bench::new(options(5));
    let daemon = crate::daemon::Daemon::start(&bench);
    crate::daemon::eventually("no core file", || {
        let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        core.split_whitespace().skip(4).take(2).eq(["0", "0"])
    });
    daemon.stop();
}

/// Writes a file that others can read, or that has more in it than can be seen.
fn written(bench: &Bench, name: &str, text: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(bench.path(name), text).unwrap();
    fs::set_permissions(bench.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn every_command_says_once_which_secrets_others_can_read() {
    let bench = crate::evidence::bench(5);
    let secret = bench.simulator.credentials().client_secret.clone();
    written(&bench, "secret", &format!("\u{feff}{secret} \n"), 0o644);
    bench.reconfigure("{ env = \"TEST_CLIENT_SECRET\" }", "{ file = \"secret\" }");
    let key = bench.read("key");
    written(&bench, "key", &key, 0o640);
    let configuration = bench.read("rolecall.toml");
    written(&bench, "rolecall.toml", &configuration, 0o666);
    for arguments in [&["check"][..], &["audit"], &["users", "acme"], &["preflight", "acme"], &["runs"]] {
        let (code, _, said) = bench.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: the byte order mark and the blank are stripped: {said}");
        for warning in [
            "workspaces.acme.client_secret: all accounts on this machine can read the file ",
            "evidence.signing_key: the accounts of its group can read the file ",
            "all accounts on this machine can write the configuration ",
        ] {
            assert_eq!(said.matches(warning).count(), 1, "{arguments:?}: {warning}: {said}");
        }
    }
}

#[test]
fn every_command_says_once_that_everybody_can_replace_the_configuration() {
    let bench = crate::evidence::bench(5);
    fs::create_dir(bench.path("inner")).unwrap();
    fs::rename(bench.path("key"), bench.path("inner/key")).unwrap();
    bench.reconfigure("{ file = \"key\" }", "{ file = \"inner/key\" }");
    let open = |mode| fs::set_permissions(bench.folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    for (mode, times) in [(0o777, 1), (0o1777, 0), (0o755, 0)] {
        open(mode);
        for arguments in [&["check"][..], &["runs"]] {
            let (code, _, said) = bench.run(arguments);
            let warning = ", and so replace the configuration and evidence.signing_key; chmod o-w";
            assert_eq!((code, said.matches(warning).count()), (0, times), "{mode:o} {arguments:?}: {said}");
        }
    }
}

#[test]
fn a_key_that_cannot_sign_is_refused_by_check_and_when_it_is_read() {
    let bench = crate::evidence::bench(5);
    let folder = bench.folder.path();
    let made = "ssh-keygen -q -t rsa -b 2048 -N '' -f rsa; ssh-keygen -q -t ed25519 -N word -f locked; : > empty; mkdir folder; mkfifo pipe";
    assert!(crate::evidence::judge(folder, "sh", &["-c", made]).0);
    for (name, expected) in [
        ("rsa", "expected ssh-ed25519"),
        ("locked", "protected by a passphrase"),
        ("empty", "it is empty"),
        ("folder", "not a regular file"),
        ("pipe", "not a regular file"),
        ("key.pub", "the public half"),
        ("missing", "No such file"),
    ] {
        let configuration = bench.read("rolecall.toml");
        bench.reconfigure("{ file = \"key\" }", &format!("{{ file = \"{name}\" }}"));
        for command in ["check", "audit"] {
            let (code, printed, said) = bench.run(&[command]);
            assert!(code == 2 && said.contains(expected), "{name}: {command}: {printed}{said}");
            assert!(!printed.contains("The configuration is valid"), "{printed}");
        }
        fs::write(bench.path("rolecall.toml"), configuration).unwrap();
    }
    let key = bench.read("key");
    written(&bench, "key", &format!("{key}\n\n"), 0o600);
    assert_eq!(bench.run(&["check"]).0, 0);
}

#[test]
fn a_setting_that_would_mean_something_else_is_refused_once() {
    let bench = crate::evidence::bench(5);
    let configuration = bench.read("rolecall.toml");
    for (from, to, said) in [
        ("sqlite:rolecall.db", "sqlite::memory:", "the store must be a file"),
        ("sqlite:rolecall.db", "sqlite:x.db?mode=rwc", "has options"),
        ("sqlite:rolecall.db", "sqlite:~/x.db", "`~` is not expanded"),
        ("directory = \"bags\"", "directory = \"~/evidence\"", "`~` is not expanded"),
        ("directory = \"bags\"", "directory = \"$HOME/evidence\"", "variables are not expanded"),
        ("directory = \"bags\"", "directory = \"\"", "the path is empty"),
        ("{ file = \"key\" }", "{ file = \"~/.ssh/key\" }", "`~` is not expanded"),
        ("client_id = \"", "client_id = \"\" # ", "`client_id` is empty"),
        ("sqlite:rolecall.db", "sqlite:.", "names a folder"),
        ("sqlite:rolecall.db", "sqlite:bags/", "names a folder"),
        ("sqlite:rolecall.db", "sqlite: x.db", "`url` begins or ends with a blank"),
        ("directory = \"bags\"", "directory = \" ev\"", "`directory` begins or ends with a blank"),
        ("directory = \"bags\"", "directory = \"b\\u0000ags\"", "`directory` contains U+0000 (character 2)"),
        ("directory = \"bags\"", "directory = \"bags\\u001b[2J\"", "`directory` contains U+001B (character 5)"),
        ("{ file = \"key\" }", "{ file = \"key \" }", "`file` begins or ends with a blank"),
        ("client_id = \"", "client_id = \"\u{200b}", "`client_id` contains U+200B (character 1)"),
        ("client_id = \"", "client_id = \" ", "`client_id` begins or ends with a blank"),
        ("accounts_url = \"http", "accounts_url = \"\u{feff}http", "`accounts_url` contains U+FEFF (character 1)"),
        ("security@example.com", "secur\u{ad}ity@example.com", "`to` contains U+00AD (character 6)"),
        ("0 8 * * MON", "0 8 * *\u{a0}MON", "`schedule` contains U+00A0 (character 8)"),
        ("rolecall <audit@", "rolecall <audit\u{2060}@", "`from` contains U+2060 (character 16)"),
    ] {
        bench.reconfigure(from, to);
        let (code, _, found) = bench.run(&["check"]);
        assert!(code == 2 && found.contains(said) && found.contains(": 1 error"), "{to}: {found}");
        fs::write(bench.path("rolecall.toml"), &configuration).unwrap();
    }
}
