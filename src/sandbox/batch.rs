//! Several calls in one (graph/FACTS.md, "Several calls in one"): `batch` at the root.
//! Operations run one by one, dependent ones after those they depend on.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::answer::{Answer, Refusal, Trace, Wire, escaped};
use super::call::{Call, Parts};
use super::routes;
use super::service;
use super::shared::SharedWorld;
use super::world::World;
use crate::json::without_nulls;

const MOST: usize = 50;

/// A valid batch.
pub(super) struct Batch {
    operations: Vec<Operation>,
    include_headers: bool,
}

struct Operation {
    method: String,
    relative_url: String,
    body: String,
    headers: Vec<String>,
    name: Option<String>,
    /// The positions of the operations that it depends on.
    depends_on: Vec<usize>,
    /// Omitted from the result if it succeeds.
    quiet: bool,
}

/// Reads a batch. A mistake in it as a whole is a `GraphBatchException`, which was seen without
/// a code.
pub(super) fn read(world: &World, call: &Call) -> Result<Batch, Refusal> {
    // The fallback must be a valid token, even if it is not needed. Proofs are checked in each
    // operation.
    routes::unproven(world, call, "")?;
    let Some(Value::Array(items)) = call.value("batch") else {
        return Err(Refusal::oauth(100, "(#100) Param batch must be an array."));
    };
    if items.len() > MOST {
        return Err(refused(&format!("Too many requests in batch message. Maximum batch size is {MOST}")));
    }
    let mut names: HashMap<String, usize> = HashMap::new();
    let mut operations = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let operation = operation(at, item, &names)?;
        if let Some(name) = &operation.name {
            names.insert(name.clone(), at);
        }
        operations.push(operation);
    }
    let needed: Vec<usize> = operations.iter().flat_map(|operation| operation.depends_on.clone()).collect();
    for (at, (operation, item)) in operations.iter_mut().zip(&items).enumerate() {
        operation.quiet = match &item["omit_response_on_success"] {
            Value::Bool(quiet) => *quiet,
            Value::String(quiet) => quiet == "true" || quiet == "1",
            _ => needed.contains(&at),
        };
    }
    let include_headers = !matches!(call.parameter("include_headers"), Some("false" | "0"));
    Ok(Batch { operations, include_headers })
}

fn operation(at: usize, item: &Value, names: &HashMap<String, usize>) -> Result<Operation, Refusal> {
    let bad = |what: &str| Refusal::oauth(100, format!("(#100) Param batch[{at}]{what}."));
    let text = |name: &str| item[name].as_str().map(str::to_owned);
    let texts_in = |name: &str| -> Vec<String> {
        let listed = item[name].as_array().into_iter().flatten();
        listed.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    if !item["body"].is_null() && !item["body"].is_string() {
        return Err(bad("[body] must be a string"));
    }
    let body = text("body").unwrap_or_default();
    let relative_url = text("relative_url").ok_or_else(|| bad("[relative_url] is required"))?;
    let mut wanted = texts_in("depends_on");
    wanted.extend(text("depends_on"));
    let call = Call::new(&Parts {
        path: path_of(&relative_url),
        query: query_of(&relative_url),
        body: body.as_bytes(),
        ..Parts::default()
    });
    wanted.extend(texts(&call).flat_map(references).map(|found| found.name.to_owned()));
    let mut depends_on = Vec::new();
    for name in wanted {
        depends_on.push(*names.get(&name).ok_or_else(|| {
            refused(&format!(
                "Request {at} cannot depend on an  unresolved request with  name {name}. Requests can only depend on preceding requests"
            ))
        })?);
    }
    let method = if item["method"].is_null() { "GET".into() } else { text("method").unwrap_or_default() };
    let (name, headers) = (text("name"), texts_in("headers"));
    Ok(Operation { method, relative_url, body, headers, name, depends_on, quiet: false })
}

fn refused(message: &str) -> Refusal {
    Refusal::new(0, "GraphBatchException", message)
}

/// Runs the operations, one after the other.
pub(super) async fn run(world: &SharedWorld, call: &Call, batch: Batch) -> Answer {
    let mut items = Vec::new();
    let mut results: Vec<Option<Value>> = Vec::new();
    for operation in &batch.operations {
        let (item, result) = one(world, call, &batch, operation, &results).await;
        items.push(item);
        results.push(result);
        // Let other calls be answered in between.
        tokio::task::yield_now().await;
    }
    Answer::ok(items.into())
}

/// The item of an operation, and its body if it succeeded.
async fn one(
    world: &SharedWorld,
    call: &Call,
    batch: &Batch,
    operation: &Operation,
    results: &[Option<Value>],
) -> (Value, Option<Value>) {
    if let Some(failed) = operation.depends_on.iter().find(|at| results.get(**at).is_none_or(Option::is_none)) {
        let name = batch.operations[*failed].name.as_deref().unwrap_or_default();
        let text = format!("The request with name {name}, on which this one depends, has failed");
        let error = json!({"error": {"message": text, "type": "GraphBatchException", "code": 100}});
        return (item(400, None, &escaped(&error)), None);
    }
    let known: HashMap<&str, &Value> = batch
        .operations
        .iter()
        .zip(results)
        .filter_map(|(operation, result)| Some((operation.name.as_deref()?, result.as_ref()?)))
        .collect();
    let (single, problem) = single(call, operation, &known);
    if let Some(problem) = problem {
        let wire = service::refuse(world, &single, problem);
        return (item(wire.status, batch.headers_of(&wire).as_deref(), &wire.body), None);
    }
    let patience = world.lock().rules.batch_patience;
    let Ok(performed) = tokio::time::timeout(patience, Box::pin(service::perform(world, &single))).await else {
        world.lock().note(&single, None, &Trace::new());
        return (Value::Null, None);
    };
    let Some((answer, trace)) = performed else { return (Value::Null, None) };
    let version = routes::served(&world.lock(), &single);
    let succeeded = answer.status == 200;
    let result = succeeded.then(|| answer.body.clone());
    if succeeded && operation.quiet {
        return (Value::Null, result);
    }
    let wire = answer.wire(&single, &trace, version);
    (item(wire.status, batch.headers_of(&wire).as_deref(), &wire.body), result)
}

impl Batch {
    fn headers_of(&self, wire: &Wire) -> Option<Vec<Value>> {
        let header = |(name, value): &(&str, String)| json!({"name": titled(name), "value": value});
        self.include_headers.then(|| wire.headers.iter().map(header).collect())
    }
}

fn item(code: u16, headers: Option<&[Value]>, body: &str) -> Value {
    without_nulls(json!({"code": code, "headers": headers, "body": body}))
}

/// `facebook-api-version` as `Facebook-API-Version`, the spelling in items.
fn titled(name: &str) -> String {
    let part = |part: &str| match part {
        "api" => "API".to_owned(),
        "fb" => "FB".to_owned(),
        "www" => "WWW".to_owned(),
        "etag" => "ETag".to_owned(),
        _ => part[..1].to_uppercase() + &part[1..],
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}

fn path_of(relative_url: &str) -> &str {
    let path = relative_url.split_once('?').map_or(relative_url, |(path, _)| path);
    path.trim_start_matches("https://graph.facebook.com")
}

fn query_of(relative_url: &str) -> &str {
    relative_url.split_once('?').map(|(_, query)| query).unwrap_or_default()
}

/// The operation as a call of its own, and why it cannot run, if so. Version, token and proof
/// default to the batch's.
fn single(call: &Call, operation: &Operation, known: &HashMap<&str, &Value>) -> (Call, Option<Refusal>) {
    let tag = operation.headers.iter().find_map(|header| {
        let (name, value) = header.split_once(':')?;
        name.eq_ignore_ascii_case("if-none-match").then(|| value.trim())
    });
    let mut single = Call::new(&Parts {
        method: &operation.method,
        path: path_of(&operation.relative_url),
        query: query_of(&operation.relative_url),
        if_none_match: tag,
        host: &call.host,
        body: operation.body.as_bytes(),
        ..Parts::default()
    });
    let problem = resolve(&mut single, known).err();
    single.take_token();
    single.in_batch = true;
    single.version = single.version.or(call.version);
    if single.token.is_none() {
        single.token.clone_from(&call.token);
        for name in ["appsecret_proof", "appsecret_time"] {
            if let (None, Some(value)) = (single.parameter(name), call.parameter(name)) {
                single.parameters.push((name.into(), value.into()));
            }
        }
    }
    (single, problem)
}

/// The decoded texts that may contain references.
fn texts(call: &Call) -> impl Iterator<Item = &str> {
    call.segments.iter().chain(call.parameters.iter().map(|(_, value)| value)).map(String::as_str)
}

/// Replaces references by the results of earlier operations.
fn resolve(call: &mut Call, known: &HashMap<&str, &Value>) -> Result<(), Refusal> {
    for text in call.segments.iter_mut().chain(call.parameters.iter_mut().map(|(_, value)| value)) {
        *text = filled(text, known)?;
    }
    Ok(())
}

/// `{result=name:$.path}` in a text.
struct Reference<'t> {
    whole: &'t str,
    name: &'t str,
    path: &'t str,
}

fn references(text: &str) -> impl Iterator<Item = Reference<'_>> {
    text.match_indices("{result=").filter_map(|(at, start)| {
        let rest = &text[at + start.len()..];
        let end = rest.find('}')?;
        let (name, path) = rest[..end].split_once(':')?;
        Some(Reference { whole: &text[at..=at + start.len() + end], name, path })
    })
}

/// A text with its references replaced.
fn filled(text: &str, known: &HashMap<&str, &Value>) -> Result<String, Refusal> {
    let mut out = String::new();
    let mut rest = text;
    // Within JSON, a text must not end the string it is in.
    let inside = text.starts_with(['{', '[']) && !text.starts_with("{result=");
    for reference in references(text) {
        let found = known.get(reference.name).and_then(|value| found(value, reference.path));
        let Some(found) = found.filter(|found| !found.is_empty()) else {
            return Err(Refusal::new(
                100,
                "GraphBatchException",
                format!("The reference {} finds nothing in the result it names", reference.whole),
            ));
        };
        let joined = found.join(",");
        let Some((before, after)) = rest.split_once(reference.whole) else { continue };
        out.push_str(before);
        match Value::from(joined.as_str()).to_string().strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(escaped) if inside => out.push_str(escaped),
            _ => out.push_str(&joined),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// The values at a path: `$.data.*.id`, `$.a.b`, `$.data[0].id`, `$['a']`; `None` for an unknown
/// notation.
fn found(value: &Value, path: &str) -> Option<Vec<String>> {
    let mut values = vec![value];
    let mut rest = path.strip_prefix('$')?;
    while !rest.is_empty() {
        let (step, after) = if let Some(inner) = rest.strip_prefix('[') {
            let (step, after) = inner.split_once(']')?;
            let quoted = ['\'', '"'].into_iter().find_map(|c| step.strip_prefix(c)?.strip_suffix(c));
            if quoted.is_none() && step != "*" && step.parse::<usize>().is_err() {
                return None;
            }
            (quoted.unwrap_or(step), after)
        } else {
            let inner = rest.strip_prefix('.')?;
            inner.split_at(inner.find(['.', '[']).unwrap_or(inner.len()))
        };
        if step.is_empty() {
            return None;
        }
        values = values
            .into_iter()
            .flat_map(|value| match (step, value) {
                ("*", Value::Array(items)) => items.iter().collect(),
                ("*", Value::Object(fields)) => fields.values().collect(),
                (_, Value::Array(items)) => step.parse().ok().and_then(|at: usize| items.get(at)).into_iter().collect(),
                _ => value.get(step).into_iter().collect::<Vec<_>>(),
            })
            .collect();
        rest = after;
    }
    Some(values.into_iter().map(super::form::text_of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_one_value_or_many() {
        let value = json!({"data": [{"id": "1"}, {"id": "2"}], "a": {"b": 3}});
        let found = |path: &str| found(&value, path);
        assert_eq!(found("$.data.*.id").unwrap_or_default(), ["1", "2"]);
        assert_eq!(found("$['data'][*][\"id\"]").unwrap_or_default(), ["1", "2"]);
        assert_eq!(found("$.data[1].id").unwrap_or_default(), ["2"]);
        assert_eq!(found("$.a.b").unwrap_or_default(), ["3"]);
        assert_eq!(found("$.none"), Some(Vec::new()));
        for unknown in ["a.b", "$..id", "$.data[?(@.id)]", "$.data[-1]", "$."] {
            assert_eq!(found(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn references_are_filled_in_or_refused() {
        let value = json!({"data": [{"id": "1"}, {"id": "2"}], "text": "a \"b\""});
        let known = HashMap::from([("first", &value)]);
        let filled = |text: &str| filled(text, &known).map_err(|refusal| refusal.message);
        assert_eq!(filled("x {result=first:$.data.*.id} y").as_deref(), Ok("x 1,2 y"));
        assert_eq!(filled(r#"{"a":"{result=first:$.text}"}"#).as_deref(), Ok(r#"{"a":"a \"b\""}"#));
        assert_eq!(filled("{result=no reference").as_deref(), Ok("{result=no reference"));
        assert!(filled("{result=first:$.none}").is_err_and(|text| text.contains("{result=first:$.none}")));
        assert!(filled("{result=first:id}").is_err());
    }

    #[test]
    fn headers_are_spelled_as_items_spell_them() {
        assert_eq!(titled("facebook-api-version"), "Facebook-API-Version");
        assert_eq!(titled("content-type"), "Content-Type");
        assert_eq!(titled("etag"), "ETag");
    }
}
