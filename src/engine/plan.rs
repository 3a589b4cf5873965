//! Plans: what a command is about to do, and what it refuses to do, from what
//! was observed. A dry run prints the plan; a real run follows it.

mod capacity;
mod certificates;
mod costs;
#[cfg(test)]
mod dead_ends;
mod deploy;
mod ground;
mod hosted;
mod image;
mod parts;
mod retire;
mod secure;
mod stack;
mod standing;
mod swap;
#[cfg(test)]
mod tests;
mod ways;

use std::time::Duration;

use serde::{Serialize, Serializer};

pub use capacity::{missing, needed, strategy};
pub use certificates::{refuse_other_region, refuse_unfit};
pub use costs::{WarmCost, costs, further_costs};
pub use deploy::{
    DeployPlan, DeployWish, ServicePlan, definition_change, deploy, is_the_same, refuse_unproven,
    serves_already, wanted_count,
};
pub use ground::{
    ENDPOINTS, GIVEN_CLUSTER, GIVEN_EXECUTION_ROLE, GIVEN_LOG_GROUP, GIVEN_REPOSITORY,
    GIVEN_TASK_ROLE, NAT, NETWORK_CIDR, TASK_GROUPS, VPC_ID, ZONES, keep_found,
    refuse_other_ground,
};
pub use hosted::{HostedPlan, deploy_hosted};
pub use image::{choose, fits};
pub use parts::{ALL_AGAIN, Part, live_by_rest, mend, named, refuse_gone};
pub use retire::{RetirePlan, retire};
pub use secure::{
    FORWARD, FURTHER, PLAIN_PORT, REDIRECT, keep_places, redirect_comes_last, refuse_plain_again,
};
pub use stack::{
    LIVE_COLOR, Made, StackPlan, differing, differs, refuse_another_health_path, stack,
};
pub use swap::{
    Aim, Needless, SwapPlan, fixed, is_bare, nothing_is_live, promote, rollback, rollback_to,
    way_back,
};
pub use ways::{
    AFTER_A_PAUSE, astray, refuse_cutting_off, showing, staying_behind, unclear, under_way,
};

use super::scaling::TargetChange;
use super::test_rules::RuleChange;
use crate::counted::counted;
use crate::error::Error;
use crate::model::journal::OwnCommand;
use crate::model::{
    Color, Condition, Endpoint, Hook, Observed, PerRoute, ScalableTarget, Strategy, Tag,
};

/// A step of a plan, in words.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    CreateStack {
        name: String,
    },
    /// The same, beside a service that was there before.
    Attach {
        name: String,
        makes: Vec<String>,
    },
    UpdateStack {
        name: String,
        changes: Vec<String>,
    },
    /// Port 80 redirects, once that answers.
    RedirectTo {
        url: String,
    },
    /// What was cut short is brought to its end.
    EndUnfinished {
        operation: String,
    },
    AwaitStack {
        name: String,
    },
    Adopt {
        production: String,
        test: String,
    },
    /// For resolvers to keep the record less long, and to have forgotten what they
    /// keep.
    ShortenTtl {
        record: String,
        /// In seconds, as the next.
        from: u32,
        to: u32,
    },
    TakeRecordOver {
        record: String,
        live: Color,
    },
    /// What is idle, or for how long it may be kept.
    RenewRecord {
        record: String,
        live: Color,
    },
    GiveRecordBack {
        record: String,
        /// Whether bgecs made it: it goes then.
        is_made: bool,
    },
    /// Of a domain, by which a colour is looked at.
    TestRule(RuleChange),
    /// The user's own command of a colour.
    RunOwn {
        own: OwnCommand,
        color: Color,
        line: String,
    },
    /// Until resolvers have what production was moved to, at the longest.
    Spread {
        seconds: f64,
    },
    RunHook {
        command: String,
    },
    Build {
        context: String,
    },
    TakeImage {
        reference: String,
    },
    Push {
        repository: String,
        tag: Tag,
    },
    RegisterTaskDefinition {
        family: String,
    },
    CreateService {
        /// As people name it, here and below.
        service: String,
        desired: i32,
    },
    UpdateService {
        service: String,
        desired: Option<i32>,
        restart: bool,
        /// What else of it changes.
        changes: Vec<String>,
    },
    Await {
        color: Color,
        /// Whether nobody asks it.
        blind: bool,
    },
    Scale {
        color: Color,
        desired: i32,
    },
    /// As users' colour is scaled.
    MirrorScaling {
        to: Color,
    },
    Rescale {
        color: Color,
        target: ScalableTarget,
    },
    Check,
    Baseline {
        production: Endpoint,
        seconds: f64,
    },
    /// A move, told.
    Move(String),
    /// A stage is watched before the next one's turn.
    Bake {
        seconds: f64,
    },
    Pause,
    /// Of its set, until they are as far.
    AwaitModules,
    Probe {
        production: Endpoint,
        rate: f64,
        seconds: f64,
        takes_back: bool,
    },
    /// The same where nobody asks production.
    WatchBlind {
        color: Color,
        heeds_alarms: bool,
        seconds: f64,
        takes_back: bool,
    },
    Retire {
        service: String,
    },
    DeleteService {
        service: String,
        tasks: i32,
    },
    DeleteTaskDefinitions {
        family: String,
        count: usize,
    },
    DeleteImages {
        repository: String,
    },
    /// Of all objects, in all their versions.
    EmptyBucket {
        bucket: String,
    },
    DeleteStack {
        name: String,
    },
}

impl Step {
    /// What a strategy does, as it is carried out.
    pub fn moves(strategy: &Strategy, endpoints: &PerRoute<Endpoint>) -> Vec<Self> {
        let moves = strategy.moves();
        moves.map(|it| Self::Move(it.told(endpoints))).collect()
    }

    /// The same where nothing is live, after what that waits for.
    pub fn first(
        hook: Option<Hook>,
        strategy: &Strategy,
        endpoints: &PerRoute<Endpoint>,
    ) -> Vec<Self> {
        let hook = hook.map(|hook| Self::RunHook {
            command: hook.at(None),
        });
        let moves = Self::moves(strategy, endpoints);
        hook.into_iter().chain(moves).collect()
    }

    /// The same with all that its stages wait for. How the last one is watched is
    /// for the whole of it to say.
    /// `spread` is how long it may be until users have a move.
    pub fn of(strategy: &Strategy, endpoints: &PerRoute<Endpoint>, spread: Duration) -> Vec<Self> {
        let mut steps = Vec::new();
        let mut stages = strategy.stages.iter().peekable();
        while let Some(stage) = stages.next() {
            let condition = |condition: &Condition| Self::condition(*condition, strategy.to);
            steps.extend(stage.before.iter().map(condition));
            // Where a route is already there is nothing to do.
            if stage.it.from != Some(stage.it.to) {
                steps.push(Self::Move(stage.it.told(endpoints)));
                if !spread.is_zero() {
                    let seconds = spread.as_secs_f64();
                    steps.push(Self::Spread { seconds });
                }
            }
            if !stage.bake.is_zero() && stages.peek().is_some() {
                let seconds = stage.bake.as_secs_f64();
                steps.push(Self::Bake { seconds });
            }
            steps.extend(stage.after.iter().map(condition));
        }
        steps
    }

    fn condition(condition: Condition, color: Color) -> Self {
        match condition {
            Condition::Capacity(desired) => Self::Scale { color, desired },
            Condition::Hook { hook, stage } => Self::RunHook {
                command: hook.at(stage),
            },
            Condition::Person => Self::Pause,
            Condition::Set(_) => Self::AwaitModules,
        }
    }
}

impl From<TargetChange> for Step {
    fn from(it: TargetChange) -> Self {
        Self::Rescale {
            color: it.color,
            target: it.target,
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CreateStack { name } => write!(f, "create the CloudFormation stack {name}"),
            Self::Attach { name, makes } => write!(
                f,
                "create the CloudFormation stack {name} with {}, and change nothing else",
                makes.join(", ")
            ),
            Self::UpdateStack { name, changes } => {
                write!(
                    f,
                    "update the CloudFormation stack {name}: {}",
                    changes.join(", ")
                )
            }
            Self::RedirectTo { url } => {
                write!(f, "once {url} answers, have port 80 redirect to it")
            }
            Self::ShortenTtl { record, from, to } => write!(
                f,
                "lower the TTL of the record {record} from {from} s to {to} s, and wait {from} s until resolvers have forgotten the old one"
            ),
            Self::TakeRecordOver { record, live } => write!(
                f,
                "give the record {record} a weight for each colour in one batch, all of it {live}'s, as its answer is now"
            ),
            Self::RenewRecord { record, live } => write!(
                f,
                "have the record {record} say of {} what bgecs.toml says; users stay on {live}",
                live.other()
            ),
            Self::GiveRecordBack {
                record,
                is_made: false,
            } => write!(
                f,
                "give the record {record} back as one answer for all: that of the colour that users are on"
            ),
            Self::GiveRecordBack {
                record,
                is_made: true,
            } => write!(f, "delete the record {record}, which bgecs made"),
            Self::TestRule(change) => write!(f, "{change}"),
            Self::RunOwn { own, color, line } => write!(f, "run `{own}` of {color}: {line}"),
            Self::Spread { seconds } => {
                write!(f, "wait until resolvers have it: up to {seconds} s")
            }
            Self::RunHook { command } => write!(f, "run the hook `{command}`"),
            Self::Build { context } => write!(f, "build the image from {context}"),
            Self::TakeImage { reference } => write!(f, "take the image {reference}"),
            Self::Push { repository, tag } => {
                write!(
                    f,
                    "push it to {repository}:{tag}, unless it is there already"
                )
            }
            Self::RegisterTaskDefinition { family } => {
                write!(
                    f,
                    "register a revision of the task definition {family}, by digest"
                )
            }
            Self::CreateService { service, desired } => {
                write!(
                    f,
                    "create the service {service} with {}",
                    counted(desired, "task")
                )
            }
            Self::UpdateService {
                service,
                desired,
                restart,
                changes,
            } => {
                write!(f, "update the service {service}")?;
                if let Some(desired) = desired {
                    write!(f, ", to {}", counted(desired, "task"))?;
                }
                if *restart {
                    f.write_str(", restarting its tasks")?;
                }
                for change in changes {
                    write!(f, ", {change}")?;
                }
                Ok(())
            }
            Self::Await {
                color,
                blind: false,
            } => write!(f, "wait until {color} serves"),
            Self::Await { color, blind: true } => write!(
                f,
                "wait until all of {color} runs and its targets are healthy: it is not probed (--blind)"
            ),
            Self::Scale { color, desired } => {
                write!(f, "scale {color} to {}", counted(desired, "task"))
            }
            Self::EndUnfinished { operation } => {
                write!(f, "bring the unfinished {operation} to its end")
            }
            Self::AwaitStack { name } => write!(f, "wait until the stack {name} is settled"),
            Self::Adopt { production, test } => write!(f, "accept {production} and {test}"),
            Self::MirrorScaling { to } => write!(
                f,
                "have {to} scaled as {} is, with as many tasks, and neither lose one until it is over",
                to.other()
            ),
            Self::Rescale { color, target } => f.write_str(&target.given_to(*color)),
            Self::Check => f.write_str("check both colours and both routes"),
            Self::Baseline { production, seconds } => {
                write!(
                    f,
                    "probe {production} for {seconds} s: it must answer without a failure before anything changes"
                )
            }
            Self::Move(it) => write!(f, "{it}, and read it back"),
            Self::Bake { seconds } => write!(f, "watch it for {seconds} s"),
            Self::AwaitModules => f.write_str("wait for the other modules"),
            Self::Pause => f.write_str(
                "wait for a person: `bgecs promote --continue` goes on, `bgecs promote --abort` goes back",
            ),
            Self::Probe {
                production,
                rate,
                seconds,
                takes_back,
            } => {
                let then = then(*takes_back);
                write!(
                    f,
                    "probe {production} {rate} times a second for {seconds} s; {then} if anything fails"
                )
            }
            Self::WatchBlind {
                color,
                heeds_alarms,
                seconds,
                takes_back,
            } => {
                let then = then(*takes_back);
                let alarms = if *heeds_alarms { " and the alarms" } else { "" };
                write!(
                    f,
                    "watch the target health of {color}{alarms} for {seconds} s, and ask production nothing (--blind); {then} if anything is amiss"
                )
            }
            Self::Retire { service } => write!(f, "scale {service} to zero tasks"),
            Self::DeleteService { service, tasks } => {
                write!(
                    f,
                    "stop {} and delete the service {service}",
                    counted(tasks, "task")
                )
            }
            Self::DeleteTaskDefinitions { family, count } => {
                write!(
                    f,
                    "delete {} of the task definition {family}",
                    counted(count, "revision")
                )
            }
            Self::DeleteImages { repository } => {
                write!(f, "delete every image in the repository {repository}")
            }
            Self::EmptyBucket { bucket } => {
                write!(f, "remove all objects from the bucket {bucket}")
            }
            Self::DeleteStack { name } => {
                write!(f, "delete the CloudFormation stack {name} and all in it")
            }
        }
    }
}

/// What a shift does that is not well.
fn then(takes_back: bool) -> &'static str {
    match takes_back {
        true => "take it back",
        false => "leave it, and say so,",
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why a command does not even start, and what would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub message: String,
    pub hint: Option<String>,
}

impl Refusal {
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let mut error = Self::refused(refusal.message);
        error.hint = refusal.hint;
        error
    }
}

/// Listeners that are not where the journal says: somebody else was here, and
/// what they did is not overwritten.
///
/// # Errors
/// What was expected, and what was found.
pub fn refuse_drift(observed: &Observed) -> Result<(), Refusal> {
    let drift = observed.drift();
    if drift.is_empty() {
        return Ok(());
    }
    let all: Vec<String> = drift.iter().map(ToString::to_string).collect();
    Err(Refusal::new(
        format!("{}: something else changed it", all.join("; ")),
        "`bgecs adopt` accepts what is there now; or put it back by hand",
    ))
}

/// What every mutating command refuses: a world that bgecs did not make.
fn known_live(observed: &Observed) -> Result<Option<Color>, Refusal> {
    if let Some(refusal) = unclear(observed) {
        return Err(refusal);
    }
    refuse_drift(observed)?;
    let live = observed.live_color();
    if live.is_none() {
        ways::free_test_port(observed)?;
    }
    Ok(live)
}
