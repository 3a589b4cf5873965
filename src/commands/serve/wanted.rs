//! Turns what an upload asks for into the command line that would release it.

use std::path::Path;

use crate::cli::{ChangeFlags, ModuleImage, ReleaseArgs};
use crate::config::{Releasable, ReleaseFile, Released, ReleasedImage, SetFile};
use crate::error::{Error, Result};
use crate::model::SetName;

/// How a signature is called, behind the name of what it is of.
pub const SIGNATURE: &str = ".minisig";

/// Whether it is of what that file is of.
pub fn is_of(release: &ReleaseFile, file: &Releasable) -> bool {
    match &release.released {
        Released::App { name, .. } => file.is_app && file.set.name == SetName::from(name),
        Released::Set { name, .. } => !file.is_app && file.set.name == *name,
    }
}

/// What it calls what it is of.
pub fn name(release: &ReleaseFile) -> String {
    match &release.released {
        Released::App { name, .. } => name.to_string(),
        Released::Set { name, .. } => name.to_string(),
    }
}

/// For a sentence.
pub fn what(release: &ReleaseFile) -> String {
    match &release.released {
        Released::App { name, .. } => format!("app {name}"),
        Released::Set { name, .. } => format!("set {name}"),
    }
}

/// The set with the contexts of the bundle, which is unpacked there, and what would be
/// typed: of the modules those alone that the bundle has something for.
///
/// # Errors
/// A module that the set does not have (exit 2).
pub fn as_typed(
    release: &ReleaseFile,
    set: &SetFile,
    unpacked: &Path,
) -> Result<(SetFile, ReleaseArgs)> {
    let mut set = set.clone();
    for module in &mut set.modules {
        // What the worker has there is of no upload.
        module.context = None;
    }
    let modules: Vec<(SetName, &ReleasedImage)> = match &release.released {
        Released::App { name, from } => {
            let from = from.iter();
            from.map(|from| (SetName::from(name), from)).collect()
        }
        Released::Set { modules, .. } => {
            let all = modules.iter();
            all.map(|(name, from)| (name.clone(), from)).collect()
        }
    };
    let mut args = ReleaseArgs {
        action: None,
        file: set.path.clone(),
        tag: Some(release.tag.clone()),
        rollback: false,
        only: Vec::new(),
        image: Vec::new(),
        steps: None,
        window: None,
        report: Vec::new(),
        change: ChangeFlags::default(),
    };
    for (name, from) in modules {
        let is_job = set.jobs.iter().any(|it| it.name == name);
        let mut all = set.modules.iter_mut();
        match (all.find(|it| it.name == name), from) {
            (None, _) if !is_job => {
                return Err(Error::usage(format!(
                    "the bundle has something for {name}, which is not a module or job of the set {}",
                    set.name
                )));
            }
            (None, ReleasedImage::Context(_)) => {
                return Err(Error::usage(format!(
                    "the bundle has a context for the job {name}, and a job's image is not built by the release: name an image"
                )));
            }
            (Some(module), ReleasedImage::Context(folder)) => {
                module.context = Some(unpacked.join(folder));
            }
            (_, ReleasedImage::Image(image)) => args.image.push(ModuleImage {
                module: name.clone(),
                image: image.to_string(),
            }),
        }
        args.only.push(name);
    }
    if set.modules.iter().all(|it| args.only.contains(&it.name)) {
        // The jobs follow what is released whole.
        args.only.clear();
    }
    Ok((set, args))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const SET: &str = "set = 'shop'\n\
        [[module]]\nname = 'backend'\nconfig = 'b.toml'\ncontext = 'b'\n\
        [[module]]\nname = 'frontend'\nconfig = 'f.toml'\ncontext = 'f'\n\
        [[module]]\nname = 'search'\nconfig = 's.toml'\ncontext = 's'\n";

    fn set() -> SetFile {
        SetFile::parse(SET, Path::new("/srv/set.toml")).unwrap()
    }

    fn release(text: &str) -> ReleaseFile {
        ReleaseFile::parse(text, Path::new("release.toml"), &|_| true).unwrap()
    }

    #[test]
    fn what_the_bundle_has_is_released_and_nothing_else() {
        let text = "set = 'shop'\ntag = '7'\n[images]\nbackend = 'ghcr.io/acme/b:7'\n[contexts]\nfrontend = 'web'\n";
        let (set, args) = as_typed(&release(text), &set(), Path::new("/tmp/it")).unwrap();
        assert_eq!(args.tag, Some("7".parse().unwrap()));
        let only: Vec<&str> = args.only.iter().map(SetName::as_str).collect();
        assert_eq!(only, ["backend", "frontend"]);
        let [image] = &args.image[..] else {
            panic!("{:?}", args.image);
        };
        assert_eq!(
            (image.module.as_str(), image.image.as_str()),
            ("backend", "ghcr.io/acme/b:7")
        );
        // Who wrote the worker's file says where everything else is, but not what is built.
        let context = set.modules[1].context.clone();
        assert_eq!(context, Some(PathBuf::from("/tmp/it/web")));
    }

    #[test]
    fn a_bundle_that_names_no_image_is_of_all_that_have_commands_of_their_own() {
        let text = "set = 'shop'\ntag = '7'\n";
        let (set, args) = as_typed(&release(text), &set(), Path::new("/tmp/it")).unwrap();
        assert!(args.only.is_empty() && args.image.is_empty());
        // What is beside the worker's file is not what was uploaded.
        assert!(set.modules.iter().all(|it| it.context.is_none()));
    }

    #[test]
    fn jobs_follow_a_bundle_of_all_modules_and_have_images_alone() {
        let jobs = "[[job]]\nname = 'nightly'\nconfig = 'n.toml'\n";
        let set = SetFile::parse(&format!("{SET}{jobs}"), Path::new("/srv/set.toml")).unwrap();
        let typed = |text: &str| as_typed(&release(text), &set, Path::new("/tmp/it"));
        let images = "set = 'shop'\ntag = '7'\n[images]\nbackend = 'b:7'\nfrontend = 'f:7'\n";
        let all = typed(&format!("{images}search = 's:7'\n")).unwrap().1;
        assert!(all.only.is_empty(), "{:?}", all.only);
        let some = typed(&format!("{images}nightly = 'n:7'\n")).unwrap().1;
        let only: Vec<&str> = some.only.iter().map(SetName::as_str).collect();
        assert_eq!(only, ["backend", "frontend", "nightly"]);
        let built = "set = 'shop'\ntag = '7'\n[contexts]\nnightly = 'n'\n";
        let error = typed(built).unwrap_err();
        assert!(error.message.contains("is not built by the release"));
    }

    #[test]
    fn a_module_that_the_set_does_not_have_is_named() {
        let text = "set = 'shop'\ntag = '7'\n[images]\nbakend = 'b:7'\n";
        let error = as_typed(&release(text), &set(), Path::new("/tmp/it")).unwrap_err();
        assert!(
            error
                .message
                .contains("for bakend, which is not a module or job of the set shop")
        );
    }

    #[test]
    fn an_app_and_a_set_of_one_name_are_two() {
        let is_of = |text: &str, is_app| {
            let set = set();
            super::is_of(&release(text), &Releasable { set, is_app })
        };
        let app = "app = 'shop'\ntag = '7'\nimage = 'b:7'\n";
        let set = "set = 'shop'\ntag = '7'\n[images]\nbackend = 'b:7'\n";
        assert!(is_of(app, true) && is_of(set, false));
        assert!(!is_of(app, false) && !is_of(set, true));
        let other = "set = 'store'\ntag = '7'\n[images]\nbackend = 'b:7'\n";
        assert!(!is_of(other, false));
    }
}
