//! What was seen of the world at one moment. Everything bgecs decides, it
//! decides from these values; none of them is kept anywhere.

use std::cmp::Reverse;
use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::journal::{Head, Previous};
use super::{
    ADDRESS, Color, Deployed, Digest, Endpoint, Found, Infrastructure, OtherWays, PerColor,
    PerRoute, Revision, Route, ServiceDefinition, Tag,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rollout {
    InProgress,
    Completed,
    Failed,
}

/// One of a service's deployments, as ECS reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub id: String,
    pub is_primary: bool,
    pub task_definition: Revision,
    pub rollout: Option<Rollout>,
    pub rollout_reason: Option<String>,
    pub desired: i32,
    pub running: i32,
    pub pending: i32,
    pub failed_tasks: i32,
    pub created_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEvent {
    pub id: String,
    pub at: Option<OffsetDateTime>,
    pub message: String,
}

/// A colour's ECS service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceState {
    /// It is deleted, and its tasks are on their way out.
    pub is_draining: bool,
    pub definition: ServiceDefinition,
    pub task_definition: Revision,
    pub desired: i32,
    pub running: i32,
    pub pending: i32,
    pub deployments: Vec<Deployment>,
    /// Newest first, as ECS gives them.
    pub events: Vec<ServiceEvent>,
}

impl ServiceState {
    /// The deployment that ECS is working towards. Others, failed ones among
    /// them, can stay in the list for long.
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|d| d.is_primary)
    }

    pub fn is_retired(&self) -> bool {
        self.desired == 0
    }

    /// Whether ECS has given up what it was to run.
    pub fn has_failed(&self) -> bool {
        self.primary()
            .is_some_and(|primary| primary.rollout == Some(Rollout::Failed))
    }

    /// Whether ECS takes a failed deployment back: what it works towards is what
    /// ran before.
    pub fn is_going_back(&self) -> bool {
        let Some(primary) = self.primary() else {
            return false;
        };
        // The failed one is not in the list for long; then only words tell.
        let says_so = |reason: &String| reason.contains("rolling back to");
        primary.rollout == Some(Rollout::InProgress)
            && (self.failed().is_some() || primary.rollout_reason.as_ref().is_some_and(says_so))
    }

    /// What ECS says of the deployment that failed.
    pub fn failure(&self) -> Option<&str> {
        self.failed()?.rollout_reason.as_deref()
    }

    fn failed(&self) -> Option<&Deployment> {
        let failed = |it: &&Deployment| it.rollout == Some(Rollout::Failed);
        self.deployments.iter().find(failed)
    }
}

/// A task that ECS gave up on, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedTask {
    pub id: String,
    pub task_definition: Revision,
    pub created_at: Option<OffsetDateTime>,
    /// ECS's stop code, such as `TaskFailedToStart`.
    pub stop_code: Option<String>,
    pub reason: String,
    /// MiB that its containers share.
    pub memory: Option<u32>,
    /// In the order of the task definition, where that is known.
    pub containers: Vec<StoppedContainer>,
}

/// How one of its containers was left. Of when each ended ECS says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoppedContainer {
    pub name: String,
    /// The task ends with it; also where that is not known.
    pub is_essential: bool,
    /// Its own health check failed last.
    pub is_unhealthy: bool,
    /// MiB that it may use, where it has a limit of its own.
    pub memory: Option<u32>,
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
}

/// What a colour runs, read from the tags of its task definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    pub tag: Option<Tag>,
    pub digest: Option<Digest>,
    pub commit: Option<String>,
    pub deployed_by: Option<String>,
    pub deployed_at: Option<String>,
    /// The id of the deploy that registered it.
    pub operation: Option<String>,
    /// The hash of everything that was registered, see `engine::task_definition`.
    pub config: Option<String>,
    /// By each task, where ECS says so.
    pub reserves: Option<Reserved>,
    /// Its tasks run on; but ECS starts no service with it any more.
    pub is_deregistered: bool,
}

/// What is reserved on Fargate, and paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    /// In CPU units, of which a vCPU has 1024.
    pub cpu: u32,
    /// In MiB.
    pub memory: u32,
}

impl Reserved {
    /// By so many alike.
    #[must_use]
    pub fn by(self, tasks: u32) -> Self {
        Self {
            cpu: self.cpu.saturating_mul(tasks),
            memory: self.memory.saturating_mul(tasks),
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_add(other.cpu),
            memory: self.memory.saturating_add(other.memory),
        }
    }

    pub fn vcpus(self) -> f64 {
        f64::from(self.cpu) / 1024.0
    }

    pub fn gigabytes(self) -> f64 {
        f64::from(self.memory) / 1024.0
    }
}

/// `0.25 vCPU and 0.5 GB`
impl fmt::Display for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} vCPU and {} GB", self.vcpus(), self.gigabytes())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetState {
    Initial,
    Healthy,
    Unhealthy,
    Unused,
    Draining,
    Unavailable,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub id: String,
    pub state: TargetState,
    /// AWS's reason code, such as `Target.ResponseCodeMismatch`.
    pub reason: Option<String>,
    pub description: Option<String>,
}

/// A colour's targets, in one of its groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets(pub Vec<Target>);

impl Targets {
    /// Of all the groups that a colour's tasks are in, the one that is worst off: a
    /// colour serves where it serves in each.
    pub fn weakest(groups: Vec<Self>) -> Self {
        let strength = |of: &Self| {
            let unhealthy = of.in_state(TargetState::Unhealthy).count();
            (of.healthy(), Reverse(unhealthy), Reverse(of.registered()))
        };
        groups.into_iter().min_by_key(strength).unwrap_or_default()
    }

    /// In AWS's order.
    pub fn in_state(&self, state: TargetState) -> impl Iterator<Item = &Target> {
        let targets = self.0.iter();
        targets.filter(move |target| target.state == state)
    }

    pub fn healthy(&self) -> usize {
        self.in_state(TargetState::Healthy).count()
    }

    /// Registered and not on the way out.
    pub fn registered(&self) -> usize {
        self.0
            .iter()
            .filter(|target| target.state != TargetState::Draining)
            .count()
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColorState {
    pub service: Option<ServiceState>,
    /// What runs at its URL, where bgecs does not run the colour: it has no service
    /// then.
    pub hosted: Option<HostedRelease>,
    /// None beside a service whose revision something else deleted.
    pub release: Option<Release>,
    /// Of what bgecs does not run, its URL.
    pub targets: Targets,
}

/// What was deployed where bgecs does not run it, as the journal remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedRelease {
    /// The deploy that put it there.
    pub revision: Revision,
    /// None of what was there before bgecs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// As RFC 3339 has it.
    pub deployed_at: String,
    pub deployed_by: String,
    /// It was told to stop, and costs nothing any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_retired: bool,
}

impl ColorState {
    pub fn desired(&self) -> i32 {
        self.service.as_ref().map_or(0, |service| service.desired)
    }

    pub fn running(&self) -> i32 {
        self.service.as_ref().map_or(0, |service| service.running)
    }

    pub fn tag(&self) -> Option<&Tag> {
        self.release.as_ref()?.tag.as_ref()
    }

    /// Whether something is deployed there, be it retired.
    pub fn is_there(&self) -> bool {
        self.service.is_some() || self.hosted.is_some()
    }

    pub fn is_retired(&self) -> bool {
        let service = self.service.as_ref();
        service.is_some_and(ServiceState::is_retired)
            || self.hosted.as_ref().is_some_and(|it| it.is_retired)
    }

    /// Whether it is there, and not retired.
    pub fn is_up(&self) -> bool {
        self.is_there() && !self.is_retired()
    }
}

/// The whole app at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    pub infrastructure: Infrastructure,
    pub traffic: PerRoute<Found>,
    /// By which requests come in besides the two routes.
    pub other_ways: OtherWays,
    pub colors: PerColor<ColorState>,
    pub journal: Head,
}

impl Observed {
    /// The same, but that the routes go there by now.
    #[must_use]
    pub fn with_traffic(&self, traffic: PerRoute<Found>) -> Self {
        Self {
            traffic,
            ..self.clone()
        }
    }

    /// What users were on last, other than what is live.
    pub fn previous(&self) -> Option<&Previous> {
        self.journal.truth.as_ref()?.previous.as_ref()
    }

    /// The release that is live.
    pub fn live_release(&self) -> Option<Deployed> {
        self.deployed(self.live_color()?)
    }

    /// Whether a release of that tag has all users.
    pub fn is_live(&self, tag: &Tag) -> bool {
        let live = self.live_release();
        live.is_some_and(|release| release.tag.as_ref() == Some(tag))
    }

    /// The colour that serves production: the one that gets every request.
    pub fn live_color(&self) -> Option<Color> {
        self.traffic.production.only()
    }

    pub fn color(&self, color: Color) -> &ColorState {
        self.colors.get(color)
    }

    pub fn found_at(&self, route: Route) -> &Found {
        self.traffic.get(route)
    }

    /// `blue (tag 2)`, for sentences.
    pub fn named(&self, color: Color) -> String {
        match self.color(color).tag() {
            Some(tag) => format!("{color} (tag {tag})"),
            None => color.to_string(),
        }
    }

    /// Where a colour that bgecs does not run is looked at, with the address that it had
    /// when this was seen.
    pub fn looked_at(&self, color: Color) -> Option<String> {
        let told = self.infrastructure.edge()?.backend(color);
        let Some((before, after)) = told.split_once(ADDRESS) else {
            return Some(told.to_owned());
        };
        let target = self.color(color).targets.0.first();
        let address = target
            .and_then(|target| target.id.strip_prefix(before))
            .and_then(|rest| rest.split([':', '/']).next());
        let address = address.unwrap_or(ADDRESS);
        Some(format!("{before}{address}{after}"))
    }

    /// Where a colour says what is wrong with it, for hints.
    pub fn says_why(&self, color: Color) -> String {
        match self.infrastructure.edge() {
            None => format!("`bgecs logs {color}`"),
            Some(edge) => {
                let by = edge.header(color).map(|header| format!(" with {header}"));
                format!(
                    "the logs of what answers at {}{}",
                    self.looked_at(color).unwrap_or_default(),
                    by.unwrap_or_default()
                )
            }
        }
    }

    /// What that route is called.
    pub fn endpoint(&self, route: Route) -> &Endpoint {
        self.endpoints().get(route)
    }

    /// What the routes are called.
    pub fn endpoints(&self) -> &PerRoute<Endpoint> {
        self.infrastructure.endpoints()
    }

    /// `port 80 -> blue`, for the end of every message.
    pub fn users_on(&self, what: impl fmt::Display) -> String {
        format!("{} -> {what}", self.endpoints().production)
    }

    /// Where users' requests go, for the end of every message.
    pub fn traffic_line(&self) -> String {
        match self.live_color() {
            Some(color) => self.users_on(self.named(color)),
            None => self.users_on(&self.traffic.production),
        }
    }
}
