//! `POST /me/message_attachments`: a file that is sent later, by its id.

use serde_json::{Value, json};

use super::message_content;
use super::page::{of_page, require_task};
use super::parameter::required;
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::world::World;

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Result<Answer, Refusal> {
    let (_, page_id) = of_page(world, call, node)?;
    require_task(world, &page_id, &["MESSAGING"])?;
    let message = call.value("message").ok_or_else(|| required("message"))?;
    let attachment = match &message["attachment"] {
        Value::Null => return Err(required("message[attachment]")),
        attachment => attachment,
    };
    message_content::attachment(world, &page_id, attachment, call.parameter("filedata").is_some())?;
    Ok(Answer::ok(json!({"attachment_id": world.keep_attachment(&page_id)})))
}
