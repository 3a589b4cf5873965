//! `[hooks]`

use std::collections::BTreeMap;

use super::Hooks;
use super::document::Section;
use super::entry::KeyValue;
use super::error::ConfigError;
use super::names::not_empty;
use super::shift::time;
use crate::model::{Hook, HookAction};

const BOTH: &str =
    "it takes a command line in quotes, or { run = [\"migrate\"] } for a task of the new release";

type Result<T> = std::result::Result<T, ConfigError>;

pub(super) fn hooks(section: &mut Section<'_>, is_edge: bool) -> Result<Hooks> {
    let mut actions = BTreeMap::new();
    for hook in Hook::ALL {
        if let Some(entry) = section.take(hook.as_str()) {
            actions.insert(hook, action(entry, hook, is_edge)?);
        }
    }
    Ok(Hooks {
        actions,
        timeout: section.or("timeout", Hooks::default().timeout, time)?,
    })
}

/// A line for `sh`, or `{ run = ["migrate"] }`.
fn action(entry: KeyValue<'_>, hook: Hook, is_edge: bool) -> Result<HookAction> {
    let ruled_out = match (hook, is_edge) {
        (_, true) => Some("a colour that bgecs does not run has no tasks: write a command line"),
        (Hook::BeforeShift, false) => None,
        (_, false) => Some("only before_shift runs as a task: write a command line"),
    };
    match (entry.is_table(), ruled_out) {
        (true, Some(why)) => return Err(entry.misused(why)),
        (true, None) => {}
        (false, None) if entry.string().is_err() => return Err(entry.misused(BOTH)),
        (false, _) => return entry.checked(not_empty).map(HookAction::Line),
    }
    let wanted = entry.misused(BOTH);
    let mut entries = entry.table()?;
    match (entries.pop(), entries.pop()) {
        (Some(run), None) if run.name == "run" => command(&run).map(HookAction::Task),
        _ => Err(wanted),
    }
}

fn command(entry: &KeyValue<'_>) -> Result<Vec<String>> {
    let command = entry.strings()?;
    match command.first().is_some_and(|first| !first.is_empty()) {
        true => Ok(command),
        false => Err(entry.misused("it names no command: write its words, such as [\"migrate\"]")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn parse(text: &str) -> std::result::Result<Config, String> {
        let parsed = Config::parse(text, Path::new("/srv/hello/bgecs.toml"));
        parsed.map_err(|error| error.to_string())
    }

    #[test]
    fn a_migration_is_a_task_of_the_new_release() {
        let text = "app = 'hello'\n[hooks]\nbefore_shift = { run = ['migrate', '--all'] }\nafter_shift = 'make soup'";
        let config = parse(text).unwrap();
        let migrate = ["migrate", "--all"].map(str::to_owned).to_vec();
        let actions = [
            (Hook::BeforeShift, HookAction::Task(migrate)),
            (Hook::AfterShift, HookAction::Line("make soup".to_owned())),
        ];
        assert_eq!(config.hooks.actions, BTreeMap::from(actions));
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for (hooks, why) in [
            ("before_shift = ''", "it is empty"),
            ("before_shift = 7", "a command line in quotes, or { run"),
            ("before_shift = ['migrate']", "or { run"),
            ("before_shift = {}", "or { run"),
            ("before_shift = { task = ['migrate'] }", "or { run"),
            (
                "before_shift = { run = ['migrate'], timeout = '5m' }",
                "or { run",
            ),
            ("before_shift = { run = [] }", "it names no command"),
            ("before_shift = { run = [''] }", "it names no command"),
            (
                "before_shift = { run = 'migrate' }",
                "a list of texts in quotes",
            ),
            ("before_shift = { run = [7] }", "a list of texts in quotes"),
            (
                "after_shift = { run = ['migrate'] }",
                "only before_shift runs as a task",
            ),
        ] {
            let error = parse(&format!("app = 'hello'\n[hooks]\n{hooks}")).unwrap_err();
            assert!(error.contains(why), "{hooks}: {error}");
        }
        let edge = "app = 'site'\n[router]\nkind = 'route53'\nrecord = 'www.example.com'\n[colors.blue]\ntarget = 'blue.example.net'\nurl = 'https://blue.example.net'\n[colors.green]\ntarget = 'green.example.net'\nurl = 'https://green.example.net'\n[hooks]\nbefore_shift = { run = ['migrate'] }";
        let error = parse(edge).unwrap_err();
        assert!(
            error.contains("that bgecs does not run has no tasks"),
            "{error}"
        );
    }
}
