//! Tells apart the refusals whose code and subcode say too little, by Meta's technical text: 100
//! of a `GraphMethodException` or about a login's code, 190 without a subcode, and 2500, which stands for a missing
//! token as well as an unknown version. Every recorded text is in English; an unknown text
//! decides nothing. All other errors are told apart by code and subcode.

/// What the technical text of such a refusal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// 100: the call's `appsecret_proof` is wrong, or required and missing.
    Proof,
    /// 190: the token cannot be parsed or decrypted.
    Unreadable,
    /// 190: the token's signature is wrong: its app was deleted, or the app's secret is wrong.
    Signature,
    /// 190: a permission must be granted *before impersonating* the Page.
    Grant,
    /// 190: a role on the Page, or two-factor authentication, is needed *in order to
    /// impersonate* it.
    Role,
    /// 190: the call needs a Page's token.
    PageToken,
    /// 190: the call needs the app's token.
    AppToken,
    /// 100: the code of a login was used before.
    CodeUsed,
    /// 100: the code of a login has expired.
    CodeExpired,
    /// 100: the redirect address is not the one of the dialog.
    Redirect,
    /// 2500: the path, or the version in it, does not exist.
    UnknownPath,
}

/// The constant part of each recorded text, in lower case.
const OF_190: [(&str, Wording); 11] = [
    ("before impersonating", Wording::Grant),
    ("in order to impersonate", Wording::Role),
    ("page access token", Wording::PageToken),
    ("debug only access token", Wording::PageToken),
    ("application secret required", Wording::AppToken),
    ("access token signature", Wording::Signature),
    ("cannot parse", Wording::Unreadable),
    ("could not be decrypted", Wording::Unreadable),
    ("malformed access token", Wording::Unreadable),
    ("cannot get application info", Wording::Unreadable),
    ("invalid oauth access token", Wording::Unreadable),
];

/// The same for the code of a login: older answers have no subcode.
const OF_A_CODE: [(&str, Wording); 3] = [
    ("authorization code has been used", Wording::CodeUsed),
    ("authorization code has expired", Wording::CodeExpired),
    ("redirect_uri is identical", Wording::Redirect),
];

impl Wording {
    /// Reads the technical text of a refusal, if it is a known one.
    pub(super) fn read(kind: &str, code: Option<i64>, subcode: Option<i64>, text: &str) -> Option<Self> {
        let text = || text.to_lowercase();
        let among = |known: &[(&str, Self)]| {
            let text = text();
            known.iter().find(|(part, _)| text.contains(part)).map(|(_, wording)| *wording)
        };
        match (code, subcode) {
            (Some(190), None) => among(&OF_190),
            (Some(2500), _) if text().contains("unknown path components") => Some(Self::UnknownPath),
            (Some(100), _) if kind == "GraphMethodException" => {
                text().contains("appsecret_proof").then_some(Self::Proof)
            }
            (Some(100), None) => among(&OF_A_CODE),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_texts_are_read() {
        let of = |text: &str| Wording::read("OAuthException", Some(190), None, text);
        let texts = [
            ("Invalid OAuth access token - Cannot parse access token", Some(Wording::Unreadable)),
            ("The access token could not be decrypted", Some(Wording::Unreadable)),
            ("Malformed access token EAAx", Some(Wording::Unreadable)),
            ("Invalid OAuth access token.", Some(Wording::Unreadable)),
            ("Invalid OAuth access token signature.", Some(Wording::Signature)),
            ("Invalid OAuth access token - Debug only access token", Some(Wording::PageToken)),
            ("This method must be called with a Page Access Token", Some(Wording::PageToken)),
            ("(#190) Application Secret required", Some(Wording::AppToken)),
            (
                "Any of the pages_read_engagement, pages_show_list or pages_messaging permission(s) must be granted before impersonating a user's page.",
                Some(Wording::Grant),
            ),
            (
                "The user must be an administrator, editor, or moderator of the page in order to impersonate it. If the page business requires Two Factor Authentication, the user also needs to enable Two Factor Authentication.",
                Some(Wording::Role),
            ),
            ("Ungültiges Token", None),
        ];
        for (text, expected) in texts {
            assert_eq!(of(text), expected, "{text}");
        }
        let proof = "API calls from the server require an appsecret_proof argument";
        assert_eq!(Wording::read("GraphMethodException", Some(100), None, proof), Some(Wording::Proof));
        let of_code = |text: &str| Wording::read("OAuthException", Some(100), None, text);
        assert_eq!(of_code("This authorization code has been used."), Some(Wording::CodeUsed));
        assert_eq!(of_code("This authorization code has expired."), Some(Wording::CodeExpired));
        let differs = "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request";
        assert_eq!((of_code(differs), of_code("Invalid parameter")), (Some(Wording::Redirect), None));
        let shown = "Unsupported get request. Object with ID 'me' does not exist";
        assert_eq!(Wording::read("GraphMethodException", Some(100), None, shown), None);
        assert_eq!(Wording::read("OAuthException", Some(190), Some(463), "cannot parse"), None);
    }
}
