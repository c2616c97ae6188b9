//! Many accounts at once, as a platform team has them: written down by the test, since
//! adding them one by one takes longer than what is to be tested.

use std::fmt::Write as _;

use msgrctl::clock::Clock;
use msgrctl::sandbox::{InProcess, World};

use super::Home;

/// A sandbox with so many Pages, and a home with an account for each; the tokens are in
/// files that the accounts refer to.
pub fn many(pages: usize) -> (InProcess, Home) {
    let sandbox = InProcess::start(World::with_pages(pages, Clock::system())).unwrap();
    let home = Home::new().with("MSGRCTL_GRAPH_URL", &sandbox.url());
    let mut text = "schema_version = 1\n".to_owned();
    let world = sandbox.world();
    for (at, page) in world.pages.iter().enumerate() {
        let path = home.file(&format!("tokens/{at}"), &world.page_token(&page.id).unwrap().value);
        let username = page.username.as_deref().unwrap();
        write!(
            text,
            "\n[[accounts]]\nid = \"id-{at}\"\nhandle = \"page-{at}\"\nname = \"Page {at}\"\ntype = \"facebook\"\n\
             page_username = \"{username}\"\npage_id = \"{}\"\ngraph = \"sandbox\"\n\
             created_at = \"2026-01-01T00:00:00Z\"\nupdated_at = \"2026-01-01T00:00:00Z\"\n\
             [accounts.secrets]\npage_access_token = 'file:{}'\n",
            page.id,
            path.display()
        )
        .unwrap();
    }
    drop(world);
    home.file("config/msgrctl/tenants/default/accounts.toml", text);
    (sandbox, home)
}

/// How many requests the sandbox got: a batch is one, its operations are none.
pub fn requests(sandbox: &InProcess) -> usize {
    let world = sandbox.world();
    let batches = world.journal.entries().iter().filter(|entry| entry.path == "/v26.0/").count();
    assert!(batches > 0, "nothing went in batches");
    batches
}

/// Gives an account its app.
pub fn set_app(home: &Home, app_id: &str, secret: Option<&str>) {
    let path = home.accounts_file();
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("graph = \"sandbox\"", &format!("app_id = \"{app_id}\"\ngraph = \"sandbox\""));
    let text = match secret {
        Some(secret) => {
            let file = home.file("app-secret", secret);
            let line = format!("[accounts.secrets]\napp_secret = 'file:{}'", file.display());
            text.replace("[accounts.secrets]", &line)
        }
        None => text,
    };
    std::fs::write(path, text).unwrap();
}
