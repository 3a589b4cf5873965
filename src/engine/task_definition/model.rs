//! ECS's own model of a task definition, as data: the input of
//! `RegisterTaskDefinition` with its members, types and enumerations, and which
//! of them Fargate does not take.
//!
//! Transcribed from botocore 1.44.8, `data/ecs/2014-11-13/service-2.json`; the
//! bounds of numbers and what Fargate refuses stand in that file's documentation,
//! and in
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>.
//! What holds between members is in [`super::rules`].

pub(super) struct Shape {
    /// One of them, for people.
    pub(super) name: &'static str,
    pub(super) example: &'static str,
    pub(super) members: &'static [Member],
}

pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) kind: ValueKind,
    pub(super) is_required: bool,
    pub(super) fargate: Fargate,
}

#[derive(Clone, Copy)]
pub(super) enum ValueKind {
    Text,
    /// Text to AWS, and people write a number: `cpu` and `memory` of the task.
    Size,
    /// The least and the most.
    Whole(i64, i64),
    Flag,
    OneOf(&'static [&'static str]),
    Of(&'static Shape),
    Many(&'static Shape),
    Texts,
    Wholes,
    /// Each out of a list.
    SomeOf(&'static [&'static str]),
    /// Names of the user's own, with texts.
    Map,
    /// Not looked into.
    Anything,
}

#[derive(Clone, Copy)]
pub(super) enum Fargate {
    Takes,
    /// None but these of those that ECS knows.
    Only(&'static [&'static str]),
    /// For what reason, or what there is instead.
    Refuses(&'static str),
}

impl Shape {
    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

const fn may(name: &'static str, kind: ValueKind) -> Member {
    Member {
        name,
        kind,
        is_required: false,
        fargate: Fargate::Takes,
    }
}

const fn must(name: &'static str, kind: ValueKind) -> Member {
    let mut member = may(name, kind);
    member.is_required = true;
    member
}

const fn only(name: &'static str, kind: ValueKind, these: &'static [&'static str]) -> Member {
    let mut member = may(name, kind);
    member.fargate = Fargate::Only(these);
    member
}

const fn never(name: &'static str, why: &'static str) -> Member {
    let mut member = may(name, ValueKind::Anything);
    member.fargate = Fargate::Refuses(why);
    member
}

use ValueKind::{Flag, Many, Map, Of, OneOf, Size, SomeOf, Text, Texts, Whole, Wholes};

const MOST: i64 = i32::MAX as i64;
const PORT: ValueKind = Whole(1, 65535);
const ON_OFF: ValueKind = OneOf(&["ENABLED", "DISABLED"]);

pub(super) const CONTAINERS: &str = "containerDefinitions";

pub(super) static TASK: Shape = Shape {
    name: "task definition",
    example: "{ \"cpu\": \"256\", … }",
    members: &[
        may("family", Text),
        may("taskRoleArn", Text),
        may("executionRoleArn", Text),
        only(
            "networkMode",
            OneOf(&["awsvpc", "bridge", "host", "none"]),
            &["awsvpc"],
        ),
        must(CONTAINERS, Many(&CONTAINER)),
        may("volumes", Many(&VOLUME)),
        never("placementConstraints", "AWS chooses where a task runs"),
        may(
            "requiresCompatibilities",
            SomeOf(&["FARGATE", "EC2", "EXTERNAL", "MANAGED_INSTANCES"]),
        ),
        must("cpu", Size),
        must("memory", Size),
        may("tags", Many(&TAG)),
        only("pidMode", OneOf(&["host", "task"]), &["task"]),
        never("ipcMode", "a task has its own"),
        may("proxyConfiguration", Of(&PROXY)),
        never("inferenceAccelerators", "AWS no longer has them"),
        may("ephemeralStorage", Of(&EPHEMERAL_STORAGE)),
        may("runtimePlatform", Of(&PLATFORM)),
        may("enableFaultInjection", Flag),
        may("trustedExecutionConfiguration", Of(&TRUSTED_EXECUTION)),
    ],
};

pub(super) static CONTAINER: Shape = Shape {
    name: "container",
    example: "{ \"name\": \"app\", \"image\": \"…\" }",
    members: &[
        must("name", Text),
        // That the app's needs none is a rule.
        may("image", Text),
        may("repositoryCredentials", Of(&REPOSITORY_CREDENTIALS)),
        may("cpu", Whole(0, MOST)),
        may("memory", Whole(4, MOST)),
        may("memoryReservation", Whole(4, MOST)),
        never("links", "a task's containers reach each other at localhost"),
        may("portMappings", Many(&PORT_MAPPING)),
        may("essential", Flag),
        may("restartPolicy", Of(&RESTART_POLICY)),
        may("entryPoint", Texts),
        may("command", Texts),
        may("environment", Many(&VARIABLE)),
        may("environmentFiles", Many(&ENVIRONMENT_FILE)),
        may("mountPoints", Many(&MOUNT_POINT)),
        may("volumesFrom", Many(&VOLUME_FROM)),
        may("linuxParameters", Of(&LINUX_PARAMETERS)),
        may("secrets", Many(&SECRET)),
        may("dependsOn", Many(&DEPENDENCY)),
        may("startTimeout", Whole(2, 120)),
        may("stopTimeout", Whole(2, 120)),
        may("versionConsistency", OneOf(&["enabled", "disabled"])),
        never("hostname", "in awsvpc a task has a name of AWS's"),
        may("user", Text),
        may("workingDirectory", Text),
        never("disableNetworking", "each task has its network"),
        never("privileged", "a task does not own its machine"),
        may("readonlyRootFilesystem", Flag),
        never("dnsServers", "in awsvpc the network's are used"),
        never("dnsSearchDomains", "in awsvpc the network's are used"),
        never("extraHosts", "in awsvpc the network's names are used"),
        never("dockerSecurityOptions", "a task does not own its machine"),
        may("interactive", Flag),
        may("pseudoTerminal", Flag),
        may("dockerLabels", Map),
        may("ulimits", Many(&ULIMIT)),
        may("logConfiguration", Of(&LOG_CONFIGURATION)),
        may("healthCheck", Of(&HEALTH_CHECK)),
        may("systemControls", Many(&SYSTEM_CONTROL)),
        never("resourceRequirements", "it has no GPUs"),
        may("firelensConfiguration", Of(&FIRELENS)),
        may("credentialSpecs", Texts),
    ],
};

static REPOSITORY_CREDENTIALS: Shape = Shape {
    name: "pair of registry credentials",
    example: "{ \"credentialsParameter\": \"<ARN of a secret>\" }",
    members: &[must("credentialsParameter", Text)],
};

static PORT_MAPPING: Shape = Shape {
    name: "port mapping",
    example: "{ \"containerPort\": 8080 }",
    members: &[
        may("containerPort", PORT),
        may("hostPort", Whole(0, 65535)),
        may("protocol", OneOf(&["tcp", "udp"])),
        may("name", Text),
        may("appProtocol", OneOf(&["http", "http2", "grpc"])),
        may("containerPortRange", Text),
    ],
};

static RESTART_POLICY: Shape = Shape {
    name: "restart policy",
    example: "{ \"enabled\": true }",
    members: &[
        must("enabled", Flag),
        may("ignoredExitCodes", Wholes),
        may("restartAttemptPeriod", Whole(60, 1800)),
    ],
};

pub(super) static VARIABLE: Shape = Shape {
    name: "variable",
    example: "{ \"name\": \"…\", \"value\": \"…\" }",
    members: &[must("name", Text), may("value", Text)],
};

static ENVIRONMENT_FILE: Shape = Shape {
    name: "environment file",
    example: "{ \"type\": \"s3\", \"value\": \"arn:aws:s3:::bucket/name.env\" }",
    members: &[must("value", Text), must("type", OneOf(&["s3"]))],
};

static MOUNT_POINT: Shape = Shape {
    name: "mount point",
    example: "{ \"sourceVolume\": \"…\", \"containerPath\": \"/…\" }",
    members: &[
        must("sourceVolume", Text),
        must("containerPath", Text),
        may("readOnly", Flag),
    ],
};

static VOLUME_FROM: Shape = Shape {
    name: "container whose volumes are taken",
    example: "{ \"sourceContainer\": \"…\" }",
    members: &[must("sourceContainer", Text), may("readOnly", Flag)],
};

static LINUX_PARAMETERS: Shape = Shape {
    name: "set of Linux parameters",
    example: "{ \"initProcessEnabled\": true }",
    members: &[
        may("capabilities", Of(&CAPABILITIES)),
        never("devices", "a task does not own its machine"),
        may("initProcessEnabled", Flag),
        never("sharedMemorySize", "/dev/shm has a fixed size"),
        may("tmpfs", Many(&TMPFS)),
        never("maxSwap", "a task has no swap space"),
        never("swappiness", "a task has no swap space"),
    ],
};

static CAPABILITIES: Shape = Shape {
    name: "set of capabilities",
    example: "{ \"drop\": [\"ALL\"] }",
    members: &[only("add", Texts, &["SYS_PTRACE"]), may("drop", Texts)],
};

static TMPFS: Shape = Shape {
    name: "tmpfs mount",
    example: "{ \"containerPath\": \"/…\", \"size\": 64 }",
    members: &[
        must("containerPath", Text),
        must("size", Whole(1, MOST)),
        may("mountOptions", Texts),
    ],
};

pub(super) static SECRET: Shape = Shape {
    name: "secret",
    example: "{ \"name\": \"…\", \"valueFrom\": \"<ARN>\" }",
    members: &[must("name", Text), must("valueFrom", Text)],
};

static DEPENDENCY: Shape = Shape {
    name: "dependency",
    example: "{ \"containerName\": \"…\", \"condition\": \"START\" }",
    members: &[
        must("containerName", Text),
        must(
            "condition",
            OneOf(&["START", "COMPLETE", "SUCCESS", "HEALTHY"]),
        ),
    ],
};

static ULIMIT: Shape = Shape {
    name: "ulimit",
    example: "{ \"name\": \"nofile\", \"softLimit\": 65535, \"hardLimit\": 65535 }",
    members: &[
        must(
            "name",
            OneOf(&[
                "core",
                "cpu",
                "data",
                "fsize",
                "locks",
                "memlock",
                "msgqueue",
                "nice",
                "nofile",
                "nproc",
                "rss",
                "rtprio",
                "rttime",
                "sigpending",
                "stack",
            ]),
        ),
        must("softLimit", Whole(-1, MOST)),
        must("hardLimit", Whole(-1, MOST)),
    ],
};

static LOG_CONFIGURATION: Shape = Shape {
    name: "log configuration",
    example: "{ \"logDriver\": \"awslogs\", \"options\": { … } }",
    members: &[
        Member {
            is_required: true,
            ..only(
                "logDriver",
                OneOf(&[
                    "awslogs",
                    "splunk",
                    "awsfirelens",
                    "json-file",
                    "syslog",
                    "journald",
                    "gelf",
                    "fluentd",
                ]),
                &["awslogs", "splunk", "awsfirelens"],
            )
        },
        may("options", Map),
        may("secretOptions", Many(&SECRET)),
    ],
};

static HEALTH_CHECK: Shape = Shape {
    name: "health check",
    example: "{ \"command\": [\"CMD-SHELL\", \"…\"] }",
    members: &[
        must("command", Texts),
        may("interval", Whole(5, 300)),
        may("timeout", Whole(2, 60)),
        may("retries", Whole(1, 10)),
        may("startPeriod", Whole(0, 300)),
    ],
};

static SYSTEM_CONTROL: Shape = Shape {
    name: "kernel parameter",
    example: "{ \"namespace\": \"net.core.somaxconn\", \"value\": \"1024\" }",
    members: &[may("namespace", Text), may("value", Text)],
};

static FIRELENS: Shape = Shape {
    name: "log router",
    example: "{ \"type\": \"fluentbit\" }",
    members: &[
        must("type", OneOf(&["fluentbit", "fluentd"])),
        may("options", Map),
    ],
};

static VOLUME: Shape = Shape {
    name: "volume",
    example: "{ \"name\": \"…\" }",
    members: &[
        must("name", Text),
        may("host", Of(&HOST_VOLUME)),
        never(
            "dockerVolumeConfiguration",
            "there is efsVolumeConfiguration",
        ),
        may("efsVolumeConfiguration", Of(&EFS)),
        may("s3filesVolumeConfiguration", Of(&S3_FILES)),
        never(
            "fsxWindowsFileServerVolumeConfiguration",
            "there is efsVolumeConfiguration",
        ),
        never(
            "configuredAtLaunch",
            "bgecs gives a service no volumes of its own",
        ),
    ],
};

static HOST_VOLUME: Shape = Shape {
    name: "volume of the host",
    example: "{}",
    members: &[never("sourcePath", "a task does not own its machine")],
};

static EFS: Shape = Shape {
    name: "EFS volume",
    example: "{ \"fileSystemId\": \"fs-…\" }",
    members: &[
        must("fileSystemId", Text),
        may("rootDirectory", Text),
        may("transitEncryption", ON_OFF),
        may("transitEncryptionPort", PORT),
        may("authorizationConfig", Of(&EFS_AUTHORIZATION)),
    ],
};

static EFS_AUTHORIZATION: Shape = Shape {
    name: "EFS authorization",
    example: "{ \"accessPointId\": \"fsap-…\", \"iam\": \"ENABLED\" }",
    members: &[may("accessPointId", Text), may("iam", ON_OFF)],
};

static S3_FILES: Shape = Shape {
    name: "S3 Files volume",
    example: "{ \"fileSystemArn\": \"…\" }",
    members: &[
        must("fileSystemArn", Text),
        may("rootDirectory", Text),
        may("transitEncryptionPort", PORT),
        may("accessPointArn", Text),
    ],
};

static TAG: Shape = Shape {
    name: "tag",
    example: "{ \"key\": \"…\", \"value\": \"…\" }",
    members: &[must("key", Text), may("value", Text)],
};

static PROXY: Shape = Shape {
    name: "proxy",
    example: "{ \"containerName\": \"…\", \"properties\": [ … ] }",
    members: &[
        may("type", OneOf(&["APPMESH"])),
        must("containerName", Text),
        may("properties", Many(&VARIABLE)),
    ],
};

static EPHEMERAL_STORAGE: Shape = Shape {
    name: "size of storage",
    example: "{ \"sizeInGiB\": 30 }",
    members: &[must("sizeInGiB", Whole(21, 200))],
};

static PLATFORM: Shape = Shape {
    name: "platform",
    example: "{ \"cpuArchitecture\": \"ARM64\", \"operatingSystemFamily\": \"LINUX\" }",
    members: &[
        may("cpuArchitecture", OneOf(&["X86_64", "ARM64"])),
        may(
            "operatingSystemFamily",
            OneOf(&[
                "LINUX",
                "WINDOWS_SERVER_2016_FULL",
                "WINDOWS_SERVER_2019_CORE",
                "WINDOWS_SERVER_2019_FULL",
                "WINDOWS_SERVER_2004_CORE",
                "WINDOWS_SERVER_20H2_CORE",
                "WINDOWS_SERVER_2022_CORE",
                "WINDOWS_SERVER_2022_FULL",
                "WINDOWS_SERVER_2025_CORE",
                "WINDOWS_SERVER_2025_FULL",
            ]),
        ),
    ],
};

static TRUSTED_EXECUTION: Shape = Shape {
    name: "trusted execution",
    example: "{ \"isolationMode\": \"SHARED\" }",
    members: &[
        must(
            "isolationMode",
            OneOf(&["SHARED", "ISOLATED_SANDBOX", "CONFIDENTIAL_SANDBOX"]),
        ),
        may("attestationPolicy", Text),
    ],
};
