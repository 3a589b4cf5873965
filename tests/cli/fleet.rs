//! `bgecs fleet`, as far as it needs no AWS.

use super::{Desk, Outcome, desk, see};

#[test]
fn who_lists_all_apps_is_told_what_that_needs() -> Outcome {
    let line = "fleet --region eu-central-1 --print-policy";
    see("fleet-policy", &Desk::empty()?, &[line])
}

#[test]
fn only_a_list_is_of_several_regions() -> Outcome {
    let desk = desk()?;
    let lines = [
        "status --region eu-central-1,us-east-1",
        "status --region eu-central-1 --region us-east-1",
        "watch --region a,b --cluster c --service s -- true",
        "fleet --config missing.toml",
    ];
    see("fleet-mistakes", &desk, &lines)
}
