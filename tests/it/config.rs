//! The settings of a machine, read and written by a command.

use crate::support::Home;

#[test]
fn a_setting_is_written_read_and_taken_out_and_the_rest_of_the_file_stays() {
    let home = Home::new();
    home.run(&["config", "list"]).screen("config-list");
    let file = home.path("config/msgrctl/config.toml");
    home.run(&["config", "set", "store", "file"]).code(0).shows(&["store is 'file' in"]);
    std::fs::write(&file, "# ours\nstore = \"file\" # no keyring here\n").unwrap();
    home.run(&["config", "set", "timeout", "2.5"]).code(0);
    home.run(&["config", "set", "store", "env"]).code(0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, "# ours\nstore = \"env\" # no keyring here\ntimeout = 2.5\n");
    home.run(&["config", "get", "store"]).code(0).shows(&["env"]);
    let settings = home.run(&["config", "list", "--json"]).code(0).json();
    let of = |key: &str| {
        let all = settings["settings"].as_array().unwrap();
        all.iter().find(|setting| setting["key"] == key).unwrap().clone()
    };
    assert_eq!(of("timeout"), serde_json::json!({"key": "timeout", "value": "2.5", "from": "file"}));
    assert_eq!(of("key_file"), serde_json::json!({"key": "key_file", "from": "default"}));
    home.run(&["config", "set", "store", "env"]).code(0).says(&["nothing to change"]);
    // It is a change as any other.
    home.run(&["config", "unset", "timeout"]).code(0);
    home.run(&["undo", "--yes"]).code(0).shows(&["timeout 2.5 -> (none)"]);
    home.run(&["config", "get", "timeout"]).code(0).shows(&["2.5"]);
    home.run(&["config", "get", "ca_bundle"]).code(1).says(&["ca_bundle is not set", "msgrctl config set ca_bundle"]);
}

#[test]
fn a_value_that_would_not_work_is_not_written() {
    let home = Home::new();
    let file = home.path("config/msgrctl/config.toml");
    for (key, value, why) in [
        ("store", "paper", "'paper' is not a valid store"),
        ("timeout", "0", "out of range"),
        ("graph_url", "https://example.com", "graph.facebook.com"),
        ("graph_version", "26", "26"),
        ("tenant", "nosuch", "there is no tenant 'nosuch'"),
        ("ca_bundle", "company.pem", "is not an absolute path"),
        ("key_file", "~/key", "is not an absolute path"),
    ] {
        let run = home.run(&["config", "set", key, value]);
        assert!([1, 2].contains(&run.code), "{key} = {value}: {run:?}");
        run.says(&[why]);
        assert!(!file.exists(), "{key} = {value} was written");
    }
    home.run(&["config", "set", "graph_ur", "x"]).code(2).says(&["graph_url"]);
    let with_variable = home.with("MSGRCTL_STORE", "env");
    with_variable
        .run(&["config", "set", "store", "file"])
        .code(0)
        .says(&["MSGRCTL_STORE is set to 'env' and overrides it"]);
}

#[test]
fn a_key_file_in_the_configuration_opens_the_encrypted_file() {
    let home = Home::new();
    let key = home.file("key", "0123456789abcdef0123456789abcdef");
    #[cfg(unix)]
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    home.run(&["config", "set", "store", "file"]).code(0);
    home.run(&["config", "set", "key_file", key.to_str().unwrap()]).code(0);
    let add = ["account", "add", "Acme", "--page-username", "acme.support", "--page-id", "109876543210987"];
    let token = "EAABsbCS1iHgBAxZCZCqZBcZAHmZC";
    home.run_with(&[&add[..], &["--token-stdin", "--no-test"]].concat(), token).code(0);
    let reveal = home.run(&["secret", "reveal", "acme", "page-access-token", "--json"]).code(0).json();
    assert_eq!(reveal["value"], token);
}

#[cfg(unix)]
#[test]
fn comments_stay_and_a_read_only_file_is_not_replaced() {
    let home = Home::new();
    home.run(&["config", "set", "timeout", "5"]).code(0);
    let file = home.path("config/msgrctl/config.toml");
    std::fs::write(&file, "\u{feff}# slow proxy\r\ntimeout = 5\r\n").unwrap();
    home.run(&["config", "set", "store", "env"]).code(0);
    home.run(&["config", "unset", "timeout"]).code(0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "\u{feff}# slow proxy\r\nstore = \"env\"\r\n");
    home.run(&["undo", "--yes"]).code(0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("# slow proxy") && text.contains("timeout = 5"), "{text:?}");

    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(&file, mode(0o400)).unwrap();
    home.run(&["config", "unset", "timeout"]).code(3).says(&["the file is read-only", "nothing was changed"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn a_file_that_is_not_there_is_refused_and_one_that_has_gone_is_named() {
    let home = Home::new();
    let absent = home.path("no such file").display().to_string();
    for key in ["ca_bundle", "key_file"] {
        home.run(&["config", "set", key, &absent]).code(2).says(&[&format!("the file '{absent}' does not exist")]);
        home.run(&["config", "set", key, "file"]).code(2).says(&["'file' is not an absolute path"]);
    }
    let bundle = home.file("ca.pem", "x");
    home.run(&["config", "set", "ca_bundle", bundle.to_str().unwrap()]).code(0);
    std::fs::remove_file(&bundle).unwrap();
    home.run(&["doctor"]).code(7).shows(&["msgrctl config unset ca_bundle"]);
}

#[cfg(unix)]
#[test]
fn undo_of_the_first_setting_keeps_what_a_person_wrote_beside_it() {
    let home = Home::new();
    let file = home.path("config/msgrctl/config.toml");
    home.run(&["config", "set", "timeout", "9"]).code(0);
    let text = std::fs::read_to_string(&file).unwrap() + "# Jo: read this first\n";
    std::fs::write(&file, text).unwrap();
    let mode = |mode| std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    mode(0o400);
    home.run(&["undo", "--yes"]).code(3).says(&["the file is read-only", "chmod u+w"]);
    mode(0o600);
    home.run(&["undo", "--yes"]).code(0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# Jo: read this first\n");
}
