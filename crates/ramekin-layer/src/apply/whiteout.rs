//! What a layer takes away (layer.md, "Whiteouts"). It concerns lower layers only: what the same layer puts in the same
//! place stays, whichever comes first in the archive.

use std::ffi::{CStr, CString};
use std::os::fd::AsFd;

use ramekin_sys::tree::read_dir;
use ramekin_sys::{Context, Result};
use rustix::fs::FileType;
use rustix::io::Errno;

use super::place::{as_path, open_directory, Directory};
use super::writer::{stat, Writer};
use crate::overlay::{self, Namespace};

impl Writer<'_> {
    pub(super) fn whiteout(&mut self, parent: &[u8], name: &[u8]) -> Result<()> {
        let path = joined(parent, name);
        let name = CString::new(name).expect("was checked");
        match self.layer {
            Some(namespace) => {
                let place = self.places.find_or_make(parent)?;
                self.hide(&place, &name, &path, namespace)
            }
            None => match self.places.find(parent)? {
                Some(place) => self.remove_lower(&place, &name, &path),
                None => Ok(()),
            },
        }
    }

    pub(super) fn opaque(&mut self, directory: &[u8]) -> Result<()> {
        let what = || as_path(directory).display().to_string();
        if let Some(namespace) = self.layer {
            let place = self.places.find_or_make(directory)?;
            return overlay::set_opaque(&place.fd, namespace).context(what);
        }
        let Some(place) = self.places.find(directory)? else {
            return Ok(());
        };
        for entry in read_dir(place.fd.as_fd()).context(what)? {
            self.remove_lower(
                &place,
                &entry.name,
                &joined(directory, entry.name.as_bytes()),
            )?;
        }
        Ok(())
    }

    /// In a layer's own directory.
    fn hide(
        &mut self,
        place: &Directory,
        name: &CStr,
        path: &[u8],
        namespace: Namespace,
    ) -> Result<()> {
        let what = || as_path(path).display().to_string();
        match stat(place, name) {
            Err(Errno::NOENT) => {
                overlay::make_whiteout(place.fd.as_fd(), name, namespace).context(what)
            }
            Err(error) => Err(error).context(what),
            Ok(there) if FileType::from_raw_mode(there.st_mode) == FileType::Directory => {
                // Ours: it stays, and nothing of the lower one shows in it.
                self.places.implied.remove(path);
                overlay::set_opaque(open_directory(place, name).context(what)?, namespace)
                    .context(what)
            }
            Ok(_) => Ok(()),
        }
    }

    /// In the merged view.
    fn remove_lower(&mut self, place: &Directory, name: &CStr, path: &[u8]) -> Result<()> {
        let what = || as_path(path).display().to_string();
        let there = match stat(place, name) {
            Err(Errno::NOENT) => return Ok(()),
            result => result.context(what)?,
        };
        if !self.is_ours(path) {
            return self.clear(place, name, path, &there);
        }
        if FileType::from_raw_mode(there.st_mode) != FileType::Directory {
            return Ok(());
        }
        let below = Directory {
            fd: open_directory(place, name).context(what)?,
            plain: false,
        };
        for entry in read_dir(below.fd.as_fd()).context(what)? {
            self.remove_lower(&below, &entry.name, &joined(path, entry.name.as_bytes()))?;
        }
        Ok(())
    }

    /// This layer has written it, or something below it.
    fn is_ours(&self, path: &[u8]) -> bool {
        let inside = joined(path, b"");
        self.listed.contains(path)
            || self
                .listed
                .range(inside.clone()..)
                .next()
                .is_some_and(|next| next.starts_with(&inside))
    }
}

fn joined(parent: &[u8], name: &[u8]) -> Vec<u8> {
    match parent {
        b"" => name.to_vec(),
        parent => [parent, b"/", name].concat(),
    }
}
