//! Whose account it is: one call to STS per command, which needs no permission, and its
//! answer in words.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use tokio::sync::OnceCell;

use crate::aws::error::{AwsError, Named};
use crate::aws::timeouts;
use crate::error::Error;
use crate::model::AccountId;
use crate::model::Caller;

const ACTION: &str = "sts:GetCallerIdentity";
const ATTEMPTS: u32 = 2;
const ATTEMPT: Duration = Duration::from_secs(5);

impl Caller {
    /// # Errors
    /// Another account than bgecs.toml names (exit 6).
    pub fn refuse_other_than(&self, expected: &AccountId) -> Result<(), Error> {
        if self.account == expected.as_str() {
            return Ok(());
        }
        Err(Error::refused(format!(
            "this is account {}, and bgecs.toml names {expected}",
            self.account
        ))
        .cause(format!("these credentials are {self}"))
        .hint("name the right profile with --profile, or correct [aws] account"))
    }
}

/// Asks only once, however often the account is needed.
#[derive(Debug, Clone)]
pub struct CallerIdentity {
    client: aws_sdk_sts::Client,
    region: String,
    known: Arc<OnceCell<Caller>>,
}

impl CallerIdentity {
    pub fn new(config: &SdkConfig, region: &str) -> Self {
        let config = aws_sdk_sts::config::Builder::from(config)
            .timeout_config(timeouts(ATTEMPT))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .build();
        Self {
            client: aws_sdk_sts::Client::from_conf(config),
            region: region.to_owned(),
            known: Arc::default(),
        }
    }

    /// # Errors
    /// STS's own.
    pub async fn caller(&self) -> Result<Caller, AwsError> {
        let known = self.known.get_or_try_init(|| self.ask()).await?;
        Ok(known.clone())
    }

    async fn ask(&self) -> Result<Caller, AwsError> {
        let name = "these credentials";
        let answer = self
            .client
            .get_caller_identity()
            .send()
            .await
            .named(ACTION, name)?;
        match (answer.account(), answer.arn()) {
            (Some(account), Some(arn)) => Ok(Caller::new(account, arn, &self.region)),
            _ => Err(AwsError::unusable(
                ACTION,
                name,
                "the answer names no account",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Reply, Wire};
    use crate::error::Exit;

    fn of(arn: &str) -> String {
        Caller::new("123456789012", arn, "eu-west-1").to_string()
    }

    #[test]
    fn the_caller_is_named_as_people_do() {
        for (arn, shown) in [
            (
                "arn:aws:sts::123456789012:assumed-role/deployer/run-17",
                "role/deployer",
            ),
            (
                "arn:aws-cn:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0a/al@x.org",
                "role/AWSReservedSSO_Admin_0a",
            ),
            (
                "arn:aws:iam::123456789012:user/team/alice",
                "user/team/alice",
            ),
            (
                "arn:aws:sts::123456789012:federated-user/bob",
                "federated-user/bob",
            ),
            ("arn:aws:iam::123456789012:root", "root"),
        ] {
            assert_eq!(
                of(arn),
                format!("account 123456789012, eu-west-1, as {shown}")
            );
        }
    }

    #[test]
    fn another_account_is_refused_by_both_numbers() {
        let caller = Caller::new(
            "123456789012",
            "arn:aws:iam::123456789012:root",
            "eu-west-1",
        );
        assert!(
            caller
                .refuse_other_than(&"123456789012".parse().unwrap())
                .is_ok()
        );
        let error = caller
            .refuse_other_than(&"000000000000".parse().unwrap())
            .unwrap_err();
        assert_eq!(error.exit, Exit::Refused);
        assert!(error.message.contains("123456789012"), "{error}");
        assert!(error.message.contains("000000000000"), "{error}");
    }

    #[tokio::test]
    async fn it_is_asked_once_however_many_want_to_know() {
        let answer = "<Arn>arn:aws:sts::123456789012:assumed-role/deployer/17</Arn><Account>123456789012</Account>";
        let wire = Wire::new().on("GetCallerIdentity", Reply::xml("GetCallerIdentity", answer));
        let aws = wire.aws();
        let (left, right) = tokio::join!(aws.caller(), aws.caller());
        assert_eq!(left.unwrap(), right.unwrap());
        let shown = aws.caller().await.unwrap().to_string();
        assert_eq!(shown, "account 123456789012, eu-west-1, as role/deployer");
        assert_eq!(wire.requests().len(), 1);
    }
}
