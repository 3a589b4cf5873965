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
            let jobs = match top.has("job") {
                true => top.sections("job", |section| job(section, folder_of(path), &modules))?,
                false => Vec::new(),
            };
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

    /// Of its modules and jobs.
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
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SetFile> {
        SetFile::parse(text, Path::new("/srv/shop/set.toml"))
    }

    fn module(name: &str, more: &str) -> String {
        format!("[[module]]\nname = '{name}'\nconfig = '{name}/bgecs.toml'\n{more}\n")
    }

    #[test]
    fn modules_are_apps_in_an_order() {
        let text = [
            "set = 'shop'\n",
            &module("frontend", "after = ['backend']\ncontext = 'web'"),
            &module("backend", "region = 'eu-west-1'\nprofile = 'prod'"),
        ];
        let set = parse(&text.concat()).unwrap();
        assert_eq!(set.name.as_str(), "shop");
        let [frontend, backend] = &set.modules[..] else {
            panic!("{set:?}");
        };
        assert_eq!(frontend.config, Path::new("/srv/shop/frontend/bgecs.toml"));
        assert_eq!(
            frontend.context.as_deref(),
            Some(Path::new("/srv/shop/web"))
        );
        assert_eq!(
            (&frontend.after[..], &backend.after[..]),
            (&[1][..], &[][..])
        );
        assert_eq!(backend.region.as_deref(), Some("eu-west-1"));
        assert_eq!(backend.profile.as_deref(), Some("prod"));
    }

    #[test]
    fn jobs_stand_beside_the_modules() {
        let of = |jobs: &str| parse(&format!("set = 'shop'\n{}{jobs}", module("a", "")));
        assert!(of("").unwrap().jobs.is_empty());
        let job = |name: &str, more: &str| module(name, more).replace("module", "job");
        let set = of(&(job("nightly", "region = 'eu-west-1'") + &job("mailer", ""))).unwrap();
        let [nightly, mailer] = &set.jobs[..] else {
            panic!("{set:?}");
        };
        assert_eq!(nightly.config, Path::new("/srv/shop/nightly/bgecs.toml"));
        assert_eq!(nightly.region.as_deref(), Some("eu-west-1"));
        assert_eq!(mailer.name.as_str(), "mailer");
        for (jobs, part) in [
            (job("a", ""), "a module has that name"),
            (job("b", "") + &job("b", ""), "another job has that name"),
            (job("b", "after = ['a']"), "there is no such key"),
            (
                "[[job]]\nname = 'b'".to_owned(),
                "each [[job]] needs the path",
            ),
        ] {
            let error = of(&jobs).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn regions_go_over_together_unless_it_says_in_turn() {
        let of = |top: &str| parse(&format!("set = 'shop'\n{top}\n{}", module("a", "")));
        let regions = |top: &str| of(top).unwrap().regions;
        assert_eq!(regions(""), RegionOrder::Together);
        assert_eq!(regions("regions = 'together'"), RegionOrder::Together);
        let in_turn = "regions = 'in-turn'";
        assert_eq!(regions(in_turn), RegionOrder::InTurn(Duration::ZERO));
        let baked = RegionOrder::InTurn(Duration::from_secs(600));
        assert_eq!(regions(&format!("bake = '10m'\n{in_turn}")), baked);
        for (top, part) in [
            ("bake = '10m'", "these go over together"),
            ("regions = 'both'", "\"together\" or \"in-turn\""),
            ("regions = 'in-turn'\nbake = 'soon'", "soon"),
        ] {
            let error = of(top).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
            assert!(error.place().is_some(), "{error}");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let after = |name: &str| format!("after = ['{name}']");
        let two = |first: &str, second: &str| module("a", first) + &module("b", second);
        for (modules, line, column, part) in [
            (
                two("", "") + &module("a", ""),
                10,
                8,
                "another module has that name",
            ),
            (
                two("", &after("c")),
                8,
                9,
                "no module is called `c`; there are a, b",
            ),
            (module("a", &after("a")), 4, 9, "none can be first: a, a"),
            (
                two(&after("b"), &after("a")),
                4,
                9,
                "none can be first: a, b, a",
            ),
            (module("A b", ""), 2, 8, "is not a name that a set"),
            (module("a", "job = 1"), 4, 1, "there is no such key"),
        ] {
            // Beside the first line, which none of it is in.
            let error = parse(&format!("{modules}[[module]]\nname = 'z'\nconfig = 'z'\n"));
            assert!(error.is_err(), "{part}: it has no name yet");
            let text = format!("set = 'shop'\n{modules}");
            let error = parse(&text).unwrap_err();
            let place = error.place().unwrap();
            assert_eq!((place.line, place.column), (line + 1, column), "{error}");
            assert!(error.to_string().contains(part), "{error}");
        }
        for (text, part) in [
            ("", "the set needs a name"),
            ("set = 'shop'", "needs a name, such as `name"),
            (
                "set = 'shop'\n[[module]]\nname = 'a'",
                "the path of its own",
            ),
            ("set = 'shop'\nmodule = 3", "it is a section"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
