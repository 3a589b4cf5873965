//! Debian's packages, for a machine that lacks what the harness needs: only
//! where that is usual, which is as root on Debian or Ubuntu.

use std::path::Path;

use crate::layout::Layout;
use crate::process::Run;
use crate::{Progress, Result, lock};

/// Whether packages may be installed here.
pub(crate) fn may_install() -> bool {
    is_root() && is_debian(&os_release())
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub(crate) fn os_release() -> String {
    std::fs::read_to_string("/etc/os-release").unwrap_or_default()
}

/// Whether an os-release file is that of Debian, Ubuntu, or made from them.
pub(crate) fn is_debian(os_release: &str) -> bool {
    os_release
        .lines()
        .filter_map(|line| {
            line.strip_prefix("ID=")
                .or_else(|| line.strip_prefix("ID_LIKE="))
        })
        .flat_map(|value| value.trim_matches(['"', '\'']).split_whitespace())
        .any(|id| matches!(id, "debian" | "ubuntu"))
}

/// Installs packages, one process at a time. The package lists are fetched only
/// if it does not go without: they may be absent, or too old.
pub(crate) async fn install(layout: &Layout, packages: &[&str], progress: &Progress) -> Result<()> {
    let _lock = lock::exclusive(&layout.lock("packages"), "install packages").await?;
    progress(&format!("installing {} by apt-get", packages.join(", ")));
    let log = layout.log("packages");
    let mut wanted = vec!["install", "--no-install-recommends"];
    wanted.extend(packages);
    if apt_get(&log, "installing packages", &wanted).await.is_ok() {
        return Ok(());
    }
    progress("fetching the package lists first");
    apt_get(&log, "fetching the package lists", &["update"]).await?;
    apt_get(&log, "installing packages", &wanted).await
}

async fn apt_get(log: &Path, doing: &'static str, args: &[&str]) -> Result<()> {
    let mut all = vec!["-o", "DPkg::Lock::Timeout=300", "--yes", "--quiet"];
    all.extend(args);
    Run {
        doing,
        program: "apt-get",
        args: &all,
        env: &[("DEBIAN_FRONTEND", "noninteractive")],
        log,
        hint: "is this Debian or Ubuntu?",
    }
    .to_end()
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_and_what_is_made_from_it_are_told_from_others() {
        assert!(is_debian("NAME=x\nID=debian\n"));
        assert!(is_debian("ID=ubuntu\nID_LIKE=debian\n"));
        assert!(is_debian("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!is_debian("ID=fedora\nVERSION_ID=42\n"));
        assert!(!is_debian("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"));
        assert!(!is_debian(""));
    }
}
