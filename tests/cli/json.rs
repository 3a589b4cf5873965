//! With `--json`, stdout is one document, however a command ends and whatever
//! else stands on its line.

use serde_json::Value;

use super::support::{Desk, Outcome};

const CONFIG: &str = "app = \"hello\"\n";

/// Every command as it is meant, with every option that needs no AWS to be read.
const LINES: [&str; 43] = [
    "init",
    "init --dry-run",
    "init --allow-live --wait 1s",
    "deploy . --tag 1",
    "deploy . --tag 1 --color blue --force --allow-live --dry-run",
    "deploy --image nginx:1 --tag 1 --timeout 1s",
    "promote",
    "promote blue --dry-run --window 1s",
    "promote --tag 1 --fix-forward --report a.json",
    "rollback",
    "rollback --now --dry-run",
    "status",
    "probe",
    "probe --listener test --rate 5 --duration 1s",
    "retire",
    "retire --dry-run --timeout 1s",
    "resume",
    "resume --dry-run",
    "history",
    "history --limit 3",
    "import --cluster prod --service web",
    "import --cluster prod --service web --print-policy",
    "adopt",
    "adopt --dry-run",
    "unlock",
    "unlock --force",
    "logs",
    "logs blue --since 1h",
    "logs --follow",
    "destroy",
    "destroy --yes",
    "destroy --dry-run",
    "release --tag 7",
    "release status",
    "up --dry-run",
    "routers",
    "completions bash",
    "completions zsh",
    "init --print-template",
    "init --print-policy deployer",
    "init --print-policy operator --region eu-west-1",
    "probe --url http://127.0.0.1:9/ --duration 100ms --rate 10",
    "init --write-config",
];

/// What cannot be read as a command line, or as a value.
const MISTAKES: [&str; 18] = [
    "",
    "frobnicate",
    "deploy",
    "deploy .",
    "deploy . --tag a/b",
    "deploy . --tag 1 --image nginx:1",
    "deploy . --tag 1 --color red",
    "deploy . --tag 1 --secret hunter22",
    "promote red",
    "promote --window soon",
    "promote --rate 0",
    "promote --header nothing",
    "status --watch",
    "history --limit 0",
    "probe --url nowhere",
    "completions tcsh",
    "init --print-template --dry-run",
    "status --region",
];

fn document(desk: &Desk, line: &str) -> Outcome<(Option<i32>, Value)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    // Ahead of the command and behind it; an option that lacks its value stays last.
    let first = [&["--json"], &words[..]].concat();
    let ended = desk.bgecs(&first)?;
    let document = serde_json::from_str(&ended.stdout)
        .map_err(|error| format!("{line}: {error}\n{}", ended.shown()))?;
    Ok((ended.code, document))
}

/// An error's document says the same as the exit code.
fn check(line: &str, code: Option<i32>, document: &Value) {
    assert!(document.is_object(), "{line}: {document}");
    if let Some(error) = document.get("error") {
        assert_eq!(error["exit_code"].as_i64(), code.map(i64::from), "{line}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(
            !message.is_empty() && !message.starts_with("error"),
            "{line}: {message}"
        );
    }
}

#[test]
fn every_command_ends_with_one_document() -> Outcome {
    for config in [None, Some(CONFIG), Some("app = 7\n")] {
        for global in ["", "--quiet", "-v"] {
            let desk = Desk::empty()?;
            if let Some(config) = config {
                desk.write("bgecs.toml", config)?;
            }
            for line in LINES {
                let (code, document) = document(&desk, &format!("{global} {line}"))?;
                check(line, code, &document);
                let needs_no_aws = line.starts_with("completions") || line.contains("template");
                assert!(!needs_no_aws || code == Some(0), "{line}: {document}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_mistake_in_the_line_is_a_document_too() -> Outcome {
    let desk = Desk::empty()?;
    for line in MISTAKES {
        let (code, document) = document(&desk, line)?;
        assert_eq!(code, Some(2), "{line}");
        check(line, code, &document);
        assert!(document["error"].is_object(), "{line}: {document}");
    }
    let (_, secret) = document(&desk, "deploy . --tag 1 --secret hunter22")?;
    assert!(!secret.to_string().contains("hunter22"), "{secret}");
    let (_, near) = document(&desk, "promot")?;
    assert_eq!(near["error"]["message"], "unrecognized subcommand 'promot'");
    let hint = near["error"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("'promote'"), "{near}");
    // Behind `--` it is a value.
    let ended = desk.bgecs(&["promote", "--", "--json"])?;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    Ok(())
}

#[test]
fn help_and_version_are_documents_too() -> Outcome {
    let desk = Desk::empty()?;
    for line in ["--help", "-h", "--version", "deploy --help", "help promote"] {
        let (code, document) = document(&desk, line)?;
        assert_eq!(code, Some(0), "{line}");
        let text = document["text"].as_str().unwrap_or_default();
        assert!(text.contains("bgecs"), "{line}: {document}");
    }
    Ok(())
}

#[test]
fn what_is_printed_offline_is_whole() -> Outcome {
    let desk = Desk::empty()?;
    desk.write("bgecs.toml", CONFIG)?;
    let (_, template) = document(&desk, "init --print-template")?;
    let plain = desk.bgecs(&["init", "--print-template"])?;
    assert_eq!(
        template["template"].as_str().map(str::trim_end),
        Some(plain.stdout.trim_end())
    );
    let (_, policy) = document(&desk, "init --print-policy deployer")?;
    assert_eq!(policy["Version"], "2012-10-17");
    let (_, completion) = document(&desk, "completions fish")?;
    let script = completion["script"].as_str().unwrap_or_default();
    assert!(script.contains("complete -c bgecs"), "{script:.200}");
    let empty = Desk::empty()?;
    let (_, written) = document(&empty, "init --write-config")?;
    assert_eq!(written["outcome"], "written");
    Ok(())
}
