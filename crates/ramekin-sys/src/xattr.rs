//! Extended attributes of an open file or directory, xattr(7).

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd};

use rustix::fs::XattrFlags;
use rustix::io::Errno;

pub type Pair = (Vec<u8>, Vec<u8>);

/// Sorted by name. Empty where the file system has none. `fd` must be open for more than its path.
pub fn list(fd: impl AsFd) -> std::io::Result<Vec<Pair>> {
    let fd = fd.as_fd();
    let names = match grown(|buffer| rustix::fs::flistxattr(fd, buffer)) {
        Ok(names) => names,
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    collect(&names, |name, buffer| {
        rustix::fs::fgetxattr(fd, name, buffer)
    })
}

fn collect(
    names: &[u8],
    mut get: impl FnMut(&[u8], &mut [u8]) -> rustix::io::Result<usize>,
) -> std::io::Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for name in names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
    {
        match grown(|buffer| get(name, buffer)) {
            Ok(value) => pairs.push((name.to_vec(), value)),
            // Gone since, or one that only privileged readers see (security.*, system.*).
            Err(Errno::NODATA | Errno::ACCESS | Errno::PERM | Errno::OPNOTSUPP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    pairs.sort();
    Ok(pairs)
}

/// The same by any descriptor, an O_PATH one of a link or device too: through /proc, which must be there.
pub fn list_of_any(fd: impl AsFd) -> std::io::Result<Vec<Pair>> {
    let path = format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd());
    let names = match grown(|buffer| rustix::fs::listxattr(&path, buffer)) {
        Ok(names) => names,
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    collect(&names, |name, buffer| {
        rustix::fs::getxattr(&path, name, buffer)
    })
}

pub fn set_of_any(fd: impl AsFd, name: &[u8], value: &[u8]) -> std::io::Result<()> {
    let path = format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd());
    Ok(rustix::fs::setxattr(
        &path,
        cstring(name)?,
        value,
        XattrFlags::empty(),
    )?)
}

pub fn get(fd: impl AsFd, name: &str) -> std::io::Result<Option<Vec<u8>>> {
    let fd = fd.as_fd();
    match grown(|buffer| rustix::fs::fgetxattr(fd, name, buffer)) {
        Ok(value) => Ok(Some(value)),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub fn set(fd: impl AsFd, name: &[u8], value: &[u8]) -> std::io::Result<()> {
    Ok(rustix::fs::fsetxattr(
        fd,
        cstring(name)?,
        value,
        XattrFlags::empty(),
    )?)
}

/// A NUL cannot be part of a name.
pub fn cstring(bytes: &[u8]) -> std::io::Result<CString> {
    CString::new(bytes).map_err(|_| std::io::Error::from_raw_os_error(libc::EINVAL))
}

/// Values are 64 KiB at most; nearly all fit the first try.
fn grown(
    mut read: impl FnMut(&mut [u8]) -> rustix::io::Result<usize>,
) -> rustix::io::Result<Vec<u8>> {
    let mut buffer = vec![0; 512];
    loop {
        match read(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            Err(Errno::RANGE) if buffer.len() < 1 << 17 => buffer.resize(buffer.len() * 8, 0),
            Err(error) => return Err(error),
        }
    }
}
