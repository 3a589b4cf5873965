//! For commands that poll: a poll that fails is reported once, and polling goes on.
//! Whoever watches a release must not lose sight of it because one answer was lost.

use crate::error::{Error, Result};
use crate::report::{ReportEvent, Reporter};

/// What failed last, until a look succeeds again.
#[derive(Debug, Default)]
pub(super) struct Lapse(Option<String>);

impl Lapse {
    /// None where the look failed.
    pub fn ride_out<T>(&mut self, report: &Reporter, looked: Result<T>) -> Option<T> {
        match looked {
            Ok(found) => {
                if self.0.take().is_some() {
                    report.tell(&ReportEvent::Note("AWS answers again".to_owned()));
                }
                Some(found)
            }
            Err(error) => {
                if let Some(warning) = self.failed(&error) {
                    report.tell(&ReportEvent::Warning(warning));
                }
                None
            }
        }
    }

    /// What to say of it, if that was not said before.
    fn failed(&mut self, error: &Error) -> Option<String> {
        let why = error.message.clone();
        if self.0.as_ref() == Some(&why) {
            return None;
        }
        let warning = format!("{why}; looking again until it answers or Ctrl-C is pressed");
        self.0 = Some(why);
        Some(warning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_failure_is_told_once() {
        let mut lapse = Lapse::default();
        let lost = Error::failed("ecs:DescribeServices failed");
        assert!(lapse.failed(&lost).is_some());
        assert_eq!(lapse.failed(&lost), None);
        let other = Error::failed("the stack bgecs-shop is gone");
        assert!(lapse.failed(&other).is_some());
        assert!(lapse.failed(&lost).is_some());
    }
}
