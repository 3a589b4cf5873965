//! `bgecs import`, as far as it needs no AWS.

use std::fs;

use crate::support::{Desk, Outcome};
use crate::{compare, desk, see};

#[test]
fn what_is_missing_on_its_line_is_said() -> Outcome {
    see(
        "import-mistakes",
        &Desk::empty()?,
        &[
            "import",
            "import --cluster prod",
            "import --cluster= --service web",
            "import --cluster prod --service web --app Web",
            "import --cluster prod --service web --url shop.example.com",
            // Neither region nor credentials are here.
            "import --cluster prod --service web",
        ],
    )
}

#[test]
fn its_policy_names_the_service_and_reads_alone() -> Outcome {
    let line = "import --cluster prod --service web --region eu-central-1 --print-policy";
    see("import-policy", &Desk::empty()?, &[line])
}

/// Neither file is overwritten, and nothing is asked for what cannot be written.
#[test]
fn a_file_that_is_there_stays() -> Outcome {
    let line = ["import", "--cluster=prod", "--service=web"];
    let mut seen = Vec::new();
    let desk = desk()?;
    let before = fs::read_to_string(desk.path().join("bgecs.toml"))?;
    seen.push(desk.bgecs(&line)?.shown());
    assert_eq!(fs::read_to_string(desk.path().join("bgecs.toml"))?, before);
    fs::remove_file(desk.path().join("bgecs.toml"))?;
    desk.write("task-definition.json", "{}")?;
    seen.push(desk.bgecs(&line)?.shown());
    fs::remove_file(desk.path().join("task-definition.json"))?;
    // Nobody answers there.
    let ended = desk.bgecs(&line)?;
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    assert!(!desk.path().join("bgecs.toml").exists());
    compare("import-there", &seen.join("\n"));
    Ok(())
}
