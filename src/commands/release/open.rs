//! The modules of a set, each with the session that a command of its own would have.

use std::path::{Path, PathBuf};

use super::jobs::refuse_twin_jobs;
use super::{listed, width};
use time::OffsetDateTime;

use crate::aws::{Access, Aws, AwsError};
use crate::cli::Global;
use crate::config::{Config, SetFile};
use crate::driver::job::SetJob;
use crate::driver::release::{Module, OnStage};
use crate::engine::set::{among, region_by_region, waves};
use crate::error::{Error, Result};
use crate::interrupt::Signals;
use crate::model::{AwsPlace, ModulePlace, SetName, UploadRecord};
use crate::report::Reporter;
use crate::session::Session;

/// Where something is kept once for a set.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub aws: Aws,
    pub table: String,
}

impl Ledger {
    /// Those that were not uploaded earlier than that.
    ///
    /// # Errors
    /// DynamoDB's own.
    pub async fn since(&self, uploaded: OffsetDateTime) -> Result<Vec<UploadRecord>, AwsError> {
        self.aws.uploads_since(&self.table, uploaded).await
    }

    /// # Errors
    /// DynamoDB's own.
    pub async fn write(&self, record: &UploadRecord) -> Result<(), AwsError> {
        self.aws.write_upload(&self.table, record).await
    }
}

/// What all modules share.
pub struct SetContext<'a> {
    pub global: &'a Global,
    pub report: &'a Reporter,
    pub signals: Signals,
    /// Told when users of all modules have taken so many stages.
    pub on_stage: &'a OnStage<'a>,
}

impl<'a> SetContext<'a> {
    /// For the person who typed it and sees it.
    pub fn of_person(global: &'a Global, report: &'a Reporter) -> Self {
        Self {
            global,
            report,
            signals: Signals::OfProcess,
            on_stage: &|_| {},
        }
    }
}

impl SetContext<'_> {
    /// Opens those modules of the set; all, where none is named.
    ///
    /// # Errors
    /// A name that no module has, two modules of one app, a configuration with a
    /// mistake (exit 2); a module that cannot be used.
    pub async fn open(&self, set: &SetFile, only: &[SetName]) -> Result<OpenSet> {
        let opened = self.opened_all(set, only).await?;
        let mut jobs = Vec::new();
        for it in set.jobs.iter().filter(|it| is_wanted(&it.name, only)) {
            jobs.push(self.job(it, width(set.names())).await?);
        }
        refuse_twin_jobs(&jobs)?;
        let mut modules = Vec::new();
        for it in opened {
            modules.push(it.found().await?);
        }
        Ok(OpenSet { modules, jobs })
    }

    /// Where it is kept what became of a set's uploads: beside the journal of the module
    /// whose lease is taken first. Asks AWS nothing.
    ///
    /// # Errors
    /// As [`SetContext::open`].
    pub async fn ledger(&self, set: &SetFile) -> Result<Ledger> {
        let opened = self.opened_all(set, &[]).await?;
        let ledgers = opened.into_iter().map(|it| Ledger {
            table: it.session.stack_name(),
            aws: it.session.aws,
        });
        let rank = |it: &Ledger| (it.aws.region().to_owned(), it.table.clone());
        let first = ledgers.min_by_key(rank);
        first.ok_or_else(|| Error::usage(format!("the set {} has no module", set.name)))
    }

    async fn opened_all(&self, set: &SetFile, only: &[SetName]) -> Result<Vec<OpenedModule>> {
        refuse_strays(set, only)?;
        let wanted = set.modules.iter().map(|it| is_wanted(&it.name, only));
        let wanted: Vec<bool> = wanted.collect();
        let after: Vec<&[usize]> = set.modules.iter().map(|it| &*it.after).collect();
        let orders = among(&after, &wanted, false);
        let sections = set
            .modules
            .iter()
            .zip(&wanted)
            .filter(|(_, wanted)| **wanted);
        let width = width(set.names());
        let mut opened = Vec::new();
        for ((section, _), after) in sections.zip(orders) {
            let place = ModulePlace {
                name: section.name.clone(),
                app: String::new(),
                after,
                config: section.config.clone(),
                environment: self.global.environment().map(|(name, _)| name),
                // As the file and the environment say, where the set does not.
                region: section.region.clone().unwrap_or_default(),
                profile: self
                    .global
                    .profile
                    .clone()
                    .or_else(|| section.profile.clone()),
            };
            opened.push(self.session(place, width).await?);
        }
        refuse_twins(&opened)?;
        if set.regions.is_in_turn() {
            go_region_by_region(&mut opened)?;
        }
        refuse_bake_of_one(set, only, &opened)?;
        Ok(opened)
    }

    /// Opens one that an operation names, in the region where that is, whatever was said;
    /// `known` are those whose files are known to be here, of the same set.
    ///
    /// # Errors
    /// Its configuration is not here (exit 6), or has a mistake.
    pub async fn reopen(
        &self,
        place: &ModulePlace,
        known: &[ModulePlace],
        width: usize,
    ) -> Result<Module> {
        let mut place = place.clone();
        let Some(config) = whereabouts(&place, known) else {
            return Err(Error::refused(format!(
                "the module {} of the set has its configuration at {}, which is not here",
                place.name,
                place.config.display()
            ))
            .hint("run `bgecs release` with the set's own file, in the folder that has all modules: it ends what is unfinished first"));
        };
        place.config = config;
        let app = place.app.clone();
        let global = Global {
            region: Vec::new(),
            ..self.global.clone()
        };
        let there = SetContext {
            global: &global,
            ..*self
        };
        let opened = there.session(place, width).await?;
        match opened.place.app == app {
            true => opened.found().await,
            false => Err(Error::refused(format!(
                "the module {} was the app {app}, and {} is that of {}",
                opened.place.name,
                opened.place.config.display(),
                opened.place.app
            ))),
        }
    }

    async fn session(&self, place: ModulePlace, width: usize) -> Result<OpenedModule> {
        let name = place.name.clone();
        let opened = self.opened(place, width).await;
        opened.map_err(|error| error.of_module(&name))
    }

    async fn opened(&self, mut place: ModulePlace, width: usize) -> Result<OpenedModule> {
        let config = Config::load(&place.config, place.environment.as_deref())?;
        let access = self.access(config.place.clone(), &place.region, place.profile.as_ref());
        let through = self.global.connect_to.iter().map(ToString::to_string);
        let report = self.report.of_module(format!("{:width$} ", place.name));
        let mut session = Session::open(config, &access, through.collect(), report).await?;
        session.resolvers.clone_from(&self.global.resolver);
        session.trust(self.global.ca_file.clone());
        session.show(self.global.secret_header.clone());
        session.aws.region().clone_into(&mut place.region);
        session.app().clone_into(&mut place.app);
        place.config = absolute(&place.config);
        Ok(OpenedModule { place, session })
    }

    /// As the set says, and what it leaves open as the file of the module or job does.
    pub(super) fn access(
        &self,
        mut configured: AwsPlace,
        region: &str,
        profile: Option<&String>,
    ) -> Access {
        if !region.is_empty() {
            configured.region = Some(region.to_owned());
        }
        configured.profile = profile.cloned().or(configured.profile);
        super::super::access(self.global, configured)
    }
}

/// What of a set is released.
pub struct OpenSet {
    pub modules: Vec<Module>,
    pub jobs: Vec<SetJob>,
}

fn is_wanted(name: &SetName, only: &[SetName]) -> bool {
    only.is_empty() || only.contains(name)
}

/// # Errors
/// A name that the set does not have; jobs without any module, whose lease and journal
/// would be theirs.
fn refuse_strays(set: &SetFile, only: &[SetName]) -> Result<()> {
    let is_there = |name: &&SetName| set.names().any(|it| it == *name);
    if let Some(stray) = only.iter().find(|name| !is_there(name)) {
        return Err(Error::usage(format!(
            "the set {} has no module {stray}: it has {}",
            set.name,
            listed(set.names())
        )));
    }
    match set.modules.iter().any(|it| is_wanted(&it.name, only)) {
        true => Ok(()),
        false => Err(
            Error::usage("jobs go with a module, and --only names none").hint(format!(
                "name one of {}, too",
                listed(set.modules.iter().map(|it| &it.name))
            )),
        ),
    }
}

/// Where a module's file is now: that of the set that is released, or where it was.
fn whereabouts(place: &ModulePlace, known: &[ModulePlace]) -> Option<PathBuf> {
    if let Some(it) = known
        .iter()
        .find(|it| it.name == place.name && it.app == place.app)
    {
        return Some(it.config.clone());
    }
    place.config.is_file().then(|| place.config.clone())
}

/// For whoever finds it from another folder.
pub(super) fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// One of which AWS was asked nothing yet.
struct OpenedModule {
    place: ModulePlace,
    session: Session,
}

impl OpenedModule {
    /// With what was made for it.
    async fn found(self) -> Result<Module> {
        let Self { place, session } = self;
        let found = async {
            session.secret_header().await?;
            session.settled_infrastructure().await
        };
        let infrastructure = found.await.map_err(|error| error.of_module(&place.name))?;
        Ok(Module {
            place,
            session,
            infrastructure,
        })
    }
}

/// All of a region come after all of the earlier ones.
///
/// # Errors
/// A module that is to come after one whose region has its turn later.
fn go_region_by_region(modules: &mut [OpenedModule]) -> Result<()> {
    let regions: Vec<&str> = modules.iter().map(|it| &*it.place.region).collect();
    let waves = waves(&regions);
    let after = modules.iter().map(|it| it.place.after.clone()).collect();
    let orders = region_by_region(after, &waves).map_err(|(early, late)| {
        let [early, late] = [early, late].map(|n| &modules[n].place);
        Error::usage(format!(
            "{} is to come after {}, and regions go over in turn, {} before {}",
            early.name, late.name, early.region, late.region
        ))
        .hint("their order is that of the file's modules: move a [[module]], or change its `after`")
    })?;
    for (it, after) in modules.iter_mut().zip(orders) {
        it.place.after = after;
    }
    Ok(())
}

/// # Errors
/// A time between regions, of which the whole set has only one.
fn refuse_bake_of_one(set: &SetFile, only: &[SetName], modules: &[OpenedModule]) -> Result<()> {
    let mut regions = modules.iter().map(|it| &it.place.region);
    let first = regions.next();
    let is_one = only.is_empty() && regions.all(|it| Some(it) == first);
    match first.filter(|_| is_one && !set.regions.bake().is_zero()) {
        Some(region) => Err(Error::usage(format!(
            "`bake` is a time between regions, and all modules of the set {} are in {region}",
            set.name
        ))
        .hint(
            "name a `region` in each [[module]], or leave `bake` out: --window watches for longer",
        )),
        None => Ok(()),
    }
}

/// # Errors
/// Two modules of one app: each would take the other's lease for a stranger's.
fn refuse_twins(modules: &[OpenedModule]) -> Result<()> {
    let same = |one: &OpenedModule, other: &OpenedModule| {
        let app = |it: &OpenedModule| (it.session.stack_name(), it.place.region.clone());
        app(one) == app(other) && one.place.profile == other.place.profile
    };
    for (n, it) in modules.iter().enumerate() {
        if let Some(twin) = modules[..n].iter().find(|earlier| same(earlier, it)) {
            return Err(Error::usage(format!(
                "the modules {} and {} are one app, {}",
                twin.place.name,
                it.place.name,
                it.session.app()
            )));
        }
    }
    Ok(())
}
