//! Secrets Manager, from which a single value is read: a header for requests to
//! production.

use serde::Deserialize;
use serde_json::json;

use super::Aws;
use super::error::{AwsError, Named};
use crate::hidden::Hidden;

impl Aws {
    /// The newest value of a secret, in whatever region it is; None if it is not text.
    ///
    /// # Errors
    /// Secrets Manager's own, or KMS's, that there is none among them.
    pub async fn secret_text(&self, arn: &str) -> Result<Option<Hidden>, AwsError> {
        let there = match arn.split(':').nth(3) {
            Some(region) => self.secrets.in_region(region),
            None => self.secrets.clone(),
        };
        let asked = json!({ "SecretId": arn });
        let answer = there.json("GetSecretValue", &asked).await;
        let answer: SecretValue = answer.named("secretsmanager:GetSecretValue", arn)?;
        Ok(answer.text.map(Hidden::new))
    }
}

#[derive(Deserialize)]
struct SecretValue {
    #[serde(rename = "SecretString")]
    text: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::aws::error::AwsErrorKind;
    use crate::aws::testing::{Reply, Wire};

    const ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:cdn-AbCdEf";

    #[tokio::test]
    async fn the_newest_text_is_read_where_the_secret_is() {
        for (value, expected) in [
            (json!({ "SecretString": "hunter22" }), Some("hunter22")),
            (json!({ "SecretBinary": "aHVudGVyMjI=" }), None),
        ] {
            let wire = Wire::new().on("GetSecretValue", Reply::json(&value));
            let read = wire.aws().secret_text(ARN).await.unwrap();
            assert_eq!(read.as_ref().map(crate::hidden::Hidden::reveal), expected);
            let request = wire.request();
            assert_eq!(request.json()["SecretId"], ARN);
        }
    }

    #[tokio::test]
    async fn one_that_is_not_there_is_told_from_one_that_may_not_be_read() {
        for (code, kind) in [
            ("ResourceNotFoundException", AwsErrorKind::NotFound),
            ("AccessDeniedException", AwsErrorKind::Denied),
        ] {
            let wire = Wire::new().on("GetSecretValue", Reply::json_error(400, code, "no"));
            let error = wire.aws().secret_text(ARN).await.unwrap_err();
            assert_eq!(error.kind, kind);
        }
    }
}
