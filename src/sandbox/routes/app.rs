//! `GET /app` and `GET /{app-id}`.

use serde_json::json;

use super::{app_of, caller, unsupported};
use crate::sandbox::answer::{Answer, Refusal};
use crate::sandbox::call::Call;
use crate::sandbox::world::{App, World};

pub(super) fn of_token(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let caller = caller(world, call, "app")?;
    let app = app_of(world, &caller).ok_or_else(|| unsupported("get", "app"))?;
    Ok(answer(app))
}

pub(super) fn by_id(world: &World, call: &Call, id: &str) -> Result<Answer, Refusal> {
    let caller = caller(world, call, id)?;
    let own = app_of(world, &caller).filter(|app| app.id == id);
    own.map(answer).ok_or_else(|| unsupported("get", id))
}

fn answer(app: &App) -> Answer {
    Answer::ok(json!({
        "category": "Business", "link": "https://example.com/login", "name": app.name, "id": app.id,
    }))
}
