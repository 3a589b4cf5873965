//! Programs of Debian's packages, for what is done beside the local AWS.

use std::path::PathBuf;

use crate::layout::Layout;
use crate::{Error, Progress, Result, debian};

/// A program, and the package that brings it.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    pub path: &'static str,
    pub package: &'static str,
}

impl Tool {
    /// The program; installed by apt-get where that is usual.
    ///
    /// # Errors
    /// If there is none and it cannot be installed here; it says what to do.
    pub async fn ensure(&self, progress: &Progress) -> Result<PathBuf> {
        let path = PathBuf::from(self.path);
        if path.is_file() {
            return Ok(path);
        }
        if debian::may_install() {
            debian::install(&Layout::find()?, &[self.package], progress).await?;
        }
        if path.is_file() {
            Ok(path)
        } else {
            Err(Error::NoTool {
                path: self.path,
                package: self.package,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_is_there_is_not_installed() {
        let tool = Tool {
            path: "/bin/sh",
            package: "a-package-that-there-is-not",
        };
        let found = tool.ensure(&|line| panic!("{line}")).await;
        assert_eq!(found.expect("a shell"), PathBuf::from("/bin/sh"));
    }
}
