//! A local AWS with one app in it, brought to where an operation starts by
//! bgecs's own commands.

mod look;
mod scaling;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use localstack::Gate;
use localstack::gate::upstream::Upstream;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::mode::{Mode, Next};
use super::operation::{Operation, Release};
use super::state::{Color, State};
use crate::Result;
use crate::bgecs::{Bgecs, Ended, root};

const APP: &str = "faults";
/// The stack's, the cluster's and the task definitions' name.
pub const NAME: &str = "bgecs-faults";
/// The tag of the image that all releases are.
const BUILT: &str = "built";
const PAUSE: Duration = Duration::from_millis(50);
/// For what ECS goes on with after bgecs has ended.
const SETTLING: Duration = Duration::from_secs(15);

pub struct World<'a> {
    pub bgecs: Bgecs,
    pub gate: &'a Gate,
    pub api: Upstream,
    /// The configuration, and the same with another setting of the stack.
    configs: [PathBuf; 2],
    /// Which of them the stack was last brought to.
    configured: usize,
    /// The same as the first, with a migration ahead of each promotion.
    migrating: PathBuf,
    is_migrating: bool,
    pub image: String,
    /// How many releases there were, each with a tag of its own: a tag that is
    /// in the registry already would not be pushed.
    releases: Cell<u32>,
    /// The tags that were seen to be live.
    been_live: RefCell<BTreeSet<String>>,
}

impl<'a> World<'a> {
    /// In that folder, which is this world's own.
    pub fn new(bgecs: Bgecs, gate: &'a Gate, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let configs = [30, 7].map(|days| (folder.join(format!("{days}-days.toml")), days));
        for (path, days) in &configs {
            fs::write(path, configuration(*days))?;
        }
        let migrating = folder.join("migrating.toml");
        let migrates = "before_shift = { run = [\"migrate\"] }";
        let hooks = format!("[hooks]\n{migrates}\n");
        fs::write(&migrating, configuration(30).replace("[hooks]\n", &hooks))?;
        let endpoint = gate.endpoint();
        let port = endpoint.rsplit(':').next().unwrap_or_default();
        Ok(Self {
            bgecs,
            gate,
            api: Upstream::new(endpoint.trim_start_matches("http://"), "test"),
            configs: configs.map(|(path, _)| path),
            configured: 0,
            migrating,
            is_migrating: false,
            image: format!("localhost:{port}/{NAME}:{BUILT}"),
            releases: Cell::new(0),
            been_live: RefCell::default(),
        })
    }

    /// Makes the image that all releases here are, once.
    pub async fn build_image(&self) -> Result<()> {
        self.done(&["init"]).await?;
        let context = root().join("sample-app/v1").display().to_string();
        self.done(&["deploy", &context, "--tag", BUILT, "--color", "green"])
            .await?;
        Ok(())
    }

    /// Adds the configuration to a command line.
    pub fn with_config(&self, words: &[impl AsRef<str>]) -> Vec<String> {
        let config = match self.is_migrating {
            true => &self.migrating,
            false => &self.configs[self.configured],
        };
        let config = config.display().to_string();
        let words = words.iter().map(|word| word.as_ref().to_owned());
        words.chain(["--config".to_owned(), config]).collect()
    }

    pub async fn run(&self, words: &[impl AsRef<str>]) -> Result<Ended> {
        self.type_line(&self.with_config(words)).await
    }

    pub async fn done(&self, words: &[impl AsRef<str>]) -> Result<Ended> {
        self.type_done(&self.with_config(words)).await
    }

    /// `None` where there is no stack.
    pub async fn state(&self) -> Result<Option<State>> {
        let ended = self.run(&["status", "--json"]).await?;
        if Self::has_no_stack(&ended) {
            return Ok(None);
        }
        let state = State::read(&ended.expect_code(0)?.json()?)?;
        self.been_live.borrow_mut().extend(state.tags().live);
        Ok(Some(state))
    }

    /// Whether a command ended so because there is no stack.
    pub fn has_no_stack(ended: &Ended) -> bool {
        ended.code == 1 && ended.stderr.contains("there is no stack")
    }

    /// Operations of the history that have no end.
    pub async fn endless(&self) -> Result<Vec<String>> {
        let history = self.done(&["history", "--json"]).await?.json()?;
        let operations = history["operations"].as_array();
        let operations = operations.ok_or("the history has no operations")?;
        let is_endless = |one: &&Value| {
            let outcome = one["outcome"].as_str();
            outcome.is_none_or(|outcome| outcome == "unfinished")
        };
        Ok(operations
            .iter()
            .filter(is_endless)
            .map(Value::to_string)
            .collect())
    }

    async fn there(&self) -> Result<State> {
        Ok(self.state().await?.ok_or("there is no stack")?)
    }

    /// Brings it to where that operation starts.
    pub async fn prepare(&mut self, operation: Operation, mode: Mode) -> Result<State> {
        self.is_migrating = false;
        let state = self.prepared(operation, mode).await;
        self.is_migrating = operation == Operation::PromoteMigrating;
        let live = state.as_ref().ok().and_then(|state| state.live);
        match live.filter(|_| operation == Operation::PromoteScaled) {
            Some(live) => self.scaling_alone(live).await?,
            None => self.unscaled().await?,
        }
        state
    }

    async fn prepared(&mut self, operation: Operation, mode: Mode) -> Result<State> {
        match operation {
            Operation::DeployFirst => self.without_a_release().await,
            Operation::Destroy => self.young().await,
            // A promotion over it takes what was there before, if it takes that.
            Operation::Deploy if mode == Mode::Over(Next::Promote) => self.with_a_new_one().await,
            Operation::Deploy | Operation::Retire => self.with_both_running().await,
            Operation::Promote
            | Operation::PromoteGradual
            | Operation::PromoteMigrating
            | Operation::PromoteScaled => self.with_a_new_one().await,
            Operation::PromoteGrowing => self.with_one_grown().await,
            Operation::Rollback => self.with_a_way_back().await,
            Operation::InitUpdate => self.with_an_older_stack().await,
            Operation::Attach
            | Operation::Detach
            | Operation::PromoteWays
            | Operation::PromoteRecord
            | Operation::PromoteOrigin
            | Operation::Up
            | Operation::ReleaseSet => Err("it is another app's".into()),
        }
    }

    pub async fn without_a_release(&self) -> Result<State> {
        let state = self.state().await?;
        if state
            .as_ref()
            .is_some_and(|state| state.services().count() > 0)
        {
            self.done(&["destroy", "--yes"]).await?;
        }
        if state.is_none_or(|state| state.services().count() > 0) {
            self.done(&["init"]).await?;
        }
        self.there().await
    }

    /// With a release on each colour and no other one before, since each is a
    /// write of `destroy`.
    async fn young(&self) -> Result<State> {
        let releases = self.revisions().await?.len();
        if releases > 2 || (releases == 2 && self.there().await?.services().count() < 2) {
            self.without_a_release().await?;
        }
        self.with_both_running().await
    }

    pub async fn with_both_running(&self) -> Result<State> {
        let mut state = match self.state().await? {
            Some(state) => state,
            None => self.without_a_release().await?,
        };
        if state.live.is_none() {
            self.perform(Operation::DeployFirst).await?;
            state = self.there().await?;
        }
        let idle = state.service(state.idle()?);
        if idle.is_none_or(|idle| idle.desired == 0) {
            self.perform(Operation::Deploy).await?;
            state = self.there().await?;
        }
        Ok(state)
    }

    /// With a release on the idle colour that has not been live.
    async fn with_a_new_one(&self) -> Result<State> {
        let state = self.with_both_running().await?;
        let idle = state.tags().idle;
        let is_known = |tag| self.been_live.borrow().contains(&tag);
        if !idle.is_some_and(is_known) {
            return Ok(state);
        }
        self.perform(Operation::Deploy).await?;
        self.there().await
    }

    async fn with_a_way_back(&self) -> Result<State> {
        let state = self.with_both_running().await?;
        if state.has_a_way_back() {
            return Ok(state);
        }
        self.with_a_new_one().await?;
        self.perform(Operation::Promote).await?;
        let state = self.there().await?;
        match state.has_a_way_back() {
            true => Ok(state),
            false => Err("a promotion leaves no way back".into()),
        }
    }

    async fn with_one_grown(&self) -> Result<State> {
        let state = self.with_a_new_one().await?;
        let live = state.live.ok_or("nothing is live")?;
        self.scale(live, 2).await?;
        self.scale(live.other(), 1).await?;
        self.until("two tasks are live and one is idle", async || {
            let state = self.there().await?;
            let serves = |color, count| {
                let service = state.service(color);
                service.is_some_and(|is| is.running == count && is.healthy == count)
            };
            Ok(serves(live, 2) && serves(live.other(), 1))
        })
        .await?;
        self.there().await
    }

    /// With a stack to which another colour is live, and another setting right,
    /// which are two updates.
    async fn with_an_older_stack(&mut self) -> Result<State> {
        self.with_a_new_one().await?;
        self.take_other_config();
        self.perform(Operation::InitUpdate).await?;
        self.perform(Operation::Promote).await?;
        self.take_other_config();
        self.there().await
    }

    fn take_other_config(&mut self) {
        self.configured = 1 - self.configured;
    }

    /// As autoscaling does.
    pub async fn scale(&self, color: Color, count: u32) -> Result<()> {
        let change = json!({"cluster": NAME, "service": color.as_str(), "desiredCount": count});
        self.api.ecs("UpdateService", &change).await?;
        Ok(())
    }

    /// A release that was not there yet.
    pub fn next_release(&self) -> Release {
        self.releases.set(self.releases.get() + 1);
        Release {
            image: self.image.clone(),
            tag: self.releases.get().to_string(),
        }
    }

    async fn perform(&self, operation: Operation) -> Result<()> {
        self.done(&operation.typed(&self.next_release()).words)
            .await?;
        Ok(())
    }

    /// Makes a new start after something went wrong. What is left then may take
    /// more than one go.
    pub async fn rebuild(&self) -> Result<()> {
        self.gate.faults().clear();
        self.until("everything is destroyed", async || {
            Ok(self.run(&["destroy", "--yes"]).await?.code == 0)
        })
        .await?;
        self.until("nothing is left", async || {
            Ok(self.leftovers().await?.is_empty())
        })
        .await
    }

    /// Looks until it is so.
    pub async fn until(&self, what: &str, is_so: impl AsyncFn() -> Result<bool>) -> Result<()> {
        let began = Instant::now();
        while !is_so().await? {
            if began.elapsed() > SETTLING {
                return Err(format!("not within {SETTLING:?}: {what}").into());
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }
}

pub fn configuration(retention_days: u32) -> String {
    let hook = root().join("sample-app/build").display().to_string();
    format!(
        "app = \"{APP}\"\n\n[service]\ndesired_count = 1\n\n\
         [probe]\npath = \"/api\"\nrate = 20\nwindow_seconds = 1\n\n\
         [hooks]\nbefore_stage = \"true\"\n\n\
         [build]\nbefore = \"{hook}\"\n\n[logs]\nretention_days = {retention_days}\n\n\
         [load_balancer]\nderegistration_delay_seconds = 0\n"
    )
}
