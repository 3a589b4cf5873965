//! Two apps that are released as one, each behind a record of its own: the release of their
//! set is killed at each write of either. Whatever is typed then, it never ends by halves,
//! and users of neither app notice.
//!
//! The modules write side by side, so a write is known by its module, and by which of its
//! kind there it is.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use localstack::Endpoints;
use localstack::gate::crash::{Side, Write, kill_at_its_kind};
use serde_json::Value;
use tokio::time::timeout;

use super::cell::{Gone, Point, Told};
use super::judge::Outcome;
use super::mode::Mode;
use super::operation::{Operation, Release};
use super::world::World;
use crate::bgecs::Ended;
use crate::json::{expect, text};
use crate::visitors::{NamedPlace, Visitors};
use crate::{Result, others};

const COLORS: [&str; 2] = ["blue", "green"];
/// A command that is not at its write by then never will be.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Pair {
    folder: PathBuf,
    resolver: SocketAddr,
    /// In the order in which their users go over.
    modules: [PairModule; 2],
}

struct PairModule {
    name: &'static str,
    endpoints: Endpoints,
    /// Of a zone that is its own.
    zone: String,
    place: NamedPlace,
}

/// What is so of both.
#[derive(Debug)]
struct PairState {
    live: String,
    /// In either.
    unfinished: Option<String>,
}

impl PairModule {
    async fn new(world: &World<'_>, name: &'static str, addresses: [Ipv4Addr; 2]) -> Result<Self> {
        let endpoints = Endpoints::at(addresses, "x-bgecs-release")?;
        let zone = format!("{name}.test");
        Ok(Self {
            name,
            place: NamedPlace::at(&format!("www.{zone}"), endpoints.port).await?,
            zone: others::make_zone(&world.api, &zone).await?,
            endpoints,
        })
    }

    fn configuration(&self, resolver: SocketAddr) -> String {
        let Self {
            name, endpoints, ..
        } = self;
        let port = endpoints.port;
        let mut text = format!(
            "app = \"pair-{name}\"\n[router]\nkind = \"route53\"\nrecord = \"www.{name}.test\"\n\
             url = \"http://www.{name}.test:{port}\"\nttl = 1\nresolvers = [\"{resolver}\"]\n\
             [probe]\nwindow_seconds = 1\n"
        );
        for color in COLORS {
            text += &format!(
                "[colors.{color}]\ntarget = \"{}\"\nurl = \"{}\"\ndeploy = \"echo $BGECS_TAG > {}\"\n",
                endpoints.address(color),
                endpoints.url(color),
                endpoints.file(color).display()
            );
        }
        text
    }

    fn has_written(&self, write: &Write) -> bool {
        write.resource == format!("bgecs-pair-{}", self.name)
            || write.operation.contains(&self.zone)
    }
}

impl Pair {
    /// In that folder, with a release of both live.
    pub async fn founded(world: &World<'_>, folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        let at = |last| [last, last + 1].map(|last| Ipv4Addr::new(127, 0, 9, last));
        let dns = world.gate.dns().ok_or("the gate serves no names")?;
        let pair = Self {
            folder: folder.to_owned(),
            resolver: dns.authority,
            modules: [
                PairModule::new(world, "backend", at(1)).await?,
                PairModule::new(world, "frontend", at(3)).await?,
            ],
        };
        let set = "set = \"pair\"\n\
             [[module]]\nname = \"backend\"\nconfig = \"backend.toml\"\n\
             [[module]]\nname = \"frontend\"\nconfig = \"frontend.toml\"\nafter = [\"backend\"]\n";
        fs::write(pair.set(), set)?;
        for module in &pair.modules {
            fs::write(pair.config(module), module.configuration(pair.resolver))?;
            pair.done(world, module, &["init"]).await?;
        }
        Ok(pair)
    }

    fn set(&self) -> PathBuf {
        self.folder.join("set.toml")
    }

    fn config(&self, module: &PairModule) -> PathBuf {
        self.folder.join(format!("{}.toml", module.name))
    }

    /// A command of one module's own.
    async fn done(&self, world: &World<'_>, of: &PairModule, words: &[&str]) -> Result<Ended> {
        let config = self.config(of).display().to_string();
        let line = [words, &["--config", &config]].concat();
        let line: Vec<String> = line.into_iter().map(str::to_owned).collect();
        world.type_done(&line).await
    }

    fn line(&self, release: &Release) -> Vec<String> {
        let mut line = Operation::ReleaseSet.typed(release).words;
        line.push(self.set().display().to_string());
        line
    }

    /// The release that is live in both; an error where they are on two.
    async fn whole(&self, world: &World<'_>, what: &str) -> Result<PairState> {
        let set = self.set().display().to_string();
        let line = ["release", "status", &set, "--json"].map(str::to_owned);
        let status = world.type_done(&line).await?.json()?;
        let modules = status["modules"].as_array();
        let modules = modules.map_or(&[][..], Vec::as_slice);
        let [one, other] = modules else {
            return Err(format!("they are not two: {status:#}").into());
        };
        let tags = [text(one, &["tag"])?, text(other, &["tag"])?];
        match tags[0] == tags[1] {
            true => Ok(PairState {
                live: tags[0].to_owned(),
                unfinished: modules
                    .iter()
                    .find_map(|it| it["unfinished"].as_str().map(str::to_owned)),
            }),
            false => Err(format!(
                "{what} it is half: the live tags are {}",
                tags.join(" and ")
            )
            .into()),
        }
    }

    /// The same, where nothing is unfinished in either.
    async fn settled(&self, world: &World<'_>, what: &str) -> Result<String> {
        let state = self.whole(world, what).await?;
        match state.unfinished {
            None => Ok(state.live),
            Some(unfinished) => Err(format!("{what} the {unfinished} is unfinished").into()),
        }
    }

    /// With nothing unfinished; gives what is live in both.
    async fn prepare(&self, world: &World<'_>) -> Result<String> {
        world.gate.faults().clear();
        if let Ok(live) = self.settled(world, "ahead of it").await {
            return Ok(live);
        }
        let release = world.next_release();
        world.type_until_done(&self.line(&release)).await?;
        self.settled(world, "ahead of it").await
    }

    /// The writes of a run that nothing disturbs: module by module, as each makes them.
    pub async fn written(&self, world: &World<'_>) -> Result<Vec<Write>> {
        self.prepare(world).await?;
        let mark = world.gate.calls().mark();
        world.type_done(&self.line(&world.next_release())).await?;
        let all = Write::all(&world.gate.calls().since(mark));
        let of = |module: &PairModule| {
            let own = all.iter().filter(|write| module.has_written(write));
            own.cloned().collect::<Vec<_>>()
        };
        let mut ordered: Vec<Write> = self.modules.iter().flat_map(of).collect();
        if ordered.len() != all.len() {
            return Err(format!("not all of these are one module's: {all:#?}").into());
        }
        for (number, write) in (1..).zip(&mut ordered) {
            write.number = number;
        }
        Ok(ordered)
    }

    /// The same in every lane.
    pub fn plain(&self, write: &Write) -> Write {
        let mut plain = write.clone();
        for module in &self.modules {
            if plain.operation.contains(&module.zone) {
                plain.operation = plain.operation.replace(&module.zone, "ID");
                plain.resource = format!("www.{}.test", module.name);
            }
        }
        plain
    }

    /// Goes through a cell.
    pub async fn go(&self, world: &World<'_>, point: Point<'_>) -> Gone {
        let gone = self.gone_through(world, point).await;
        gone.unwrap_or_else(|error| Gone::badly(&error.to_string()))
    }

    async fn gone_through(&self, world: &World<'_>, point: Point<'_>) -> Result<Gone> {
        let prepared = self.prepare(world).await;
        let before = prepared.map_err(|error| format!("not brought to its start: {error}"))?;
        let come_in = |it: &PairModule| Visitors::come_in(&it.place, self.resolver);
        let users = self.modules.each_ref().map(come_in);
        let outcome = self.walk(world, point, &before).await;
        let mut harm = None;
        for (one, module) in users.into_iter().zip(&self.modules) {
            let harmed = one.leave().await?.unharmed().err();
            harm = harm.or(harmed.map(|why| format!("users of {}: {why}", module.name)));
        }
        Ok(Gone {
            verdict: match (outcome, harm) {
                (Ok(told), None) => Ok(told),
                (Ok(_), Some(harm)) => Err(harm),
                (Err(error), _) => Err(error.to_string()),
            },
            failed_for: None,
        })
    }

    async fn walk(&self, world: &World<'_>, point: Point<'_>, before: &str) -> Result<Told> {
        let release = world.next_release();
        let line = self.line(&release);
        kill(world, &line, point).await?;
        if point.mode != Mode::Resume {
            let codes = world.type_until_done(&line).await?;
            self.is_released(world, &release).await?;
            return Ok(Told::Repeated(codes));
        }
        let outcome = self
            .resumed(world, point.side, (before, &release.tag))
            .await?;
        world.type_done(&line).await?;
        self.is_released(world, &release).await?;
        Ok(Told::Resumed(outcome))
    }

    /// In the folder of one module, which has to leave both on one release; and then in the
    /// other's, which alone knows of what it had begun ahead of any move.
    async fn resumed(
        &self,
        world: &World<'_>,
        side: Side,
        (before, released): (&str, &str),
    ) -> Result<Outcome> {
        let [first, last] = &self.modules;
        let folders = match side {
            Side::Before => [first, last],
            Side::After => [last, first],
        };
        let (mut did_nothing, mut last) = (true, None);
        for one in folders {
            let resumed = self.done(world, one, &["resume", "--json"]).await?.json()?;
            did_nothing &= text(&resumed, &["outcome"])? == "nothing";
            let what = format!("after `resume` of {}", one.name);
            last = Some(self.whole(world, &what).await?);
        }
        let live = match last {
            Some(PairState {
                live,
                unfinished: None,
            }) => live,
            other => return Err(format!("after both `resume`: {other:?}").into()),
        };
        match (did_nothing, live) {
            (true, live) if live == before => Ok(Outcome::NothingBegun),
            (false, live) if live == before => Ok(Outcome::Undone),
            (true, live) if live == released => Ok(Outcome::Done),
            (false, live) if live == released => Ok(Outcome::Finished),
            (_, live) => Err(format!("after `resume` tag {live} is live").into()),
        }
    }

    async fn is_released(&self, world: &World<'_>, release: &Release) -> Result<()> {
        for module in &self.modules {
            let status = self.done(world, module, &["status", "--json"]).await?;
            expect(&status.json()?, &["lease"], Value::Null)?;
        }
        let live = self.settled(world, "after the same line").await?;
        match live == release.tag {
            true => Ok(()),
            false => Err(format!("after the same line tag {live} is live").into()),
        }
    }
}

async fn kill(world: &World<'_>, line: &[String], point: Point<'_>) -> Result<()> {
    let words: Vec<&str> = line.iter().map(String::as_str).collect();
    let Point { write, side, .. } = point;
    let client = world.bgecs.command(&words);
    let killing = kill_at_its_kind(world.gate, client, (write, point.writes), side);
    let killed = timeout(PATIENCE, killing).await;
    let killed = killed.map_err(|_| format!("it is not at that write after {PATIENCE:?}"))?;
    killed.map_err(|error| format!("it was not killed there: {error}"))?;
    Ok(())
}
