//! What an upload wants to have released, as the command line that would do it.

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
    let modules: Vec<(SetName, &ReleasedImage)> = match &release.released {
        Released::App { name, from } => vec![(SetName::from(name), from)],
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
        change: ChangeFlags::default(),
    };
    for (name, from) in modules {
        let Some(module) = set.modules.iter_mut().find(|it| it.name == name) else {
            return Err(Error::usage(format!(
                "the bundle has something for {name}, which is no module of the set {}",
                set.name
            )));
        };
        match from {
            ReleasedImage::Image(image) => args.image.push(ModuleImage {
                module: name.clone(),
                image: image.to_string(),
            }),
            ReleasedImage::Context(folder) => module.context = Some(unpacked.join(folder)),
        }
        args.only.push(name);
    }
    Ok((set, args))
}
