//! Recent answers, each kept once: the same one comes thousands of times.

use std::sync::{Arc, Mutex, PoisonError};

use hyper::header::HeaderValue;

use crate::model::Answer;

/// More different answers are not kept.
const KEPT: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Answers(Mutex<Vec<Arc<Answer>>>);

impl Answers {
    /// The answer with these parts; only the start of the body is kept.
    pub fn http(&self, status: u16, release: Option<&HeaderValue>, body: &[u8]) -> Arc<Answer> {
        let body = &body[..body.len().min(Answer::KEPT_BODY)];
        let release = release.and_then(|value| value.to_str().ok());
        let is_it = |known: &Answer| match known {
            Answer::Http {
                status: known_status,
                release: known_release,
                body: known_body,
            } => {
                *known_status == status
                    && known_release.as_deref() == release
                    && known_body.as_bytes() == body
            }
            Answer::Nothing { .. } => false,
        };
        self.find_or(is_it, || Answer::Http {
            status,
            release: release.map(str::to_owned),
            body: String::from_utf8_lossy(body).into_owned(),
        })
    }

    pub fn keep(&self, answer: &Answer) -> Arc<Answer> {
        self.find_or(|known| known == answer, || answer.clone())
    }

    fn find_or(
        &self,
        is_it: impl Fn(&Answer) -> bool,
        make: impl FnOnce() -> Answer,
    ) -> Arc<Answer> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.iter().position(|known| is_it(known)) {
            // The latest answer is the likeliest next.
            kept[..=at].rotate_right(1);
            return Arc::clone(&kept[0]);
        }
        let answer = Arc::new(make());
        kept.truncate(KEPT - 1);
        kept.insert(0, Arc::clone(&answer));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_answer_is_kept_once() {
        let answers = Answers::default();
        let two = HeaderValue::from_static("2");
        let first = answers.http(200, Some(&two), b"hello");
        assert!(Arc::ptr_eq(
            &first,
            &answers.http(200, Some(&two), b"hello")
        ));
        for other in [
            answers.http(503, Some(&two), b"hello"),
            answers.http(200, None, b"hello"),
            answers.http(200, Some(&two), b"hullo"),
        ] {
            assert_ne!(first, other);
        }
        for n in 0..2 * KEPT {
            answers.http(200, None, n.to_string().as_bytes());
        }
        let again = answers.http(200, Some(&two), b"hello");
        assert!(!Arc::ptr_eq(&first, &again) && first == again);
        assert_eq!(answers.0.lock().unwrap().len(), KEPT);
    }

    #[test]
    fn of_a_body_its_start_is_kept() {
        let long = "x".repeat(Answer::KEPT_BODY + 1);
        let answer = Answers::default().http(200, None, long.as_bytes());
        let Answer::Http { body, .. } = &*answer else {
            panic!("{answer:?}");
        };
        assert_eq!(body.len(), Answer::KEPT_BODY);
    }
}
