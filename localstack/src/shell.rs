//! A shell that runs in an image made of nothing, for tests of what a build
//! runs: no base image can be pulled everywhere.

use std::path::PathBuf;

use crate::layout::Layout;
use crate::{Error, Progress, Result, debian};

/// Where Debian's `busybox-static` puts it.
const BUSYBOX: &str = "/bin/busybox";
const PACKAGE: &str = "busybox-static";

/// A statically linked busybox; installed by apt-get where that is usual.
///
/// # Errors
/// If there is none and it cannot be installed here; it says what to do.
pub async fn busybox(progress: &Progress) -> Result<PathBuf> {
    let path = PathBuf::from(BUSYBOX);
    if path.is_file() {
        return Ok(path);
    }
    if !debian::may_install() {
        return Err(Error::NoBusybox);
    }
    let layout = Layout::find()?;
    debian::install(&layout, &[PACKAGE], progress).await?;
    if path.is_file() {
        Ok(path)
    } else {
        Err(Error::NoBusybox)
    }
}
