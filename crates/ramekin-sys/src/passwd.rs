//! Users and groups by name, looked up in a root file system's own /etc/passwd and /etc/group (passwd(5), group(5)).
//!
//! The files belong to the image and may be anything: they are opened inside the root, must be regular, and are read up to
//! a limit; lines that make no sense are skipped.

use std::path::Path;

use crate::rooted::Root;
use crate::{Code, Error, Result};

const MAX_BYTES: u64 = 1 << 20;

/// Who a process runs as. `groups` holds `gid` too, so that dropping groups later cannot widen what a file refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    /// From the passwd entry; absent when there is none.
    pub home: Option<String>,
}

/// `user` is `name`, `uid`, `name:group`, `uid:gid` … or empty for root. A number need not be listed, its group is then 0;
/// an unknown name is NOT_FOUND. The user's further groups count unless a group was asked for; `groups` come on top.
pub fn resolve(root: &Root, user: &str, groups: &[String]) -> Result<Identity> {
    let passwd = read(root, "/etc/passwd")?;
    let group = read(root, "/etc/group")?;
    identify(&passwd, &group, user, groups)
}

fn read(root: &Root, path: &str) -> Result<String> {
    match root.read_file(Path::new(path), MAX_BYTES) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.code == Code::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

fn identify(passwd: &str, group: &str, choice: &str, more: &[String]) -> Result<Identity> {
    let (user, group_choice) = match choice.split_once(':') {
        Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
        None => (choice, None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let entry = passwd
        .lines()
        .filter_map(User::parse)
        .find(|entry| entry.name == user || Some(entry.uid) == number(user));
    let (uid, own_gid) = match (&entry, number(user)) {
        (Some(entry), _) => (entry.uid, entry.gid),
        (None, Some(uid)) => (uid, 0),
        (None, None) => return Err(unknown("user", user, "passwd")),
    };
    let gid = match group_choice {
        Some(choice) => find_group(group, choice)?,
        None => own_gid,
    };
    let mut groups = vec![gid];
    if let (Some(entry), None) = (&entry, group_choice) {
        groups.extend(
            group
                .lines()
                .filter_map(Group::parse)
                .filter(|group| group.has(entry.name))
                .map(|group| group.gid),
        );
    }
    for choice in more {
        groups.push(find_group(group, choice)?);
    }
    let mut seen = Vec::new();
    groups.retain(|gid| {
        !seen.contains(gid) && {
            seen.push(*gid);
            true
        }
    });
    Ok(Identity {
        uid,
        gid,
        groups,
        home: entry
            .map(|entry| entry.home.to_owned())
            .filter(|home| !home.is_empty()),
    })
}

fn find_group(group: &str, choice: &str) -> Result<u32> {
    let entry = group
        .lines()
        .filter_map(Group::parse)
        .find(|entry| entry.name == choice || Some(entry.gid) == number(choice));
    entry
        .map(|entry| entry.gid)
        .or_else(|| number(choice))
        .ok_or_else(|| unknown("group", choice, "group"))
}

fn unknown(what: &str, name: &str, file: &str) -> Error {
    Error::new(
        Code::NotFound,
        format!("unable to find {what} {name}: no matching entries in {file} file"),
    )
}

/// Ids end at 2^31 - 1, as Docker has it; 2^32 - 1 would mean "unchanged" to setuid(2).
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|id| digits && *id <= i32::MAX as u32)
}

struct User<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> User<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.trim().split(':');
        let (name, _password) = (fields.next()?, fields.next()?);
        let (uid, gid) = (number(fields.next()?)?, number(fields.next()?)?);
        let home = fields.nth(1).unwrap_or("");
        (!name.is_empty() && !name.starts_with('#')).then_some(User {
            name,
            uid,
            gid,
            home,
        })
    }
}

struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

impl<'a> Group<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.trim().split(':');
        let (name, _password, gid) = (fields.next()?, fields.next()?, number(fields.next()?)?);
        (!name.is_empty() && !name.starts_with('#')).then_some(Group {
            name,
            gid,
            members: fields.next().unwrap_or(""),
        })
    }

    fn has(&self, user: &str) -> bool {
        self.members.split(',').any(|member| member == user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n# comment:x:1:1\nbroken\nann:x:1000:1000::/home/ann:/bin/sh\nbig:x:4294967295:0::/:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nwheel:x:10:root,ann\nann:x:1000:\nvideo:x:44:\n";

    fn of(user: &str, groups: &[&str]) -> Result<Identity> {
        let groups: Vec<String> = groups.iter().map(|group| group.to_string()).collect();
        identify(PASSWD, GROUP, user, &groups)
    }

    #[test]
    fn a_name_brings_its_groups_and_home() {
        let ann = of("ann", &[]).unwrap();
        assert_eq!(
            ann,
            Identity {
                uid: 1000,
                gid: 1000,
                groups: vec![1000, 10],
                home: Some("/home/ann".into())
            }
        );
        assert_eq!(of("1000", &[]).unwrap(), ann);
    }

    #[test]
    fn no_user_is_root() {
        assert_eq!(of("", &[]).unwrap().groups, [0, 10]);
    }

    #[test]
    fn a_group_asked_for_replaces_the_others() {
        assert_eq!(of("ann:video", &[]).unwrap().groups, [44]);
        assert_eq!(of("ann:7", &["wheel", "9"]).unwrap().groups, [7, 10, 9]);
    }

    #[test]
    fn an_unknown_number_is_fine_and_an_unknown_name_is_not() {
        let found = of("4242", &[]).unwrap();
        assert_eq!((found.uid, found.gid, found.home), (4242, 0, None));
        let error = of("nobody", &[]).unwrap_err();
        assert_eq!(
            error,
            Error::new(
                Code::NotFound,
                "unable to find user nobody: no matching entries in passwd file"
            )
        );
        assert_eq!(
            of("ann:none", &[]).unwrap_err().message,
            "unable to find group none: no matching entries in group file"
        );
    }

    #[test]
    fn ids_that_the_kernel_reserves_are_refused() {
        assert!(of("4294967295", &[]).is_err());
        assert!(of("big", &[]).is_err());
    }
}
