//! Causes of missing answers, and what to try.

use super::{
    Diagnosis, GRAPH_TROUBLE, NOT_GRAPH, PROXY_AUTH, PROXY_REFUSED, STATE_CONFLICT, THROTTLED, UNREACHABLE, all,
};
use crate::graph::Unreachable;
use crate::http::{Fault, Way};

/// The cause of a missing answer.
pub fn of_unreachable(unreachable: &Unreachable) -> Diagnosis {
    match unreachable {
        Unreachable::Fault { fault, way } => of_fault(*fault, way),
        Unreachable::NotGraph { status: 407 } => PROXY_AUTH.diagnosis(),
        Unreachable::NotGraph { status: status @ 500.. } => Diagnosis {
            summary: format!(
                "there is trouble at Graph, or at something before it: HTTP {status} without Graph's own error"
            ),
            ..GRAPH_TROUBLE.diagnosis()
        },
        Unreachable::NotGraph { status } => Diagnosis {
            summary: format!("something answered in Graph's place (HTTP {status}): a proxy or a login page"),
            ..NOT_GRAPH.diagnosis()
        },
        Unreachable::Unfinished => {
            Diagnosis { summary: "Graph did not finish the call, three times".into(), ..GRAPH_TROUBLE.diagnosis() }
        }
        Unreachable::HeldBack(held) => Diagnosis {
            summary: format!("the change was not sent to Meta: {held}"),
            ..all().find(|cause| cause.id == held.cause).unwrap_or(&STATE_CONFLICT).diagnosis()
        },
        Unreachable::Trouble(_) => {
            Diagnosis { summary: "Graph answered with an error of its own".into(), ..GRAPH_TROUBLE.diagnosis() }
        }
        Unreachable::Throttled(error) => {
            let Some(wait) = error.regain_access else { return THROTTLED.diagnosis() };
            let minutes = wait.as_secs() / 60;
            let s = if minutes == 1 { "" } else { "s" };
            Diagnosis {
                fix: format!("wait {minutes} minute{s} and try again; calls made in the meantime count too"),
                ..THROTTLED.diagnosis()
            }
        }
    }
}

fn of_fault(fault: Fault, way: &Way) -> Diagnosis {
    let (summary, fix): (String, &str) = match (fault, way) {
        (Fault::ProxyAuth, Way::Proxy(proxy)) => {
            return Diagnosis {
                summary: format!("the proxy {proxy} (HTTPS_PROXY) wants a user and a password (HTTP 407)"),
                ..PROXY_AUTH.diagnosis()
            };
        }
        (Fault::ProxyAuth, _) => return PROXY_AUTH.diagnosis(),
        (Fault::ProxyRefused { status }, way) => {
            let proxy = if let Way::Proxy(proxy) = way { format!(" {proxy}") } else { String::new() };
            return Diagnosis {
                summary: format!("the proxy{proxy} (HTTPS_PROXY) opens no connection to Meta (HTTP {status})"),
                ..PROXY_REFUSED.diagnosis()
            };
        }
        // A failure before the tunnel is open is the proxy's.
        (Fault::Refused, Way::Proxy(proxy)) => (
            format!("the proxy {proxy} (HTTPS_PROXY) refuses the connection"),
            "check the address in HTTPS_PROXY and that the proxy runs; or unset HTTPS_PROXY where none is needed",
        ),
        (Fault::Dns, Way::Proxy(proxy)) => (
            format!("the name of the proxy {proxy} (HTTPS_PROXY) could not be resolved"),
            "correct the address in HTTPS_PROXY, or unset it where no proxy is needed",
        ),
        (Fault::ConnectTimeout | Fault::Connect, Way::Proxy(proxy)) => (
            format!("no connection could be made through the proxy {proxy} (HTTPS_PROXY)"),
            "check the address in HTTPS_PROXY and that the proxy may reach graph.facebook.com:443",
        ),
        (Fault::Timeout | Fault::ConnectTimeout, Way::Here) => (
            format!("the sandbox did not answer: {fault}"),
            "start it again (msgrctl sandbox start), or wait longer with --timeout SECONDS",
        ),
        (fault, Way::Here) => (
            format!("Graph did not answer: {fault}"),
            "start the sandbox (msgrctl sandbox start), or check where --graph-url (MSGRCTL_GRAPH_URL) points",
        ),
        (fault, _) => (format!("Graph did not answer: {fault}"), of_direct(fault)),
    };
    Diagnosis { summary, fix: fix.into(), ..UNREACHABLE.diagnosis() }
}

fn of_direct(fault: Fault) -> &'static str {
    match fault {
        Fault::Dns => "check the network and the name server of this machine; behind a proxy set HTTPS_PROXY",
        Fault::Refused => "check the network and the firewall of this machine; behind a proxy set HTTPS_PROXY",
        Fault::Certificate(_) => {
            "if a proxy inspects TLS here, name its certificate with --ca-bundle FILE (MSGRCTL_CA_BUNDLE)"
        }
        Fault::Tls => "check that nothing between this machine and Graph breaks TLS; TLS 1.2 or later is needed",
        Fault::ClientCertificate => {
            "something on the way to Graph demands a client certificate: check HTTPS_PROXY and the firewall"
        }
        Fault::Timeout | Fault::ConnectTimeout => {
            "check the network, a firewall that drops packets, and HTTPS_PROXY; --timeout SECONDS waits longer"
        }
        Fault::Broken | Fault::Connect | Fault::TooLarge | Fault::ProxyAuth | Fault::ProxyRefused { .. } => {
            "check the network and HTTPS_PROXY, then try again"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::graph::ApiError;

    #[test]
    fn a_stated_wait_is_passed_on() {
        let error = ApiError { regain_access: Some(Duration::from_secs(19 * 60)), ..ApiError::default() };
        assert!(of_unreachable(&Unreachable::Throttled(Box::new(error))).fix.contains("19 minutes"));
    }

    #[test]
    fn the_sandbox_is_named_on_this_machine_only_and_the_proxy_where_there_is_one() {
        let all = [Fault::Refused, Fault::Dns, Fault::Timeout, Fault::ConnectTimeout, Fault::Connect, Fault::Broken];
        for fault in all {
            assert!(of_fault(fault, &Way::Here).fix.contains("sandbox"));
            for way in [Way::Direct, Way::Proxy("http://10.0.0.1:3128".into())] {
                let found = of_fault(fault, &way);
                assert!(!found.fix.contains("sandbox") && found.cause == "unreachable", "{found:?}");
            }
        }
        let proxy = Way::Proxy("http://10.0.0.1:3128".into());
        assert!(of_fault(Fault::Refused, &proxy).summary.contains("http://10.0.0.1:3128"));
        assert_eq!(of_fault(Fault::ProxyAuth, &proxy).cause, "proxy-auth");
        assert_eq!(of_fault(Fault::ProxyRefused { status: 403 }, &proxy).cause, "proxy-refused");
        assert_eq!(of_unreachable(&Unreachable::NotGraph { status: 407 }).cause, "proxy-auth");
    }
}
