//! References to secrets, callback URLs, names: what is read is shown as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use msgrctl::accounts::{CallbackUrl, Handle, Name, PageUsername};
use msgrctl::secrets::SecretRef;

fuzz_target!(|text: &str| {
    if let Ok(reference) = text.parse::<SecretRef>() {
        assert_eq!(reference.to_string().parse::<SecretRef>().ok().as_ref(), Some(&reference));
    }
    if let Ok(callback) = text.parse::<CallbackUrl>() {
        let _ = (callback.shown(), callback.to_paste(), callback.doubt());
        assert_eq!(callback.as_str().parse::<CallbackUrl>().ok().as_ref(), Some(&callback));
    }
    if let Ok(name) = text.parse::<Name>() {
        assert!(!name.as_str().chars().any(char::is_control), "{name:?}");
        let _ = Handle::slug(&name);
    }
    if let Ok(username) = text.parse::<PageUsername>() {
        assert_eq!(username.to_string().parse::<PageUsername>().ok().as_ref(), Some(&username));
    }
});
