//! Several calls in one (facts of Graph, section 2.13): `batch` at the root, each
//! operation on its own, those that depend on others after them.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::SharedWorld;
use super::answer::{Answer, Refusal};
use super::call::{Call, Parts};
use super::routes;
use super::service;
use super::world::World;

const MOST: usize = 50;

/// A batch that can be carried out.
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
    /// Positions of those that come before it.
    depends_on: Vec<usize>,
    /// Left out of the result when it succeeds.
    quiet: bool,
}

/// Reads a batch. What is wrong with it as a whole is a `GraphBatchException`, which
/// was seen without a code.
pub(super) fn read(world: &World, call: &Call) -> Result<Batch, Refusal> {
    // The fallback must be a token that lives, whether or not it is needed.
    routes::caller(world, call, "")?;
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
    let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
    let body = match &item["body"] {
        Value::String(body) => body.clone(),
        Value::Object(fields) => Value::Object(fields.clone()).to_string(),
        _ => String::new(),
    };
    let Some(relative_url) = item["relative_url"].as_str() else {
        return Err(Refusal::oauth(100, format!("(#100) Param batch[{at}][relative_url] is required.")));
    };
    let mut wanted: Vec<String> = match &item["depends_on"] {
        Value::String(name) => vec![name.clone()],
        Value::Array(listed) => listed.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    wanted.extend(references(relative_url).chain(references(&body)).map(|(name, _)| name.to_owned()));
    let mut depends_on = Vec::new();
    for name in wanted {
        depends_on.push(*names.get(&name).ok_or_else(|| {
            refused(&format!(
                "Request {at} cannot depend on an  unresolved request with  name {name}. Requests can only depend on preceding requests"
            ))
        })?);
    }
    let method = if item["method"].is_null() { "GET".to_owned() } else { text("method") };
    let headers = match &item["headers"] {
        Value::Array(listed) => listed.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    Ok(Operation {
        method,
        relative_url: relative_url.to_owned(),
        body,
        headers,
        name: item["name"].as_str().map(str::to_owned),
        depends_on,
        quiet: false,
    })
}

fn refused(message: &str) -> Refusal {
    Refusal::new(0, "GraphBatchException", message)
}

/// Carries the operations out, one after the other.
pub(super) async fn run(world: &SharedWorld, call: &Call, batch: Batch) -> Answer {
    let mut items = Vec::new();
    let mut results: Vec<Option<Value>> = Vec::new();
    for operation in &batch.operations {
        let (item, result) = one(world, call, &batch, operation, &results).await;
        items.push(item);
        results.push(result);
    }
    Answer::ok(items.into())
}

/// The item of an operation, and its body where it succeeded.
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
        return (item(400, None, &super::answer::escaped(&error)), None);
    }
    let known: HashMap<&str, &Value> = batch
        .operations
        .iter()
        .zip(results)
        .filter_map(|(operation, result)| Some((operation.name.as_deref()?, result.as_ref()?)))
        .collect();
    let single = single(call, operation, &known);
    let patience = world.lock().rules.batch_patience;
    let Some((answer, trace)) = Box::pin(service::perform(world, &single, Some(patience))).await else {
        return (Value::Null, None);
    };
    let version = routes::served_version(&world.lock(), &single);
    let succeeded = answer.status == 200;
    let result = succeeded.then(|| answer.body.clone());
    if succeeded && operation.quiet {
        return (Value::Null, result);
    }
    let wire = answer.wire(&single, &trace, version);
    let headers = batch.include_headers.then(|| {
        let header = |(name, value): &(&str, String)| json!({"name": titled(name), "value": value});
        wire.headers.iter().map(header).collect::<Vec<_>>()
    });
    (item(wire.status, headers, &wire.body), result)
}

fn item(code: u16, headers: Option<Vec<Value>>, body: &str) -> Value {
    let mut item = Map::new();
    item.insert("code".into(), code.into());
    if let Some(headers) = headers {
        item.insert("headers".into(), headers.into());
    }
    item.insert("body".into(), body.into());
    item.into()
}

/// `facebook-api-version` as `Facebook-API-Version`: the way items spell it.
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

/// The operation as a call of its own. It has the batch's version, token and proof
/// where it brings none.
fn single(call: &Call, operation: &Operation, known: &HashMap<&str, &Value>) -> Call {
    let url = filled(&operation.relative_url, known);
    let body = filled(&operation.body, known);
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    let path = path.trim_start_matches("https://graph.facebook.com");
    let tag = operation.headers.iter().find_map(|header| {
        let (name, value) = header.split_once(':')?;
        name.eq_ignore_ascii_case("if-none-match").then(|| value.trim())
    });
    let mut single = Call::new(&Parts {
        method: &operation.method,
        path,
        query,
        if_none_match: tag,
        host: &call.host,
        body: body.as_bytes(),
        ..Parts::default()
    });
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
    single
}

/// Every `{result=name:$.path}` in a text.
fn references(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("{result=").skip(1).filter_map(|rest| rest.split_once('}')?.0.split_once(':'))
}

/// A text with its references resolved.
fn filled(text: &str, known: &HashMap<&str, &Value>) -> String {
    let mut parts = text.split("{result=");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((reference, rest)) = part.split_once('}') else { continue };
        let found = reference.split_once(':').and_then(|(name, path)| Some(found(known.get(name)?, path)));
        out.extend(url::form_urlencoded::byte_serialize(found.unwrap_or_default().join(",").as_bytes()));
        out.push_str(rest);
    }
    out
}

/// What a path finds: `$.data.*.id`, `$.a.b`, `$.data[0].id`.
fn found(value: &Value, path: &str) -> Vec<String> {
    let path = path.trim_start_matches('$').replace('[', ".").replace(']', "");
    let mut values = vec![value];
    for step in path.split('.').filter(|step| !step.is_empty()) {
        values = values
            .into_iter()
            .flat_map(|value| match (step, value) {
                ("*", Value::Array(items)) => items.iter().collect(),
                ("*", Value::Object(fields)) => fields.values().collect(),
                (_, Value::Array(items)) => step.parse().ok().and_then(|at: usize| items.get(at)).into_iter().collect(),
                _ => value.get(step).into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    values.into_iter().map(super::form::text_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_one_value_or_many() {
        let value = json!({"data": [{"id": "1"}, {"id": "2"}], "a": {"b": 3}});
        assert_eq!(found(&value, "$.data.*.id"), ["1", "2"]);
        assert_eq!(found(&value, "$.data[1].id"), ["2"]);
        assert_eq!(found(&value, "$.a.b"), ["3"]);
        assert!(found(&value, "$.none").is_empty());
        let known = HashMap::from([("first", &value)]);
        assert_eq!(filled("?ids={result=first:$.data.*.id}&x=1", &known), "?ids=1%2C2&x=1");
    }

    #[test]
    fn headers_are_spelled_as_items_spell_them() {
        assert_eq!(titled("facebook-api-version"), "Facebook-API-Version");
        assert_eq!(titled("content-type"), "Content-Type");
        assert_eq!(titled("etag"), "ETag");
    }
}
