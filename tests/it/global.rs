//! What holds for every command: help, usage, streams, colour, configuration.

use std::process::Stdio;
use std::time::Duration;

use crate::support::Home;
use crate::support::world::{acme, sandbox};

#[test]
fn help_and_version_are_results() {
    let home = Home::new();
    home.run(&["--version"]).code(0).shows(&["msgrctl 0."]);
    // The short form leaves out what is rarely needed; examples come before the options.
    let short = home.run(&["account", "add", "-h"]).code(0).stdout;
    assert!(!short.contains("--ca-bundle") && !short.contains("On a terminal it asks"), "{short}");
    assert!(short.find("Examples:").unwrap() < short.find("Options:").unwrap(), "{short}");
    home.run(&["help", "environment"]).code(0).screen("help-environment");
    home.run(&["help", "files"]).code(0).screen("help-files");
    home.run(&["help", "scenarios"]).code(0).screen("help-scenarios");
    home.run(&["help", "exit-cods"]).code(2).says(&["did you mean 'exit-codes'?"]);
    home.run(&["help", "account", "tset"]).code(2).says(&["did you mean 'test'?"]);
    home.run(&["man", "account", "nothing"]).code(2).says(&["unknown command or topic 'account nothing'"]);
    let bare: [&str; 0] = [];
    home.run(&bare).code(0).screen("help-bare");
    home.run(&["account"]).code(2).says(&["Usage: msgrctl account"]);
}

#[test]
fn help_does_not_show_the_flags_that_only_explain() {
    let help = Home::new().run(&["account", "add", "--help"]).code(0).stdout;
    assert!(!help.contains("--token ") && !help.contains("--token <"), "{help}");
}

#[test]
fn help_works_with_a_broken_configuration() {
    let home = Home::new();
    home.file("config/msgrctl/config.toml", "tenat = 'x'");
    home.file("config/msgrctl/tenants/default/accounts.toml", "broken");
    home.run(&["--help"]).code(0);
    home.run(&["--version"]).code(0);
    home.run(&["account", "add", "--help"]).code(0);
    home.run(&["account", "list"]).code(3);
    home.file("config/msgrctl/config.toml", "tenant = 'other'");
    home.run(&["account", "list"]).code(0).says(&["tenant other"]);
}

#[test]
fn a_reader_that_goes_away_ends_nothing_loudly() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    for arguments in [&["account", "list"][..], &["account", "show", "acme"], &["account", "test", "acme"], &["--help"]]
    {
        let mut child = home.msgrctl(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!text.contains("panic") && !text.contains("error"), "{text}");
    }
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = home.msgrctl(&["account", "list"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("could not be written"));
}

#[test]
fn colour_follows_flags_and_variables() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let colored = |home: &Home, more: &[&str]| {
        let run = home.run(&[&["account", "test", "acme"], more].concat());
        run.stdout.contains('\u{1b}')
    };
    assert!(!colored(&home, &[]));
    assert!(colored(&home, &["--color", "always"]));
    let forced = home.with("CLICOLOR_FORCE", "1");
    assert!(colored(&forced, &[]));
    assert!(!colored(&forced, &["--color", "never"]));
    // Errors of usage follow the same rules.
    let run = forced.run(&["account", "lst", "--color", "never"]).code(2);
    assert!(run.stderr.contains("lst"));
}

#[test]
fn without_a_terminal_missing_values_are_named_at_once() {
    let home = Home::new();
    for (name, value) in [("CI", "true"), ("MSGRCTL_NO_INPUT", "1"), ("TERM", "xterm")] {
        let home = Home::new().with(name, value);
        let run = home.run(&["account", "add"]).code(2);
        assert!(run.took < Duration::from_secs(5), "{name}");
    }
    home.run(&["account", "remove", "nobody"]).code(1);
}

#[test]
fn settings_that_make_no_sense_are_named_with_their_level() {
    let home = Home::new();
    home.run(&["account", "list", "--timeout", "soon"]).code(2).says(&["--timeout"]);
    home.run(&["account", "test", "--all", "--ca-bundle", "missing.pem"]).code(0);
}

#[test]
fn global_flags_have_variables() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false).with("MSGRCTL_JSON", "1").with("MSGRCTL_VERBOSE", "1");
    home.run(&["account", "test", "acme"]).code(0).says(&["path=\"/me\""]).json();
    home.run(&["account", "lst"]).code(2).json_error();
    let home = acme(&sandbox, false).with("MSGRCTL_COLOR", "always").with("MSGRCTL_QUIET", "1");
    let run = home.run(&["account", "test", "acme"]).code(0);
    assert!(run.stdout.contains('\u{1b}') && run.stderr.is_empty(), "{run:?}");
    Home::new().with("MSGRCTL_COLOR", "pink").run(&["account", "list"]).code(2).says(&["MSGRCTL_COLOR"]);
}

#[test]
fn a_bundle_of_certificates_is_checked_when_it_is_needed() {
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    home.file("ca.pem", "no certificate");
    home.run(&["account", "test", "acme", "--ca-bundle", "ca.pem"])
        .code(2)
        .says(&["ca.pem", "no certificate in PEM form"]);
    home.run(&["account", "test", "acme", "--ca-bundle", "missing.pem"]).code(2).says(&["cannot read missing.pem"]);
}

/// A command without the flags of its run would work in another configuration.
#[test]
fn the_commands_that_are_named_carry_the_flags_of_the_run() {
    const FLAGS: &str = "--tenant default --config-dir config/msgrctl";
    let sandbox = sandbox();
    let home = acme(&sandbox, false);
    let run = |arguments: &[&str]| {
        home.run(&[&["--config-dir", "config/msgrctl", "--tenant", "default"][..], arguments].concat())
    };
    run(&["account", "show", "nobody"]).code(1).says(&[&format!("msgrctl account list {FLAGS}")]);
    run(&["account", "show", "nobody", "--json"]).code(1).says(&[&format!("msgrctl account list {FLAGS}")]);
    run(&["account", "remove", "acme"]).code(2).says(&[
        &format!("msgrctl webhook unsubscribe acme {FLAGS}"),
        &format!("msgrctl account remove acme --yes {FLAGS}"),
    ]);
    let show = format!("msgrctl webhook show acme --reveal {FLAGS}");
    run(&["webhook", "show", "acme"]).code(0).shows(&[&show]);
    let url = sandbox.url();
    let gone = format!("msgrctl account edit acme --app-id APP_ID --callback-url URL {FLAGS} --graph-url {url}");
    run(&["webhook", "subscribe", "acme", "--graph-url", &url]).shows(&[&gone]);
    let reveal = format!("msgrctl account handover acme --reveal {FLAGS}");
    run(&["account", "handover", "acme", "--no-test"]).code(0).shows(&[&reveal]);
    // Without flags there is nothing to carry.
    home.run(&["account", "show", "nobody"]).code(1).says(&["hint: msgrctl account list\n"]);
}
