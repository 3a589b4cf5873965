//! Why a call of Lightsail is refused. The codes are those of the API
//! (<https://docs.aws.amazon.com/lightsail/2016-11-28/api-reference/API_AttachStaticIp.html#API_AttachStaticIp_Errors>);
//! what the messages say is documented nowhere, and nobody may rely on it.

/// All with the status 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// "when it cannot find a resource".
    #[error("The {kind} does not exist: {name}")]
    NotFound { kind: &'static str, name: String },
    /// "when user input does not conform to the validation rules of an input field".
    #[error("{0}")]
    InvalidInput(String),
    /// "when an operation fails to execute".
    #[error("{0}")]
    OperationFailure(String),
    /// Lightsail has it, or not; the gate has not.
    #[error("{0} is not among the calls that the gate answers")]
    Unknown(String),
}

impl Refused {
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "NotFoundException",
            Self::InvalidInput(_) => "InvalidInputException",
            Self::OperationFailure(_) => "OperationFailureException",
            Self::Unknown(_) => "UnknownOperationException",
        }
    }
}
