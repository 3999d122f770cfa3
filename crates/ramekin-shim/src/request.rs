//! What clients ask (ARCHITECTURE.md, "The protocol").

use ramekin_sys::{Code, Error, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::config::IoConfig;
use crate::restart::Policy;
use crate::sources::SecretVariable;

/// One structure for all operations: each looks at its own fields, and unknown ones are ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Request {
    pub v: u32,
    pub op: String,
    /// A process other than the first.
    pub exec: Option<String>,
    pub signal: Option<i32>,
    pub all: bool,
    pub force: bool,
    /// With `kill`: the restart policy ends with it.
    #[serde(rename = "final")]
    pub is_final: bool,
    pub restart: Option<Policy>,
    /// Of `restart`: from the signal to SIGKILL; negative or absent: never.
    #[serde(rename = "timeoutMs")]
    pub timeout_ms: Option<i64>,
    /// Of `supervise`: what is in `shim.json` under these names.
    pub cleanup: Option<Value>,
    pub events: Option<Value>,
    pub id: Option<String>,
    pub process: Option<Value>,
    pub io: Option<IoConfig>,
    pub user: Option<String>,
    pub groups: Vec<String>,
    pub variables: Vec<SecretVariable>,
    pub rows: u16,
    pub columns: u16,
}

/// What an attached client sends beside bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Control {
    pub resize: Option<Size>,
    pub eof: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Size {
    pub rows: u16,
    pub columns: u16,
}

impl Request {
    pub fn parse(payload: &[u8]) -> Result<Self> {
        let request: Request = serde_json::from_slice(payload)
            .map_err(|error| Error::new(Code::InvalidArgument, format!("request: {error}")))?;
        match request.v {
            1 => Ok(request),
            version => Err(
                Error::new(Code::Unsupported, format!("protocol version {version}"))
                    .hint("this supervisor speaks version 1"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_ignored_and_other_versions_refused() {
        assert_eq!(
            Request::parse(br#"{"v":1,"op":"kill","signal":9,"new":1}"#)
                .unwrap()
                .signal,
            Some(9)
        );
        assert_eq!(
            Request::parse(br#"{"v":2,"op":"kill"}"#).unwrap_err().code,
            Code::Unsupported
        );
        assert_eq!(
            Request::parse(b"[").unwrap_err().code,
            Code::InvalidArgument
        );
    }
}
