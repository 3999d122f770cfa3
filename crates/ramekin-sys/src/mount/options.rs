//! mount(8)'s options: flags of the mount, its propagation, and the rest, which is the file system's.

use rustix::mount::MountPropagationFlags;

use crate::{Code, Error, Result};

/// `set` and `clear` are MOUNT_ATTR_* of mount_setattr(2).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options<'a> {
    pub bind: bool,
    pub recursive: bool,
    pub set: u64,
    pub clear: u64,
    pub propagation: Option<MountPropagationFlags>,
    pub data: Vec<(&'a str, Option<&'a str>)>,
}

impl<'a> Options<'a> {
    pub fn parse(options: &'a [String]) -> Result<Self> {
        let mut parsed = Options::default();
        for option in options {
            parsed.add(option)?;
        }
        Ok(parsed)
    }

    fn add(&mut self, option: &'a str) -> Result<()> {
        if let Some((attribute, on)) = attribute(option) {
            let (to, from) = if on {
                (&mut self.set, &mut self.clear)
            } else {
                (&mut self.clear, &mut self.set)
            };
            *to |= attribute;
            *from &= !attribute;
            return Ok(());
        }
        if let Some(propagation) = propagation(option) {
            self.propagation = Some(propagation);
            return Ok(());
        }
        match option {
            "" => return Err(Error::new(Code::InvalidArgument, "an empty mount option")),
            "defaults" | "async" | "relatime" | "norelatime" | "atime" => {}
            "bind" => self.bind = true,
            "rbind" => (self.bind, self.recursive) = (true, true),
            _ => self.data.push(match option.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (option, None),
            }),
        }
        Ok(())
    }
}

/// The attribute and whether the option sets or clears it.
fn attribute(option: &str) -> Option<(u64, bool)> {
    Some(match option {
        "ro" => (libc::MOUNT_ATTR_RDONLY, true),
        "rw" => (libc::MOUNT_ATTR_RDONLY, false),
        "nosuid" => (libc::MOUNT_ATTR_NOSUID, true),
        "suid" => (libc::MOUNT_ATTR_NOSUID, false),
        "nodev" => (libc::MOUNT_ATTR_NODEV, true),
        "dev" => (libc::MOUNT_ATTR_NODEV, false),
        "noexec" => (libc::MOUNT_ATTR_NOEXEC, true),
        "exec" => (libc::MOUNT_ATTR_NOEXEC, false),
        "noatime" => (libc::MOUNT_ATTR_NOATIME, true),
        "strictatime" => (libc::MOUNT_ATTR_STRICTATIME, true),
        "nodiratime" => (libc::MOUNT_ATTR_NODIRATIME, true),
        "diratime" => (libc::MOUNT_ATTR_NODIRATIME, false),
        "nosymfollow" => (libc::MOUNT_ATTR_NOSYMFOLLOW, true),
        _ => return None,
    })
}

fn propagation(option: &str) -> Option<MountPropagationFlags> {
    let (recursive, kind) = match option.strip_prefix('r') {
        Some(kind) => (MountPropagationFlags::REC, kind),
        None => (MountPropagationFlags::empty(), option),
    };
    let kind = match kind {
        "shared" => MountPropagationFlags::SHARED,
        "slave" => MountPropagationFlags::DOWNSTREAM,
        "private" => MountPropagationFlags::PRIVATE,
        "unbindable" => MountPropagationFlags::UNBINDABLE,
        _ => return None,
    };
    Some(kind | recursive)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(options: &[&str]) -> Vec<String> {
        options.iter().map(|option| option.to_string()).collect()
    }

    #[test]
    fn flags_propagation_and_data_are_told_apart() {
        let options = strings(&["rbind", "ro", "nosuid", "rslave", "size=64k", "volatile"]);
        let parsed = Options::parse(&options).unwrap();
        assert!(parsed.bind && parsed.recursive);
        assert_eq!(
            parsed.set,
            libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID
        );
        assert_eq!(
            parsed.propagation,
            Some(MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)
        );
        assert_eq!(parsed.data, [("size", Some("64k")), ("volatile", None)]);
    }

    #[test]
    fn the_last_of_two_opposites_wins() {
        let options = strings(&["ro", "rw"]);
        let parsed = Options::parse(&options).unwrap();
        assert_eq!((parsed.set, parsed.clear), (0, libc::MOUNT_ATTR_RDONLY));
    }

    #[test]
    fn an_option_that_only_starts_with_r_is_data() {
        let options = strings(&["redirect_dir=off"]);
        assert_eq!(
            Options::parse(&options).unwrap().data,
            [("redirect_dir", Some("off"))]
        );
    }
}
