//! How long a cache may keep answering with what an origin said earlier.

use std::fmt;

/// In seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheTimes {
    /// Where the origin says nothing of it.
    pub default: u64,
    /// Whatever the origin says.
    pub most: u64,
}

impl CacheTimes {
    /// What is not said is CloudFront's own
    /// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html>).
    pub fn new(default: Option<i64>, most: Option<i64>) -> Self {
        const DAY: i64 = 86_400;
        const YEAR: i64 = 31_536_000;
        let seconds =
            |given: Option<i64>, own: i64| u64::try_from(given.unwrap_or(own)).unwrap_or(0);
        Self {
            default: seconds(default, DAY),
            most: seconds(most, YEAR),
        }
    }

    pub fn keeps_nothing(self) -> bool {
        self.most == 0
    }
}

/// For a sentence that ends in it.
impl fmt::Display for CacheTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { default, most } = self;
        match default < most {
            true => write!(
                f,
                "up to {default} s, or up to {most} s where the origin says so"
            ),
            false => write!(f, "up to {most} s"),
        }
    }
}
