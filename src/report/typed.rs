//! Command lines that a person is told to type. If the environment was chosen by a flag,
//! they get that flag too: without it they would be about another app.

/// What follows `bgecs` in them.
const VERBS: [&str; 29] = [
    "submit",
    "serve",
    "up",
    "release",
    "routers",
    "init",
    "attach",
    "detach",
    "deploy",
    "promote",
    "rollback",
    "status",
    "fleet",
    "probe",
    "watch",
    "import",
    "retire",
    "resume",
    "history",
    "adopt",
    "unlock",
    "logs",
    "run",
    "exec",
    "destroy",
    "doctor",
    "report",
    "completions",
    "man",
];

/// The text, with the flag in each command line in it: at its end where that is
/// marked, else behind the verb.
pub(super) fn in_environment(text: &str, environment: &str) -> String {
    const NAME: &str = "bgecs ";
    let flag = format!(" --env {environment}");
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(NAME) {
        let (before, line) = rest.split_at(at);
        out.push_str(before);
        let end = end(line, NAME.len(), before.ends_with('`'));
        let (line, after) = line.split_at(end.unwrap_or(NAME.len()));
        out.push_str(line);
        if end.is_some() && !before.ends_with(|c: char| c.is_alphanumeric() || c == '-') {
            out.push_str(&flag);
        }
        rest = after;
    }
    out + rest
}

/// Where a command line takes one more flag; none if it is no command line.
fn end(line: &str, name: usize, is_marked: bool) -> Option<usize> {
    let rest = line.get(name..)?;
    let length = rest
        .find(|c: char| !c.is_ascii_lowercase())
        .unwrap_or(rest.len());
    let verb = rest.get(..length)?;
    if !VERBS.contains(&verb) {
        return None;
    }
    match line.find('`') {
        Some(end) if is_marked => Some(end),
        _ => Some(name + length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_line_gets_the_flag() {
        for (text, expected) in [
            ("`bgecs rollback`", "`bgecs rollback --env staging`"),
            (
                "`bgecs deploy . --tag 1` first, then `bgecs promote`",
                "`bgecs deploy . --tag 1 --env staging` first, then `bgecs promote --env staging`",
            ),
            ("bgecs logs blue", "bgecs logs --env staging blue"),
            ("see bgecs status", "see bgecs status --env staging"),
            ("the stack bgecs made it", "the stack bgecs made it"),
            ("bgecs-hello deploy", "bgecs-hello deploy"),
            ("my-bgecs init", "my-bgecs init"),
            ("bgecs ", "bgecs "),
            ("", ""),
        ] {
            assert_eq!(in_environment(text, "staging"), expected);
        }
    }

    #[test]
    fn every_command_is_known() {
        use clap::CommandFactory;
        let command = crate::cli::Cli::command();
        let verbs: Vec<&str> = command
            .get_subcommands()
            .map(clap::Command::get_name)
            .collect();
        for verb in verbs {
            assert!(VERBS.contains(&verb), "{verb}");
        }
    }
}
