//! `s3://BUCKET/PREFIX?endpoint=URL&region=REGION&lease=SECONDS`.

use std::fmt;
use std::time::Duration;

use crate::env::Environment;
use crate::http::Url;
use crate::storage::RemoteError;
use crate::storage::shared::objects::LEASE;

/// Where a bucket is, and how it is asked.
#[derive(Clone, Debug)]
pub struct Address {
    pub bucket: String,
    /// Without slashes at its ends; may be empty.
    pub prefix: String,
    pub region: String,
    pub lease: Duration,
    /// The bucket's own URL, without a slash at the end.
    pub base: String,
    /// Whether the server is on this machine.
    pub loopback: bool,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.prefix {
            "" => write!(f, "s3://{}", self.bucket),
            prefix => write!(f, "s3://{}/{prefix}", self.bucket),
        }
    }
}

impl Address {
    /// Reads an address; the variables of AWS say what it does not.
    pub fn parse(text: &str, env: &Environment) -> Result<Self, RemoteError> {
        let wrong = |why: &str| RemoteError::Address { address: without_keys(text), why: why.into() };
        let url = Url::parse(text).map_err(|_| wrong("expected s3://BUCKET/PREFIX"))?;
        // A URL has lost its dots by now.
        let written = text.split(['?', '#']).next().unwrap_or_default();
        if written.split('/').any(|part| matches!(part, "." | "..")) || url.fragment().is_some() {
            return Err(wrong("the prefix may have letters, digits, '-', '_', '.' and '/', and no part '.' or '..'"));
        }
        if url.scheme() != "s3" {
            return Err(wrong("expected s3://BUCKET/PREFIX"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.port().is_some() {
            return Err(wrong("keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, never from the address"));
        }
        let bucket = url.host_str().unwrap_or_default().to_owned();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if bucket.len() < 3 || bucket.len() > 63 || !bucket.chars().all(fits) {
            return Err(wrong("the bucket's name needs 3 to 63 lower-case letters, digits, hyphens or dots"));
        }
        let prefix = url.path().trim_matches('/').to_owned();
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        if !prefix.chars().all(fits) || prefix.contains("//") {
            return Err(wrong("the prefix may have letters, digits, '-', '_', '.' and '/'"));
        }
        let (mut endpoint, mut region, mut lease) = (None, None, LEASE);
        for (key, value) in url.query_pairs() {
            match &*key {
                "endpoint" if endpoint.is_some() => return Err(wrong("it names two endpoints")),
                "endpoint" => endpoint = Some(value.into_owned()),
                "region" => region = Some(value.into_owned()),
                "lease" => {
                    let seconds = value.parse().ok().filter(|seconds| (2..=3600).contains(seconds));
                    lease = Duration::from_secs(seconds.ok_or_else(|| wrong("lease is 2 to 3600 seconds"))?);
                }
                _ => return Err(wrong("after the ? it knows endpoint, region and lease")),
            }
        }
        let of = |names: [&str; 2]| names.into_iter().find_map(|name| Some(env.text(name)?.to_owned()));
        let region = region.or_else(|| of(["AWS_REGION", "AWS_DEFAULT_REGION"])).unwrap_or_else(|| "us-east-1".into());
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !region.chars().all(fits) {
            return Err(wrong("the region is not valid"));
        }
        let (base, loopback) = match endpoint.or_else(|| of(["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])) {
            // A bucket with a dot in its name does not fit the certificate.
            None if bucket.contains('.') => (format!("https://s3.{region}.amazonaws.com/{bucket}"), false),
            None => (format!("https://{bucket}.s3.{region}.amazonaws.com"), false),
            Some(endpoint) => {
                let url = Url::parse(&endpoint).map_err(|_| wrong("the endpoint is not a valid URL"))?;
                let host = url.host_str().unwrap_or_default();
                let loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
                if !(url.scheme() == "https" || url.scheme() == "http" && loopback) {
                    return Err(wrong("the endpoint needs https, but for loopback addresses"));
                }
                if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
                    return Err(wrong("the endpoint is scheme, host and port"));
                }
                (format!("{}/{bucket}", url.as_str().trim_end_matches('/')), loopback)
            }
        };
        Ok(Self { bucket, prefix, region, lease, base, loopback })
    }

    /// The whole key of a name below the prefix.
    pub fn key(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) }
    }
}

/// The address without what stands before an @ or behind a ?, which may be a key.
fn without_keys(text: &str) -> String {
    let text = text.split('?').next().unwrap_or_default();
    text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, host)| format!("s3://...@{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address, RemoteError> {
        Address::parse(text, &Environment::default())
    }

    #[test]
    fn an_address_names_bucket_prefix_and_server() {
        let aws = parse("s3://team/msgrctl/").expect("an address");
        assert_eq!((aws.to_string(), aws.key("a/b")), ("s3://team/msgrctl".into(), "msgrctl/a/b".into()));
        assert_eq!(aws.base, "https://team.s3.us-east-1.amazonaws.com");
        let env = Environment::default().with("AWS_REGION", "eu-west-1");
        let dotted = Address::parse("s3://a.team", &env).expect("an address");
        assert_eq!((dotted.base.as_str(), &*dotted.key("x")), ("https://s3.eu-west-1.amazonaws.com/a.team", "x"));
        let here = parse("s3://team?endpoint=http://127.0.0.1:8333/&lease=5").expect("an address");
        assert_eq!((here.base.as_str(), here.loopback), ("http://127.0.0.1:8333/team", true));
        assert_eq!(here.lease, Duration::from_secs(5));
    }

    #[test]
    fn what_is_not_an_address_is_refused_without_its_keys() {
        for wrong in [
            "s3://",
            "team",
            "https://team",
            "s3://key:hidden@team",
            "s3://team?secret=hidden",
            "s3://team?endpoint=http://example.com",
            "s3://team?endpoint=https://a:hidden@example.com",
            "s3://team/../x y",
            "s3://team/a/../../x",
            "s3://team/a/./b",
            "s3://team/a//b",
            "s3://team/a#x",
            "s3://Te_am",
            "s3://team?lease=1",
        ] {
            let error = parse(wrong).expect_err(wrong).to_string();
            assert!(!error.contains("hidden"), "{error}");
        }
    }
}
