//! What `rolecall init` needs to know: from the arguments, otherwise asked at the terminal.

use std::{fmt::Display, path::Path};

use secrecy::SecretString;

use super::{
    super::{
        args::{InitArgs, MailArgs},
        output::{Failure, note},
    },
    terminal,
};
use crate::{
    app::setup::data_center,
    config::settings::SecretSource,
    setup::{self, Credential, FileError, Layout, Mail},
};

const DATA_CENTER: &str = "Data center (us eu in au jp cn sa ca)";
const CLIENT_ID: &str = "Client id";
const CLIENT_SECRET: &str = "Client secret";

/// All answers, except those that only the workspace can give.
pub(super) struct Asked {
    pub(super) workspace: String,
    pub(super) layout: Layout,
    pub(super) data_center: String,
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
    pub(super) company_domains: Vec<String>,
    pub(super) mail: Option<(Mail, Option<SecretString>)>,
    pub(super) credential: Credential,
    /// The refresh token was read from the very file that the configuration will name.
    pub(super) is_token_in_place: bool,
}

/// Collects the answers. The credential is last: a grant code is valid for minutes only.
pub(super) fn ask(configuration: &Path, args: &InitArgs) -> Result<Asked, Failure> {
    let can_ask = terminal::is_interactive();
    if !can_ask {
        require(args)?;
    }
    only_one_from_stdin(args)?;
    let workspace = text("Name of the workspace", args.workspace.as_deref(), Some("bigin"), setup::workspace_name)?;
    let layout = Layout::new(configuration, &workspace);
    let kept = args.credential.refresh_token_file.as_deref();
    layout.ensure_free(kept).map_err(|error| exists(&error, &layout))?;
    let data_center = text(DATA_CENTER, args.data_center.as_deref(), Some("us"), data_center)?;
    let client_id = text(CLIENT_ID, args.client_id.as_deref(), None, setup::client_id)?;
    let secret = Source {
        name: "client-secret",
        file: args.client_secret_file.as_deref(),
        env: args.client_secret_env.as_deref(),
    };
    let client_secret = secret.read_or_ask(CLIENT_SECRET)?;
    let company_domains = domains(args, can_ask)?;
    let mail = mail(&args.mail, can_ask)?;
    let is_token_in_place = kept.is_some_and(|kept| {
        std::fs::canonicalize(kept)
            .is_ok_and(|kept| std::fs::canonicalize(&layout.refresh_token).is_ok_and(|p| p == kept))
    });
    let credential = credential(args)?;
    Ok(Asked {
        workspace,
        layout,
        data_center,
        client_id,
        client_secret,
        company_domains,
        mail,
        credential,
        is_token_in_place,
    })
}

/// Without a terminal, everything that has no default must be an argument.
fn require(args: &InitArgs) -> Result<(), Failure> {
    let credential = &args.credential;
    let has_mail = args.mail.no_mail || !args.mail.mail_to.is_empty();
    let needed = [
        ("--workspace", args.workspace.is_some()),
        ("--data-center", args.data_center.is_some()),
        ("--client-id", args.client_id.is_some()),
        (
            "--client-secret-file or --client-secret-env",
            args.client_secret_file.is_some() || args.client_secret_env.is_some(),
        ),
        (
            "--grant-code-file, --grant-code-env, --refresh-token-file or --refresh-token-env",
            credential.grant_code_file.is_some()
                || credential.grant_code_env.is_some()
                || credential.refresh_token_file.is_some()
                || credential.refresh_token_env.is_some(),
        ),
        ("--mail-to or --no-mail", has_mail),
        ("--smtp-host", args.mail.mail_to.is_empty() || args.mail.smtp_host.is_some()),
        ("--mail-from", args.mail.mail_to.is_empty() || args.mail.mail_from.is_some()),
    ];
    let missing: Vec<&str> = needed.into_iter().filter(|(_, given)| !given).map(|(flag, _)| flag).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "without a terminal, these arguments are required: {}. Nothing was written",
        missing.join("; ")
    )))
}

fn only_one_from_stdin(args: &InitArgs) -> Result<(), Failure> {
    let files = [
        &args.client_secret_file,
        &args.credential.grant_code_file,
        &args.credential.refresh_token_file,
        &args.mail.smtp_password_file,
    ];
    if files.into_iter().flatten().filter(|path| *path == Path::new("-")).count() > 1 {
        return Err(Failure::usage(
            "only one secret can be read from stdin; use a file or an environment variable for the others",
        ));
    }
    Ok(())
}

fn exists(error: &FileError, layout: &Layout) -> Failure {
    let is_token = matches!(error, FileError::Exists(path) if *path == layout.refresh_token);
    let token = layout.refresh_token.display();
    let hint = if is_token {
        format!(". To use this refresh token, add `--refresh-token-file {token}`")
    } else {
        String::new()
    };
    Failure::usage(format!("{error}{hint}"))
}

fn text<E: Display>(
    question: &str,
    given: Option<&str>,
    default: Option<&str>,
    accept: impl Fn(&str) -> Result<String, E>,
) -> Result<String, Failure> {
    match given {
        Some(given) => accept(given).map_err(|error| Failure::usage(error.to_string())),
        None => terminal::ask(question, default, accept),
    }
}

fn domains(args: &InitArgs, can_ask: bool) -> Result<Vec<String>, Failure> {
    let checked = |words: Vec<String>| words.iter().map(|word| setup::domain(word)).collect::<Result<Vec<_>, _>>();
    if !args.company_domains.is_empty() || !can_ask {
        return checked(args.company_domains.clone()).map_err(|error| Failure::usage(error.to_string()));
    }
    terminal::ask("Domains of the company's e-mail addresses (empty: skip)", Some(""), |text| checked(words(text)))
}

fn words(text: &str) -> Vec<String> {
    text.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn mail(args: &MailArgs, can_ask: bool) -> Result<Option<(Mail, Option<SecretString>)>, Failure> {
    let checked = |words: &[String]| words.iter().map(|word| setup::address(word)).collect::<Result<Vec<_>, _>>();
    let to = if args.no_mail {
        Vec::new()
    } else if args.mail_to.is_empty() && can_ask {
        terminal::ask("Mail reports to (empty: no mail)", Some(""), |text| checked(&words(text)))?
    } else {
        checked(&args.mail_to).map_err(|error| Failure::usage(error.to_string()))?
    };
    let Some(first) = to.first() else { return Ok(None) };
    let any = |text: &str| if text.is_empty() { Err("expected a value") } else { Ok(text.to_owned()) };
    let domain = first.split_once('@').map_or("example.com", |(_, domain)| domain);
    let default = format!("rolecall <rolecall@{domain}>");
    let from = text("Sender", args.mail_from.as_deref(), Some(&default), any)?;
    let host = text("Mail server", args.smtp_host.as_deref(), None, any)?;
    let username = match &args.smtp_username {
        None if can_ask => {
            let name = terminal::ask("Account at the mail server (empty: none)", Some(""), |text| {
                Ok::<_, &str>(text.to_owned())
            })?;
            Some(name).filter(|name| !name.is_empty())
        }
        given => given.clone(),
    };
    let source = Source {
        name: "smtp-password",
        file: args.smtp_password_file.as_deref(),
        env: args.smtp_password_env.as_deref(),
    };
    let password = username.is_some().then(|| source.read_or_ask("Password of that account")).transpose()?;
    let security = args.smtp_security.word().to_owned();
    Ok(Some((Mail { to, from, host, port: args.smtp_port, security, username }, password)))
}

fn credential(args: &InitArgs) -> Result<Credential, Failure> {
    let given = &args.credential;
    let code =
        Source { name: "grant-code", file: given.grant_code_file.as_deref(), env: given.grant_code_env.as_deref() };
    let token = Source {
        name: "refresh-token",
        file: given.refresh_token_file.as_deref(),
        env: given.refresh_token_env.as_deref(),
    };
    if token.is_given() {
        return Ok(Credential::RefreshToken(token.read_or_ask("Refresh token")?));
    }
    if code.is_given() {
        return Ok(Credential::GrantCode(code.read_or_ask("Grant code")?));
    }
    Ok(Credential::GrantCode(grant_code()?))
}

/// Asks again for the data center and the id of the client there.
pub(super) fn client(center: &str, client_id: &str) -> Result<(String, String), Failure> {
    let center = terminal::ask(DATA_CENTER, Some(center), data_center)?;
    Ok((center, terminal::ask(CLIENT_ID, Some(client_id), setup::client_id)?))
}

/// Asks again for the secret of the client.
pub(super) fn client_secret() -> Result<SecretString, Failure> {
    terminal::secret(CLIENT_SECRET)
}

/// Asks for a grant code, and says where to make one.
pub(super) fn grant_code() -> Result<SecretString, Failure> {
    note(
        "In Zoho's API console, open the Self Client, choose Generate Code, and enter these scopes, which only read:\n  \
         ZohoBigin.users.READ,ZohoBigin.settings.roles.READ,ZohoBigin.settings.profiles.READ,ZohoBigin.org.READ",
    );
    terminal::secret("Grant code")
}

/// Where a secret comes from. Messages name the argument and never its value: people paste the secret there by mistake.
struct Source<'a> {
    name: &'static str,
    file: Option<&'a Path>,
    env: Option<&'a str>,
}

impl Source<'_> {
    fn is_given(&self) -> bool {
        self.file.is_some() || self.env.is_some()
    }

    fn read_or_ask(&self, question: &str) -> Result<SecretString, Failure> {
        use crate::config::settings::SecretError::{Control, Empty, NotSet, Unreadable, Unseen};
        let (source, what) = match (self.file, self.env) {
            (Some(path), _) if path == Path::new("-") => return terminal::secret_from_stdin(question),
            (Some(path), _) => (SecretSource::File(path.to_owned()), format!("the file of --{}-file", self.name)),
            (None, Some(name)) => {
                (SecretSource::Env(name.to_owned()), format!("the environment variable of --{}-env", self.name))
            }
            (None, None) if terminal::is_interactive() => return terminal::secret(question),
            (None, None) => {
                return Err(Failure::usage(format!("--{0}-file or --{0}-env is required", self.name)));
            }
        };
        source.read().map_err(|error| {
            Failure::usage(match error {
                NotSet(_) => format!("{what} is not set; the argument takes the name of a variable, not the secret"),
                Unreadable { source, .. } => {
                    format!("{what} cannot be read: {source}; the argument takes the path of a file, not the secret")
                }
                Empty(_) => format!("{what} is empty"),
                Unseen { name, .. } => format!("{what} contains {name}, which cannot be seen; remove it"),
                Control(_) => format!("{what} holds more than one line or a control character"),
            })
        })
    }
}
