//! The one error that crosses a process boundary: a code of `@ramekin/core`, a message, perhaps a hint.

use std::fmt;
use std::io;

/// Core's `ErrorCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    InvalidArgument,
    NotFound,
    AlreadyExists,
    FailedPrecondition,
    PermissionDenied,
    Unauthenticated,
    Unsupported,
    Unavailable,
    ResourceExhausted,
    DataLoss,
    Aborted,
    Cancelled,
    Timeout,
    CommandNotFound,
    CommandNotExecutable,
    Internal,
}

impl Code {
    pub fn as_str(self) -> &'static str {
        match self {
            Code::InvalidArgument => "INVALID_ARGUMENT",
            Code::NotFound => "NOT_FOUND",
            Code::AlreadyExists => "ALREADY_EXISTS",
            Code::FailedPrecondition => "FAILED_PRECONDITION",
            Code::PermissionDenied => "PERMISSION_DENIED",
            Code::Unauthenticated => "UNAUTHENTICATED",
            Code::Unsupported => "UNSUPPORTED",
            Code::Unavailable => "UNAVAILABLE",
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Code::DataLoss => "DATA_LOSS",
            Code::Aborted => "ABORTED",
            Code::Cancelled => "CANCELLED",
            Code::Timeout => "TIMEOUT",
            Code::CommandNotFound => "COMMAND_NOT_FOUND",
            Code::CommandNotExecutable => "COMMAND_NOT_EXECUTABLE",
            Code::Internal => "INTERNAL",
        }
    }

    /// What an errno means to a caller.
    pub fn of(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOENT) => Code::NotFound,
            Some(libc::EEXIST) => Code::AlreadyExists,
            Some(libc::EACCES | libc::EPERM) => Code::PermissionDenied,
            Some(
                libc::ENOSPC
                | libc::EDQUOT
                | libc::EMFILE
                | libc::ENFILE
                | libc::ENOMEM
                | libc::EMLINK
                | libc::EFBIG,
            ) => Code::ResourceExhausted,
            Some(libc::ENOSYS | libc::EOPNOTSUPP | libc::ENODEV) => Code::Unsupported,
            Some(libc::EBUSY | libc::EAGAIN | libc::ETXTBSY) => Code::Unavailable,
            Some(libc::EIO) => Code::DataLoss,
            Some(libc::ENOTDIR | libc::EISDIR | libc::ENOTEMPTY | libc::EROFS) => {
                Code::FailedPrecondition
            }
            Some(libc::EINVAL | libc::ENAMETOOLONG | libc::ELOOP | libc::EXDEV) => {
                Code::InvalidArgument
            }
            Some(_) => Code::Internal,
            // From a decoder: what it was fed is not what it should be.
            None if matches!(
                error.kind(),
                io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData
            ) =>
            {
                Code::DataLoss
            }
            None => Code::Internal,
        }
    }
}

/// `message` is lower case, without full stop, and names the path or id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub code: Code,
    pub message: String,
    pub hint: Option<String>,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Error {
            code,
            message: message.into(),
            hint: None,
        }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// An errno with what was being done: `open /x: no such file or directory`.
    pub fn io(error: impl Into<io::Error>, what: impl fmt::Display) -> Self {
        let error = error.into();
        match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Error>())
        {
            // One of ours that went through a `Read`: its code and hint are the better ones.
            Some(ours) => ours.clone().within(what),
            None => {
                let made = Error::new(Code::of(&error), format!("{what}: {}", describe(&error)));
                match error.raw_os_error() {
                    Some(libc::ENOSPC | libc::EDQUOT) => made.hint(
                        "free some space; `ramekin rm` and `ramekin rmi` work on a full disk",
                    ),
                    _ => made,
                }
            }
        }
    }

    /// Puts what was being done in front.
    pub fn within(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// `{"code":…,"message":…,"hint"?:…}`, as every native part reports it.
    pub fn to_json(&self) -> serde_json::Value {
        let mut json = serde_json::json!({ "code": self.code.as_str(), "message": self.message });
        if let Some(hint) = &self.hint {
            json["hint"] = hint.as_str().into();
        }
        json
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        io::Error::other(error)
    }
}

/// Adds what was being done to an I/O error.
pub trait Context<T> {
    fn context<W: fmt::Display>(self, what: impl FnOnce() -> W) -> Result<T>;
}

impl<T, E: Into<io::Error>> Context<T> for std::result::Result<T, E> {
    fn context<W: fmt::Display>(self, what: impl FnOnce() -> W) -> Result<T> {
        self.map_err(|error| Error::io(error, what()))
    }
}

/// strerror(3) in lower case, without Rust's "(os error N)".
fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_has_a_hint() {
        let full = Error::io(io::Error::from_raw_os_error(libc::ENOSPC), "write /x");
        assert!(full
            .hint
            .is_some_and(|hint| hint.contains("free some space")));
    }

    #[test]
    fn an_errno_becomes_a_code_and_a_lower_case_message() {
        let error = Error::io(io::Error::from_raw_os_error(libc::ENOENT), "open /x");
        assert_eq!(
            error,
            Error::new(Code::NotFound, "open /x: no such file or directory")
        );
    }

    #[test]
    fn an_error_of_ours_keeps_its_code_through_io() {
        let inner: io::Error = Error::new(Code::ResourceExhausted, "too much").into();
        let outer = Err::<(), _>(inner).context(|| "layer").unwrap_err();
        assert_eq!(
            outer,
            Error::new(Code::ResourceExhausted, "layer: too much")
        );
    }

    #[test]
    fn json_has_a_hint_only_where_there_is_one() {
        let error = Error::new(Code::Unsupported, "no");
        assert_eq!(
            error.to_json().to_string(),
            r#"{"code":"UNSUPPORTED","message":"no"}"#
        );
        assert_eq!(error.hint("yes").to_json()["hint"], "yes");
    }
}
