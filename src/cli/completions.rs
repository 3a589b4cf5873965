//! Completion scripts: clap's, plus what clap does not know. Colours are offered first
//! and only once, profiles are those of this machine, and files only where a file is
//! expected.

use std::collections::BTreeSet;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::{Shell, generate};

use super::Cli;
use crate::model::Color;

/// Stands for the profiles' names, which are known when the script runs.
const PROFILES: &str = "__PROFILES__";

/// The names in AWS's two files; a session of SSO has a space in its heading.
const PROFILES_SH: &str = r#"sed -n 's/^\[\(profile  *\)\{0,1\}\([^] ]*\)\]/\2/p' "${AWS_CONFIG_FILE:-$HOME/.aws/config}" "${AWS_SHARED_CREDENTIALS_FILE:-$HOME/.aws/credentials}" 2>/dev/null"#;

pub fn script(shell: Shell) -> String {
    let mut out = Vec::new();
    generate(shell, &mut command(), "bgecs", &mut out);
    let script = String::from_utf8_lossy(&out).into_owned();
    match shell {
        Shell::Bash => bash(&script),
        Shell::Zsh => zsh(&script),
        Shell::Fish => fish(&script),
        _ => script.replace(PROFILES, ""),
    }
}

/// The command line, with what each value may be.
fn command() -> Command {
    let profile = |arg: Arg| arg.value_parser(PossibleValuesParser::new([PROFILES]));
    shown()
        .mut_args(hinted)
        .mut_arg("profile", profile)
        .mut_subcommands(|command| command.mut_args(hinted))
}

/// The command line without hidden commands, which clap_complete would offer as well.
fn shown() -> Command {
    let all = Cli::command();
    let verbs = all.get_subcommands().filter(|verb| !verb.is_hide_set());
    Command::new("bgecs")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        // Makes the help of --help mention the long help.
        .after_long_help(all.get_after_long_help().cloned().unwrap_or_default())
        .args(all.get_arguments().cloned())
        .subcommands(verbs.cloned())
}

/// What is no file is nothing that a shell could know.
fn hinted(arg: Arg) -> Arg {
    let takes_value = arg.get_action().takes_values();
    match takes_value && arg.get_value_hint() == ValueHint::Unknown {
        true => arg.value_hint(ValueHint::Other),
        false => arg,
    }
}

fn bash(script: &str) -> String {
    let profiles = format!("\"$({PROFILES_SH})\"");
    let script = script
        .replace(&format!("\"{PROFILES}\""), &profiles)
        .replace("complete -F _bgecs ", "complete -F _bgecs_sorted ");
    let at = script.rfind("\nif [[").unwrap_or(script.len());
    let (functions, registration) = script.split_at(at);
    let sorted = BASH.replace("__VALUED__", &valued(&command()).join("|"));
    format!("{functions}{sorted}{registration}")
}

const BASH: &str = r#"
# Colours ahead of all else, and none behind one; flags where one is begun.
_bgecs_sorted() {
    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"
    _bgecs "$@"
    # Its value is all that can stand there.
    case "${prev}" in
        __VALUED__) return 0 ;;
    esac
    local n given="" verb="" colors=() others=()
    for ((n = 1; n < COMP_CWORD; n++)); do
        case "${COMP_WORDS[n]}" in
            blue|green) [[ "${COMP_WORDS[n-1]}" == --color ]] || given=1 ;;
            -*) ;;
            *) [[ -n "${verb}" ]] || verb="${COMP_WORDS[n]}" ;;
        esac
    done
    for n in "${!COMPREPLY[@]}"; do
        case "${COMPREPLY[n]}" in
            blue|green) [[ -n "${given}" ]] || colors+=("${COMPREPLY[n]}") ;;
            -*) [[ "${cur}" != -* ]] || others+=("${COMPREPLY[n]}") ;;
            *) others+=("${COMPREPLY[n]}") ;;
        esac
    done
    COMPREPLY=("${colors[@]}" "${others[@]}")
    # A folder to build from is all that is a file by itself.
    [[ "${verb}" == deploy ]] || compopt +o default +o bashdefault 2>/dev/null || true
}
"#;

fn zsh(script: &str) -> String {
    let function = format!(
        "_bgecs_profiles() {{\n    compadd -- ${{(f)\"$({PROFILES_SH})\"}}\n}}\n\n_bgecs() {{"
    );
    script
        .replace(&format!(":({PROFILES})"), ":_bgecs_profiles")
        .replacen("_bgecs() {", &function, 1)
}

fn fish(script: &str) -> String {
    let profiles = r#"(cat ~/.aws/config ~/.aws/credentials 2>/dev/null | string replace -rf '^\[(?:profile +)?([^\] ]+)\].*' '$1')"#;
    let mut script = script.replace(&format!("{PROFILES}\\t''"), profiles);
    let colors = Color::BOTH.map(Color::as_str).join(" ");
    script.push_str(
        "# A folder to build from is all that is a file by itself.\n\
         complete -c bgecs -n \"not __fish_bgecs_using_subcommand deploy\" -f\n",
    );
    for verb in with_color(&Cli::command()) {
        script.push_str(&format!(
            "complete -c bgecs -k -n \"__fish_bgecs_using_subcommand {verb}; and not __fish_seen_subcommand_from {colors}\" -f -a \"{colors}\"\n"
        ));
    }
    script
}

/// The flags behind which a value stands.
fn valued(command: &Command) -> Vec<String> {
    let commands = std::iter::once(command).chain(command.get_subcommands());
    let all = commands.flat_map(Command::get_arguments);
    let valued = all.filter(|arg| arg.get_action().takes_values());
    let flags = valued.flat_map(|arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        long.into_iter().chain(short)
    });
    flags.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The commands that take a colour by itself.
fn with_color(command: &Command) -> Vec<&str> {
    let has_color = |command: &&Command| {
        let mut positionals = command.get_positionals();
        positionals.any(|arg| arg.get_id() == "color")
    };
    let commands = command.get_subcommands().filter(has_color);
    commands.map(Command::get_name).collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What bash offers for the last word of the line.
    fn offered(line: &str, profiles: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("bgecs.sh"), script(Shell::Bash)).unwrap();
        std::fs::write(folder.path().join("config"), profiles).unwrap();
        let ask = r#"
            source ./bgecs.sh
            COMP_WORDS=($1); [[ "$1" == *" " ]] && COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _bgecs_sorted bgecs "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
            printf '%s\n' "${COMPREPLY[@]}"
        "#;
        let output = Command::new("bash")
            .args(["-c", ask, "bash", line])
            .current_dir(folder.path())
            .env("AWS_CONFIG_FILE", "config")
            .env("AWS_SHARED_CREDENTIALS_FILE", "none")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    }

    #[test]
    fn bash_offers_what_can_stand_there() {
        let profiles = "[default]\n[profile prod]\nregion = x\n[sso-session acme]\n";
        let offered = |line: &str| offered(line, profiles);
        assert_eq!(offered("bgecs promote "), ["blue", "green"]);
        assert_eq!(offered("bgecs promote b"), ["blue"]);
        assert!(offered("bgecs promote blue ").is_empty());
        assert!(offered("bgecs promote blue --ta").contains(&"--tag".to_owned()));
        assert!(!offered("bgecs promote blue -").contains(&"green".to_owned()));
        assert!(offered("bgecs promote --tag ").is_empty());
        assert_eq!(offered("bgecs deploy . --color "), ["blue", "green"]);
        assert_eq!(offered("bgecs logs "), ["blue", "green"]);
        assert_eq!(offered("bgecs status --profile "), ["default", "prod"]);
        assert_eq!(offered("bgecs --profile p"), ["prod"]);
        assert_eq!(offered("bgecs status --config co"), ["config"]);
        assert!(offered("bgecs ").contains(&"rollback".to_owned()));
        assert_eq!(offered("bgecs roll"), ["rollback"]);
        assert!(offered("bgecs ma").is_empty());
    }

    #[test]
    fn no_script_shows_what_stands_for_something() {
        for shell in [
            Shell::Bash,
            Shell::Zsh,
            Shell::Fish,
            Shell::Elvish,
            Shell::PowerShell,
        ] {
            let script = script(shell);
            assert!(
                !script.contains("__PROFILES__") && !script.contains("__VALUED__"),
                "{shell}"
            );
        }
        let zsh = script(Shell::Zsh);
        assert!(zsh.contains(":NAME:_bgecs_profiles"));
        let fish = script(Shell::Fish);
        assert!(
            fish.contains("subcommand promote; and not __fish_seen_subcommand_from blue green")
        );
    }
}
