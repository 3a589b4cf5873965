//! The origin that a behaviour of a CloudFront distribution leads to. A write is in force
//! everywhere when the distribution's status is `Deployed`; until then it is not known
//! which configuration an edge uses, so the route is read as it was before.
//!
//! For a share of users, a staging distribution, which is a copy, leads to the other
//! origin, by the continuous-deployment policy of this one. "During peak traffic" all
//! users may still be led to this one, so the share is not judged
//! (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/continuous-deployment.html>).

use super::distributions::patience;
use super::{Router, Unmoved, pointers};
use crate::aws::Aws;
use crate::aws::cloudfront::{Behavior, Change, CloudfrontDistribution, READ, UPDATE, place};
use crate::aws::error::AwsError;
use crate::aws::xml::Element;
use crate::model::{
    Check, Color, Found, Move, Patience, PerRoute, RoutedPointer, Split, Strategy, Urgency,
};

const READ_POLICY: &str = "cloudfront:GetContinuousDeploymentPolicy";
const UPDATE_POLICY: &str = "cloudfront:UpdateContinuousDeploymentPolicy";

/// The path of policies, and the place of a policy's share.
const POLICIES: &str = "continuous-deployment-policy";
const WEIGHT: &str = "TrafficConfig/SingleWeightConfig/Weight";

/// "You can send up to 15% of your traffic to the staging distribution", in basis
/// points.
const MOST_SHARE: u16 = 1_500;

#[derive(Debug, Clone, Copy)]
pub struct CloudfrontOriginRouter<'a> {
    pub(super) aws: &'a Aws,
    pub(super) it: &'a RoutedPointer,
    pub(super) distribution: &'a str,
    pub(super) behavior: Option<&'a str>,
    pub(super) staging: Option<&'a str>,
    pub(super) invalidate: &'a [String],
}

/// The continuous-deployment policy, as it was read.
#[derive(Debug, Clone)]
pub(super) struct SharePolicy {
    id: String,
    etag: String,
    config: Element,
}

impl Router for CloudfrontOriginRouter<'_> {
    fn patience(&self) -> Patience {
        patience()
    }

    fn fit(&self, strategy: Strategy) -> Result<Strategy, String> {
        let Some(staging) = self.staging else {
            let told = super::all_or_nothing(&self.it.pointer, strategy);
            return told
                .map_err(|why| format!("{why}; with `staging` in [router] it can give up to 15%"));
        };
        strategy.with_shares(|share| match share <= MOST_SHARE {
            true => Ok(share),
            false => Err(format!(
                "the staging distribution {staging} can have up to 15% of users, not {}%: beyond that they are moved all at once",
                f64::from(share) / 100.0
            )),
        })
    }

    /// CloudFront sends nobody to the staging distribution when it is busy.
    fn shares_requests(&self) -> bool {
        false
    }

    async fn is_everywhere(&self) -> Result<bool, AwsError> {
        let primary = self.aws.distribution(self.distribution).await?;
        Ok(primary.is_deployed)
    }

    async fn read(&self) -> Result<PerRoute<Found>, AwsError> {
        let primary = self.aws.distribution(self.distribution).await?;
        let policy = self.policy(&primary).await?;
        let staging = match (self.staging, &policy) {
            (Some(id), Some(_)) => Some(self.aws.distribution(id).await?),
            _ => None,
        };
        let found = self.understood(&primary, policy.as_ref(), staging.as_ref())?;
        let mut kept = self.aws.last_distributions.locked();
        kept.policy = policy;
        Ok(kept.saw(std::iter::once(primary).chain(staging), found))
    }

    /// Users are moved first. What leads a share of them elsewhere is ended after that,
    /// or alone on the way back: if part of it fails, a colour that has all users keeps
    /// them, and the next write does the rest.
    async fn apply(&self, it: Move, urgency: Urgency) -> Result<(), Unmoved> {
        let seen = {
            let mut kept = self.aws.last_distributions.locked();
            let seen = (
                kept.all.remove(self.distribution),
                self.staging.and_then(|id| kept.all.remove(id)),
                kept.policy.take(),
            );
            kept.expect(it);
            seen
        };
        let (Some(primary), staging, policy) = seen else {
            self.read().await?;
            return Box::pin(self.apply(it, urgency)).await;
        };
        match it.to.only() {
            Some(color) => {
                let to = self.change(&primary, color)?;
                self.aws.change_distribution(&primary, to).await?;
                match policy {
                    Some(policy) if policy.is_enabled() => self.share(policy, None).await?,
                    _ => {}
                }
            }
            None => {
                let (Some(staging), Some(policy)) = (staging, policy) else {
                    return Err(self.without_policy().into());
                };
                let (color, share) = lesser(it.to);
                let to = self.change(&staging, color)?;
                self.aws.change_distribution(&staging, to).await?;
                self.share(policy, Some(share)).await?;
            }
        }
        Ok(())
    }

    async fn checks(&self, to: Color) -> Result<Vec<Check>, AwsError> {
        let primary = self.aws.distribution(self.distribution).await?;
        let times = self.aws.cache_times(&primary, self.of_behavior()).await?;
        let detail = match (times.keeps_nothing(), self.invalidate) {
            (true, _) => "edges cache nothing that the origins answer".to_owned(),
            (false, []) => format!(
                "cached answers of the other release may be seen for {times}: `invalidate = [\"/*\"]` in [router] ends that"
            ),
            (false, paths) => format!(
                "cached answers of the other release are invalidated once {to} has all users: {}",
                paths.join(", ")
            ),
        };
        let origin = primary.origin(self.it.targets.get(to));
        let origin = Check {
            name: "origin",
            ok: origin.is_some(),
            detail: match origin {
                Some(origin) => format!("{to} is the origin {origin} of {}", primary.id),
                None => format!(
                    "{} has no origin {}, which is {to}'s `target`: it has {}",
                    primary.id,
                    self.it.targets.get(to),
                    primary.origins().join(", ")
                ),
            },
        };
        // Until it is, nobody knows which configuration an edge uses.
        let deployed = Check {
            name: "deployed",
            ok: primary.is_deployed,
            detail: match primary.is_deployed {
                true => format!("every edge has the configuration of {}", primary.id),
                false => format!(
                    "edges are still getting a configuration of {}: `aws cloudfront wait distribution-deployed --id {}`",
                    primary.id, primary.id
                ),
            },
        };
        Ok(vec![
            deployed,
            origin,
            Check {
                name: "cache",
                ok: true,
                detail,
            },
        ])
    }

    async fn afterwards(&self, _: Color, reference: &str) -> Result<Option<String>, AwsError> {
        if self.invalidate.is_empty() {
            return Ok(None);
        }
        let (id, paths) = (self.distribution, self.invalidate);
        self.aws.invalidate(id, paths, reference).await?;
        Ok(Some(format!(
            "{id}: edges were told to forget {}",
            paths.join(", ")
        )))
    }
}

/// The colour with fewer users, and its share.
fn lesser(split: Split) -> (Color, u16) {
    let [one, other] = Color::BOTH;
    match split.share(one) <= split.share(other) {
        true => (one, split.share(one)),
        false => (other, split.share(other)),
    }
}

impl CloudfrontOriginRouter<'_> {
    fn of_behavior(&self) -> Behavior<'_> {
        Behavior::of(self.behavior)
    }

    fn change<'b>(
        &'b self,
        it: &'b CloudfrontDistribution,
        to: Color,
    ) -> Result<Change<'b>, AwsError> {
        let target = self.it.targets.get(to);
        let origin = it.origin(target).ok_or_else(|| {
            let what = format!("it has no origin that is {target}");
            AwsError::unusable(UPDATE, &it.id, what)
        })?;
        let behavior = self.of_behavior();
        Ok(Change::Origin { behavior, origin })
    }

    /// Where all users of a distribution are led, going by its origin.
    fn leads(&self, it: &CloudfrontDistribution) -> Result<Found, AwsError> {
        let origin = it.leads_to(self.of_behavior()).ok_or_else(|| {
            let pattern = self.behavior.unwrap_or("the default");
            AwsError::unusable(READ, &it.id, format!("it has no behaviour {pattern}"))
        })?;
        let of = |color: &Color| it.origin(self.it.targets.get(*color)) == Some(origin);
        Ok(match Color::BOTH.into_iter().find(of) {
            Some(color) => color.into(),
            None => pointers::found(self.it, Some(origin)),
        })
    }

    fn understood(
        &self,
        primary: &CloudfrontDistribution,
        policy: Option<&SharePolicy>,
        staging: Option<&CloudfrontDistribution>,
    ) -> Result<Found, AwsError> {
        let whole = self.leads(primary)?;
        let share = policy.map_or(0, SharePolicy::share);
        let (Some(staging), false) = (staging, share == 0) else {
            return Ok(whole);
        };
        let led = self.leads(staging)?;
        Ok(match (whole.only(), led.only()) {
            (Some(most), Some(few)) if most != few => Found::Split(Split::with_share(few, share)),
            _ => whole,
        })
    }

    /// The policy of this distribution, if it has one and a staging distribution is
    /// configured.
    async fn policy(
        &self,
        primary: &CloudfrontDistribution,
    ) -> Result<Option<SharePolicy>, AwsError> {
        let id = primary.config.text("ContinuousDeploymentPolicyId");
        let id = id.filter(|id| !id.is_empty() && self.staging.is_some());
        let Some(id) = id else {
            return Ok(None);
        };
        let at = [POLICIES, id];
        let (answer, it) = self.aws.of_cloudfront(READ_POLICY, &at, id).await?;
        let config = it.at("ContinuousDeploymentPolicyConfig");
        Ok(config.map(|config| SharePolicy {
            id: id.to_owned(),
            etag: answer.etag(),
            config: config.clone(),
        }))
    }

    /// Sets the staging distribution's share in basis points; None ends it.
    async fn share(&self, policy: SharePolicy, share: Option<u16>) -> Result<(), AwsError> {
        let at = ("PUT", &*place(&[POLICIES, &policy.id]));
        let of = (&*policy.id, Some(&*policy.etag));
        let wanted = policy.giving(share);
        let told = self.aws.tell_cloudfront(UPDATE_POLICY, at, of, &wanted);
        told.await.map(drop)
    }

    fn without_policy(&self) -> AwsError {
        AwsError::unusable(
            UPDATE,
            self.distribution,
            "it has no continuous-deployment policy that leads to the `staging` distribution",
        )
    }
}

impl SharePolicy {
    fn is_enabled(&self) -> bool {
        self.config.is("Enabled")
    }

    /// The staging distribution's share, in basis points.
    fn share(&self) -> u16 {
        let weight = self.config.text(WEIGHT).filter(|_| self.is_enabled());
        let weight = weight.and_then(|it| it.parse().ok());
        weight.map_or(0, in_basis_points)
    }

    /// The same policy with that share in basis points, or without one.
    fn giving(&self, share: Option<u16>) -> Element {
        let mut config = self.config.clone();
        config.put(Element::leaf("Enabled", share.is_some()));
        let Some(share) = share else {
            return config;
        };
        let weight = f32::from(share) / 10_000.0;
        match config.text("TrafficConfig/Type") {
            // Keeps the stickiness of sessions.
            Some("SingleWeight") => config.rewrite(WEIGHT, &|_| weight.to_string()),
            _ => {
                let single = [Element::leaf("Weight", weight)];
                let traffic = [
                    Element::branch("SingleWeightConfig", single),
                    Element::leaf("Type", "SingleWeight"),
                ];
                config.put(Element::branch("TrafficConfig", traffic));
            }
        }
        config
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the whole"
)]
fn in_basis_points(weight: f32) -> u16 {
    (weight.clamp(0.0, 1.0) * 10_000.0).round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(traffic: &str) -> SharePolicy {
        let config = format!(
            "<ContinuousDeploymentPolicyConfig><StagingDistributionDnsNames><Quantity>1</Quantity><Items><DnsName>d1</DnsName></Items>\
             </StagingDistributionDnsNames><Enabled>true</Enabled><TrafficConfig>{traffic}</TrafficConfig></ContinuousDeploymentPolicyConfig>"
        );
        SharePolicy {
            id: "P1".to_owned(),
            etag: "E1".to_owned(),
            config: Element::parse(&config).unwrap(),
        }
    }

    #[test]
    fn a_policy_gives_another_share_and_keeps_all_else() {
        let sticky = "<SessionStickinessConfig><IdleTTL>300</IdleTTL></SessionStickinessConfig>";
        let weighs = |weight: &str, enabled: &str| {
            let traffic = format!(
                "<SingleWeightConfig><Weight>{weight}</Weight>{sticky}</SingleWeightConfig><Type>SingleWeight</Type>"
            );
            let config = policy(&traffic).config.to_string();
            config.replace("<Enabled>true", &format!("<Enabled>{enabled}"))
        };
        let it = policy(&format!(
            "<SingleWeightConfig><Weight>0.15</Weight>{sticky}</SingleWeightConfig><Type>SingleWeight</Type>"
        ));
        assert_eq!(it.share(), 1_500);
        assert_eq!(it.giving(Some(500)).to_string(), weighs("0.05", "true"));
        assert_eq!(it.giving(None).to_string(), weighs("0.15", "false"));
    }

    #[test]
    fn a_policy_by_header_becomes_one_by_weight() {
        let it = policy(
            "<SingleHeaderConfig><Header>aws-cf-cd-a</Header><Value>b</Value></SingleHeaderConfig><Type>SingleHeader</Type>",
        );
        assert_eq!(it.share(), 0);
        let wanted = policy(
            "<SingleWeightConfig><Weight>0.1</Weight></SingleWeightConfig><Type>SingleWeight</Type>",
        );
        assert_eq!(it.giving(Some(1_000)), wanted.config);
    }
}
