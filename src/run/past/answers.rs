//! The questions: who had access then, and what became of one account.

use chrono::{DateTime, Utc};

use super::{Archive, PastError};
use crate::{
    past::{
        Course, Held, Kept, Look, Moment, Read, Side, State, Stretches,
        answer::{self, WorkspaceThen},
    },
    store::Database,
};

/// Which accounts are asked for; all that have every property that is given.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// A user, by id or address.
    pub user: Option<String>,
    /// Users with this profile, by id or name.
    pub profile: Option<String>,
    /// Users with this role, by id or name.
    pub role: Option<String>,
}

impl Wanted {
    fn matches(&self, id: &str, state: &State) -> bool {
        let is_user = |user: &String| user == id || state.has_address(user);
        let is_held = |held: &Option<Held>, wanted: &String| {
            held.as_ref().is_some_and(|held| {
                held.id == *wanted || held.name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(wanted))
            })
        };
        self.user.as_ref().is_none_or(is_user)
            && self.profile.as_ref().is_none_or(|profile| is_held(&state.profile, profile))
            && self.role.as_ref().is_none_or(|role| is_held(&state.role, role))
    }
}

/// Who had which access at a moment, and how far back and how far on it reached. What the reads before and after saw
/// bounds every answer.
///
/// # Errors
/// [`PastError`]
pub async fn access_then(
    archive: &mut Archive<'_>,
    at: DateTime<Utc>,
    wanted: &Wanted,
) -> Result<WorkspaceThen, PastError> {
    let workspace = archive.workspace.to_owned();
    let Some(look) = archive.at(at).await? else {
        let next_read = archive.after(at).await?.map(|look| (&look.read).into());
        let not_kept = archive.missing().len() as u64;
        return Ok(WorkspaceThen { workspace, read: None, next_read, not_kept, accounts: Vec::new() });
    };
    let accounts = look.accounts.iter().filter(|(id, state)| wanted.matches(id, state));
    let ids: Vec<String> = accounts.map(|(id, _)| id.to_owned()).collect();
    let mut back = walk(&look, &ids);
    while !back.is_settled() {
        let Some(earlier) = archive.before(back.at()).await? else { break };
        back.step(earlier);
    }
    let (mut on, mut next_read) = (walk(&look, &ids), None);
    loop {
        let Some(later) = archive.next(on.at()).await? else { break };
        next_read.get_or_insert_with(|| later.read.clone());
        if on.is_settled() {
            break;
        }
        on.step(later);
    }
    Ok(WorkspaceThen {
        accounts: answer::rows(&workspace, &look, &ids, (&back.end(), &on.end())),
        workspace,
        read: Some((&look.read).into()),
        next_read: next_read.as_ref().map(Into::into),
        not_kept: archive.missing().len() as u64,
    })
}

fn walk(look: &Look, ids: &[String]) -> Stretches {
    Stretches::new(look, ids.iter().map(String::as_str))
}

/// What became of one account, in every read of its workspace. The user is named by id or by address: by an address that
/// the account had at any read, the latest first. `None` if no read listed such an account.
///
/// # Errors
/// [`PastError`]
pub async fn course(archive: &mut Archive<'_>, user: &str) -> Result<Option<Course>, PastError> {
    let mut found = None;
    let mut look = archive.at(DateTime::<Utc>::MAX_UTC).await?;
    while let Some(at) = look {
        if let Some(id) = at.accounts.named(user) {
            found = Some(id.to_owned());
            break;
        }
        look = archive.before(&at.read).await?;
    }
    let Some(id) = found else { return Ok(None) };
    let mut course = Course::new(&id);
    let mut look = archive.after(DateTime::<Utc>::MIN_UTC).await?;
    while let Some(at) = look {
        course.push(&at);
        look = archive.next(&at.read).await?;
    }
    Ok(Some(course))
}

/// One side of a comparison.
///
/// # Errors
/// [`PastError`]
pub async fn side(archive: &mut Archive<'_>, side: Side) -> Result<(Read, Kept), PastError> {
    let audit = match side {
        Side::Audit(audit) => audit,
        Side::At(Moment(by)) => match archive.at(by).await? {
            Some(look) => look.read.audit,
            None => return Err(PastError::Unread { workspace: archive.workspace.to_owned(), by }),
        },
    };
    archive.kept(audit).await
}

/// The workspace of the audits that the sides name. `None` if both name moments.
///
/// # Errors
/// [`PastError`]; also if the audits are of different workspaces.
pub async fn workspace_of(store: &dyn Database, sides: [Side; 2]) -> Result<Option<String>, PastError> {
    let mut found: Option<String> = None;
    for side in sides {
        let Side::Audit(id) = side else { continue };
        let workspace = store.audit(id).await?.ok_or(PastError::Unknown(id))?.workspace;
        if let Some(other) = found.replace(workspace.clone())
            && other != workspace
        {
            return Err(PastError::Apart(other, workspace));
        }
    }
    Ok(found)
}
