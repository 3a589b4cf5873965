//! An image, whoever holds it: its platform, and what is in it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CpuArchitecture;

/// The commit that an image was built from
/// (<https://github.com/opencontainers/image-spec/blob/main/annotations.md>).
pub const LABEL_COMMIT: &str = "org.opencontainers.image.revision";
/// The git tree of the folder that bgecs built an image from.
pub const LABEL_CONTEXT: &str = "bgecs.context";

/// What an image runs on, in Go's words, as Docker and OCI have them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Platform {
    pub os: String,
    pub architecture: String,
    #[serde(default)]
    pub variant: Option<String>,
}

impl Platform {
    pub fn new(os: &str, architecture: &str) -> Self {
        Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: None,
        }
    }

    /// That of this machine, for Linux.
    pub fn of_this_machine() -> Self {
        let architecture = std::env::consts::ARCH;
        architecture
            .parse()
            .unwrap_or_else(|_| Self::new("linux", architecture))
    }

    /// The CPU that runs it; `None` if no task of Fargate does.
    pub fn cpu(&self) -> Option<CpuArchitecture> {
        match (self.os.as_str(), self.architecture.as_str()) {
            ("linux" | "windows", "amd64") => Some(CpuArchitecture::X86_64),
            ("linux", "arm64") => Some(CpuArchitecture::Arm64),
            _ => None,
        }
    }
}

impl From<CpuArchitecture> for Platform {
    fn from(architecture: CpuArchitecture) -> Self {
        match architecture {
            CpuArchitecture::X86_64 => Self::new("linux", "amd64"),
            CpuArchitecture::Arm64 => Self::new("linux", "arm64"),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) if !variant.is_empty() => write!(f, "/{variant}"),
            _ => Ok(()),
        }
    }
}

/// As Docker reads it (<https://github.com/containerd/platforms>), but that
/// what is left out is not this machine's: a release must not depend on that.
impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        let is_word = |part: &&str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            !part.is_empty() && part.chars().all(fits)
        };
        let parts: Vec<&str> = lower.split('/').collect();
        let (os, architecture, variant) = match *parts.as_slice() {
            _ if !parts.iter().all(is_word) => return Err(no_platform(text)),
            [architecture] => ("linux", architecture, None),
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant)),
            _ => return Err(no_platform(text)),
        };
        let (architecture, implied) = match architecture {
            "x86_64" | "x86-64" => ("amd64", None),
            "aarch64" => ("arm64", None),
            "i386" => ("386", None),
            "armhf" => ("arm", Some("v7")),
            "armel" => ("arm", Some("v6")),
            "linux" | "windows" | "darwin" => return Err(no_platform(text)),
            other => (other, None),
        };
        Ok(Self {
            variant: variant.or(implied).map(str::to_owned),
            ..Self::new(os, architecture)
        })
    }
}

fn no_platform(text: &str) -> String {
    format!("`{text}` is not a platform: one looks like linux/amd64 or linux/arm64")
}

/// What the tasks are to run on, as far as somebody said it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunsOn {
    pub architecture: Option<CpuArchitecture>,
    /// The task definition is one for Windows.
    pub windows: bool,
}

impl RunsOn {
    /// What a registry or an engine is to be asked for.
    pub fn platform(self) -> Option<Platform> {
        let platform = Platform::from(self.architecture?);
        Some(Platform {
            os: self.os().to_owned(),
            ..platform
        })
    }

    fn os(self) -> &'static str {
        match self.windows {
            true => "windows",
            false => "linux",
        }
    }

    /// The CPU of the tasks that run an image of this platform; `None` if they
    /// cannot.
    pub fn cpu_for(self, platform: &Platform) -> Option<CpuArchitecture> {
        let cpu = platform.cpu().filter(|_| platform.os == self.os())?;
        self.architecture
            .is_none_or(|wanted| wanted == cpu)
            .then_some(cpu)
    }
}

/// How an image came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// From a context, by this command.
    Built,
    /// From its registry, which was asked now.
    Pulled,
    /// The engine had it, by the digest that was asked for: no other can be
    /// meant.
    Present,
    /// The engine's own, which no registry was asked for or knows of.
    Local,
    /// It was in the app's repository, and no engine was needed.
    Registry,
}

/// An image's configuration: all that counts when it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    pub platform: Platform,
    /// The digests of the layers' files, whatever they are packed in.
    layers: Vec<String>,
    /// How its program is run.
    runs: BTreeMap<&'static str, Value>,
    labels: BTreeMap<String, String>,
}

impl Contents {
    /// `run` is the `Config` of Docker's API and the `config` of OCI's, which
    /// have the same keys.
    pub fn new(platform: Platform, layers: Vec<String>, run: &Value) -> Self {
        const KEYS: [&str; 9] = [
            "User",
            "ExposedPorts",
            "Env",
            "Entrypoint",
            "Cmd",
            "Volumes",
            "WorkingDir",
            "StopSignal",
            "Healthcheck",
        ];
        let says_something = |value: &&Value| match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            Value::Object(map) => !map.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        };
        let labels = run.get("Labels").and_then(Value::as_object);
        Self {
            platform,
            layers,
            runs: KEYS
                .into_iter()
                .filter_map(|key| Some((key, run.get(key).filter(says_something)?.clone())))
                .collect(),
            labels: labels
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
        }
    }

    /// Of the JSON that a registry keeps beside the layers.
    pub fn of_config(config: &Value) -> Option<Self> {
        let platform = Platform::deserialize(config).ok()?;
        let layers = config.pointer("/rootfs/diff_ids")?.as_array()?;
        let layers = layers
            .iter()
            .map(|layer| layer.as_str().map(str::to_owned))
            .collect::<Option<_>>()?;
        let run = config.get("config").unwrap_or(&Value::Null);
        Some(Self::new(platform, layers, run))
    }

    /// Whether the two do the same wherever they run. When they were built, and
    /// from which commit, makes no difference to that.
    pub fn runs_the_same(&self, other: &Self) -> bool {
        let cpu = |contents: &Self| (contents.platform.os.clone(), contents.platform.cpu());
        cpu(self) == cpu(other)
            && self.layers == other.layers
            && self.runs == other.runs
            && self.own_labels().eq(other.own_labels())
    }

    /// Those that say something beside where it was built from.
    fn own_labels(&self) -> impl Iterator<Item = (&String, &String)> {
        let of_source = [LABEL_COMMIT, LABEL_CONTEXT];
        let mut labels = self.labels.iter();
        std::iter::from_fn(move || labels.find(|(key, _)| !of_source.contains(&key.as_str())))
    }

    /// Whether both say that they were built from the same commit, or, where they
    /// know that, from the same files.
    pub fn is_from_where(&self, other: &Self) -> bool {
        let agrees = |label: &str| match (self.labels.get(label), other.labels.get(label)) {
            (Some(one), Some(other)) => Some(one == other),
            _ => None,
        };
        agrees(LABEL_CONTEXT)
            .or_else(|| agrees(LABEL_COMMIT))
            .unwrap_or(false)
    }
}

#[cfg(test)]
mod tests;
