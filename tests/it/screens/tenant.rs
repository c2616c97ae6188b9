//! Tenants.

use crate::support::Home;

#[test]
fn a_tenant_from_its_first_to_its_last_day() {
    let home = Home::new();
    home.run(&["tenant", "list"]).screen("tenant-list-empty");
    let add = ["tenant", "add", "acme", "--host", "acme.example.com", "--product-version", "5.19"];
    home.run(&add).screen("tenant-add");
    home.run(&add).screen("tenant-add-again");
    home.run(&["tenant", "add", "other", "--host", "https://other.example.com/x"]).screen("tenant-add-wrong-host");
    home.run(&["tenant", "use", "acme"]).screen("tenant-use");
    home.run(&["tenant", "list"]).screen("tenant-list");
    home.run(&["tenant", "list", "--json"]).screen("tenant-list-json");
    home.run(&["tenant", "show"]).screen("tenant-show");
    home.run(&["tenant", "show", "--json"]).screen("tenant-show-json");
    home.run(&["tenant", "show", "acmee"]).screen("tenant-unknown");
    home.run(&["tenant", "remove", "acme", "--yes"]).screen("tenant-remove");
}
