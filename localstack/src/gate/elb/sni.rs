//! The certificates that a listener has beside its default one, of an emulator that
//! knows no such calls.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddListenerCertificates.html>

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hyper::StatusCode;

use super::form::Form;
use super::look::Turn;
use super::{refuse, splice};
use crate::balancer::config::Arn;
use crate::gate::refusal::code_of_xml;
use crate::gate::request::{Answer, Request};
use crate::gate::upstream::Failed;

/// Of each listener, the default one not among them.
#[derive(Debug, Default)]
pub struct Added(BTreeMap<Arn, Vec<Arn>>);

impl Added {
    pub fn of(&self, listener: &Arn) -> &[Arn] {
        self.0.get(listener).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, listener: Arn, certificates: Vec<Arn>) {
        let all = self.0.entry(listener).or_default();
        for one in certificates {
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }

    fn remove(&mut self, listener: &Arn, certificates: &[Arn]) {
        if let Some(all) = self.0.get_mut(listener) {
            all.retain(|one| !certificates.contains(one));
        }
    }

    /// Forgets the listeners that are no more.
    pub fn retain(&mut self, lives: impl Fn(&Arn) -> bool) {
        self.0.retain(|arn, _| lives(arn));
    }
}

impl Turn<'_> {
    /// What is answered, and done, in place of an emulator that does not know the
    /// call.
    pub async fn certified(&mut self, request: &Request, answer: Answer) -> Result<Answer, Failed> {
        let name = request.operation.name.as_str();
        let text = String::from_utf8_lossy(&answer.body);
        let is_known = code_of_xml(&text).as_deref() != Some("InvalidAction");
        if is_known || !name.ends_with("ListenerCertificates") {
            return Ok(answer);
        }
        let form = Form::new(request.form());
        let listener = Arn::new(form.get("ListenerArn").unwrap_or_default());
        if self.known.said(&listener).is_none() {
            self.read_load_balancers().await?;
            self.read_listeners_of(splice::load_balancer_of(listener.as_str()))
                .await?;
        }
        if self.known.said(&listener).is_none() {
            return Ok(refuse::no_listener(&listener).answer());
        }
        let named = refuse::certificates(&form);
        match name {
            "AddListenerCertificates" => self.known.added.add(listener.clone(), named),
            "RemoveListenerCertificates" => self.known.added.remove(&listener, &named),
            _ => {}
        }
        let mut answer = answer.with_body(described(name, &self.known.certificates(&listener)));
        answer.status = StatusCode::OK;
        Ok(answer)
    }
}

/// The default one first.
fn described(name: &str, certificates: &[&Arn]) -> String {
    let mut members = String::new();
    for (nth, arn) in certificates.iter().enumerate() {
        let _ = write!(
            members,
            "<member><CertificateArn>{arn}</CertificateArn><IsDefault>{}</IsDefault></member>",
            nth == 0
        );
    }
    format!(
        "<{name}Response xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
         <{name}Result><Certificates>{members}</Certificates></{name}Result>\
         <ResponseMetadata/></{name}Response>"
    )
}
