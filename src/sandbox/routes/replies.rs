//! Answers that several routes share.

use serde_json::json;

use super::{Answer, Refusal};

/// The result of a call that waits for nothing.
pub type Answered = Result<Answer, Refusal>;

/// The answer to a successful change.
pub fn success() -> Answer {
    Answer::ok(json!({"success": true}))
}

/// Refuses an unknown method or node.
pub fn unsupported(method: &str, node: &str) -> Refusal {
    let text = format!(
        "Unsupported {} request. Object with ID '{node}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api",
        method.to_lowercase()
    );
    Refusal::new(100, "GraphMethodException", text).with_subcode(33)
}

/// Refuses a field that a node does not have.
pub fn nonexisting_field(field: &str, node_type: &str) -> Refusal {
    Refusal::oauth(100, format!("(#100) Tried accessing nonexisting field ({field}) on node type ({node_type})"))
}
