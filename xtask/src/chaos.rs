//! `cargo xtask chaos`: commands at random, two at once, with faults on any call,
//! kills, signals and strangers, while somebody uses production; and what
//! `docs/reliability.md` promises must hold.
//!
//! An *episode* is a script that is played on a fresh world. Scripts are drawn
//! from the seed and from nothing else. Where one shows that a promise is broken,
//! steps are taken out of it until the shortest script that still shows it is
//! left.

mod model;
mod play;
mod script;
mod shrink;
mod stranger;
mod users;

use std::path::Path;
use std::time::{Duration, Instant};

use localstack::{Emulator, Engine, Gate, Options, gate};

use crate::bgecs::{self, Bgecs, root};
use crate::faults::world::{self, World};
use crate::{Result, interrupt, say};
use play::{Configs, Played, play};
use script::{Kind, Script, draw};

/// The steps of a script, at least.
const LENGTH: usize = 8;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// What everything is drawn from [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// How long to go on; the script that is under way is played to its end
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Play this episode of the seed only
    #[arg(long, requires = "seed")]
    episode: Option<u64>,
    /// Play only these steps of the episode
    #[arg(long, requires = "episode", value_delimiter = ',')]
    steps: Option<Vec<usize>>,
    /// For how long to look for the shortest script that shows a violation
    #[arg(long, default_value_t = 5)]
    shrink_minutes: u64,
    /// Where the first episode is counted from
    #[arg(long, default_value_t = 0, conflicts_with = "episode")]
    from: u64,
}

/// Sets everything up, plays, and takes everything down again, also after a
/// violation or an interrupt.
pub async fn run(args: &Args) -> Result<()> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    say::result(&format!("chaos: the seed is {seed}"));
    let exe = bgecs::build().await?;
    let engine = Engine::ensure(&say::line).await?;
    let emulator = Emulator::start(&engine, Options::default(), &say::line).await?;
    let played = tokio::select! {
        played = play_on(args, seed, &exe, &emulator) => played,
        interrupted = interrupt::awaited() => interrupted,
    };
    localstack::teardown(emulator, engine, &say::line).await?;
    played
}

async fn play_on(args: &Args, seed: u64, exe: &Path, emulator: &Emulator) -> Result<()> {
    let gate = Gate::before(emulator.endpoint(), &gate::Options::default())?;
    let folder = root().join("target/chaos");
    let bgecs = Bgecs::new(exe.to_owned(), gate.env(), None);
    let world = World::new(bgecs, &gate, &folder)?;
    let theatre = Theatre {
        configs: configs(&folder)?,
        world,
        seed,
    };
    theatre.world.build_image().await?;
    let played = theatre.go(args).await;
    if let Some(trouble) = gate.trouble() {
        say::line(&format!("the gate's trouble: {trouble}"));
    }
    drop(theatre);
    gate.stop().await;
    played
}

/// One for each kind of release. All but the environment is alike.
fn configs(folder: &Path) -> Result<Configs> {
    let mut configs = Configs::new();
    for kind in Kind::ALL {
        let text = format!(
            "{}[container]\nenvironment = {{ {} }}\n",
            world::configuration(30).replace(
                "desired_count = 1\n",
                "desired_count = 1\nhealth_check_grace_period_seconds = 5\n"
            ),
            kind.environment()
        );
        let path = folder.join(format!("{}.toml", kind.as_str()));
        std::fs::write(&path, text)?;
        configs.insert(kind, path);
    }
    Ok(configs)
}

struct Theatre<'a> {
    world: World<'a>,
    configs: Configs,
    seed: u64,
}

impl Theatre<'_> {
    async fn go(&self, args: &Args) -> Result<()> {
        let began = Instant::now();
        let end = began + Duration::from_secs(60 * args.minutes);
        let mut episodes = 0;
        let mut steps = 0;
        let mut episode = args.episode.unwrap_or(args.from);
        loop {
            let mut script = draw(self.seed, episode, LENGTH);
            if let Some(numbers) = &args.steps {
                script = script.only(numbers);
            }
            let played = self.episode(episode, &script).await?;
            if !played.violations.is_empty() {
                return self.tell(args, episode, &script, &played).await;
            }
            episodes += 1;
            steps += script.0.len();
            episode += 1;
            if args.episode.is_some() || Instant::now() > end {
                break;
            }
        }
        say::result(&format!(
            "chaos: {episodes} episodes with {steps} steps in {} s, nothing broken (seed {})",
            began.elapsed().as_secs(),
            self.seed
        ));
        Ok(())
    }

    async fn episode(&self, number: u64, script: &Script) -> Result<Played> {
        say::line(&format!("episode {number}"));
        self.fresh().await?;
        let played = play(&self.world, &self.configs, script).await?;
        for line in played.told.iter().chain(&played.violations) {
            say::line(&format!("  {line}"));
        }
        Ok(played)
    }

    /// A release on each colour, and nothing of the episode before.
    async fn fresh(&self) -> Result<()> {
        self.world.rebuild().await?;
        self.world.with_both_running().await?;
        Ok(())
    }

    async fn tell(
        &self,
        args: &Args,
        episode: u64,
        script: &Script,
        played: &Played,
    ) -> Result<()> {
        say::line("looking for the shortest script that shows it");
        let deadline = Instant::now() + Duration::from_secs(60 * args.shrink_minutes);
        let shows = async |numbers: &[usize]| {
            let played = self.episode(episode, &script.only(numbers)).await?;
            Ok(!played.violations.is_empty())
        };
        let left = shrink::shrink(script.numbers(), deadline, shows).await?;
        let numbers: Vec<String> = left.iter().map(ToString::to_string).collect();
        say::result(&format!(
            "chaos: a promise is broken: {}\n{}\nTo see it again:\n  \
             cargo xtask chaos --seed {} --episode {episode} --steps {}",
            played.violations.join("; "),
            script.only(&left),
            self.seed,
            numbers.join(",")
        ));
        Err("bgecs broke a promise".into())
    }
}
