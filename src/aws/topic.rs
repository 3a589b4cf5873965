//! SNS, to which notices are published.

use super::Aws;
use super::error::{AwsError, Named};

impl Aws {
    /// # Errors
    /// SNS's own.
    pub async fn publish(
        &self,
        topic: &str,
        (subject, message): (&str, &str),
    ) -> Result<(), AwsError> {
        let region = topic.split(':').nth(3).filter(|it| !it.is_empty());
        let there = match region {
            Some(region) => self.sns.in_region(region),
            None => self.sns.clone(),
        };
        let fields = [
            ("TopicArn", topic),
            ("Subject", subject),
            ("Message", message),
        ];
        there
            .form("Publish", &fields)
            .await
            .named("sns:Publish", topic)
            .map(drop)
    }
}
