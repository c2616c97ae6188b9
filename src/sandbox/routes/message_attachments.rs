//! `POST /me/message_attachments`: a file to send later, by its id.

use serde_json::{Value, json};

use super::{Answer, Answered, Call, World, message_content, need_value, of_page, require_task, required};

pub(super) fn answer(world: &mut World, call: &Call, node: &str) -> Answered {
    let (token, page_id) = of_page(world, call, node)?;
    require_task(world, &token, &page_id, &["MESSAGING"])?;
    let message = need_value(call, "message")?;
    let attachment = match &message["attachment"] {
        Value::Null => return Err(required("message[attachment]")),
        attachment => attachment,
    };
    message_content::attachment(world, &page_id, attachment, call.parameter("filedata").is_some())?;
    Ok(Answer::ok(json!({"attachment_id": world.keep_attachment(&page_id)})))
}
