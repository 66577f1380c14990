//! `rolecall offboard`: removes users, guarded.

use std::{
    fs::File,
    io::{BufRead as _, IsTerminal as _, Write as _},
    path::Path,
};

use async_trait::async_trait;

use super::{
    args::OffboardArgs,
    check,
    output::{self, Failure, plain},
    progress::Line,
    workspaces,
};
use crate::{
    app,
    clock::Clock,
    evidence::storage::bounded,
    lookup::LookupError,
    model::{actor::Actor, email::comparable},
    offboard::{
        Approval, Confirmed, Decision, Done, LedgerWriter, Offboarding, Outcome, Plan, PlannedRemoval, Refusal,
        list::{self, Listed},
    },
    run::{self, vault::Vault},
    store::Database,
};

/// Characters of a name or address in the output.
const TEXT: usize = 120;
/// The largest list of users to remove, in bytes.
const LARGEST_LIST: u64 = 16 << 20;
/// Characters of a sentence that may quote the API.
const SENTENCE: usize = 2_000;

pub(super) async fn run(named: Option<&Path>, args: OffboardArgs) -> Result<(), Failure> {
    let settings = check::load(named)?;
    let (_, workspace) = workspaces::named(&settings, Some(&args.workspace))?;
    let wanted = wanted(&args)?;
    let usage = |error: app::AppError| Failure::usage(error.to_string());
    let clock = Clock::system();
    let remover = app::remover(&settings, &args.workspace, &clock).map_err(usage)?;
    let vault = app::vault(&settings).map_err(usage)?;
    let failed = |error: String| Failure::failed(error);
    let store =
        app::store_to_write(&settings, vault.as_ref(), &clock).await.map_err(|error| failed(error.to_string()))?;
    let ledger_writer = LedgerFile { store: &*store, vault: vault.as_ref(), clock: &clock };
    let organization = args.organization.as_deref().or(workspace.organization.as_deref());
    if let (Some(given), Some(configured)) = (&args.organization, &workspace.organization)
        && given != configured
    {
        return Err(Failure::usage(format!(
            "--organization is {given}, but `organization` in [workspaces.{}] is {configured}; nobody was removed",
            args.workspace
        )));
    }
    let offboarding = Offboarding {
        workspace: &args.workspace,
        remover: remover.as_ref(),
        ledger: &*store,
        reviews: &*store,
        review: args.review,
        ledger_writer: &ledger_writer,
        policy: settings.policy_for(None, &args.workspace),
        organization,
        deadline: workspace.deadline,
        clock: &clock,
    };
    let refused = |refusal: Refusal| {
        let place = place(&refusal, &wanted, args.from.as_deref());
        Failure::failed(plain(&format!("{place}{refusal}"), SENTENCE))
    };
    let plan = {
        let progress = Line::new(&args.workspace);
        let users: Vec<String> = wanted.iter().map(|wanted| wanted.user.clone()).collect();
        offboarding.plan(&users, &progress).await.map_err(refused)?
    };
    are_meant(&wanted, &plan)?;
    show(&plan);
    if args.dry_run {
        if plan.removals.len() > 1 && plan.unneeded().is_none() {
            output::line(&format!("\n  confirm   {}", plan.confirmation));
        }
        output::line("\nDry run: nobody was removed, and no request that changes anything was sent.");
        return Ok(());
    }
    let by = args
        .by
        .as_deref()
        .map_or(Actor::CommandLine { command: None }, |address| Actor::Person { address: comparable(address) });
    offboarding.may_carry_out(&plan, &by).map_err(refused)?;
    let (confirmed, how) = confirm(&plan, args.confirm.as_deref())?;
    let how = if args.by.is_some() { format!("{how} at the command line") } else { how.to_owned() };
    let approval = Approval { by, how };
    let done = offboarding.carry_out(confirmed, &approval).await;
    output::line("");
    for done in &done {
        tell(done);
    }
    ledger_writer.write_out().await.map_err(failed)?;
    let left = done.iter().filter(|done| !done.outcome.is_gone()).count();
    match left {
        0 => Ok(()),
        1 if done.len() == 1 => Err(Failure::failed("the user may not be removed; see above")),
        left => Err(Failure::failed(format!("{left} of {} users may not be removed; see above", done.len()))),
    }
}

/// The ledger's file beside the evidence, if evidence is kept.
struct LedgerFile<'a> {
    store: &'a dyn Database,
    vault: Option<&'a Vault>,
    clock: &'a Clock,
}

#[async_trait]
impl LedgerWriter for LedgerFile<'_> {
    async fn write_out(&self) -> Result<(), String> {
        let Some(vault) = self.vault else { return Ok(()) };
        let written = async {
            run::ledger::record_signing_key(self.store, vault, self.clock.now()).await?;
            run::ledger::write_out(self.store, vault, self.clock.now()).await
        };
        written.await.map(|_| ()).map_err(|error| error.to_string())
    }
}

/// Whom to remove: the argument, or the rows of a CSV file.
fn wanted(args: &OffboardArgs) -> Result<Vec<Listed>, Failure> {
    let Some(path) = &args.from else {
        return Ok(args.user.iter().map(|user| Listed { user: user.clone(), line: None, beside: None }).collect());
    };
    let usage =
        |what: String| Failure::usage(format!("{}: {}; nobody was removed", path.display(), plain(&what, TEXT)));
    // It may be a pipe.
    let bytes =
        File::open(path).and_then(|file| bounded(file, LARGEST_LIST)).map_err(|error| usage(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| usage("it is not UTF-8".to_owned()))?;
    list::parse(&text, &args.workspace).map_err(|error| usage(error.to_string()))
}

/// Where the list names a user who is unknown or ambiguous, as a prefix of the refusal.
fn place(refusal: &Refusal, wanted: &[Listed], list: Option<&Path>) -> String {
    let (Refusal::Whom(LookupError::NoUser(text) | LookupError::SeveralUsers { text, .. }), Some(list)) =
        (refusal, list)
    else {
        return String::new();
    };
    let line = wanted.iter().find(|wanted| wanted.user == *text).and_then(|wanted| wanted.line);
    line.map(|line| format!("{}, line {line}: ", list.display())).unwrap_or_default()
}

/// If a row has an id and an address, both must belong to the same user.
fn are_meant(wanted: &[Listed], plan: &Plan) -> Result<(), Failure> {
    for (wanted, removal) in wanted.iter().zip(&plan.removals) {
        let Some(address) = &wanted.beside else { continue };
        let known = removal.user.email.as_deref();
        if known.map(comparable) != Some(comparable(address)) {
            let known = known.map_or_else(|| "has no address".to_owned(), |known| format!("has the address {known}"));
            let line = wanted.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            let message = format!("{line}user {} {known}; expected {address}. Nobody was removed", wanted.user);
            return Err(Failure::usage(plain(&message, SENTENCE)));
        }
    }
    Ok(())
}

fn show(plan: &Plan) {
    let organization = plan.organization_name.as_deref().unwrap_or("an organization without a name");
    let acting = plan.acting_user_email.as_deref().unwrap_or(&plan.acting_user_id);
    output::line(&format!(
        "{}: {} ({}), as {}",
        plan.workspace,
        plain(organization, TEXT),
        plan.organization_id.as_deref().unwrap_or("id unknown"),
        plain(acting, TEXT)
    ));
    for removal in &plan.removals {
        show_removal(removal);
    }
}

fn show_removal(removal: &PlannedRemoval) {
    let user = &removal.user;
    let word = if removal.already_removed { "is gone" } else { "remove" };
    let line = |word: &str, text: &str| output::line(&format!("  {word:<9} {}", plain(text, SENTENCE)));
    let text = |text: &Option<String>| plain(text.as_deref().unwrap_or("–"), TEXT);
    line(word, &format!("{} <{}>", text(&user.full_name), text(&user.email)));
    let confirmed = if user.confirmed == Some(false) { ", never confirmed" } else { "" };
    line("", &format!("user {}, {}{confirmed}", user.user_id, user.status));
    let administrator = if user.administrator { ", an administrator's" } else { "" };
    line("role", &format!("{} ({})", text(&user.role_name), text(&user.role_id)));
    line("profile", &format!("{} ({}){administrator}", text(&user.profile_name), text(&user.profile_id)));
    if removal.already_removed {
        return;
    }
    match removal.reporting_total {
        0 => line("reporting", "no direct or indirect reports"),
        total => {
            let named: Vec<String> =
                removal.reporting.iter().map(|user| text(&user.full_name.clone().or(user.email.clone()))).collect();
            let more = if total > named.len() { ", …" } else { "" };
            let peers = match removal.peers {
                0 => "nobody else holds this role".to_owned(),
                1 => "1 other holds it too".to_owned(),
                peers => format!("{peers} others hold it too"),
            };
            line("reporting", &format!("{total} active, by role: {}{more}; {peers}", named.join(", ")));
        }
    }
    for decision in &removal.decisions {
        let due = decision.due.map(|due| format!(", due {}", due.format("%Y-%m-%d"))).unwrap_or_default();
        let by_another = if decision.four_eyes { "; another person has to carry it out" } else { "" };
        let Decision { review_name, review, item, decided_by, decided_at, .. } = decision;
        let on = decided_at.format("%Y-%m-%d");
        line("decided", &format!("by {decided_by} on {on}{due}{by_another}"));
        line("", &format!("review {review_name} ({review}), item {item}"));
    }
    if let Some(request) = &removal.request {
        line("request", request);
    }
}

/// Asks for the confirmation, unless it was given.
fn confirm<'a>(plan: &'a Plan, given: Option<&str>) -> Result<(Confirmed<'a>, &'static str), Failure> {
    let refused = |refusal: Refusal| Failure::failed(plain(&refusal.to_string(), SENTENCE));
    if let Some(confirmed) = plan.unneeded() {
        return Ok((confirmed, "nothing to confirm"));
    }
    if let Some(given) = given {
        return Ok((plan.confirm(given).map_err(refused)?, "--confirm"));
    }
    let asked = &plan.confirmation;
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "nobody was removed: without a terminal, confirm with --confirm '{asked}'"
        )));
    }
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "\nThis cannot be undone. Type {asked} to continue: ").and_then(|()| stderr.flush());
    let mut typed = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut typed)
        .map_err(|error| Failure::failed(format!("nobody was removed: the confirmation cannot be read: {error}")))?;
    Ok((plan.confirm(&typed).map_err(refused)?, "typed"))
}

fn tell(done: &Done) {
    let word = match done.outcome {
        Outcome::Removed => "removed",
        Outcome::AlreadyRemoved => "was gone",
        Outcome::NotRemoved => "FAILED",
        Outcome::Unknown => "UNKNOWN",
        Outcome::NotTried => "not tried",
    };
    output::line(&format!("  {word:<9} {}: {}", plain(&done.label, TEXT), plain(&done.detail, SENTENCE)));
}
