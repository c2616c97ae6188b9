//! The commands that fix a check's findings: for a saved account, an unsaved one, and in the
//! wizard.

use crate::accounts::{Account, AppId};
use crate::checks::{Commands, Editing};
use crate::operations::key;
use crate::secrets::{SecretKind, StoreName};

/// The fixes for a saved account: commands, or variables if those hold its secrets.
pub fn saved(account: &Account) -> Commands {
    let mut commands = of(account.handle.as_str());
    let test_again = &commands.test_again;
    let edit = edit(account.handle.as_str());
    // With a known app id only the secret is missing; a wrong app needs both.
    let known = account.app_id.as_ref().map_or("APP_ID", AppId::as_str);
    let with_app = |app_id: &str| format!("{edit} --app-id {app_id} --app-secret-stdin --yes");
    let mut add_app = with_app(known);
    let reference = account.secrets.get(&SecretKind::PageAccessToken);
    if let Some(place) = reference.filter(|reference| reference.store().is_none()) {
        commands.replace_token = format!("put it where {place} finds it, and {test_again}");
    } else if reference.is_some_and(|reference| reference.store() == Some(StoreName::Env)) {
        let variable = |kind| key(account, kind).variable();
        let secret = variable(SecretKind::AppSecret);
        let set_app = format!("set {secret}, and {edit} --app-id APP_ID");
        add_app = format!("set {secret}, and {edit} --app-id {known}");
        commands.replace_token = format!("set {} to it, and {test_again}", variable(SecretKind::PageAccessToken));
        commands.set_app = set_app;
    }
    let renew = account.secrets.contains_key(&SecretKind::UserAccessToken);
    commands.renew = renew.then(|| format!("msgrctl account renew {}", account.handle));
    Commands { add_app, ..commands }
}

fn edit(handle: &str) -> String {
    format!("msgrctl account edit {handle}")
}

/// The commands for the account `handle`, wherever its secrets are.
pub fn of(handle: &str) -> Commands {
    let edit = edit(handle);
    let set_app = format!("{edit} --app-id APP_ID --app-secret-stdin --yes");
    Commands {
        replace_token: format!("{edit} --token-stdin --yes"),
        test_again: format!("msgrctl account test {handle}"),
        renew: None,
        add_app: set_app.clone(),
        set_app,
        edit: Editing::Flag(edit),
        subscribe: format!("msgrctl webhook subscribe {handle}"),
        verify: format!("msgrctl webhook verify {handle}"),
        edit_messages: format!("msgrctl message edit {handle} EVENT"),
    }
}

/// The fixes for an unsaved account.
pub fn unsaved() -> Commands {
    Commands {
        replace_token: "run this command again with the new token".into(),
        test_again: "run this command again".into(),
        renew: None,
        set_app: "run this command again with the right app id and app secret".into(),
        add_app: "run this command again with the app id and the app secret".into(),
        edit: Editing::Flag("run this command again with".into()),
        subscribe: "msgrctl webhook subscribe NAME (once it is saved)".into(),
        verify: "msgrctl webhook verify NAME (once it is saved)".into(),
        edit_messages: "msgrctl message edit NAME EVENT (once it is saved)".into(),
    }
}

/// The fixes in the wizard: its answers below the result list.
pub fn below() -> Commands {
    Commands {
        replace_token: "paste another token below".into(),
        test_again: "test again below".into(),
        renew: None,
        set_app: "change app id and secret below".into(),
        add_app: "change app id and secret below".into(),
        edit: Editing::Flag("change it below; the flag is".into()),
        subscribe: "save it; the next step is named then".into(),
        verify: "msgrctl webhook verify NAME (once it is saved)".into(),
        edit_messages: "msgrctl message edit NAME EVENT (once it is saved)".into(),
    }
}
