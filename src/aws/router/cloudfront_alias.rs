//! An alternate domain name (an alias), which one of two distributions of CloudFront has.
//! CloudFront follows the alias and not where DNS led a user: "the more specific
//! alternate domain name" wins, whatever the record points to
//! (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html>). So
//! the alias is what moves users, and its record is changed after that.
//!
//! `UpdateDomainAssociation` moves it in one call; if that is refused, `AssociateAlias`
//! does, which is older and requires a TXT record. AWS's documentation is contradictory
//! on whether the distribution that has the alias must be disabled for either call.

use super::distributions::patience;
use super::{Router, Unmoved, pointers};
use crate::aws::Aws;
use crate::aws::cloudfront::{Change, CloudfrontDistribution, place};
use crate::aws::error::{AwsError, AwsErrorKind, Named};
use crate::aws::plain::{XmlRequest, encoded};
use crate::aws::xml::Element;
use crate::model::{
    CertificateArn, Check, Color, Found, HostedZone, Move, Patience, PerColor, PerRoute,
    RoutedPointer, Strategy, Urgency,
};

const MOVE: &str = "cloudfront:UpdateDomainAssociation";
const ASSOCIATE: &str = "cloudfront:AssociateAlias";
const CONFLICTS: &str = "cloudfront:ListDomainConflicts";

#[derive(Debug, Clone, Copy)]
pub struct CloudfrontAliasRouter<'a> {
    pub(super) aws: &'a Aws,
    pub(super) it: &'a RoutedPointer,
    pub(super) alias: &'a str,
}

impl Router for CloudfrontAliasRouter<'_> {
    fn patience(&self) -> Patience {
        patience()
    }

    fn fit(&self, strategy: Strategy) -> Result<Strategy, String> {
        super::all_or_nothing(&self.it.pointer, strategy)
    }

    async fn is_everywhere(&self) -> Result<bool, AwsError> {
        let both = self.both().await?;
        Ok(both.blue.is_deployed && both.green.is_deployed)
    }

    async fn read(&self) -> Result<PerRoute<Found>, AwsError> {
        let both = self.both().await?;
        let mut colors = Color::BOTH.into_iter();
        let found = match colors.find(|color| both.get(*color).has(self.alias)) {
            Some(color) => color.into(),
            None => Found::Nowhere,
        };
        let mut kept = self.aws.last_distributions.locked();
        Ok(kept.saw([both.blue, both.green], found))
    }

    async fn apply(&self, it: Move, urgency: Urgency) -> Result<(), Unmoved> {
        let id = pointers::whole(self.it, it, MOVE)?;
        let color = it.to.only().unwrap_or(Color::Blue);
        let other = self.it.targets.get(color.other());
        let seen = {
            let mut kept = self.aws.last_distributions.locked();
            let seen = (kept.all.remove(id), kept.all.remove(other));
            kept.expect(it);
            seen
        };
        let (Some(target), Some(other)) = seen else {
            self.read().await?;
            return Box::pin(self.apply(it, urgency)).await;
        };
        if !other.has(self.alias) {
            // For the first release.
            let added = Change::AddAlias(self.alias);
            return Ok(self.aws.change_distribution(&target, added).await?);
        }
        match self.associate_domain(&target).await {
            Err(error) if !error.is_retryable() && !error.is_overtaken() => {
                Ok(self.associate_alias(&target.id).await?)
            }
            moved => Ok(moved?),
        }
    }

    async fn checks(&self, to: Color) -> Result<Vec<Check>, AwsError> {
        let both = self.both().await?;
        let (target, other) = (both.get(to), both.get(to.other()));
        let mut all = vec![
            self.certificate(target).await?,
            self.conflicts(target, other).await?,
            self.txt_record(target).await?,
        ];
        all.extend(self.overlap(target, other));
        Ok(all)
    }

    /// Changes the alias's record, if that leads to the other distribution by name.
    async fn afterwards(&self, on: Color, _: &str) -> Result<Option<String>, AwsError> {
        let both = self.both().await?;
        let (to, from) = (both.get(on), both.get(on.other()));
        let Some(zone) = self.zone().await? else {
            return Ok(None);
        };
        let names = (from.domain.as_str(), to.domain.as_str());
        let is_moved = self.aws.repoint(&zone, self.alias, names).await?;
        Ok(is_moved.then(|| {
            format!(
                "the record {} leads to {} ({})",
                self.alias, to.domain, to.id
            )
        }))
    }
}

/// Names the distribution as the target of a domain.
fn distribution(role: &str, it: &CloudfrontDistribution) -> Element {
    Element::branch(role, [Element::leaf("DistributionId", &it.id)])
}

impl CloudfrontAliasRouter<'_> {
    async fn both(&self) -> Result<PerColor<CloudfrontDistribution>, AwsError> {
        let targets = &self.it.targets;
        Ok(PerColor {
            blue: self.aws.distribution(&targets.blue).await?,
            green: self.aws.distribution(&targets.green).await?,
        })
    }

    /// One call, which fails if somebody else has written that distribution since.
    async fn associate_domain(&self, target: &CloudfrontDistribution) -> Result<(), AwsError> {
        let input = Element::branch(
            "UpdateDomainAssociationRequest",
            [
                Element::leaf("Domain", self.alias),
                distribution("TargetResource", target),
            ],
        );
        let at = ("POST", &*place(&["domain-association"]));
        let of = (self.alias, Some(&*target.etag));
        let told = self.aws.tell_cloudfront(MOVE, at, of, &input);
        told.await.map(drop)
    }

    async fn associate_alias(&self, target: &str) -> Result<(), AwsError> {
        let at = place(&["distribution", target, "associate-alias"]);
        let asked = XmlRequest {
            method: "PUT",
            path: &format!("{at}?Alias={}", encoded(self.alias)),
            ..XmlRequest::default()
        };
        let call = self.aws.cloudfront.xml("AssociateAlias", asked);
        call.await.named(ASSOCIATE, self.alias).map(drop)
    }

    /// "The target distribution must have a certificate that covers" the alias, whichever
    /// call moves it.
    async fn certificate(&self, target: &CloudfrontDistribution) -> Result<Check, AwsError> {
        let arn = target.config.text("ViewerCertificate/ACMCertificateArn");
        let arn = arn.and_then(|arn| arn.parse::<CertificateArn>().ok());
        let (ok, detail) = match arn {
            None => (
                false,
                format!(
                    "{} has no certificate from ACM, and {} needs one for its name",
                    target.id, self.alias
                ),
            ),
            Some(arn) => {
                let it = self.aws.certificate_of_cloudfront(&arn).await?;
                let covers = it.covers(self.alias);
                let has = if covers { "has" } else { "does not have" };
                (
                    covers,
                    format!(
                        "the certificate of {} {has} the name {}",
                        target.id, self.alias
                    ),
                )
            }
        };
        Ok(Check {
            name: "certificate",
            ok,
            detail,
        })
    }

    /// If a third distribution has the name, it would keep it.
    async fn conflicts(
        &self,
        target: &CloudfrontDistribution,
        other: &CloudfrontDistribution,
    ) -> Result<Check, AwsError> {
        let input = Element::branch(
            "ListDomainConflictsRequest",
            [
                Element::leaf("Domain", self.alias),
                distribution("DomainControlValidationResource", target),
            ],
        );
        let at = ("POST", &*place(&["domain-conflicts"]));
        let of = (self.alias, None);
        let answer = self.aws.tell_cloudfront(CONFLICTS, at, of, &input).await?;
        let answer = answer.element();
        let answer = answer.map_err(|what| AwsError::unusable(CONFLICTS, self.alias, what))?;
        let mut third = None;
        // The list and its items have the same name.
        for id in answer.texts("DomainConflicts/DomainConflicts/ResourceId") {
            if id != target.id && id != other.id && self.is_of(id).await? {
                third = Some(id);
            }
        }
        Ok(Check {
            name: "conflicts",
            ok: third.is_none(),
            detail: match third {
                None => format!("no other distribution has the alias {}", self.alias),
                Some(third) => format!("{third} also has the alias {}", self.alias),
            },
        })
    }

    /// Whether that distribution has exactly this name and not only a wildcard that
    /// covers it. True if it cannot be read, because it may belong to another account.
    async fn is_of(&self, id: &str) -> Result<bool, AwsError> {
        match self.aws.distribution(id).await {
            Ok(it) => Ok(it.has(self.alias)),
            Err(error) if matches!(error.kind, AwsErrorKind::NotFound | AwsErrorKind::Denied) => {
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// What `AssociateAlias` requires: this is told but forbids nothing, because the
    /// other call does without it.
    async fn txt_record(&self, target: &CloudfrontDistribution) -> Result<Check, AwsError> {
        let name = format!("_{}", self.alias);
        let detail = match self.zone().await? {
            None => format!(
                "it is not known whether {name} has a TXT record with {}: its zone is not in this account",
                target.domain
            ),
            Some(zone) => {
                let sets = self.aws.sets_named(&zone, &name).await?;
                let says = |it: &crate::model::RecordSet| {
                    it.kind == "TXT" && it.leads.to_string().contains(&target.domain)
                };
                match sets.iter().any(says) {
                    true => format!("{name} has a TXT record with {}", target.domain),
                    false => format!(
                        "{name} has no TXT record with {}: if UpdateDomainAssociation is refused, AssociateAlias will be as well",
                        target.domain
                    ),
                }
            }
        };
        Ok(Check {
            name: "txt",
            ok: true,
            detail,
        })
    }

    /// Whether both distributions have the name, one of them by a wildcard: then DNS
    /// moves nobody.
    fn overlap(
        &self,
        target: &CloudfrontDistribution,
        other: &CloudfrontDistribution,
    ) -> Option<Check> {
        let (wide, pattern) = [target, other]
            .into_iter()
            .find_map(|it| Some((it, it.wildcard_of(self.alias)?)))?;
        Some(Check {
            name: "overlap",
            ok: true,
            detail: format!(
                "{} has {pattern}: CloudFront serves the more specific name whatever DNS says, so the alias {} is moved",
                wide.id, self.alias
            ),
        })
    }

    async fn zone(&self) -> Result<Option<String>, AwsError> {
        let zones = self.aws.hosted_zones().await?;
        let serves = |zone: &&HostedZone| !zone.is_private && zone.holds(self.alias);
        let nearest = zones
            .iter()
            .filter(serves)
            .max_by_key(|zone| zone.name.len());
        Ok(nearest.map(|zone| zone.bare_id().to_owned()))
    }
}
