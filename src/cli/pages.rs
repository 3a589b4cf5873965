//! The pages in docs/commands, made from the command line's own types and compared with
//! what is there. To write them: `BGECS_WRITE_PAGES=1 cargo test --bin bgecs pages`.

use std::fs;
use std::path::Path;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, CommandFactory};

use super::Cli;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/commands");
const WRITE: &str = "BGECS_WRITE_PAGES";
const INDEX: &str = "index";
const WORDS: &str = "\
Every command that changes something takes `--dry-run`, which prints the plan and changes nothing, and
`--wait 5m`, which waits for another command to finish. `run`, `exec`, `unlock`, `serve` and `submit` have
neither. `NO_COLOR` is honoured. The [exit codes](../exit-codes.md) say what happened.
";

#[test]
fn the_pages_of_the_commands_are_as_their_help() {
    let mut cli = Cli::command();
    cli.build();
    let pages = verbs(&cli).map(|it| (it.get_name().to_owned(), page(it)));
    let mut pages: Vec<_> = pages.collect();
    pages.push((INDEX.to_owned(), index(&cli)));
    let folder = Path::new(FOLDER);
    if std::env::var_os(WRITE).is_some() {
        fs::create_dir_all(folder).unwrap();
        for (name, page) in &pages {
            fs::write(folder.join(format!("{name}.md")), page).unwrap();
        }
    }
    for (name, page) in &pages {
        let there = fs::read_to_string(folder.join(format!("{name}.md"))).unwrap_or_default();
        assert!(
            there == *page,
            "docs/commands/{name}.md is not as the help: {WRITE}=1 writes it"
        );
    }
    let there = fs::read_dir(folder).unwrap().count();
    assert_eq!(there, pages.len(), "docs/commands has a page of no command");
}

/// Those that a person is told of.
fn verbs(command: &Command) -> impl Iterator<Item = &Command> {
    let all = command.get_subcommands();
    all.filter(|it| it.get_name() != "help" && !it.is_hide_set())
}

fn index(cli: &Command) -> String {
    let rows = verbs(cli).map(|it| {
        let name = it.get_name();
        format!("| [`{name}`]({name}.md) | {} |\n", about(it))
    });
    let rows: String = rows.collect();
    let global = options(cli, Arg::is_global_set);
    format!(
        "# Commands\n\n| command | what it does |\n| --- | --- |\n{rows}\n## Global options\n\n\
         Every command takes these.\n\n{global}\n{WORDS}"
    )
}

fn page(verb: &Command) -> String {
    let mut page = format!("# bgecs {}\n\n{}.\n", verb.get_name(), about(verb));
    page += &described(verb, 2);
    for part in verbs(verb) {
        let name = format!("bgecs {} {}", verb.get_name(), part.get_name());
        page += &format!("\n## {name}\n\n{}.\n", about(part));
        page += &described(part, 3);
    }
    page += "\nThe [global options](index.md#global-options) come with every command.\n";
    page
}

fn described(verb: &Command, level: usize) -> String {
    let usage = verb.clone().render_usage().to_string();
    let mut text = format!("\n```text\n{usage}\n```\n");
    let mut headings: Vec<&str> = Vec::new();
    for arg in verb.get_arguments() {
        let heading = heading(arg);
        if is_own(arg) && !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for it in headings {
        let list = options(verb, |arg| is_own(arg) && heading(arg) == it);
        text += &format!("\n{} {it}\n\n{list}", "#".repeat(level));
    }
    if let Some(after) = verb.get_after_help().map(StyledStr::to_string) {
        text += &format!("\n```text\n{after}\n```\n");
    }
    text
}

/// Not one that every command has.
fn is_own(arg: &Arg) -> bool {
    let is_help = matches!(
        arg.get_action(),
        ArgAction::Help | ArgAction::HelpLong | ArgAction::Version
    );
    !arg.is_global_set() && !arg.is_hide_set() && !is_help
}

fn heading(arg: &Arg) -> &str {
    let usual = match arg.is_positional() {
        true => "Arguments",
        false => "Options",
    };
    arg.get_help_heading().unwrap_or(usual)
}

fn options(command: &Command, is_wanted: impl Fn(&Arg) -> bool) -> String {
    let all = command.get_arguments().filter(|arg| is_wanted(arg));
    all.map(|arg| format!("- **`{}`**: {}\n", spelt(arg), explained(arg)))
        .collect()
}

fn spelt(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let values: Vec<String> = names.iter().map(|name| format!("<{name}>")).collect();
    let values = values.join(" ");
    let flags = [
        arg.get_short().map(|it| format!("-{it}")),
        arg.get_long().map(|it| format!("--{it}")),
    ];
    let flags: Vec<String> = flags.into_iter().flatten().collect();
    match (flags.is_empty(), arg.get_action().takes_values()) {
        (true, _) => values,
        (false, true) => format!("{} {values}", flags.join(", ")),
        (false, false) => flags.join(", "),
    }
}

fn explained(arg: &Arg) -> String {
    let help = arg.get_help().map(StyledStr::to_string).unwrap_or_default();
    let mut text = escaped(&help.split_whitespace().collect::<Vec<_>>().join(" "));
    let values = arg.get_possible_values();
    let named = values.iter().map(|it| {
        let help = it
            .get_help()
            .map(|help| format!(" ({})", escaped(&help.to_string())));
        format!("`{}`{}", it.get_name(), help.unwrap_or_default())
    });
    let named: Vec<String> = named.collect();
    if arg.get_action().takes_values() && !named.is_empty() {
        text += &format!(". One of {}", named.join(", "));
    }
    let defaults = arg.get_default_values().iter();
    let defaults: Vec<_> = defaults.map(|it| it.to_string_lossy()).collect();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        text += &format!(". Default: `{}`", defaults.join(", "));
    }
    text
}

fn about(command: &Command) -> String {
    let about = command.get_about().map(StyledStr::to_string);
    escaped(&about.unwrap_or_default())
}

/// As Markdown shows it.
fn escaped(text: &str) -> String {
    text.replace('<', "&lt;")
        .replace('|', "&#124;")
        .replace('*', "&#42;")
}
