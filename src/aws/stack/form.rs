//! Requests to CloudFormation: the fields of a form
//! (<https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>).

use super::StackInputs;
use crate::aws::Aws;
use crate::aws::error::{AwsError, Named};
use crate::aws::plain::operation_of;
use crate::aws::xml::Element;
use crate::model::marks::TAG_APP;

/// A request about one stack, with the name or id that it was created with.
#[derive(Debug, Clone)]
pub(super) struct StackForm {
    stack: String,
    fields: Vec<(String, String)>,
}

impl StackForm {
    pub fn of(stack: &str) -> Self {
        let form = Self {
            stack: stack.to_owned(),
            fields: Vec::new(),
        };
        form.with("StackName", stack)
    }

    /// Everything about a stack, the same for creating and updating it.
    pub fn whole(
        stack: &str,
        app: &str,
        (template, inputs): (&str, &StackInputs),
        token: &str,
    ) -> Self {
        Self::of(stack)
            .with("ClientRequestToken", token)
            .with("TemplateBody", template)
            .inputs(inputs)
            .of_app(app)
    }

    #[must_use]
    pub fn with(mut self, field: &str, value: &str) -> Self {
        self.fields.push((field.to_owned(), value.to_owned()));
        self
    }

    /// All parameters, with those values.
    #[must_use]
    pub fn inputs(self, inputs: &StackInputs) -> Self {
        let all = (1..).zip(inputs);
        all.fold(self, |form, (n, (name, value))| {
            form.parameter(n, name, ("ParameterValue", value))
        })
    }

    /// These keep their values, and this one gets another.
    #[must_use]
    pub fn one_input<'a>(
        self,
        (name, value): (&str, &str),
        others: impl Iterator<Item = &'a String>,
    ) -> Self {
        let (mut form, mut last) = (self, 0);
        for (n, other) in (1..).zip(others) {
            form = form.parameter(n, other, ("UsePreviousValue", "true"));
            last = n;
        }
        form.parameter(last + 1, name, ("ParameterValue", value))
    }

    fn parameter(self, n: usize, name: &str, (field, value): (&str, &str)) -> Self {
        let member = format!("Parameters.member.{n}");
        let named = self.with(&format!("{member}.ParameterKey"), name);
        named.with(&format!("{member}.{field}"), value)
    }

    /// With permission to create roles, and the app's tag: it is the same on every call,
    /// because stack tags are copied to the listeners.
    #[must_use]
    pub fn of_app(self, app: &str) -> Self {
        self.with("Capabilities.member.1", "CAPABILITY_IAM")
            .with("Tags.member.1.Key", TAG_APP)
            .with("Tags.member.1.Value", app)
    }
}

impl Aws {
    pub(super) async fn tell_stack(
        &self,
        action: &'static str,
        form: &StackForm,
    ) -> Result<Element, AwsError> {
        let call = self.cloudformation.form(operation_of(action), &form.fields);
        call.await.named(action, &form.stack)
    }
}
