//! A shell that runs in an image made of nothing, for tests of what a build
//! runs: no base image can be pulled everywhere.

use std::path::PathBuf;

use crate::{Progress, Result, Tool};

const BUSYBOX: Tool = Tool {
    path: "/bin/busybox",
    package: "busybox-static",
};

/// A statically linked busybox; installed by apt-get where that is usual.
///
/// # Errors
/// If there is none and it cannot be installed here; it says what to do.
pub async fn busybox(progress: &Progress) -> Result<PathBuf> {
    BUSYBOX.ensure(progress).await
}
