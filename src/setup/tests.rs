use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use super::{files::write, *};

fn answers() -> Answers {
    Answers {
        workspace: "acme".into(),
        data_center: "eu".into(),
        client_id: "1000.ABC".into(),
        accounts_url: None,
        company_domains: Vec::new(),
        administrators: Administrators::Proposed(Vec::new()),
        time_zone: "UTC".into(),
        mail: None,
        state: None,
    }
}

fn secrets() -> Secrets {
    Secrets {
        client_secret: "a".into(),
        refresh_token: Some("b".into()),
        smtp_password: Some("c".into()),
        evidence_key: "d".into(),
        evidence_public_key: "e".into(),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_shortest_configuration_explains_what_is_left_out() {
    insta::assert_snapshot!(configuration(&answers(), &Layout::new(Path::new("rolecall.toml"), "acme")));
}

#[test]
fn every_answer_is_in_the_configuration() {
    let mail = Mail {
        to: vec!["security@example.com".into(), "compliance@example.com".into()],
        from: "rolecall \"A\" <audit@example.com>".into(),
        host: "smtp.example.com".into(),
        port: Some(465),
        security: "tls".into(),
        username: Some("rolecall".into()),
    };
    let answers = Answers {
        accounts_url: Some("http://127.0.0.1:4000/".parse().unwrap()),
        company_domains: vec!["example.com".into()],
        administrators: Administrators::Approved(vec!["ana@example.com".into()]),
        time_zone: "Europe/Berlin".into(),
        mail: Some(mail),
        state: Some("/var/lib/rolecall".into()),
        ..answers()
    };
    insta::assert_snapshot!(configuration(&answers, &Layout::new(Path::new("/etc/rolecall/rolecall.toml"), "acme")));
}

#[test]
fn administrators_that_nobody_approved_stay_in_a_comment() {
    let found = Administrators::Proposed(vec!["ana@example.com".into(), "ben@example.com".into()]);
    let text = configuration(
        &Answers { administrators: found, ..answers() },
        &Layout::new(Path::new("rolecall.toml"), "acme"),
    );
    assert!(text.contains("\n# approved_administrators = [\"ana@example.com\", \"ben@example.com\"]\n"), "{text}");
}

#[test]
fn secrets_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(&folder.path().join("rolecall.toml"), "acme");
    write(&layout, &secrets(), "text").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&layout.folder), 0o700);
    for (path, content) in [
        (&layout.client_secret, "a"),
        (&layout.refresh_token, "b"),
        (&layout.smtp_password, "c"),
        (&layout.evidence_key, "d"),
    ] {
        assert_eq!(mode(path), 0o600, "{}", path.display());
        assert_eq!(fs::read_to_string(path).unwrap(), content);
    }
    assert_eq!(fs::read_to_string(&layout.configuration).unwrap(), "text");
    assert_eq!(
        names(&layout.folder),
        ["acme-client-secret", "acme-refresh-token", "evidence_ed25519", "evidence_ed25519.pub", "smtp-password"]
    );
    assert_eq!(names(folder.path()), ["rolecall.toml", "secrets"]);
}

#[test]
fn if_one_file_exists_nothing_is_written_and_nothing_is_replaced() {
    for taken in ["rolecall.toml", "secrets/acme-refresh-token", "secrets/evidence_ed25519.pub"] {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(&folder.path().join("rolecall.toml"), "acme");
        fs::create_dir(&layout.folder).unwrap();
        fs::write(folder.path().join(taken), "mine").unwrap();
        let before = (names(folder.path()), names(&layout.folder));
        assert!(matches!(layout.ensure_free(None), Err(FileError::Exists(path)) if path.ends_with(taken)));
        assert!(matches!(write(&layout, &secrets(), "text"), Err(FileError::Exists(path)) if path.ends_with(taken)));
        assert_eq!((names(folder.path()), names(&layout.folder)), before, "{taken}");
        assert_eq!(fs::read_to_string(folder.path().join(taken)).unwrap(), "mine");
    }
}

#[test]
fn a_folder_that_was_created_for_nothing_is_removed_again() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(&folder.path().join("rolecall.toml"), "acme");
    fs::write(&layout.configuration, "mine").unwrap();
    assert!(write(&layout, &secrets(), "text").is_err());
    assert_eq!(names(folder.path()), ["rolecall.toml"]);
}

#[test]
fn a_refresh_token_that_was_kept_may_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(&folder.path().join("rolecall.toml"), "acme");
    files::keep(&layout, &layout.refresh_token, &"token".into()).unwrap();
    assert!(layout.ensure_free(None).is_err());
    layout.ensure_free(Some(&layout.refresh_token)).unwrap();
    write(&layout, &Secrets { refresh_token: None, ..secrets() }, "text").unwrap();
    assert_eq!(fs::read_to_string(&layout.refresh_token).unwrap(), "token");
}

#[test]
fn answers_that_a_configuration_cannot_hold_are_rejected() {
    for bad in ["", "a b", "a/b", "ä", &"x".repeat(65)] {
        assert!(workspace_name(bad).is_err(), "{bad}");
    }
    assert_eq!(workspace_name("acme-1_b").unwrap(), "acme-1_b");
    for bad in ["", "example", "example.com.", "ana@example.com", "https://example.com", "127.0.0.1"] {
        assert!(domain(bad).is_err(), "{bad}");
    }
    assert_eq!(domain("Example.COM").unwrap(), "example.com");
    for bad in ["", "ana", "@example.com", "ana@", "a b@example.com", "a@b@c"] {
        assert!(address(bad).is_err(), "{bad}");
    }
    assert!(client_id("1000.ABC-d_9").is_ok());
    let pasted = client_id("a secret that was pasted").unwrap_err();
    assert!(!pasted.to_string().contains("pasted"));
}
