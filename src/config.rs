//! `bgecs.toml`, read once and validated whole: what the rest of the program
//! gets is a [`Config`] in which every value is one that AWS will take.
//!
//! Mistakes are found here, with line and column, before anything is built or
//! asked of AWS. This module reads the file and nothing else: no environment,
//! no AWS, no flags (commands let flags win over it).

mod attached;
mod bundle;
mod colors;
mod compute;
mod cost;
mod document;
mod edge;
mod entry;
mod environments;
mod error;
mod fargate;
mod given;
mod hooks;
mod job;
mod names;
mod network;
mod probe;
mod production;
mod secret;
mod secret_header;
mod sections;
mod serve;
mod set;
mod shift;
mod source;
mod starter;
mod test_route;
#[cfg(test)]
mod tests;
mod tls;
mod veil;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use std::{fs, io, num::NonZeroU32};

use crate::hidden::Hidden;
use crate::model::{
    AppName, AwsPlace, CacheFrom, CacheTo, Color, CpuArchitecture, Given, Hook, HookAction,
    Ipv4Cidr, Secret, ServiceKeys, SshAgent, Tag,
};
use crate::text;

pub use attached::{Attached, NamedWay};
pub use bundle::ReleaseFile;
pub use bundle::{Released, ReleasedImage};
pub use cost::Prices;
pub use edge::{Edge, HostedColor, PointsAt, RecordKeys, Resolver, RouterKeys, resolver};
pub use error::ConfigError;
pub use fargate::TaskSize;
pub use job::JobFile;
pub use names::variable_name;
pub use network::HostPort;
#[cfg(test)]
pub use probe::{CONNECTIONS, VERSIONS};
pub use production::ProductionSection;
pub use production::{ListenerKeys, RuleKey};
pub use secret::{SecretKind, SecretRef};
pub use secret_header::{SecretHeader, SecretPlace};
pub use serve::{NotifySection, Releasable, ServeSection, queue_url};
pub use set::{JobSection, ModuleSection, SetFile};
pub use shift::ShiftSection;
pub use test_route::TestKey;
pub use tls::{DEFAULT_POLICY, TlsSection};

/// The name of the file that [`Config::find`] looks for.
pub const FILE_NAME: &str = "bgecs.toml";

/// A whole `bgecs.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where it was read from.
    pub path: PathBuf,
    /// The one of `[env.<name>]` that was chosen.
    pub environment: Option<String>,
    pub app: AppName,
    /// What is to be live, where the file says so.
    pub live: Option<Declared>,
    pub container: Container,
    pub service: Service,
    pub production: ProductionSection,
    /// Where one of the colours is a service that ran before bgecs came.
    pub attached: Option<Attached>,
    /// Where both colours are somebody else's, and what routes between them.
    pub edge: Option<Edge>,
    /// None is plain HTTP.
    pub tls: Option<TlsSection>,
    pub network: NetworkSection,
    pub probe: ProbeSection,
    pub shift: ShiftSection,
    pub build: Build,
    pub hooks: Hooks,
    pub registry: Registry,
    pub logs: Logs,
    pub load_balancer: LoadBalancerSection,
    pub lease: LeaseSection,
    pub place: AwsPlace,
    /// What a task costs, where somebody said so.
    pub cost: Option<Prices>,
    /// What a worker takes.
    pub serve: ServeSection,
    /// Who is told.
    pub notify: NotifySection,
    /// What of an app that `init` makes was there before.
    pub given: Given,
}

/// What `bgecs up` makes live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared {
    Color(Color),
    Tag(Tag),
}

/// `[container]`: what runs, and how the load balancer reaches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// The container that gets the released image.
    pub name: String,
    pub health_path: String,
    /// What its image must be for. `None` leaves it to the image.
    pub architecture: Option<CpuArchitecture>,
    pub definition: DefinitionSource,
}

/// Where the task definition comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefinitionSource {
    /// From the keys of `[container]`.
    Settings(ContainerSection),
    /// From a task definition that its owner keeps as JSON.
    File(OwnDefinition),
}

/// The keys of `[container]` that say how a file of the user's is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnDefinition {
    pub path: PathBuf,
    /// The port the target group uses. `None` leaves it to the file.
    pub port: Option<u16>,
    /// The containers that get the released image, besides the one behind the
    /// load balancer.
    pub app_containers: Vec<String>,
    /// Whether `${NAME}` in it is an environment variable.
    pub expand: bool,
    /// Keys that are newer than the model that the file is held to.
    pub unchecked: Vec<String>,
}

/// The keys of `[container]` that describe a task of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSection {
    pub port: u16,
    pub size: TaskSize,
    /// Empty leaves it to the image.
    pub command: Vec<String>,
    pub environment: BTreeMap<String, Hidden>,
    pub secrets: BTreeMap<String, SecretRef>,
}

/// `[lease]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseSection {
    /// For how long a command that dies keeps others out; whole seconds.
    pub length: Duration,
}

/// `[service]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Tasks of a colour that is created; 1 to 1000.
    pub desired_count: u16,
    /// How long a new task may be unhealthy before ECS replaces it; whole
    /// seconds.
    pub health_check_grace_period: Duration,
    pub said: ServiceKeys,
}

/// `[network]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSection {
    /// Who may reach the test listener.
    pub test_cidr: Ipv4Cidr,
    /// Of the network that `init` makes.
    pub cidr: Ipv4Cidr,
    /// In how many it has a public subnet, and where it has them a private one: 2 or 3.
    pub zones: u8,
    pub nat: Nat,
    /// Whether tasks reach AWS by endpoints; without a NAT gateway they reach nothing else.
    pub endpoints: bool,
}

/// NAT gateways, by which tasks reach the internet that does not reach them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    None,
    /// For all zones: should its own fail, tasks of the others reach nothing.
    One,
    PerZone,
}

impl NetworkSection {
    /// Whether tasks run in subnets that the internet does not reach.
    pub fn is_private(&self) -> bool {
        self.endpoints || self.nat != Nat::None
    }
}

impl Nat {
    /// As the file has it, and the template.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::One => "one",
            Self::PerZone => "per-zone",
        }
    }
}

impl FromStr for Nat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = [Self::None, Self::One, Self::PerZone].into_iter();
        let found = all.find(|it| it.as_str() == text);
        found.ok_or_else(|| "it is \"none\", \"one\" or \"per-zone\"".to_owned())
    }
}

/// `[probe]`: the requests that judge a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeSection {
    pub path: String,
    /// Requests per second.
    pub rate: NonZeroU32,
    /// How long the new colour is watched after the swap.
    pub window: Duration,
    /// How long a request may take before it counts as failed.
    pub timeout: Duration,
    /// Whose issuers are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Without which the load balancer answers nobody.
    pub secret_header: Option<SecretHeader>,
    pub question: QuestionKeys,
}

/// The keys of `[probe]` that say what is asked and what is a good answer, as
/// they are written; checked, and None where it is the usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuestionKeys {
    pub method: Option<String>,
    /// A value may be a secret.
    pub headers: BTreeMap<String, Hidden>,
    pub http: Option<String>,
    pub connections: Option<String>,
    pub release_header: Option<String>,
    pub expect_status: Option<String>,
    pub expect_body: Option<String>,
    pub max_failures: u32,
    pub max_failure_rate: Option<String>,
}

/// `[build]`: the defaults of the flags that build the image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// A `sh` command that runs, in the folder of the file, ahead of the build.
    pub before: Option<String>,
    pub file: Option<PathBuf>,
    pub args: BTreeMap<String, Hidden>,
    pub target: Option<String>,
    /// `linux/amd64` or `linux/arm64`, as Docker spells it.
    pub platform: Option<String>,
    pub pull: bool,
    pub labels: BTreeMap<String, String>,
    /// Written as for the flags.
    pub secrets: Vec<Secret>,
    pub ssh: Vec<SshAgent>,
    pub cache_from: Vec<CacheFrom>,
    pub cache_to: Vec<CacheTo>,
}

/// `[hooks]`: what a shift waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    pub actions: BTreeMap<Hook, HookAction>,
    /// How long each may take.
    pub timeout: Duration,
}

/// `[registry]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// `HOST[:PORT]` to push to and pull from, instead of ECR's own address.
    pub url: Option<String>,
    pub immutable_tags: bool,
}

/// `[logs]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logs {
    pub retention_days: u16,
}

/// `[load_balancer]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancerSection {
    /// Where to connect for any of the load balancer's host names.
    pub connect_to: Option<HostPort>,
    pub deregistration_delay: Duration,
}

impl Config {
    /// The file to read: the one that was asked for, or else the nearest
    /// `bgecs.toml`, in `cwd` or a folder above it.
    pub fn find(explicit: Option<&Path>, cwd: &Path) -> Result<PathBuf, ConfigError> {
        if let Some(path) = explicit {
            // `join` leaves an absolute path as it is.
            return Ok(cwd.join(path));
        }
        cwd.ancestors()
            .map(|folder| folder.join(FILE_NAME))
            .find(|path| path.is_file())
            .ok_or_else(|| ConfigError::Missing {
                folder: cwd.to_owned(),
            })
    }

    /// Reads the file, as it is in that environment.
    pub fn load(path: &Path, environment: Option<&str>) -> Result<Self, ConfigError> {
        Self::parse_in(&read_text(path)?, path, environment)
    }

    /// `path` is the file's: it stands in messages, and relative paths in the
    /// text resolve against its folder.
    pub fn parse_in(
        text: &str,
        path: &Path,
        environment: Option<&str>,
    ) -> Result<Self, ConfigError> {
        sections::config(&source::File { path, text }, environment)
    }

    /// The same in no environment.
    #[cfg(test)]
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        Self::parse_in(text, path, None)
    }

    /// The folder of the file. Paths in a `Config` are resolved against it.
    pub fn root(&self) -> &Path {
        folder_of(&self.path)
    }

    /// The keys of a colour that bgecs does not run.
    pub fn hosted(&self, color: Color) -> Option<&HostedColor> {
        let edge = self.edge.as_ref();
        edge.map(|edge| edge.colors.get(color))
    }

    /// The commented `bgecs.toml` that `bgecs init --write-config` writes.
    /// Every default in it is spelled out, so it parses to [`Config`]'s own.
    pub fn starter(app: &AppName) -> String {
        starter::text(app)
    }
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    let bytes = fs::read(path).map_err(|source| {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => ConfigError::NotFound { path },
            _ => ConfigError::Unreadable { path, source },
        }
    })?;
    let text = text::decode(&bytes).map_err(|what| ConfigError::NotText {
        path: path.to_owned(),
        what,
    })?;
    Ok(text)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        // `bgecs.toml` alone has the empty path as its parent.
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// The port that the target group uses when nothing says otherwise.
pub const DEFAULT_PORT: u16 = 8080;

const DEFAULT_CONTAINER: &str = "app";
const DEFAULT_HEALTH_PATH: &str = "/health";
const DEFAULT_RATE: NonZeroU32 = NonZeroU32::new(10).unwrap();

impl Default for ContainerSection {
    fn default() -> Self {
        Self {
            port: DEFAULT_PORT,
            size: TaskSize::default(),
            command: Vec::new(),
            environment: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }
}

impl Default for Service {
    fn default() -> Self {
        Self {
            desired_count: 2,
            health_check_grace_period: Duration::from_secs(60),
            said: ServiceKeys::default(),
        }
    }
}

impl Default for NetworkSection {
    fn default() -> Self {
        Self {
            test_cidr: Ipv4Cidr::ANYWHERE,
            cidr: Ipv4Cidr::NETWORK,
            zones: 2,
            nat: Nat::None,
            endpoints: false,
        }
    }
}

impl Default for ProbeSection {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            rate: DEFAULT_RATE,
            window: Duration::from_secs(15),
            timeout: Duration::from_secs(2),
            ca_file: None,
            secret_header: None,
            question: QuestionKeys::default(),
        }
    }
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            actions: BTreeMap::new(),
            timeout: Duration::from_secs(600),
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            url: None,
            immutable_tags: true,
        }
    }
}

impl Default for Logs {
    fn default() -> Self {
        Self { retention_days: 30 }
    }
}

impl Default for LeaseSection {
    fn default() -> Self {
        Self {
            length: Duration::from_secs(60),
        }
    }
}

impl Default for LoadBalancerSection {
    fn default() -> Self {
        Self {
            connect_to: None,
            deregistration_delay: Duration::from_secs(15),
        }
    }
}
