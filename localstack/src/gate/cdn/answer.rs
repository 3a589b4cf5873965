//! What the gate answers in the emulator's place, and what it adds to what the
//! emulator answers.
//!
//! Whoever changes something is alone with the emulator meanwhile, so that nobody
//! sees half of a change that takes several calls.

use std::time::Instant;

use roxmltree::Document;

use super::CloudFront;
use super::call::{self, Call};
use super::distribution::{self, Distribution, World};
use super::refuse::{self, Refusal};
use super::spread::{Invalidation, Spread};
use super::tell::{self, Known};
use crate::gate::elb::xml::find;
use crate::gate::request::{Answer, Request};
use crate::gate::upstream::Failed;

impl CloudFront {
    /// Answers a call of CloudFront's.
    ///
    /// # Errors
    /// If the emulator gives no answer.
    pub(super) async fn answered(&self, request: &Request) -> Result<Answer, Failed> {
        let call = call::named(&request.head.method, request.head.uri.path());
        let answer = if request.operation.is_read() {
            let _shared = self.0.turn.read().await;
            match call {
                Call::Policy(about) => self.read_policy(about),
                _ => self.0.upstream.forward(request).await?,
            }
        } else {
            let _alone = self.0.turn.write().await;
            // What it was before is served until the change arrives.
            self.look().await?;
            let answer = self.write(call, request).await?;
            // It is written. Who cannot be read now is read again by the watch.
            let _ = self.look().await;
            answer
        };
        Ok(self.told(answer))
    }

    async fn write(&self, call: Call<'_>, request: &Request) -> Result<Answer, Failed> {
        let world = self.newest();
        if let Some(refusal) = self.refusal(call, request, &world) {
            return Ok(refusal.answer());
        }
        match call {
            Call::CopyDistribution(id) => self.copy(id, request).await,
            Call::UpdateDistributionWithStagingConfig(id) => self.promote(id, request).await,
            Call::AssociateAlias(id) => self.associate(id, request, &world).await,
            Call::CreateInvalidation(id) => self.invalidate(id, request).await,
            Call::Policy(about) => Ok(self.write_policy(about, request, &world)),
            _ => self.0.upstream.forward(request).await,
        }
    }

    /// Why CloudFront would not do it, if the emulator would.
    fn refusal(&self, call: Call<'_>, request: &Request, world: &World) -> Option<Refusal> {
        let of_aliases = |is_own: &dyn Fn(&Distribution) -> bool| {
            refuse::aliases(world, &aliases(&request.body), is_own)
        };
        match call {
            Call::CreateDistribution => {
                let reference = field(&request.body, "CallerReference");
                of_aliases(&|one| Some(&one.caller_reference) == reference.as_ref())
            }
            Call::UpdateDistribution(id) => of_aliases(&|one| one.id == id).or_else(|| {
                let policy = field(&request.body, "ContinuousDeploymentPolicyId")?;
                (!self.policies().0.contains_key(&policy)).then(Refusal::no_policy)
            }),
            Call::DeleteDistribution(id) => {
                let is_underway = self.spread().is_underway(id, Instant::now());
                refuse::deletion(is_underway)
            }
            Call::UpdateDomainAssociation if self.0.refuses_domain_association => {
                Some(Refusal::access_denied())
            }
            Call::CopyDistribution(id) => match world.of_id(id) {
                None => Some(Refusal::no_distribution()),
                Some(one) => refuse::version(&request.head.headers, &[&one.etag]),
            },
            Call::AssociateAlias(id) => match world.of_id(id) {
                None => Some(Refusal::no_distribution()),
                Some(_) => None,
            },
            Call::UpdateDistributionWithStagingConfig(id) => {
                let staging = query(request, "StagingDistributionId").unwrap_or_default();
                match (world.of_id(id), world.of_id(&staging)) {
                    (Some(one), Some(other)) => {
                        refuse::version(&request.head.headers, &[&one.etag, &other.etag])
                    }
                    _ => Some(Refusal::no_distribution()),
                }
            }
            _ => None,
        }
    }

    async fn invalidate(&self, id: &str, request: &Request) -> Result<Answer, Failed> {
        let answer = self.0.upstream.forward(request).await?;
        if let (true, Some(invalidation)) = (answer.status.is_success(), field(&answer.body, "Id"))
        {
            let invalidation = Invalidation {
                id: invalidation,
                distribution: id.to_owned(),
                paths: paths(&request.body),
            };
            self.spread().invalidate(invalidation, Instant::now());
        }
        Ok(answer)
    }

    /// The same answer, with how far what it tells of has spread.
    fn told(&self, answer: Answer) -> Answer {
        let corrected = std::str::from_utf8(&answer.body).ok().and_then(|xml| {
            let known = AsOfNow(&self.spread(), Instant::now());
            tell::corrected(xml, &known)
        });
        match corrected {
            Some(xml) => answer.with_body(xml),
            None => answer,
        }
    }
}

struct AsOfNow<'a>(&'a Spread, Instant);

impl Known for AsOfNow<'_> {
    fn is_underway(&self, distribution: &str) -> bool {
        self.0.is_underway(distribution, self.1)
    }

    fn is_invalidating(&self, invalidation: &str) -> bool {
        self.0.is_invalidating(invalidation, self.1)
    }

    fn is_staging(&self, distribution: &str) -> bool {
        let world = self.0.newest();
        world.of_id(distribution).is_some_and(|one| one.is_staging)
    }
}

/// The text of the first element of that name.
pub(super) fn field(xml: &[u8], name: &str) -> Option<String> {
    let document = Document::parse(std::str::from_utf8(xml).ok()?).ok()?;
    let text = find(&document, name)?.text()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Those of the configuration in a body.
pub(super) fn aliases(xml: &[u8]) -> Vec<String> {
    let read = || {
        let document = Document::parse(std::str::from_utf8(xml).ok()?).ok()?;
        let config = find(&document, "DistributionConfig")?;
        Some(distribution::aliases(config))
    };
    read().unwrap_or_default()
}

/// Those of an `InvalidationBatch`.
fn paths(xml: &[u8]) -> Vec<String> {
    let read = || {
        let document = Document::parse(std::str::from_utf8(xml).ok()?).ok()?;
        let batch = find(&document, "InvalidationBatch")?;
        Some(distribution::texts(batch, "Paths", "Path"))
    };
    read().unwrap_or_default()
}

/// A parameter of the query string.
pub(super) fn query(request: &Request, name: &str) -> Option<String> {
    let query = request.head.uri.query().unwrap_or_default();
    let mut all = form_urlencoded::parse(query.as_bytes());
    all.find(|(given, _)| given == name)
        .map(|(_, value)| value.into_owned())
}
