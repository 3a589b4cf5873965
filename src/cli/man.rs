//! Man pages: one for bgecs and one for each command.

use std::io;
use std::path::Path;

use clap::CommandFactory;

use super::Cli;

/// # Errors
/// The folder or a page cannot be written.
pub fn write(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    clap_mangen::generate_to(Cli::command(), dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_that_is_shown_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("man1");
        write(&dir).unwrap();
        assert!(dir.join("bgecs.1").exists());
        for command in Cli::command().get_subcommands() {
            let page = dir.join(format!("bgecs-{}.1", command.get_name()));
            assert_eq!(page.exists(), !command.is_hide_set(), "{}", page.display());
        }
        let page = std::fs::read_to_string(dir.join("bgecs-promote.1")).unwrap();
        assert!(page.contains("Make a release live"), "{page}");
    }
}
