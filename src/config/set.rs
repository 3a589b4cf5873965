//! `set.toml`: the apps that are released as one, and in which order.
//!
//! What the modules' own files say is not known here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::document::Section;
use super::entry::KeyValue;
use super::serve::{NotifySection, ServeSection, notify, serve};
use super::{Config, ConfigError, folder_of, names, read_text, source};
use crate::model::{RegionOrder, SetName};
use crate::spoken_time;

type Result<T> = std::result::Result<T, ConfigError>;

/// A whole `set.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetFile {
    /// Where it was read from.
    pub path: PathBuf,
    pub name: SetName,
    /// In the order in which the file has them.
    pub modules: Vec<ModuleSection>,
    pub jobs: Vec<JobSection>,
    pub regions: RegionOrder,
    pub serve: ServeSection,
    pub notify: NotifySection,
}

/// One app of the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleSection {
    pub name: SetName,
    /// Its `bgecs.toml`.
    pub config: PathBuf,
    /// What its image is built from, where it is not given an image.
    pub context: Option<PathBuf>,
    /// The modules, by their place in the file, whose users go over first.
    pub after: Vec<usize>,
    pub region: Option<String>,
    pub profile: Option<String>,
}

/// What follows the set's release without users of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSection {
    pub name: SetName,
    /// Its `bgecs.toml`.
    pub config: PathBuf,
    pub region: Option<String>,
    pub profile: Option<String>,
}

/// One whose `after` is not judged yet.
struct ModuleKeys<'a> {
    module: ModuleSection,
    name: KeyValue<'a>,
    after: Option<KeyValue<'a>>,
}

impl SetFile {
    /// # Errors
    /// A file that is not there or cannot be read; a mistake in it, with its place.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&read_text(path)?, path)
    }

    /// Relative paths in the text resolve against the folder of `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let file = source::File { path, text };
        file.read(None, |top| {
            top.announce(&["set", "serve"]);
            let serve = top.section("serve", |section| serve(section, folder_of(path)))?;
            let notify = top.section("notify", notify)?;
            let name = top.take("set").ok_or_else(|| {
                top.missing("set", "the set needs a name, such as `set = \"shop\"`")
            })?;
            let name = name.checked(str::parse)?;
            let modules = top.sections("module", |section| module(section, folder_of(path)))?;
            let modules = ordered(modules)?;
            let jobs =
                top.sections_if_any("job", |section| job(section, folder_of(path), &modules))?;
            Ok(Self {
                path: path.to_owned(),
                name,
                jobs: named_apart(jobs)?,
                modules,
                regions: region_order(top)?,
                serve,
                notify,
            })
        })
    }

    /// The names of its modules and jobs.
    pub fn names(&self) -> impl Iterator<Item = &SetName> {
        let jobs = self.jobs.iter().map(|it| &it.name);
        self.modules.iter().map(|it| &it.name).chain(jobs)
    }

    /// One app, as the only module.
    pub fn of_one(config: Config) -> Self {
        let name = SetName::from(&config.app);
        Self {
            modules: vec![ModuleSection {
                name: name.clone(),
                config: config.path.clone(),
                context: None,
                after: Vec::new(),
                region: None,
                profile: None,
            }],
            jobs: Vec::new(),
            path: config.path,
            name,
            regions: RegionOrder::default(),
            serve: config.serve,
            notify: config.notify,
        }
    }
}

/// # Errors
/// A time between regions that go over together.
fn region_order(top: &mut Section<'_>) -> Result<RegionOrder> {
    let is_in_turn = top.or("regions", false, |key| {
        key.checked(|text| match text {
            "together" => Ok(false),
            "in-turn" => Ok(true),
            _ => Err("it takes \"together\" or \"in-turn\"".to_owned()),
        })
    })?;
    let bake = top.take("bake");
    match (is_in_turn, bake) {
        (true, None) => Ok(RegionOrder::InTurn(Duration::ZERO)),
        (true, Some(bake)) => Ok(RegionOrder::InTurn(bake.checked(spoken_time::read)?)),
        (false, None) => Ok(RegionOrder::Together),
        (false, Some(bake)) => Err(bake.misplaced(
            "it is a time between regions, and these go over together: write regions = \"in-turn\", too",
        )),
    }
}

fn module<'a>(section: &mut Section<'a>, folder: &Path) -> Result<ModuleKeys<'a>> {
    let (name, named) = name_and_config(section, folder, "module")?;
    Ok(ModuleKeys {
        module: ModuleSection {
            name: named.name,
            config: named.config,
            context: section.optional("context", |key| path(key, folder))?,
            after: Vec::new(),
            region: named.region,
            profile: named.profile,
        },
        name,
        after: section.take("after"),
    })
}

/// # Errors
/// Its name is a module's.
fn job<'a>(
    section: &mut Section<'a>,
    folder: &Path,
    modules: &[ModuleSection],
) -> Result<(KeyValue<'a>, JobSection)> {
    let (name, job) = name_and_config(section, folder, "job")?;
    match modules.iter().any(|it| it.name == job.name) {
        true => Err(name.invalid("a module has that name")),
        false => Ok((name, job)),
    }
}

/// The keys that both have.
fn name_and_config<'a>(
    section: &mut Section<'a>,
    folder: &Path,
    kind: &str,
) -> Result<(KeyValue<'a>, JobSection)> {
    let name = section.take("name").ok_or_else(|| {
        section.missing(
            "name",
            format!("each [[{kind}]] needs a name, such as `name = \"backend\"`"),
        )
    })?;
    let config = section.optional("config", |key| path(key, folder))?;
    let config = config.ok_or_else(|| {
        section.missing(
            "config",
            format!("each [[{kind}]] needs the path of its own bgecs.toml"),
        )
    })?;
    let named = JobSection {
        name: name.checked(str::parse)?,
        config,
        region: section.optional("region", |key| key.checked(names::region))?,
        profile: section.optional("profile", |key| key.checked(names::profile))?,
    };
    Ok((name, named))
}

fn path(key: &KeyValue<'_>, folder: &Path) -> Result<PathBuf> {
    Ok(folder.join(key.checked(names::not_empty)?))
}

/// # Errors
/// A name that two have.
fn named_apart(jobs: Vec<(KeyValue<'_>, JobSection)>) -> Result<Vec<JobSection>> {
    for (n, (key, job)) in jobs.iter().enumerate() {
        if jobs[..n]
            .iter()
            .any(|(_, earlier)| earlier.name == job.name)
        {
            return Err(key.invalid("another job has that name"));
        }
    }
    Ok(jobs.into_iter().map(|(_, job)| job).collect())
}

/// With each module's place in the order.
///
/// # Errors
/// A name that two have; one that none has; modules that wait for each other.
fn ordered(keys: Vec<ModuleKeys<'_>>) -> Result<Vec<ModuleSection>> {
    let names: Vec<SetName> = keys.iter().map(|it| it.module.name.clone()).collect();
    let place = |name: &str| names.iter().position(|it| it.as_str() == name);
    for (n, it) in keys.iter().enumerate() {
        if place(it.module.name.as_str()) != Some(n) {
            return Err(it.name.invalid("another module has that name"));
        }
    }
    let mut modules = Vec::new();
    let mut keys_of_after = Vec::new();
    for ModuleKeys {
        mut module, after, ..
    } in keys
    {
        if let Some(key) = &after {
            for name in key.strings()? {
                let earlier = place(&name).ok_or_else(|| {
                    let all: Vec<&str> = names.iter().map(SetName::as_str).collect();
                    key.invalid(format!(
                        "no module is called `{name}`; there are {}",
                        all.join(", ")
                    ))
                })?;
                module.after.push(earlier);
            }
        }
        modules.push(module);
        keys_of_after.push(after);
    }
    let circles = (0..modules.len()).find_map(|n| Some((n, circle(&modules, n)?)));
    if let Some((n, circle)) = circles
        && let Some(Some(key)) = keys_of_after.get(n)
    {
        let circle: Vec<&str> = circle.iter().map(|&n| names[n].as_str()).collect();
        return Err(key.invalid(format!(
            "each of these waits for the next, so none can be first: {}",
            circle.join(", ")
        )));
    }
    Ok(modules)
}

/// The way from a module back to itself, over those that each waits for.
fn circle(modules: &[ModuleSection], from: usize) -> Option<Vec<usize>> {
    let mut ways = vec![vec![from]];
    let mut seen = vec![false; modules.len()];
    while let Some(way) = ways.pop() {
        let &last = way.last()?;
        for &next in &modules[last].after {
            let further = [&way[..], &[next]].concat();
            if next == from {
                return Some(further);
            }
            if !std::mem::replace(&mut seen[next], true) {
                ways.push(further);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests;
