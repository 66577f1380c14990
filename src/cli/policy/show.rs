//! `rolecall policy show`: a policy as it is applied.

use std::{path::Path, sync::Arc};

use crate::{
    cli::{
        args::{PolicyFormat, ShowPolicyArgs},
        check,
        output::{self, Failure},
    },
    config::settings::Settings,
    model::policy::Policy,
    words,
};

pub(super) fn run(named: Option<&Path>, args: &ShowPolicyArgs) -> Result<(), Failure> {
    let settings = check::load_quietly(named)?;
    let policy = choose(&settings, args)?;
    match args.format {
        PolicyFormat::Json => output::json(&policy.document())?,
        PolicyFormat::Toml => {
            let text = policy.toml().map_err(|error| Failure::failed(error.to_string()))?;
            output::line(&format!(
                "# The policy `{}`, complete: with what it takes from [policy] and with every default.\n# SHA-256 of its \
                 canonical form: {}\n\n{}",
                policy.name,
                policy.sha256(),
                text.trim_end()
            ));
        }
    }
    Ok(())
}

/// The policy of a name, or of a job and workspace; `[policy]` without any.
fn choose<'s>(settings: &'s Settings, args: &ShowPolicyArgs) -> Result<&'s Arc<Policy>, Failure> {
    if let Some(name) = &args.name {
        return settings.policy_named(name).ok_or_else(|| {
            let known = settings.policy_names().join(", ");
            Failure::usage(format!("unknown policy `{name}`; the configured policies are: {known}"))
        });
    }
    let unknown = |what: &str, name: &str, known: Vec<&str>| {
        Failure::usage(format!("unknown {what} `{name}`; the configured {what}s are: {}", known.join(", ")))
    };
    let names = |keys: Vec<&'s String>| keys.into_iter().map(String::as_str).collect::<Vec<&str>>();
    if let Some(workspace) = args.workspace.as_ref().filter(|name| !settings.workspaces.contains_key(*name)) {
        return Err(unknown("workspace", workspace, names(settings.workspaces.keys().collect())));
    }
    let Some(name) = &args.job else {
        return Ok(settings.policy_for(None, args.workspace.as_deref().unwrap_or_default()));
    };
    let job = settings.jobs.get(name).ok_or_else(|| unknown("job", name, names(settings.jobs.keys().collect())))?;
    let policy_for = |workspace: &str| settings.policy_for(Some(name), workspace);
    if let Some(workspace) = &args.workspace {
        return Ok(policy_for(workspace));
    }
    let policies: Vec<&Arc<Policy>> = job.workspaces.iter().map(|workspace| policy_for(workspace)).collect();
    if policies.windows(2).any(|pair| pair[0].name != pair[1].name) {
        let each =
            job.workspaces.iter().zip(&policies).map(|(workspace, policy)| format!("{workspace}: {}", policy.name));
        let each = each.collect::<Vec<_>>();
        return Err(Failure::usage(format!(
            "the workspaces of {name} have different policies ({}); name one with --workspace",
            words::list(&each, each.len())
        )));
    }
    Ok(policies.first().copied().unwrap_or_else(|| policy_for("")))
}
