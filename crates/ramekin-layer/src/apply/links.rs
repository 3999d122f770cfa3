//! Hard links: to what this layer or a lower one has put somewhere.

use std::ffi::{CStr, CString};
use std::os::fd::AsFd;

use ramekin_sys::{Code, Context, Error, Result};
use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::names::{clean, split};
use super::place::{as_path, Directory};
use super::writer::{stat, Writer};
use crate::{overlay, Implied};

impl Writer<'_> {
    pub(super) fn hard_link(
        &mut self,
        place: &Directory,
        name: &CStr,
        path: &[u8],
        target: &[u8],
    ) -> Result<()> {
        let target = clean(target).map_err(|error| error.within("hard link"))?;
        let (directory, target_name) = split(&target);
        if target_name.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "a hard link to the root"));
        }
        let target_name = CString::new(target_name).expect("was checked");
        let from = self.places.find(directory)?;
        let found = from.as_ref().map(|from| stat(from, &target_name));
        let (from, found) = match (from, found) {
            (Some(from), Some(Ok(found))) => (from, found),
            (None, _) | (_, Some(Err(Errno::NOENT)) | None) => {
                return self.link_below(place, name, path, target)
            }
            (_, Some(Err(error))) => return Err(Error::io(error, "look at the link's target")),
        };
        if self.layer.is_some()
            && overlay::is_whiteout(from.fd.as_fd(), &target_name, &found)
                .context(|| "look at the link's target")?
        {
            return Err(missing(&target));
        }
        if let Ok(there) = stat(place, name) {
            if (there.st_dev, there.st_ino) == (found.st_dev, found.st_ino) {
                return Ok(());
            }
        }
        // Removing what is at `path` must not take the target along.
        if target.starts_with(&[path, b"/"].concat()) {
            return Err(Error::new(
                Code::InvalidArgument,
                "a hard link to something below itself",
            ));
        }
        let linked = self.make(place, name, path, || {
            rustix::fs::linkat(&from.fd, &target_name, &place.fd, name, AtFlags::empty())
        });
        linked.context(|| format!("link to {}", as_path(&target).display()))
    }

    /// In a layer of its own the target may be in a lower one: that is for `adopt` to see.
    pub(super) fn link_below(
        &mut self,
        place: &Directory,
        name: &CStr,
        path: &[u8],
        target: Vec<u8>,
    ) -> Result<()> {
        if self.layer.is_none() {
            return Err(missing(&target));
        }
        if let Ok(there) = stat(place, name) {
            self.clear(place, name, path, &there)?;
        }
        self.links.push(Implied::Link {
            path: path.to_vec(),
            target,
        });
        Ok(())
    }
}

fn missing(target: &[u8]) -> Error {
    Error::new(
        Code::DataLoss,
        format!(
            "a hard link to {}, which does not exist",
            as_path(target).display()
        ),
    )
}
