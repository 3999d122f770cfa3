//! `shim.json`, the supervisor's input (ARCHITECTURE.md).

use ramekin_sys::mount::Mount;
use ramekin_sys::userns::Maps;
use ramekin_sys::{Code, Context, Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::events::Journal;
use crate::partners::Partner;
use crate::sources::{SecretVariable, Source};
use crate::supervision::Supervision;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    pub version: u32,
    pub id: String,
    pub bundle: PathBuf,
    pub state_file: PathBuf,
    pub launcher: LauncherConfig,
    #[serde(default)]
    pub rootfs: Vec<Mount>,
    #[serde(default)]
    pub sources: Vec<Source>,
    #[serde(default)]
    pub variables: Vec<SecretVariable>,
    /// Whose namespaces the bundle joins.
    #[serde(default)]
    pub partners: Vec<Partner>,
    /// How many descriptors from 4 on are the program's, as its 3 and so on.
    #[serde(default)]
    pub descriptors: u16,
    pub io: IoConfig,
    pub user: Option<String>,
    #[serde(default)]
    pub groups: Vec<String>,
    pub cgroup: Option<String>,
    pub userns: Option<Maps>,
    /// Owners on the root's disk are ids of the container's user namespace.
    pub id_map: Option<Maps>,
    pub events: Option<Journal>,
    #[serde(default)]
    pub supervision: Supervision,
    #[serde(default)]
    pub cleanup: Vec<CleanupOperation>,
}

impl Config {
    /// Whether the clean-up takes the state file too: then it need not survive a power cut.
    pub fn is_temporary(&self) -> bool {
        self.cleanup.iter().any(|operation| match operation {
            CleanupOperation::RemoveTree { root, path } => {
                self.state_file.starts_with(root.join(path))
            }
            _ => false,
        })
    }
}

/// An OCI runtime's command line: `argv`, then global options, then the verb.
#[derive(Clone, Debug, Deserialize)]
pub struct LauncherConfig {
    pub argv: Vec<String>,
    #[serde(default)]
    pub options: Vec<String>,
}

/// Core's `ProcessIO`.
#[derive(Clone, Debug, Deserialize)]
pub struct IoConfig {
    #[serde(default)]
    pub terminal: bool,
    #[serde(default)]
    pub stdin: StdinMode,
    #[serde(default)]
    pub log: LogConfig,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StdinMode {
    #[default]
    Closed,
    Once,
    Open,
}

/// Core's `LogWriterSpec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum LogConfig {
    JsonFile {
        path: PathBuf,
        #[serde(flatten)]
        rotation: Rotation,
        max_buffer_bytes: Option<usize>,
        /// With every record.
        #[serde(default)]
        attributes: BTreeMap<String, String>,
    },
    Local {
        path: PathBuf,
        #[serde(flatten)]
        rotation: Rotation,
        max_buffer_bytes: Option<usize>,
    },
    #[default]
    None,
    Passthrough,
    Exec {
        argv: Vec<String>,
        env: Option<BTreeMap<String, String>>,
        max_buffer_bytes: Option<usize>,
    },
}

/// Core's `LogRotation`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rotation {
    /// Absent: the file grows for ever.
    pub max_bytes: Option<u64>,
    /// The current one included.
    pub max_files: Option<u32>,
    /// All but the current one.
    #[serde(default)]
    pub compress: bool,
}

/// Core's `CleanupOperation`.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum CleanupOperation {
    Unmount {
        path: PathBuf,
    },
    RemoveTree {
        root: PathBuf,
        path: PathBuf,
    },
    DeleteLink {
        name: String,
    },
    DeleteNetns {
        path: PathBuf,
    },
    RemoveCgroup {
        path: String,
    },
    AppendEvent {
        directory: PathBuf,
        event: serde_json::Map<String, serde_json::Value>,
    },
    FreeAddress {
        pool: PathBuf,
        address: String,
        holder: String,
    },
    ReleaseVolume {
        directory: PathBuf,
        holder: String,
    },
    ReleaseName {
        path: PathBuf,
        holder: String,
    },
    #[serde(rename_all = "camelCase")]
    Exec {
        argv: Vec<String>,
        timeout_ms: u64,
    },
}

impl Config {
    pub fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read(file).context(|| file.display().to_string())?;
        let config: Config = serde_json::from_slice(&text).map_err(|error| {
            Error::new(
                Code::InvalidArgument,
                format!("{}: {error}", file.display()),
            )
        })?;
        match (config.version, config.launcher.argv.is_empty()) {
            (1, false) => Ok(config),
            (1, true) => Err(Error::new(
                Code::InvalidArgument,
                format!("{}: launcher.argv is empty", file.display()),
            )),
            (version, _) => Err(Error::new(
                Code::Unsupported,
                format!("{}: version {version}", file.display()),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cleanup_operation_of_core_is_known() {
        let list = r#"[
            {"op":"unmount","path":"/m"}, {"op":"remove-tree","root":"/r","path":"a/b"}, {"op":"delete-link","name":"veth0"},
            {"op":"delete-netns","path":"/n"}, {"op":"remove-cgroup","path":"/ramekin/x"},
            {"op":"append-event","directory":"/e","event":{"type":"container","attributes":{"name":"x"}}},
            {"op":"free-address","pool":"/p","address":"10.0.0.2","holder":"x"}, {"op":"release-volume","directory":"/v/x","holder":"x"},
            {"op":"release-name","path":"/n/x","holder":"x"},
            {"op":"exec","argv":["/bin/x"],"timeoutMs":5}]"#;
        let list: Vec<CleanupOperation> = serde_json::from_str(list).unwrap();
        assert_eq!(list.len(), 10);
    }

    #[test]
    fn every_log_writer_of_core_is_known() {
        let parse = |text: &str| serde_json::from_str::<LogConfig>(text).unwrap();
        assert!(matches!(
            parse(
                r#"{"type":"json-file","path":"/l","maxBytes":5,"maxFiles":2,"compress":true,"maxBufferBytes":7,"attributes":{"a":"b"}}"#
            ),
            LogConfig::JsonFile {
                rotation: Rotation {
                    max_bytes: Some(5),
                    max_files: Some(2),
                    compress: true,
                },
                max_buffer_bytes: Some(7),
                ..
            }
        ));
        assert!(matches!(
            parse(r#"{"type":"local","path":"/l"}"#),
            LogConfig::Local {
                rotation: Rotation {
                    max_bytes: None,
                    compress: false,
                    ..
                },
                ..
            }
        ));
        assert!(matches!(parse(r#"{"type":"none"}"#), LogConfig::None));
        assert!(matches!(
            parse(r#"{"type":"passthrough"}"#),
            LogConfig::Passthrough
        ));
        assert!(matches!(
            parse(r#"{"type":"exec","argv":["/x"],"env":{"A":"1"}}"#),
            LogConfig::Exec { .. }
        ));
    }
}
