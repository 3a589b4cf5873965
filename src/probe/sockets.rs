//! How many requests may be under way at once: each needs a socket.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Further requests wait, which shows in their lateness.
const MOST: u64 = 4096;

/// Half of the files that this process may open, after raising its limit as far as the
/// system allows: many shells start with 1024, which a server that stalls uses up in two
/// seconds of a fast probe.
pub(super) fn at_once() -> u32 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(_) => limit.current,
    };
    share_of(files)
}

/// None means no limit.
fn share_of(files: Option<u64>) -> u32 {
    let half = files.map_or(MOST, |files| files / 2);
    u32::try_from(half.clamp(1, MOST)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_files_are_sockets_and_never_more_than_some_thousands() {
        for (files, sockets) in [
            (Some(1024), 512),
            (Some(1_000_000), 4096),
            (None, 4096),
            (Some(0), 1),
        ] {
            assert_eq!(share_of(files), sockets, "{files:?}");
        }
    }
}
