//! The Homebrew formula: `dist/bgecs.rb`, filled in with the version and the checksums
//! of the archives that exist.

use std::fs;

use super::Release;
use super::sums::Sums;
use super::target::{Arch, System, Target};
use crate::{Result, say};

const TEMPLATE: &str = include_str!("../../dist/bgecs.rb");
/// The placeholder for the repository if `--repository` is not given.
const NOWHERE: &str = "https://github.com/OWNER/bgecs";

pub fn write(release: &Release, sums: &Sums) -> Result<()> {
    let repository = release.repository.as_deref();
    if repository.is_none() {
        say::line(&format!(
            "bgecs.rb has the placeholder {NOWHERE}: pass --repository to set it"
        ));
    }
    let repository = repository.unwrap_or(NOWHERE).trim_end_matches('/');
    let formula = filled(&release.version, repository, sums);
    fs::write(release.folder().join("bgecs.rb"), formula)?;
    Ok(())
}

fn filled(version: &str, repository: &str, sums: &Sums) -> String {
    let systems = [("on_macos", System::MacOs), ("on_linux", System::Linux)];
    let archives: String = systems
        .into_iter()
        .map(|(block, system)| of_system(block, system, version, sums))
        .collect();
    TEMPLATE
        .replace("  @archives@\n", &archives)
        .replace("@version@", version)
        .replace("@repository@", repository)
}

/// The block of an operating system, with the archives that exist for it.
fn of_system(block: &str, system: System, version: &str, sums: &Sums) -> String {
    let mut inner = String::new();
    for (block, arch) in [("on_arm", Arch::Aarch64), ("on_intel", Arch::X86_64)] {
        let target = Target { arch, system };
        let Some(sum) = sums.get(&format!("bgecs-{version}-{target}.tar.gz")) else {
            continue;
        };
        inner.push_str(&format!(
            "    {block} do\n      \
               url \"@repository@/releases/download/v@version@/bgecs-@version@-{target}.tar.gz\"\n      \
               sha256 \"{sum}\"\n    \
             end\n"
        ));
    }
    match inner.is_empty() {
        true => String::new(),
        false => format!("  {block} do\n{inner}  end\n\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_archives_that_there_are_are_named() {
        let name = "bgecs-1.2.0-x86_64-unknown-linux-musl.tar.gz";
        let sums = Sums::from([(name.to_owned(), "abc".to_owned())]);
        let formula = filled("1.2.0", "https://example.com/bgecs", &sums);
        let url = format!("url \"https://example.com/bgecs/releases/download/v1.2.0/{name}\"");
        assert!(formula.contains(&url), "{formula}");
        assert!(formula.contains("sha256 \"abc\""));
        assert!(formula.contains("on_linux do\n    on_intel do"));
        assert!(!formula.contains("on_macos") && !formula.contains("on_arm"));
        assert!(!formula.contains('@'), "{formula}");
    }
}
