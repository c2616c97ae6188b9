//! What anybody may send to a receiver: a bounded number of made-up bodies, headers
//! and queries, none of which may do more than be refused.

use msgrctl::secrets::Secret;
use msgrctl::webhook::signature::{Signature, sign};
use msgrctl::webhook::{Handshake, events, handshake_address};
use proptest::prelude::*;
use serde_json::{Value, json};

/// JSON of any shape, with the names that events have more often than others.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    let names = prop_oneof![
        Just("object"),
        Just("entry"),
        Just("id"),
        Just("time"),
        Just("messaging"),
        Just("standby"),
        Just("changes"),
        Just("sender"),
        Just("recipient"),
        Just("timestamp"),
        Just("message"),
        Just("mid"),
        Just("text"),
        Just("attachments"),
        Just("type"),
        Just("payload"),
        Just("postback"),
        Just("delivery"),
        Just("mids"),
        Just("watermark"),
        Just("read"),
        Just("reaction"),
        Just("field"),
        Just("optin"),
        Just("referral"),
        Just("ref"),
    ]
    .prop_map(str::to_owned);
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(
                (prop_oneof![4 => names.clone(), 1 => "\\PC{0,6}".prop_map(String::from)], inner),
                0..6
            )
            .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_shrink_time: 5000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_json_gives_events_that_keep_what_came(value in anything()) {
        let found = events(&value);
        prop_assert!(!found.is_empty() || value["entry"].as_array().is_some_and(Vec::is_empty));
        for event in found {
            let _ = (event.name(), event.customer().map(str::len));
        }
    }

    #[test]
    fn an_event_inside_an_envelope_is_kept_as_it_came(raw in anything()) {
        let value = json!({"object": "page", "entry": [{"id": "1", "time": 1, "messaging": [raw]}]});
        let found = events(&value);
        prop_assert_eq!(found.len(), 1);
        // Null is absence: then the entry itself is all there is.
        prop_assert_eq!(&found[0].raw, if raw.is_null() { &value["entry"][0] } else { &raw });
        prop_assert_eq!(&found[0].page_id, "1");
    }

    #[test]
    fn no_header_but_the_right_one_is_taken(
        body in prop::collection::vec(any::<u8>(), 0..300),
        secret in "[0-9a-f]{32}",
        header in prop_oneof!["\\PC{0,80}", "sha256=[0-9a-f]{0,70}", "sha1=[0-9a-f]{40}"],
    ) {
        let (sha256, sha1) = sign(&body, secret.as_bytes());
        for (new, old) in [(Some(header.as_bytes()), None), (None, Some(header.as_bytes()))] {
            if let Ok(signature) = Signature::read(new, old) {
                let right = header == sha256 || header == sha1;
                prop_assert_eq!(signature.verify(&body, secret.as_bytes()).is_ok(), right);
            }
        }
        let signature = Signature::read(Some(sha256.as_bytes()), Some(header.as_bytes())).unwrap();
        prop_assert!(signature.verify(&body, secret.as_bytes()).is_ok());
        let mut other = body.clone();
        other.push(b'x');
        prop_assert!(signature.verify(&other, secret.as_bytes()).is_err());
    }

    #[test]
    fn a_handshake_survives_its_way_in_a_query(challenge in "[0-9]{1,10}", token in "\\PC{1,60}", rest in "\\PC{0,40}") {
        let callback = url::Url::parse("https://example.com/hook?own=1").unwrap();
        let asked = handshake_address(&callback, &challenge, &Secret::new(token.clone()));
        let read = Handshake::read(asked.query().unwrap()).unwrap();
        prop_assert_eq!(&read.challenge, &challenge);
        prop_assert!(read.names(&Secret::new(token.clone())));
        prop_assert!(!read.names(&Secret::new(token.clone() + "x")));
        let _ = Handshake::read(&rest);
    }
}
