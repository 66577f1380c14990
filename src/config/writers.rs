//! Who can write a file besides its owner. As OpenSSH on Debian does, a group of which only the owner is a member does not
//! count: many systems give every account such a group and files the mode 0664. Nor does root's group, as for `sudo`.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

/// The id of root's group.
const ROOT: u32 = 0;

/// Who else can write a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writers {
    /// All accounts.
    All,
    /// The accounts of this group: its name, or its id if it has none.
    Group(String),
}

/// Who can write a file besides its owner and the account of this process; `None` if nobody can, or if there is no such file.
pub fn writers(path: &Path) -> Option<Writers> {
    let file = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    let own = [file.uid(), rustix::process::geteuid().as_raw()];
    let group = || others(&text("/etc/passwd"), &text("/etc/group"), file.gid(), &own);
    by_mode(file.permissions().mode(), group)
}

/// Who else can write a file of this mode; `group` names its group if others are in it.
fn by_mode(mode: u32, group: impl FnOnce() -> Option<String>) -> Option<Writers> {
    match mode {
        mode if mode & 0o002 != 0 => Some(Writers::All),
        mode if mode & 0o020 != 0 => group().map(Writers::Group),
        _ => None,
    }
}

/// The name of a group with a member who is not one of `own`; `None` if it has no such member. `passwd` and `groups` are the
/// lists of this machine. Of a group that is not in them, only the usual ids say that it belongs to one account.
fn others(passwd: &str, groups: &str, group: u32, own: &[u32]) -> Option<String> {
    if group == ROOT {
        return None;
    }
    let accounts: Vec<Account<'_>> = passwd.lines().filter_map(Account::of).collect();
    let is_own = |name: &str| accounts.iter().any(|account| account.name == name && own.contains(&account.id));
    let has_others = accounts.iter().any(|account| account.group == group && !own.contains(&account.id));
    let listed = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id, members) = (fields.next()?, fields.nth(1)?, fields.next().unwrap_or_default());
        (id.parse() == Ok(group)).then_some((name, members))
    });
    match listed {
        Some((name, members)) => {
            let mut members = members.split(',').map(str::trim).filter(|name| !name.is_empty());
            (has_others || members.any(|member| !is_own(member))).then(|| name.to_owned())
        }
        None => (has_others || !own.contains(&group)).then(|| group.to_string()),
    }
}

/// A line of the list of accounts.
struct Account<'a> {
    name: &'a str,
    id: u32,
    group: u32,
}

impl<'a> Account<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let (name, id, group) = (fields.next()?, fields.nth(1)?, fields.next()?);
        Some(Self { name, id: id.parse().ok()?, group: group.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nana:x:1000:1000::/home/ana:/bin/sh\nbo:x:1001:1001::/:/bin/sh\n\
                          eve:x:1002:100::/:/bin/sh\nrolecall:x:998:998::/:/usr/sbin/nologin\n+\n";
    const GROUPS: &str = "root:x:0:\nusers:x:100:\nana:x:1000:\nbo:x:1001:ana\nops:x:50:ana,bo\nempty:x:51:\nmine:x:52:ana\nrolecall:x:998:\n";

    #[test]
    fn a_group_counts_if_somebody_else_is_in_it() {
        let others = |group, own: &[u32]| others(PASSWD, GROUPS, group, own);
        let ana = [1000, 1000];
        for (group, expected) in [
            (1000, None),
            (0, None),
            (51, None),
            (52, None),
            (50, Some("ops")),
            (100, Some("users")),
            (1001, Some("bo")),
            (998, Some("rolecall")),
            (4_000, Some("4000")),
        ] {
            assert_eq!(others(group, &ana).as_deref(), expected, "{group}");
        }
        // The daemon's own group of a file that root owns.
        assert_eq!(others(998, &[0, 998]), None);
        // An account and its group in a directory service.
        assert_eq!(others(70_001, &[70_001, 70_001]), None);
    }

    #[test]
    fn a_group_counts_if_its_members_can_write() {
        let staff = || Some("staff".to_owned());
        let group = || Some(Writers::Group("staff".to_owned()));
        for (mode, expected) in [
            (0o100_600, None),
            (0o100_640, None),
            (0o100_655, None),
            (0o100_620, group()),
            (0o100_664, group()),
            (0o100_666, Some(Writers::All)),
        ] {
            assert_eq!(by_mode(mode, staff), expected, "{mode:o}");
        }
        assert_eq!(by_mode(0o100_664, || None), None);
    }

    #[test]
    fn everybody_who_can_write_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rolecall.toml");
        assert_eq!(writers(&path), None);
        fs::write(&path, "x").unwrap();
        for (mode, expected) in [(0o600, None), (0o644, None), (0o602, Some(Writers::All)), (0o666, Some(Writers::All))]
        {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(writers(&path), expected, "{mode:o}");
        }
    }
}
