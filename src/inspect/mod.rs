//! Message → inspection, and reduction back. Pure: bytes in, findings and gaps out.

pub mod detect;
pub mod key_names;

use crate::model::{
    inspection::{Inspection, PlanSpec},
    message::Message,
};

/// Reads messages. One per process; immutable.
#[derive(Debug, Default)]
pub struct Inspector {}

/// A [`PlanSpec`] compiled for the one pass over a message.
#[derive(Debug, Default)]
pub struct Plan {}

/// A message could not be reduced to the same shape; it must not be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message cannot be reduced: {0}")]
pub struct ReductionFailed(pub &'static str);

impl Inspector {
    /// Compiles `spec`.
    ///
    /// # Errors
    /// A selector is not RFC 9535, or of a form that is refused; the text names it and the mend.
    pub fn compile(&self, _spec: &PlanSpec) -> Result<Plan, String> {
        Ok(Plan {})
    }

    /// Reads `message`. Total.
    pub fn inspect(&self, _message: &Message, _plan: &Plan) -> Inspection {
        Inspection::default()
    }

    /// Whether `name` is a member or field name of the key dictionary, and so may be printed in locations.
    pub fn is_known_key(&self, _name: &str) -> bool {
        false
    }

    /// `message` without the records whose ordinals are given (ascending), same shape and coding-free.
    ///
    /// # Errors
    /// The body is not one whose records can be taken out.
    pub fn drop_records(
        &self,
        _message: &Message,
        _inspection: &Inspection,
        _ordinals: &[u64],
    ) -> Result<Message, ReductionFailed> {
        Err(ReductionFailed("no reader"))
    }
}
