//! Where an address leads: to this machine, a private network, or the internet. Judged from the
//! address itself, without resolving names.

use std::net::{IpAddr, Ipv4Addr};

use url::{Host, Url};

use crate::text::{MASK, harmless};

/// Whether an address is on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // Names below `localhost` may resolve to anything.
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Names that only a private network resolves: reserved (RFC 6762, RFC 8375, ICANN's
/// `.internal`), or so widely used that they never became public.
const PRIVATE_ENDS: [&str; 11] = [
    "local",
    "internal",
    "lan",
    "home",
    "corp",
    "intranet",
    "private",
    "localdomain",
    "localhost",
    "test",
    "home.arpa",
];

/// Whether an address is inside a private network, where Meta cannot reach it: a private or
/// link-local IP address, a name without a dot, or a name that only such networks resolve.
/// Loopback does not count: see [`is_loopback`].
pub fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name != "localhost"
                && (!name.contains('.') || PRIVATE_ENDS.iter().any(|end| name.ends_with(&format!(".{end}"))))
        }
        Some(Host::Ipv4(address)) => is_private_ip(address.into()),
        Some(Host::Ipv6(address)) => is_private_ip(address.into()),
        None => false,
    }
}

/// Whether an IP address is neither public nor loopback.
pub fn is_private_ip(address: IpAddr) -> bool {
    let v4 = |address: Ipv4Addr| {
        let [a, b, ..] = address.octets();
        let shared = a == 100 && (64..128).contains(&b);
        address.is_private() || address.is_link_local() || address.is_unspecified() || shared
    };
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => {
            address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_unspecified()
                || address.to_ipv4_mapped().is_some_and(v4)
        }
    }
}

/// An address for showing. The values of its query are masked: gateways and cloud functions take
/// keys there (`?code=…`).
pub fn shown(address: &str) -> String {
    harmless(&with_values(address, |_| MASK.to_owned()))
}

/// Whether an address has masked values.
pub fn is_masked(url: &Url) -> bool {
    url.query().is_some_and(|query| query.contains(MASK))
}

/// An address for a command to paste: each value in its query is replaced by its name in
/// capitals (`?code=CODE`).
pub fn with_placeholders(address: &str) -> String {
    with_values(address, |name| {
        let word: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        if word.is_empty() { "KEY".to_owned() } else { word.to_ascii_uppercase() }
    })
}

/// The same, quoted where a shell needs it.
pub fn to_paste(address: &str) -> String {
    crate::text::for_shell(&with_placeholders(address))
}

/// An address with other values in its query: `value` makes each from its name. A part without a
/// name is a value too.
fn with_values(address: &str, value: impl Fn(&str) -> String) -> String {
    match address.split_once('?') {
        Some((before, query)) if !query.is_empty() => {
            let pairs = query.split('&').map(|pair| match pair.split_once('=') {
                Some((_, "")) => pair.to_owned(),
                Some((name, _)) => format!("{name}={}", value(name)),
                None => value(""),
            });
            format!("{before}?{}", pairs.collect::<Vec<_>>().join("&"))
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    /// The result must not depend on the tables behind `url`: upper case, accents in two forms,
    /// full-width letters and right-to-left names.
    #[test]
    fn international_names_are_read() {
        let host = |text: &str| url(text).host_str().map(str::to_owned).unwrap_or_default();
        assert_eq!(host("https://Müller.example"), "xn--mller-kva.example");
        assert_eq!(host("https://mu\u{308}ller.example"), "xn--mller-kva.example");
        assert_eq!(host("https://ｌｏｃａｌｈｏｓｔ"), "localhost");
        assert!(is_loopback(&url("http://ｌｏｃａｌｈｏｓｔ:8080")));
        assert_eq!(host("https://דוגמה.example"), "xn--6dbbec0c.example");
        assert!(Url::parse("https://a\u{200e}b.example").is_err(), "a mark that is not seen");
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for here in ["http://127.0.0.1:3000/hook", "http://localhost/", "https://[::1]:8/", "http://127.8.9.1/"] {
            assert!(is_loopback(&url(here)) && !is_private(&url(here)), "{here}");
        }
        for elsewhere in ["https://hooks.example.com/", "http://localhost.example.com/", "http://10.0.0.1/"] {
            assert!(!is_loopback(&url(elsewhere)), "{elsewhere}");
        }
    }

    #[test]
    fn private_networks_are_known_by_their_addresses_and_names() {
        for inside in [
            "https://192.168.1.20/messenger",
            "https://10.1.2.3:8443/",
            "https://172.31.255.1/",
            "https://169.254.169.254/",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[::ffff:192.168.0.1]/",
            "https://intranet/hook",
            "https://hooks.acme.local/",
            "https://hooks.acme.LAN./",
            "https://bot.corp/",
            "https://x.home.arpa/",
        ] {
            assert!(is_private(&url(inside)), "{inside}");
        }
        for outside in [
            "https://hooks.example.com/",
            "https://172.32.0.1/",
            "https://100.128.0.1/",
            "https://8.8.8.8/",
            "https://[2a03:2880::1]/",
            "https://local.example.com/",
            "https://mylan.example/",
        ] {
            assert!(!is_private(&url(outside)), "{outside}");
        }
    }

    #[test]
    fn keys_in_a_query_are_masked_or_named() {
        let address = "https://x.example/hook?code=s3cret&client-id=a&empty=&bare";
        assert_eq!(shown(address), "https://x.example/hook?code=********&client-id=********&empty=&********");
        let named = "https://x.example/hook?code=CODE&client-id=CLIENTID&empty=&KEY";
        assert_eq!(to_paste(address), crate::text::for_shell(named));
        assert_eq!(to_paste("https://x.example/hook"), "https://x.example/hook");
    }
}
