//! Why tasks stop, in words, and what to do about each cause.

use super::{is_lasting, passes, says};
use crate::model::{Color, denial};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopCause {
    /// The image cannot be pulled.
    ImagePull(String),
    /// The image is for other machines than the tasks run on.
    Platform(String),
    /// A container ended by itself.
    Exited {
        container: String,
        code: Option<i32>,
        reason: Option<String>,
    },
    /// What the container is to run cannot be started.
    NotStarted {
        container: String,
        reason: String,
    },
    OutOfMemory {
        container: String,
        limit: Option<MemoryLimit>,
    },
    /// The load balancer's health check failed.
    HealthCheck(String),
    /// The container's own health check failed.
    ContainerHealth {
        container: String,
        reason: String,
    },
    /// A volume cannot be mounted.
    FileSystem(String),
    /// A role may not do what the task needs: secrets, logs, the image.
    Permission(String),
    /// A secret or a log group could not be had.
    Resource(String),
    /// The task's network interface could not be had.
    Network(String),
    /// AWS has no room for the task now.
    Capacity(String),
    Other(String),
}

/// The memory that was used up, in MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryLimit {
    /// The container's own.
    Own(u32),
    /// That of all the task's containers together.
    Shared { memory: u32, containers: usize },
}

impl std::fmt::Display for MemoryLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Own(memory) => write!(f, "its limit is {memory} MiB"),
            Self::Shared {
                memory,
                containers: 0 | 1,
            } => write!(f, "the task has {memory} MiB"),
            Self::Shared { memory, containers } => {
                write!(
                    f,
                    "the task has {memory} MiB for its {containers} containers"
                )
            }
        }
    }
}

impl std::fmt::Display for StopCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ImagePull(reason) => write!(f, "the image cannot be pulled: {reason}"),
            Self::Platform(reason) => {
                write!(
                    f,
                    "the image is for another platform than the tasks run on: {reason}"
                )
            }
            Self::Exited {
                container,
                code,
                reason,
            } => {
                write!(f, "container `{container}` exited")?;
                if let Some(code) = code {
                    write!(f, " with code {code}")?;
                }
                match reason {
                    Some(reason) => write!(f, ": {reason}"),
                    None => Ok(()),
                }
            }
            Self::NotStarted { container, reason } => {
                write!(f, "container `{container}` cannot be started: {reason}")
            }
            Self::OutOfMemory { container, limit } => {
                write!(f, "container `{container}` was killed: out of memory")?;
                match limit {
                    Some(limit) => write!(f, " ({limit})"),
                    None => Ok(()),
                }
            }
            Self::HealthCheck(reason) => write!(f, "the health check fails: {reason}"),
            Self::ContainerHealth { container, reason } => {
                write!(
                    f,
                    "the health check inside container `{container}` fails: {reason}"
                )
            }
            Self::FileSystem(reason) => write!(f, "the file system cannot be mounted: {reason}"),
            Self::Permission(reason) => write!(f, "no permission: {reason}"),
            Self::Resource(reason) => write!(f, "the task cannot be set up: {reason}"),
            Self::Network(reason) => write!(f, "the task gets no network interface: {reason}"),
            Self::Capacity(reason) => write!(f, "AWS has no capacity for the task: {reason}"),
            Self::Other(reason) => write!(f, "the task stopped: {reason}"),
        }
    }
}

/// How a reason is worded, and what to do about it; the first that fits.
type Remedies = [(&'static [&'static str], &'static str)];

const PULLS: &Remedies = &[
    (
        &["no space left"],
        "the image does not fit on the task's disk: make it smaller, or give the task more with ephemeralStorage in its task definition",
    ),
    (
        &["x509", "certificate", "tls: "],
        "Fargate trusts public certificates alone, and the registry has another one: push the image to ECR",
    ),
    (
        &["toomanyrequests", "too many requests", "rate limit"],
        "the registry limits the rate of requests: copy the image to ECR (or use its pull-through cache), or log in with repositoryCredentials in the task definition",
    ),
    (
        &[
            "diffids don't match",
            "unsupported media type",
            "unsupported compression",
        ],
        "ECS cannot unpack the image's layers: build it with one compression for all of them (gzip)",
    ),
    (
        &[
            "denied",
            "forbidden",
            "unauthorized",
            "not authorized",
            "no basic auth credentials",
            "authentication required",
            "authorization failed",
        ],
        "the registry does not give the image to the task's execution role, or has no such image: bgecs's own role may pull from the app's repository; another account's needs a policy on that repository, another registry repositoryCredentials in the task definition",
    ),
    (
        &[
            "not found",
            "manifest unknown",
            "name unknown",
            "does not exist",
            "no such image",
            "invalid reference",
        ],
        "the image is not in its registry: check its name, or deploy again if it was deleted there",
    ),
    (
        NO_WAY,
        "the tasks do not reach the registry: their subnets need a route to the internet (with a public address) or a NAT gateway, or VPC endpoints for ecr.api, ecr.dkr and S3, and their security group must let 443 out",
    ),
];

const RESOURCES: &Remedies = &[
    (
        &["log group", "log stream", "logger args"],
        "the log group that the task names does not exist or cannot be reached: `bgecs init` makes bgecs's own again; another one `aws logs create-log-group --log-group-name …`, in the region that awslogs-region names",
    ),
    (
        &["json key"],
        "the secret has no such key: check what follows its ARN in `valueFrom`",
    ),
    (
        &[
            "marked for deletion",
            "scheduled for deletion",
            "marked deleted",
        ],
        "the secret is about to be deleted: `aws secretsmanager restore-secret --secret-id …`, or take it out of bgecs.toml",
    ),
    (
        &["kms", "ciphertext", "customer master key"],
        "the key that encrypts the secret cannot be used: it must be enabled, and let the execution role call kms:Decrypt (bgecs grants no keys)",
    ),
    (
        &["env files", "environment file", "envfile"],
        "check environmentFiles: the object must be there, and the execution role may read it (s3:GetObject)",
    ),
    (
        &[
            "find the specified secret",
            "resourcenotfound",
            "parameternotfound",
            "invalid parameters",
            "invalid ssm parameters",
            "secret value for staging label",
        ],
        "the secret or parameter is not there under that name: check its ARN, region and version",
    ),
    (
        &["already in use"],
        "something there has that name or port already: deploy again, or remove what has it first (on a local AWS, `docker ps -a` shows it)",
    ),
    (
        NO_WAY,
        "the tasks do not reach AWS: their subnets need a route to the internet (with a public address) or a NAT gateway, or VPC endpoints for what is named there, and their security group must let 443 out",
    ),
];

/// What names its kind and says no more.
const KINDS: &Remedies = &[
    (
        &["secret", "ssm", "parameter"],
        "check the secrets that the task names",
    ),
    (&["log"], "check the log group that the task names"),
];

const STARTS: &Remedies = &[
    (
        &[
            "unable to find user",
            "unable to find group",
            "in passwd file",
            "in group file",
        ],
        "the image has no such user: check USER in the Dockerfile, and `user` of the container",
    ),
    (
        &["chdir", "cwd", "working directory"],
        "the image has no such folder: check WORKDIR in the Dockerfile, and `workingDirectory` of the container",
    ),
    (
        &["not a directory", "mounting", "rootfs"],
        "check mountPoints in the task definition: a path there is something else in the image",
    ),
    (
        &["permission denied"],
        "the container's command may not be run: make it executable in the Dockerfile (`RUN chmod +x …`, or COPY --chmod=755), for the user that it runs as",
    ),
    (&["not found", "no such file"], NO_COMMAND),
];

const NO_COMMAND: &str = "the container's command is not in the image or cannot be run: check ENTRYPOINT and CMD, and at [container] command";

const FILE_SYSTEMS: &Remedies = &[
    (
        &[
            "failed to resolve",
            "no such host",
            "name or service not known",
            "cannot be resolved",
        ],
        "the file system is not known in the tasks' network: check its id, and make a mount target in each zone of their subnets",
    ),
    (
        &[
            "access denied",
            "accessdenied",
            "permission",
            "not authorized",
        ],
        "the file system refuses the task: its role needs elasticfilesystem:ClientMount (and ClientWrite), with `iam` on and TLS in the volume's configuration",
    ),
    (
        &["no such file", "does not exist", "not exist"],
        "the volume's rootDirectory or access point is not on the file system",
    ),
    (
        NO_WAY,
        "the tasks do not reach the file system: its mount targets' security group must let them in on port 2049 (NFS)",
    ),
];

/// How it is worded that no way leads there.
const NO_WAY: &[&str] = &[
    "timeout",
    "timed out",
    "deadline exceeded",
    "request canceled",
    "requestcanceled",
    "no such host",
    "no route to host",
    "network is unreachable",
    "connection refused",
    "connection reset",
    "connection issue",
    "dial tcp",
    "temporary failure in name resolution",
];

fn advised(advice: &Remedies, reason: &str) -> Option<&'static str> {
    let fits = advice.iter().find(|(words, _)| says(reason, words));
    fits.map(|(_, hint)| *hint)
}

impl StopCause {
    /// Whether ECS starts another task with a fair chance: the cause is one that
    /// passes by itself. Not one in the release, which the next task meets too.
    pub fn is_tried_again(&self) -> bool {
        match self {
            Self::Capacity(_) => true,
            Self::Network(reason) => !is_lasting(reason),
            Self::ImagePull(reason)
            | Self::FileSystem(reason)
            | Self::Resource(reason)
            | Self::Other(reason) => !is_lasting(reason) && passes(reason),
            Self::Exited { .. }
            | Self::NotStarted { .. }
            | Self::Platform(_)
            | Self::OutOfMemory { .. }
            | Self::HealthCheck(_)
            | Self::ContainerHealth { .. }
            | Self::Permission(_) => false,
        }
    }

    /// Whether another try met what the first one left, and says nothing of why
    /// that one failed.
    pub fn is_echo(&self) -> bool {
        matches!(self, Self::Resource(reason) | Self::Other(reason) if super::is_echo(reason))
    }

    /// What a container's last lines add: of an image for other machines ECS says
    /// only that its container exited.
    pub fn with_lines(self, lines: &[String]) -> Self {
        let line = lines.iter().find(|line| says(line, &super::OTHER_MACHINE));
        match (self, line) {
            (Self::Exited { .. }, Some(line)) => Self::Platform(line.clone()),
            (cause, _) => cause,
        }
    }

    pub fn hint(&self, color: Color) -> String {
        match self {
            Self::ImagePull(reason) => advised(PULLS, reason)
                .unwrap_or("check whether the image is in the registry, and whether the tasks reach it")
                .to_owned(),
            Self::Platform(_) => {
                "build the image for the platform of the tasks (--platform, or [build] platform in bgecs.toml), or name the image's in runtimePlatform of the task definition".to_owned()
            }
            Self::Exited { code: Some(126 | 127), .. } => {
                NO_COMMAND.to_owned()
            }
            Self::Exited { code: Some(132 | 134 | 135 | 136 | 139), .. } => {
                format!("its process crashed: run the image locally, on the same architecture, or see `bgecs logs {color}`")
            }
            Self::NotStarted { reason, .. } => advised(STARTS, reason)
                .unwrap_or("run the image locally with the same command and mounts")
                .to_owned(),
            Self::Exited { code: Some(137), .. } => {
                format!("something killed it: memory is the likeliest (raise it), or a signal from inside; see `bgecs logs {color}`")
            }
            Self::Exited { code: Some(1..) | None, .. } => {
                format!("run the image locally with the same environment, or see `bgecs logs {color}`")
            }
            Self::Exited { .. } => format!(
                "a service's main process must not end: see `bgecs logs {color}` and [container] command"
            ),
            Self::OutOfMemory { container, limit: Some(MemoryLimit::Own(_)) } => {
                format!("raise `memory` of the container `{container}` in the task definition")
            }
            Self::OutOfMemory { .. } => {
                "raise [container] memory in bgecs.toml, or the task's in its task definition".to_owned()
            }
            Self::HealthCheck(_) => {
                "check [container] health_path and port in bgecs.toml, and at what the app answers there"
                    .to_owned()
            }
            Self::ContainerHealth { container, .. } => format!(
                "healthCheck of `{container}` in the task definition is run inside the container: try its command there; what it calls, such as curl, must be in the image"
            ),
            Self::FileSystem(reason) => advised(FILE_SYSTEMS, reason)
                .unwrap_or("check the volumes of the task definition, and at the file system they name")
                .to_owned(),
            Self::Permission(reason) => permission_hint(reason),
            Self::Resource(reason) => advised(RESOURCES, reason)
                .or_else(|| advised(KINDS, reason))
                .unwrap_or("see what AWS says of it above; once that is put right, deploy again")
                .to_owned(),
            Self::Network(_) => {
                "check whether the subnets have addresses left, then deploy again".to_owned()
            }
            Self::Capacity(_) => "deploy again later: this passes by itself".to_owned(),
            Self::Other(_) => format!("see `bgecs logs {color}`"),
        }
    }
}

fn permission_hint(reason: &str) -> String {
    const SECRETS: [&str; 2] = ["secretsmanager:GetSecretValue", "ssm:GetParameters"];
    if let Some(hint) = denial::hint(
        reason,
        "what the task names",
        "for the task's execution role",
    ) {
        let is_secret = SECRETS.iter().any(|action| hint.contains(action));
        return match is_secret {
            true => format!("{hint}; for a secret in bgecs.toml `bgecs init` does that"),
            false => hint,
        };
    }
    if says(reason, &["assume the role", "assume role"]) {
        return format!(
            "ecs-tasks.amazonaws.com must be allowed to assume the roles that the task definition names, and they must be there: {}",
            denial::OWN_ROLE
        );
    }
    if says(reason, &["kms", "ciphertext"]) {
        return advised(RESOURCES, "kms").unwrap_or_default().to_owned();
    }
    "if a secret was added to bgecs.toml, run `bgecs init` so that the execution role may read it"
        .to_owned()
}
