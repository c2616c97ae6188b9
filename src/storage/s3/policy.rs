//! The least rights on a bucket.

use serde_json::json;

/// The policy for the state at `address`, as IAM reads it: objects below the prefix, and the
/// list of their keys.
pub fn policy(address: &str) -> String {
    let place = address.strip_prefix("s3://").unwrap_or(address).split('?').next().unwrap_or_default();
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let below = match prefix.trim_matches('/') {
        "" => "*".to_owned(),
        prefix => format!("{prefix}/*"),
    };
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Records",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                "Resource": format!("arn:aws:s3:::{bucket}/{below}"),
            },
            {
                // Without it a key that is not there is denied, not absent.
                "Sid": "Names",
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": format!("arn:aws:s3:::{bucket}"),
                "Condition": {"StringLike": {"s3:prefix": below}},
            },
        ],
    });
    serde_json::to_string_pretty(&policy).unwrap_or_else(|error| unreachable!("it is JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_about_the_prefix_only() {
        let text = policy("s3://team/a/b?endpoint=https://x");
        let policy: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(policy["Statement"][0]["Resource"], "arn:aws:s3:::team/a/b/*");
        assert_eq!(policy["Statement"][1]["Condition"]["StringLike"]["s3:prefix"], "a/b/*");
        assert!(super::policy("s3://team").contains("arn:aws:s3:::team/*"));
    }
}
