//! What the commands of the story asked of AWS, so that a needless call is seen.

use localstack::gate::record::table;

use super::story::Story;
use crate::say;

/// Shows it, where there is a gate that has counted.
pub fn show(story: &Story<'_>) {
    let ledger = story.bgecs().ledger();
    if ledger.is_empty() {
        return;
    }
    say::line("\ncalls of AWS, by command:");
    for line in table(&ledger) {
        say::line(&line);
    }
}
