//! What reads were answered, and when, so that one can be answered as it was a
//! while ago: AWS's reads are eventually consistent. Pure.
//!
//! An answer that was seen holds until something is written, and back to the
//! write before it. So each read that is made leaves a sample, and just before
//! a write the reads that may have to be stale are made once more, so that the
//! state which the write ends is on record.
//!
//! What changes without a write, such as tasks that start, is known only as
//! often as it was read: the sample nearest to the moment is taken then.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How far back the past goes.
pub const HORIZON: Duration = Duration::from_secs(600);

/// As many answers are kept of one read; the oldest go first.
const SAMPLES: usize = 300;

/// Names a write that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteId(u64);

/// The past of all reads: `K` tells them apart, `Q` is what to ask again, `A`
/// what is answered.
#[derive(Debug)]
pub struct Past<K, Q, A> {
    reads: HashMap<K, Known<Q, A>>,
    writes: Vec<Write>,
    last: u64,
}

#[derive(Debug)]
struct Known<Q, A> {
    question: Q,
    samples: Vec<Sample<A>>,
    used: Instant,
}

#[derive(Debug)]
struct Sample<A> {
    at: Instant,
    answer: A,
}

#[derive(Debug)]
struct Write {
    id: WriteId,
    began: Instant,
    /// None while it is under way.
    ended: Option<Instant>,
}

impl Write {
    /// Whether it may have had its effect between these. Its effect counts from
    /// its end: before that nobody can rely on it.
    fn parts(&self, earlier: Instant, later: Instant) -> bool {
        self.ended
            .is_some_and(|ended| earlier < ended && ended <= later)
    }

    fn overlaps(&self, began: Instant, ended: Instant) -> bool {
        self.began <= ended && self.ended.is_none_or(|end| began <= end)
    }
}

impl<K, Q, A> Default for Past<K, Q, A> {
    fn default() -> Self {
        Self {
            reads: HashMap::new(),
            writes: Vec::new(),
            last: 0,
        }
    }
}

impl<K: Eq + std::hash::Hash, Q: Clone, A: Clone> Past<K, Q, A> {
    /// A write is about to have its effect.
    pub fn write_begins(&mut self, now: Instant) -> WriteId {
        self.forget(now);
        self.last += 1;
        let id = WriteId(self.last);
        self.writes.push(Write {
            id,
            began: now,
            ended: None,
        });
        id
    }

    pub fn write_ended(&mut self, id: WriteId, now: Instant) {
        if let Some(write) = self.writes.iter_mut().find(|write| write.id == id) {
            write.ended = Some(now);
        }
    }

    /// A read was made from `began` to `ended`. What was answered while
    /// something was being written proves neither state, and is not kept.
    pub fn sample(&mut self, key: K, question: Q, (began, ended): (Instant, Instant), answer: A) {
        self.forget(ended);
        let is_clear = !self.writes.iter().any(|write| write.overlaps(began, ended));
        let known = self.reads.entry(key).or_insert(Known {
            question,
            samples: Vec::new(),
            used: ended,
        });
        known.used = ended;
        if !is_clear {
            return;
        }
        if known.samples.len() >= SAMPLES {
            known.samples.remove(0);
        }
        known.samples.push(Sample { at: ended, answer });
    }

    /// What that read was answered at `then`, and when this was seen. None if
    /// that is not known.
    pub fn as_of(&self, key: &K, then: Instant) -> Option<(Instant, A)> {
        let samples = &self.reads.get(key)?.samples;
        let before = samples.iter().rfind(|sample| sample.at <= then);
        let before = before.filter(|sample| !self.parted(sample.at, then));
        let after = samples.iter().find(|sample| sample.at > then);
        let after = after.filter(|sample| !self.parted(then, sample.at));
        let nearest = match (before, after) {
            (Some(before), Some(after)) if then - before.at > after.at - then => after,
            (Some(sample), _) | (None, Some(sample)) => sample,
            (None, None) => return None,
        };
        Some((nearest.at, nearest.answer.clone()))
    }

    /// All reads that are known, to be asked again.
    pub fn questions(&self) -> Vec<(K, Q)>
    where
        K: Clone,
    {
        let known = self.reads.iter();
        known
            .map(|(key, known)| (key.clone(), known.question.clone()))
            .collect()
    }

    fn parted(&self, earlier: Instant, later: Instant) -> bool {
        self.writes.iter().any(|write| write.parts(earlier, later))
    }

    /// Samples and writes go together: a sample whose writes were forgotten
    /// would seem to hold for good.
    fn forget(&mut self, now: Instant) {
        let Some(oldest) = now.checked_sub(HORIZON) else {
            return;
        };
        self.writes
            .retain(|write| write.ended.is_none_or(|ended| ended >= oldest));
        self.reads.retain(|_, known| known.used >= oldest);
        for known in self.reads.values_mut() {
            known.samples.retain(|sample| sample.at >= oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A past whose clock counts in seconds.
    struct Story {
        start: Instant,
        past: Past<&'static str, (), &'static str>,
    }

    impl Story {
        fn new() -> Self {
            Self {
                start: Instant::now(),
                past: Past::default(),
            }
        }

        fn at(&self, second: f64) -> Instant {
            self.start + Duration::from_secs_f64(second)
        }

        fn read(&mut self, second: f64, answer: &'static str) {
            self.read_during(second, second, answer);
        }

        fn read_during(&mut self, began: f64, ended: f64, answer: &'static str) {
            let during = (self.at(began), self.at(ended));
            self.past.sample("read", (), during, answer);
        }

        fn write(&mut self, began: f64, ended: f64) {
            let id = self.past.write_begins(self.at(began));
            self.past.write_ended(id, self.at(ended));
        }

        fn as_of(&self, second: f64) -> Option<&'static str> {
            let known = self.past.as_of(&"read", self.at(second));
            known.map(|(_, answer)| answer)
        }
    }

    #[test]
    fn nothing_is_known_of_a_read_that_was_never_made() {
        let mut story = Story::new();
        assert_eq!(story.as_of(1.0), None);
        story.write(1.0, 1.1);
        story.read(2.0, "new");
        assert_eq!(story.as_of(0.5), None);
        assert_eq!(story.past.as_of(&"other", story.at(2.0)), None);
    }

    #[test]
    fn without_a_write_the_present_is_the_past() {
        let mut story = Story::new();
        story.read(10.0, "same");
        assert_eq!(story.as_of(3.0), Some("same"));
    }

    #[test]
    fn before_a_write_the_last_answer_seen_before_it_holds() {
        let mut story = Story::new();
        story.read(0.0, "old");
        story.write(5.0, 5.1);
        story.read(6.0, "new");
        assert_eq!(story.as_of(4.0), Some("old"));
        assert_eq!(story.as_of(5.05), Some("old"), "it had no effect yet");
        assert_eq!(story.as_of(5.5), Some("new"));
        assert_eq!(story.as_of(7.0), Some("new"));
    }

    #[test]
    fn each_state_between_several_writes_is_known() {
        let mut story = Story::new();
        for (second, answer) in [(0.9, "one"), (1.9, "two"), (2.9, "three")] {
            story.read(second, answer);
            story.write(second + 0.1, second + 0.11);
        }
        story.read(10.0, "four");
        assert_eq!(story.as_of(0.0), Some("one"));
        assert_eq!(story.as_of(1.5), Some("two"));
        assert_eq!(story.as_of(2.5), Some("three"));
        assert_eq!(story.as_of(3.5), Some("four"));
    }

    #[test]
    fn a_state_that_nobody_saw_between_two_writes_is_unknown() {
        let mut story = Story::new();
        story.read(0.0, "one");
        story.write(1.0, 1.1);
        story.write(3.0, 3.1);
        story.read(4.0, "three");
        assert_eq!(story.as_of(2.0), None);
    }

    #[test]
    fn what_changes_by_itself_is_as_it_was_seen_nearest() {
        let mut story = Story::new();
        story.read(0.0, "0 running");
        story.read(4.0, "1 running");
        story.read(8.0, "2 running");
        assert_eq!(story.as_of(1.0), Some("0 running"));
        assert_eq!(story.as_of(3.0), Some("1 running"));
        assert_eq!(story.as_of(5.0), Some("1 running"));
        assert_eq!(story.as_of(7.0), Some("2 running"));
    }

    #[test]
    fn an_answer_that_came_during_a_write_proves_nothing() {
        let mut story = Story::new();
        story.read(0.0, "old");
        let write = story.past.write_begins(story.at(2.0));
        story.read_during(1.9, 2.1, "either");
        story.read_during(2.2, 2.3, "either");
        assert_eq!(story.as_of(2.25), Some("old"), "it is still under way");
        story.past.write_ended(write, story.at(3.0));
        story.read_during(2.9, 3.1, "either");
        story.read(4.0, "new");
        assert_eq!(story.as_of(1.0), Some("old"));
        assert_eq!(story.as_of(3.2), Some("new"));
    }

    #[test]
    fn reads_are_asked_again_until_they_are_out_of_use() {
        let mut story = Story::new();
        story.read(0.0, "old");
        assert_eq!(story.past.questions(), [("read", ())]);
        story.write(HORIZON.as_secs_f64() + 1.0, HORIZON.as_secs_f64() + 2.0);
        assert!(story.past.questions().is_empty());
        assert_eq!(story.as_of(0.0), None);
    }

    #[test]
    fn only_so_many_answers_are_kept() {
        let mut story = Story::new();
        for at in 0..=SAMPLES {
            story.read(at as f64 / 10.0, "same");
        }
        assert_eq!(story.past.reads["read"].samples.len(), SAMPLES);
    }
}
