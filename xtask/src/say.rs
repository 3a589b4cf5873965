//! The one place that prints.

use std::io::{self, Write};

/// A line of progress.
pub fn line(text: &str) {
    // A closed terminal is no reason to stop half-way.
    let _ = writeln!(io::stderr(), "{text}");
}

/// A line of the result.
pub fn result(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}
