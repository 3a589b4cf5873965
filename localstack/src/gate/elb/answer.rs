//! What the gate answers in the emulator's place, and what it adds to what the
//! emulator answers.

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use super::describe;
use super::form::Form;
use super::look::{Lookout, Turn, readable};
use super::refuse::{self, Refusal};
use super::{actions, report, splice};
use crate::balancer::config::{Action, Arn};
use crate::gate::request::{Answer, Request};
use crate::gate::upstream::Failed;

/// An answer, and what the load balancers could not do of what was written.
pub struct Written {
    pub answer: Answer,
    pub troubles: Vec<String>,
}

impl Lookout {
    /// Answers a call that changes nothing.
    pub async fn answer_read(&self, request: &Request) -> Result<Answer, Failed> {
        match request.operation.name.as_str() {
            "DescribeTargetHealth" => self.answer_health(request).await,
            "DescribeListeners" | "DescribeRules" => {
                let turn = self.turn().await;
                let answer = turn.upstream.forward(request).await?;
                turn.corrected(request, answer)
            }
            "DescribeTargetGroups" => {
                let turn = self.turn().await;
                let answer = turn.upstream.forward(request).await?;
                turn.with_users(request, answer)
            }
            "DescribeListenerCertificates" => {
                let mut turn = self.turn().await;
                let answer = turn.upstream.forward(request).await?;
                turn.certified(request, answer).await
            }
            _ => self.upstream.forward(request).await,
        }
    }

    /// Answers a call that changes something, when the load balancers have been
    /// told of it.
    pub async fn answer_write(&self, request: &Request) -> Result<Written, Failed> {
        let form = Form::new(request.form());
        let name = request.operation.name.as_str();
        let mut turn = self.turn().await;
        if let Some(refusal) = turn.refusal(name, &form).await? {
            return Ok(Written {
                answer: refusal.answer(),
                troubles: Vec::new(),
            });
        }
        let answer = turn.upstream.forward(request).await?;
        let answer = turn.certified(request, answer).await?;
        if !answer.status.is_success() {
            return Ok(Written {
                answer,
                troubles: Vec::new(),
            });
        }
        turn.follow(name, &form, &answer).await?;
        let troubles = turn.obey().await?;
        let answer = turn.corrected(request, answer)?;
        Ok(Written { answer, troubles })
    }

    async fn answer_health(&self, request: &Request) -> Result<Answer, Failed> {
        let form = Form::new(request.form());
        let mut turn = self.turn().await;
        let Some(group) = form.get("TargetGroupArn").map(Arn::new) else {
            return turn.upstream.forward(request).await;
        };
        if turn.known.group(&group).is_none() {
            turn.read_groups().await?;
        }
        // There is none, or it is another account's, whose load balancers do not
        // run here.
        let Some((default_port, check_port)) = turn
            .known
            .group(&group)
            .map(|group| (group.port, group.health_check.port))
        else {
            return turn.upstream.forward(request).await;
        };
        let asked = report::asked(&form);
        let answer = match asked {
            None => turn.upstream.forward(request).await?,
            // Without its filter: who is not registered the gate says itself.
            Some(_) => turn.all_targets(&group).await?,
        };
        if !answer.status.is_success() {
            return Ok(answer);
        }
        turn.take_registered(&group, &String::from_utf8_lossy(&answer.body))?;
        // Of what has no address the gate knows nothing.
        if turn.known.registered(&group).is_some_and(|all| all.others) {
            return match asked {
                None => Ok(answer),
                Some(_) => turn.upstream.forward(request).await,
            };
        }
        turn.obey().await?;
        let all = self.fleet.health_of(&group);
        let targets = match asked {
            None => all,
            Some(asked) => report::only(&asked, all, default_port),
        };
        Ok(answer.with_body(report::xml(&targets, check_port)))
    }
}

impl Turn<'_> {
    /// Why AWS would not do it, if the emulator would.
    async fn refusal(&mut self, name: &str, form: &Form) -> Result<Option<Refusal>, Failed> {
        if name == "DeleteTargetGroup" {
            let Some(group) = form.get("TargetGroupArn").map(Arn::new) else {
                return Ok(None);
            };
            return self.refusal_of_deletion(&group).await;
        }
        let Some(list) = list_of_actions(name) else {
            return Ok(None);
        };
        if name == "CreateListener"
            && let Some(refusal) = refuse::no_certificate(form)
        {
            return Ok(Some(refusal));
        }
        for arn in refuse::certificates(form) {
            let known = self.certificate(&arn).await?;
            if let Some(refusal) = refuse::certificate(&arn, known.as_ref()) {
                return Ok(Some(refusal));
            }
        }
        if let Some(refusal) = refuse::forwards(form, list) {
            return Ok(Some(refusal));
        }
        // Of another account's load balancers the groups are not known.
        let is_ours = load_balancer_in(form).is_some_and(|arn| self.known.has(&arn));
        if !is_ours || refuse::unknown_groups(&self.known, form, list).is_none() {
            return Ok(None);
        }
        self.read_groups().await?;
        Ok(refuse::unknown_groups(&self.known, form, list))
    }

    /// Only after another look: what named the group may be gone behind the gate.
    async fn refusal_of_deletion(&mut self, group: &Arn) -> Result<Option<Refusal>, Failed> {
        if refuse::deletion(&self.known, group).is_none() {
            return Ok(None);
        }
        self.read_load_balancers().await?;
        self.read_listeners_of(None).await?;
        Ok(refuse::deletion(&self.known, group))
    }

    /// Reads what a call that succeeded has changed.
    async fn follow(&mut self, name: &str, form: &Form, answer: &Answer) -> Result<(), Failed> {
        match name {
            "CreateListener" | "ModifyListener" | "CreateRule" | "ModifyRule" => {
                self.keep(name, form, answer).await
            }
            "DeleteListener"
            | "DeleteRule"
            | "SetRulePriorities"
            | "AddListenerCertificates"
            | "RemoveListenerCertificates" => self.read_listeners_of(load_balancer_in(form)).await,
            "RegisterTargets" | "DeregisterTargets" => {
                match form.get("TargetGroupArn").map(Arn::new) {
                    Some(group) => self.read_registered(&group).await,
                    None => Ok(()),
                }
            }
            "CreateTargetGroup" | "ModifyTargetGroup" | "DeleteTargetGroup" => {
                self.read_groups().await
            }
            "ModifyTargetGroupAttributes" | "ModifyLoadBalancerAttributes" => {
                let of = ["TargetGroupArn", "LoadBalancerArn"];
                match of.into_iter().find_map(|name| form.get(name)) {
                    Some(arn) => self.read_attributes(&Arn::new(arn)).await,
                    None => Ok(()),
                }
            }
            _ => self.read_load_balancers().await,
        }
    }

    /// Keeps the actions that were sent, with what the emulator says of them now.
    async fn keep(&mut self, name: &str, form: &Form, answer: &Answer) -> Result<(), Failed> {
        let text = String::from_utf8_lossy(&answer.body);
        let Some(arn) = readable(name, describe::described(&text))?
            .into_iter()
            .next()
        else {
            return Ok(());
        };
        self.read_listeners_of(splice::load_balancer_of(arn.as_str()))
            .await?;
        let sent = list_of_actions(name).and_then(|list| actions::of_form(form, list));
        let said = self.known.said(&arn).map(<[Action]>::to_vec);
        if let (Some(sent), Some(said)) = (sent, said) {
            self.known.overlay.keep(arn, sent, said);
        }
        Ok(())
    }

    /// Of all, if it is not known of which.
    pub async fn read_listeners_of(&mut self, load_balancer: Option<Arn>) -> Result<(), Failed> {
        let all = match load_balancer {
            Some(arn) => vec![arn],
            None => {
                let all = self.known.load_balancers().iter();
                all.map(|one| one.arn.clone()).collect()
            }
        };
        for arn in all {
            self.read_listeners(&arn).await?;
        }
        Ok(())
    }

    /// The answer with the true actions in it.
    fn corrected(&self, request: &Request, answer: Answer) -> Result<Answer, Failed> {
        let name = request.operation.name.as_str();
        let describes = list_of_actions(name).is_some()
            || ["DescribeListeners", "DescribeRules", "SetRulePriorities"].contains(&name);
        if !describes || !answer.status.is_success() {
            return Ok(answer);
        }
        let text = String::from_utf8_lossy(&answer.body);
        let text = splice::actions(&text, |arn, said| {
            self.known.overlay.truth(arn, said).to_vec()
        });
        let text = readable(name, text)?;
        Ok(answer.with_body(text))
    }

    /// Target groups, with the load balancers that use them.
    fn with_users(&self, request: &Request, answer: Answer) -> Result<Answer, Failed> {
        if !answer.status.is_success() {
            return Ok(answer);
        }
        let text = String::from_utf8_lossy(&answer.body);
        let users = splice::users(&text, |group| self.known.users_of(group));
        let text = readable(&request.operation.name, users)?;
        Ok(answer.with_body(text))
    }

    /// All targets of a group as the emulator answers it, its errors included.
    async fn all_targets(&self, group: &Arn) -> Result<Answer, Failed> {
        let parameters = [("TargetGroupArn", group.as_str())];
        let (status, body) = match self.upstream.elb("DescribeTargetHealth", &parameters).await {
            Ok(body) => (StatusCode::OK, body),
            Err(Failed::Refused { status, body, .. }) => {
                let status = StatusCode::from_u16(status);
                (status.unwrap_or(StatusCode::BAD_GATEWAY), body)
            }
            Err(failed) => return Err(failed),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
        Ok(Answer {
            status,
            headers,
            body: body.into(),
        })
    }
}

/// The load balancer whose listener or rule a call is about.
fn load_balancer_in(form: &Form) -> Option<Arn> {
    if let Some(arn) = form.get("LoadBalancerArn") {
        return Some(Arn::new(arn));
    }
    ["ListenerArn", "RuleArn", "RulePriorities.member.1.RuleArn"]
        .into_iter()
        .find_map(|name| form.get(name))
        .and_then(splice::load_balancer_of)
}

/// Where a call has its actions.
fn list_of_actions(name: &str) -> Option<&'static str> {
    match name {
        "CreateListener" | "ModifyListener" => Some("DefaultActions"),
        "CreateRule" | "ModifyRule" => Some("Actions"),
        _ => None,
    }
}
