//! Lists in pages: `limit`, `after`, `before`.

use serde_json::{Map, Value, json};

use super::{Call, Refusal, bad, without_nulls};

const DEFAULT_LIMIT: usize = 25;
const MOST: usize = 1_000;

/// The requested part of a list.
pub(super) struct Part {
    /// The index of its first item.
    pub start: usize,
    /// The index after its last item.
    pub end: usize,
    limit: usize,
    total: usize,
}

impl Part {
    /// The part of a list of `total` items that a call requests.
    pub fn of(call: &Call, total: usize) -> Result<Self, Refusal> {
        let limit = call.parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(DEFAULT_LIMIT);
        let limit: usize = limit.clamp(1, MOST);
        let (start, end) = match (call.given("after"), call.given("before")) {
            (Some(cursor), _) => {
                let start = position(cursor)?.saturating_add(1);
                (start, start.saturating_add(limit))
            }
            (None, Some(cursor)) => (position(cursor)?.saturating_sub(limit), position(cursor)?),
            (None, None) => (0, limit),
        };
        let end = end.min(total);
        Ok(Self { start: start.min(end), end, limit, total })
    }

    /// `{"data": […], "paging": {…}}`. Its addresses hold the token, as Graph's do; `edge` is
    /// `NODE/EDGE`.
    pub fn body(&self, call: &Call, token: &str, edge: &str, data: Vec<Value>) -> Map<String, Value> {
        let mut body = Map::new();
        if !data.is_empty() {
            body.insert("paging".into(), self.paging(call, token, edge));
        }
        body.shift_insert(0, "data".into(), data.into());
        body
    }

    fn paging(&self, call: &Call, token: &str, edge: &str) -> Value {
        let cursor = |at: usize| hex::encode(format!("cursor:{at}"));
        let link = |name: &str, at: usize| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("access_token", token);
            for (key, value) in &call.parameters {
                if !matches!(key.as_str(), "access_token" | "pretty" | "limit" | "after" | "before") {
                    query.append_pair(key, value);
                }
            }
            query.append_pair("limit", &self.limit.to_string()).append_pair(name, &cursor(at));
            let version = call.version.map(|(major, minor)| format!("/v{major}.{minor}")).unwrap_or_default();
            // Graph's own name would send a client to the real Graph.
            format!("http://{}{version}/{edge}?{}", call.host, query.finish())
        };
        without_nulls(json!({
            "cursors": {"before": cursor(self.start), "after": cursor(self.end - 1)},
            "next": (self.end < self.total).then(|| link("after", self.end - 1)),
            "previous": (self.start > 0).then(|| link("before", self.start)),
        }))
    }
}

fn position(cursor: &str) -> Result<usize, Refusal> {
    let read = || String::from_utf8(hex::decode(cursor).ok()?).ok()?.strip_prefix("cursor:")?.parse().ok();
    read().ok_or_else(|| bad("Invalid cursors values"))
}
