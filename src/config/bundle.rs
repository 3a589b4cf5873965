//! `release.toml`: what a bundle that was uploaded releases.
//!
//! Which folders the bundle has is asked of the caller; whether anybody may release that app
//! or set is not known here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::entry::KeyValue;
use super::{ConfigError, source};
use crate::model::{AppName, Reference, SetName, Tag};

type Result<T> = std::result::Result<T, ConfigError>;

/// A whole `release.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFile {
    pub tag: Tag,
    pub released: Released,
}

/// What it releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Released {
    App {
        name: AppName,
        /// None where a command of the app's own knows what the tag is.
        from: Option<ReleasedImage>,
    },
    Set {
        name: SetName,
        /// All of the set, where there is none. Which modules it has is not known here.
        modules: BTreeMap<SetName, ReleasedImage>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleasedImage {
    Image(Reference),
    /// What it is built from: a folder of the bundle, from its root.
    Context(PathBuf),
}

/// Whether the bundle has a folder at a path, from its root and with `/`; the root's is empty.
pub type HasFolder<'a> = &'a dyn Fn(&str) -> bool;

impl ReleaseFile {
    /// # Errors
    /// A mistake, with its place. `path` stands in messages only.
    pub fn parse(text: &str, path: &Path, has_folder: HasFolder<'_>) -> Result<Self> {
        let file = source::File { path, text };
        file.read(None, |top| {
            if top.environment().is_some() {
                let message = "a release is the same in all environments";
                return Err(top.unfit_environment(message.to_owned()));
            }
            let (set, app) = (top.take("set"), top.take("app"));
            let keys = ReleaseKeys {
                image: top.take("image"),
                context: top.take("context"),
                images: top.take("images"),
                contexts: top.take("contexts"),
            };
            let tag = top.take("tag").ok_or_else(|| {
                top.missing("tag", "a release needs its tag, such as `tag = \"7\"`")
            })?;
            let tag = tag.checked(str::parse)?;
            let released = match (set, app) {
                (Some(set), None) => keys.of_set(&set, has_folder)?,
                (None, Some(app)) => keys.of_app(&app, has_folder)?,
                (Some(_), Some(app)) => {
                    return Err(app.misplaced("a release is for a set or for an app, not for both"));
                }
                (None, None) => {
                    let message = "a release is for a set or for an app: write `set = \"shop\"`, or `app = \"site\"`";
                    return Err(top.missing("set", message));
                }
            };
            Ok(Self { tag, released })
        })
    }
}

/// What images are taken or built from, before it is known whether an app's or a set's.
struct ReleaseKeys<'a> {
    image: Option<KeyValue<'a>>,
    context: Option<KeyValue<'a>>,
    images: Option<KeyValue<'a>>,
    contexts: Option<KeyValue<'a>>,
}

impl<'a> ReleaseKeys<'a> {
    fn of_app(self, app: &KeyValue<'a>, has_folder: HasFolder<'_>) -> Result<Released> {
        let name = app.checked(str::parse)?;
        for (table, key) in [(self.images, "image"), (self.contexts, "context")] {
            if let Some(table) = table {
                let message =
                    format!("it is for a set; for an app write `{key} = \"…\"` at the top");
                return Err(table.misplaced(message));
            }
        }
        let from = match (self.image, self.context) {
            (Some(image), None) => Some(read_image(&image)?),
            (None, Some(context)) => Some(read_context(&context, has_folder)?),
            (Some(_), Some(context)) => return Err(both(&context)),
            (None, None) => None,
        };
        Ok(Released::App { name, from })
    }

    fn of_set(self, set: &KeyValue<'a>, has_folder: HasFolder<'_>) -> Result<Released> {
        let name = set.checked(str::parse)?;
        for (key, table) in [(self.image, "images"), (self.context, "contexts")] {
            if let Some(key) = key {
                let message = format!("it is for an app; for a set write it below [{table}]");
                return Err(key.misplaced(message));
            }
        }
        let mut modules = BTreeMap::new();
        for image in entries(self.images)? {
            modules.insert(module(&image)?, read_image(&image)?);
        }
        for context in entries(self.contexts)? {
            let from = read_context(&context, has_folder)?;
            if modules.insert(module(&context)?, from).is_some() {
                return Err(both(&context));
            }
        }
        Ok(Released::Set { name, modules })
    }
}

fn entries(table: Option<KeyValue<'_>>) -> Result<Vec<KeyValue<'_>>> {
    let entries = table.map(KeyValue::table).transpose()?;
    Ok(entries.unwrap_or_default())
}

fn module(key: &KeyValue<'_>) -> Result<SetName> {
    key.name.parse().map_err(|why: String| key.misplaced(why))
}

fn read_image(key: &KeyValue<'_>) -> Result<ReleasedImage> {
    let image = key.checked(|text| Reference::parse(text).map_err(|error| error.to_string()))?;
    // An engine's own name for one means nothing elsewhere.
    match image.registry() {
        Some(_) => Ok(ReleasedImage::Image(image)),
        None => Err(key.invalid("it does not name an image in a registry")),
    }
}

fn read_context(key: &KeyValue<'_>, has_folder: HasFolder<'_>) -> Result<ReleasedImage> {
    let text = key.string()?;
    let leads_out = text.starts_with(['/', '\\']) || text.split('/').any(|part| part == "..");
    if text.is_empty() || leads_out {
        let message = "it is the path of a folder in the bundle, such as `frontend`, or `.`: not absolute, and without ..";
        return Err(key.invalid(message));
    }
    let parts = text.split('/').filter(|part| !["", "."].contains(part));
    let folder = parts.collect::<Vec<_>>().join("/");
    match has_folder(&folder) {
        true => Ok(ReleasedImage::Context(folder.into())),
        false => Err(key.invalid(format!("the bundle has no folder `{text}`"))),
    }
}

fn both(context: &KeyValue<'_>) -> ConfigError {
    context.misplaced("it has an image, too: an image is taken, or built from a context")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ReleaseFile> {
        let has_folder = |path: &str| ["", "web", "apps/api"].contains(&path);
        ReleaseFile::parse(text, Path::new("release.toml"), &has_folder)
    }

    fn name(text: &str) -> SetName {
        text.parse().unwrap()
    }

    #[test]
    fn a_set_is_released_module_by_module() {
        let text = "set = 'shop'\ntag = '7'\n[images]\nbackend = 'ghcr.io/acme/backend:7'\n[contexts]\nfrontend = './web/'\napi = 'apps/api'";
        let backend = Reference::parse("ghcr.io/acme/backend:7").unwrap();
        let released = Released::Set {
            name: name("shop"),
            modules: BTreeMap::from([
                (name("backend"), ReleasedImage::Image(backend)),
                (name("frontend"), ReleasedImage::Context("web".into())),
                (name("api"), ReleasedImage::Context("apps/api".into())),
            ]),
        };
        let tag = "7".parse().unwrap();
        assert_eq!(parse(text).unwrap(), ReleaseFile { tag, released });
    }

    #[test]
    fn an_app_is_released_from_an_image_or_a_context() {
        let image = Reference::parse("site:7").unwrap();
        for (key, from) in [
            ("image = 'site:7'", ReleasedImage::Image(image)),
            ("context = '.'", ReleasedImage::Context(PathBuf::new())),
            ("context = 'web'", ReleasedImage::Context("web".into())),
        ] {
            let file = parse(&format!("app = 'site'\ntag = '7'\n{key}")).unwrap();
            let name = "site".parse().unwrap();
            assert_eq!(
                file.released,
                Released::App {
                    name,
                    from: Some(from)
                }
            );
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let app = "tag = '7'\napp = 'site'";
        let set = "tag = '7'\nset = 'shop'";
        for (text, place, part) in [
            (app.replace('7', "a b"), (1, 7), "tag"),
            (format!("{app}\nset = 'shop'"), (2, 1), "not for both"),
            (format!("{app}\nimage = 'A'"), (3, 9), "`A` is not an image"),
            (
                format!("{app}\nimage = 'sha256:abcd'"),
                (3, 9),
                "does not name an image in a registry",
            ),
            (
                format!("{app}\ncontext = '.'\nimage = 'a'"),
                (3, 1),
                "an image, too",
            ),
            (
                format!("{app}\nimage = 'a'\n[images]\nb = 'a'"),
                (4, 2),
                "for an app write `image",
            ),
            (
                format!("{app}\nimage = 'a'\n[contexts]\nb = '.'"),
                (4, 2),
                "for an app write `context",
            ),
            (format!("{app}\ncontext = 'no'"), (3, 11), "no folder `no`"),
            (format!("{app}\ncontext = 7"), (3, 11), "text in quotes"),
            (format!("{app}\ncontext = ''"), (3, 11), "not absolute"),
            (format!("{app}\ncontext = '/web'"), (3, 11), "not absolute"),
            (
                format!("{app}\ncontext = 'web/../web'"),
                (3, 11),
                "without ..",
            ),
            (format!("{app}\ncontext = 'web\\x'"), (3, 11), "no folder"),
            (
                format!("{app}\nimage = 'a'\nport = 1"),
                (4, 1),
                "no such key",
            ),
            (
                format!("{app}\nimage = 'a'\n[env.eu]\ntag = '8'"),
                (4, 6),
                "same in all environments",
            ),
            (format!("{set}\nimage = 'a'"), (3, 1), "below [images]"),
            (format!("{set}\ncontext = '.'"), (3, 1), "below [contexts]"),
            (format!("{set}\nimages = 'a'"), (3, 10), "it takes a table"),
            (
                format!("{set}\n[images]\nb = 'a'\n[contexts]\nb = '.'"),
                (6, 1),
                "an image, too",
            ),
            (
                format!("{set}\n[images]\n'B c' = 'a'"),
                (4, 1),
                "not a name that a set",
            ),
            (
                format!("{set}\n[contexts]\nb = 'no'"),
                (4, 5),
                "no folder `no`",
            ),
            (format!("{set}\n[images]\nb = "), (4, 5), "string values"),
        ] {
            let error = parse(&text).unwrap_err();
            let found = error.place().unwrap();
            assert!(error.to_string().contains(part), "{part}: {error}");
            assert_eq!((found.line, found.column), place, "{error}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, part) in [
            ("", "needs its tag"),
            ("tag = '7'", "for a set or for an app: write"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
