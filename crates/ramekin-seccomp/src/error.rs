use std::fmt;

#[derive(Debug)]
pub struct SeccompError(pub(crate) String);

pub(crate) type Result<T> = std::result::Result<T, SeccompError>;

impl fmt::Display for SeccompError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SeccompError {}
