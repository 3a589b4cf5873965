//! Attaching to a service that somebody else made, moving its users at both its load
//! balancers, and detaching again, killed at each write: its users never notice, and
//! nothing of a stranger's is changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::cell::{End, Gone, Point, Told};
use super::mode::{Mode, Next};
use super::operation::{OF_BOTH_WAYS, Operation, Release};
use super::world::World;
use crate::Result;
use crate::bgecs::Ended;
use crate::company::{CLUSTER, Company, Described, INSIDE, LINES, differences};
use crate::json::expect;
use crate::observer::{Answer, Observer, Seen, span};

/// The app that is attached to the first of the company's services.
const APP: &str = "shop";
const STACK: &str = "bgecs-shop";
/// A command that is not at its write by then never will be.
const PATIENCE: Duration = Duration::from_secs(120);
/// Twenty requests a second at each name, half of which agree on TLS anew.
const PACE: Duration = Duration::from_millis(50);

pub struct Beside<'a> {
    company: Company<'a>,
    config: PathBuf,
    /// Ahead of all that bgecs does.
    before: Described,
}

/// How a cell has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Attached,
    /// Users of both ways have the release.
    Promoted,
    Gone,
}

impl<'a> Beside<'a> {
    /// A company in that world, and a `bgecs.toml` for one of its services in that
    /// folder.
    pub async fn founded(world: &World<'a>, folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        let company = Company::founded(world.gate, &world.image).await?;
        let beside = Self {
            before: company.described().await?,
            config: folder.join("bgecs.toml"),
            company,
        };
        let named = ["--cluster", CLUSTER, "--service", LINES[0].name];
        let both = beside.company.import_flags()?;
        let import = [&["import", "--app", APP], &named[..], &both].concat();
        beside.done(world, &import).await?;
        Ok(beside)
    }

    async fn run(&self, world: &World<'_>, words: &[impl AsRef<str>]) -> Result<Ended> {
        world.type_line(&self.with_config(words)).await
    }

    pub async fn done(&self, world: &World<'_>, words: &[impl AsRef<str>]) -> Result<Ended> {
        world.type_done(&self.with_config(words)).await
    }

    fn with_config(&self, words: &[impl AsRef<str>]) -> Vec<String> {
        let words = words.iter().map(|word| word.as_ref().to_owned());
        let config = self.config.display().to_string();
        words.chain(["--config".to_owned(), config]).collect()
    }

    /// Brings it to where that operation starts: a detach finds a release on the
    /// colour that is bgecs's own.
    pub async fn prepare(&self, world: &World<'_>, operation: Operation) -> Result<()> {
        self.bring_users_home(world).await?;
        if operation == Operation::Attach {
            self.done(world, &["detach"]).await?;
            return self.is_untouched().await;
        }
        self.done(world, &["attach"]).await?;
        let status = self.done(world, &["status", "--json"]).await?.json()?;
        if operation == Operation::PromoteWays {
            return self.prepare_promotion(world, &status).await;
        }
        if status["colors"]["green"].is_null() {
            let deploy = Operation::Deploy.typed(&world.next_release());
            self.done(world, &deploy.words).await?;
        }
        Ok(())
    }

    /// After a promotion.
    async fn bring_users_home(&self, world: &World<'_>) -> Result<()> {
        let status = self.run(world, &["status", "--json"]).await?;
        // Detached, it has none.
        if status.code == 0 && status.json()?["live"] == "green" {
            self.done(world, &["rollback", "--window", "1s"]).await?;
        }
        Ok(())
    }

    /// The release waits on the colour that bgecs made.
    async fn prepare_promotion(&self, world: &World<'_>, status: &Value) -> Result<()> {
        if status["colors"]["green"]["tag"] != OF_BOTH_WAYS {
            let release = Release {
                tag: OF_BOTH_WAYS.to_owned(),
                ..world.next_release()
            };
            self.done(world, &Operation::Deploy.typed(&release).words)
                .await?;
        }
        Ok(())
    }

    /// Goes through a cell.
    pub async fn go(&self, world: &World<'_>, point: Point<'_>) -> Gone {
        let gone = self.gone_through(world, point).await;
        gone.unwrap_or_else(|error| Gone::badly(&error.to_string()))
    }

    async fn gone_through(&self, world: &World<'_>, point: Point<'_>) -> Result<Gone> {
        let prepared = self.prepare(world, point.operation).await;
        prepared.map_err(|error| format!("not brought to its start: {error}"))?;
        let at = |door| Observer::start(door, "/api", PACE);
        let mut users = vec![(INSIDE, at(self.company.inside_door().await?))];
        for line in &LINES {
            users.push((line.host, at(self.company.door(line).await?)));
        }
        let outcome = self.walk(world, point).await;
        let mut seen: Vec<(&str, Seen)> = Vec::new();
        for (who, one) in users {
            seen.push((who, one.stop().await?));
        }
        let harm = seen.iter().find_map(|(who, seen)| {
            let harm = seen.unharmed().err()?;
            Some(format!("users of {who}: {harm}"))
        });
        let answers = || seen.iter().flat_map(|(_, seen)| &seen.0);
        let is_failure = |one: &&Answer| one.failure().is_some();
        Ok(Gone {
            verdict: match (outcome, harm) {
                (Ok(told), None) => Ok(told),
                (Ok(_), Some(harm)) => Err(harm),
                (Err(error), _) => Err(error.to_string()),
            },
            failed_for: span(answers().filter(is_failure)),
        })
    }

    async fn walk(&self, world: &World<'_>, point: Point<'_>) -> Result<Told> {
        let typed = point.operation.typed(&world.next_release()).words;
        let line = self.with_config(&typed);
        world.type_and_kill(&line, point, PATIENCE).await?;
        let Mode::Over(next) = point.mode else {
            let codes = self.until_done(world, &typed).await?;
            self.ended(world, Goal::of(point.operation)).await?;
            return Ok(Told::Repeated(codes));
        };
        let other = next.beside().typed(&world.next_release()).words;
        let codes = match self.run(world, &other).await?.code {
            // It refuses, and says what to finish first.
            6 => {
                self.done(world, &typed).await?;
                [vec![6], self.until_done(world, &other).await?].concat()
            }
            0 => vec![0],
            code => [vec![code], self.until_done(world, &other).await?].concat(),
        };
        let goal = Goal::of(next.beside());
        self.ended(world, goal).await?;
        Ok(Told::Overtaken(codes, goal.end()))
    }

    /// The exit codes of a line that is typed until it succeeds.
    async fn until_done(&self, world: &World<'_>, words: &[String]) -> Result<Vec<i32>> {
        world.type_until_done(&self.with_config(words)).await
    }

    async fn ended(&self, world: &World<'_>, goal: Goal) -> Result<()> {
        if goal == Goal::Gone {
            self.is_untouched().await?;
            return self.nothing_is_left(world).await;
        }
        let status = self.done(world, &["status", "--json"]).await?.json()?;
        let live = match goal {
            Goal::Promoted => "green",
            Goal::Attached | Goal::Gone => "blue",
        };
        expect(&status, &["live"], live)?;
        for none in ["unfinished", "lease"] {
            expect(&status, &[none], serde_json::Value::Null)?;
        }
        if goal == Goal::Promoted {
            return self.is_on_both_ways(&status);
        }
        // bgecs's own come beside what was there; of that nothing is changed.
        let now = self.company.described().await?;
        let mut changed = differences(&self.before, &now);
        changed.retain(|line| line.starts_with("  - "));
        none_of("changed", &changed)
    }

    /// Production's text names each way where they differ.
    fn is_on_both_ways(&self, status: &Value) -> Result<()> {
        let ways = status["listeners"]["prod"]["ways"].as_array();
        let forwards = &status["listeners"]["prod"]["forwards"];
        let is_whole = forwards
            .as_array()
            .is_some_and(|all| all.len() == 1 && all[0]["color"] == "green");
        match is_whole && ways.is_some_and(|ways| ways.len() == 2) {
            true => Ok(()),
            false => Err(format!("users are not all there: {status:#}").into()),
        }
    }

    async fn is_untouched(&self) -> Result<()> {
        let now = self.company.described().await?;
        none_of("not as it was", &differences(&self.before, &now))
    }

    async fn nothing_is_left(&self, world: &World<'_>) -> Result<()> {
        let family = json!({ "familyPrefix": STACK, "status": "ACTIVE" });
        let listed = world.api.ecs("ListTaskDefinitions", &family).await?;
        let arns = listed["taskDefinitionArns"].as_array();
        let left = arns.into_iter().flatten().map(ToString::to_string);
        none_of("left behind", &left.collect::<Vec<_>>())
    }
}

impl Goal {
    fn of(operation: Operation) -> Self {
        match operation {
            Operation::Detach => Self::Gone,
            Operation::PromoteWays => Self::Promoted,
            _ => Self::Attached,
        }
    }

    fn end(self) -> End {
        match self {
            Self::Attached | Self::Promoted => End::AsBefore,
            Self::Gone => End::Gone,
        }
    }
}

impl Next {
    /// The operation that comes over the other one here.
    fn beside(self) -> Operation {
        match self {
            Self::Destroy => Operation::Detach,
            _ => Operation::Attach,
        }
    }
}

fn none_of(what: &str, lines: &[String]) -> Result<()> {
    match lines.is_empty() {
        true => Ok(()),
        false => Err(format!("{what}:\n{}", lines.join("\n")).into()),
    }
}

/// A resource of the record, without what is another in every run.
pub fn plain(resource: &str) -> String {
    let is_number = |text: &str| text.bytes().all(|letter| letter.is_ascii_digit());
    let plain = |part: &str| match part.rsplit_once(':') {
        Some((family, revision)) if is_number(revision) => family.to_owned(),
        // Of a listener or a rule, its load balancer's name.
        _ if part.starts_with("listener") => part.split('/').take(2).collect::<Vec<_>>().join("/"),
        _ => part.to_owned(),
    };
    let mut parts: Vec<String> = resource.split(',').map(plain).collect();
    parts.dedup();
    parts.join(", ")
}
