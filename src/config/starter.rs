//! The `bgecs.toml` to start from. It is meant to be read: it has every key, with its
//! default or, commented out, an example.

use crate::model::AppName;

pub(super) fn text(app: &AppName) -> String {
    TEMPLATE.replace("{app}", app.as_str())
}

const TEMPLATE: &str = r#"# Names the CloudFormation stack `bgecs-{app}` and everything in it.
app = "{app}"

[aws]
# account = "123456789012" # any other account is refused
# region = "eu-west-1"     # flags win over these, and these over the environment
# profile = "prod"

[container]
port = 8080                # where the app listens
cpu = 256                  # 1024 is one vCPU
memory = 512               # MiB; Fargate has a few sizes for each cpu
health_path = "/health"    # answers 200 once the app can serve
# name = "app"
# command = ["serve", "--verbose"]
# environment = { GREETING = "Hello" }
# architecture = "ARM64"   # or X86_64; the image must be for it
# secrets = { DB_PASSWORD = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf:password::" }

# A task definition of your own, instead of name, cpu, memory, command,
# environment and secrets; bgecs replaces the image of one container in it:
# task_definition = "task-definition.json"
# container = "app"
# app_containers = ["migrate"]    # further ones that run the new image
# expand = true                   # ${NAME} in it is an environment variable

[service]
desired_count = 2          # tasks of a colour when it is created
health_check_grace_period_seconds = 60    # how long a new task may take to become healthy
# minimum_healthy_percent = 50   # how few of its tasks a colour may have while they are replaced
# maximum_percent = 200          # and how many
# propagate_tags = "SERVICE"     # or TASK_DEFINITION, NONE: whose tags its tasks get

[network]
test_cidr = "0.0.0.0/0"    # who may reach the test port: 81, or 8443 with [tls]
cidr = "10.64.0.0/16"      # of the network that `init` makes; it cannot be changed later
zones = 2                  # or 3
nat = "none"               # "one", "per-zone": tasks reach the internet, which does not reach them
endpoints = false          # true: tasks reach AWS by endpoints, and without nat nothing else

# In a VPC that is there already, instead of these four; [load_balancer] has
# subnets and security_groups, too, where it is to be elsewhere than the tasks:
# vpc = "vpc-0123456789abcdef0"
# subnets = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
# security_groups = ["sg-0123456789abcdef0"]
# assign_public_ip = true

[cluster]                  # what else is there already; `init` makes what is not named
# name = "production"

[roles]
# execution = "arn:aws:iam::123456789012:role/ecs-start"   # what ECS may do to start a task
# task = "arn:aws:iam::123456789012:role/hello"            # what the app may do

[production]
# url = "https://shop.example.com"   # what users type; needs [tls]

[tls]                      # HTTPS with a certificate of ACM, or with a list of some
# certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
# policy = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"

[probe]
path = "/"                 # what is requested during a promotion
rate = 10                  # requests a second
window_seconds = 15        # how long a new release is watched
timeout_ms = 2000          # how long an answer may take
# method = "HEAD"
# ca_file = "company-ca.pem"   # issuers to trust beside the system's
# headers = { Authorization = "Bearer a-secret" }
# http = "2"               # or 1.1, auto
# connections = "fresh"    # or reused, both
# secret_header = { name = "x-origin-verify", env = "ORIGIN_VERIFY" }   # or secret = "arn:aws:secretsmanager:…"
# release_header = "x-release"
# expect_status = "2xx,304"
# expect_body = "ok"       # a regular expression
# max_failures = 1         # failures to tolerate
# max_failure_rate = "0.1%"

[shift]                    # how users go over to a new release; by default all at once
# steps = ["5% for 5m", "25% pause"]   # then all; a pause ends with `promote --continue`
# bake = "15m"             # how long it is watched once all users are on it
# max_latency = { p99 = "400ms" }   # also p50, p90, p95, p999
# pause_limit = "24h"      # after a longer pause its step is watched again
# alarms = ["hello-5xx"]   # of CloudWatch; none of them may ring
# alarms_without_data = "ignore"   # or stop
# stickiness = "10m"       # who met a release meets it again while both have users

# Instead of `steps`: `canary`, such as "10% for 15m"; `linear`, such as "10% every 1m".

[build]
# before = "npm run build" # runs ahead of the image build
# file = "Dockerfile"
# args = { VERSION = "1" }
# target = "release"
# platform = "linux/amd64" # or linux/arm64
# pull = true              # ask registries for base images each time
# labels = { "org.opencontainers.image.source" = "https://example.com/hello" }
# secrets = ["id=npm,src=.npmrc", "id=token,env=TOKEN"]
# ssh = ["default"]        # the agent of SSH_AUTH_SOCK
# cache_from = ["ghcr.io/acme/hello:cache"]
# cache_to = ["type=inline"]   # or type=registry,ref=ghcr.io/acme/hello:cache,mode=max

[hooks]                    # commands that a shift waits for; one that fails turns it back
timeout = "10m"            # how long each may take
# before_shift = "bin/smoke-test"
# before_stage = "bin/may-go-on"
# after_stage = "bin/tell-the-team"
# after_shift = "bin/tell-the-team"
# after_rollback = "bin/tell-the-team"

[registry]
immutable_tags = true      # a release tag is used once
# url = "localhost:4566"   # push and pull here, instead of at ECR's own address
# repository = "team/hello"   # one that is there already

[logs]
retention_days = 30
# group = "/team/hello"    # one that is there already; its owner says how long it keeps lines

[load_balancer]
deregistration_delay_seconds = 15    # how long open requests may take to end
# connect_to = "localhost:4566"      # reach the load balancer's names through here

[lease]
seconds = 60               # for how long a command that is killed keeps others out

[cost]                     # your prices: `status` and `promote` then say what a warm colour costs
# vcpu_hour = 0.04048
# gb_hour = 0.004445
# currency = "$"

# Beside a service that runs already there are [colors] and [test] too: `bgecs import`
# writes a file for it.

# What differs in an environment, which `--env staging` or BGECS_ENV chooses; the
# app is {app}-staging there:
# [env.staging]
# service.desired_count = 1
# probe.rate = 5
"#;
