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
        let mut fields = vec![
            ("TopicArn", topic),
            ("Subject", subject),
            ("Message", message),
        ];
        if topic.ends_with(".fifo") {
            // Those of one subject's app in their order; the message itself is what it is
            // told from others by.
            fields.push(("MessageGroupId", "bgecs"));
        }
        there
            .form("Publish", &fields)
            .await
            .named("sns:Publish", topic)
    }
}
