//! Judges whether a value looks like a secret of its kind.

use super::{Secret, SecretKind, credential};

/// What a value looks like, judged without any call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Nothing looks wrong.
    Plausible,
    /// White space inside: a pasted line break, or two values at once.
    WhiteSpace,
    /// `IGAA…`: an Instagram-login token, which Graph's Facebook host refuses.
    Instagram,
    /// `id|secret`: an app access token.
    AppToken,
    /// A credential of another system, or of Meta's where a verify token belongs: `a GitHub
    /// token`.
    Foreign(&'static str),
    /// A page token that does not begin like one (`EAA`).
    NotLikeAToken,
    /// A page token with characters other than letters and digits.
    OddToken,
    /// An app secret that is not 32 hexadecimal digits.
    NotLikeASecret,
    /// A verify token that looks like an app secret.
    LikeASecret,
    /// A verify token with characters that occur in addresses, passwords and keys.
    NotPlain,
    /// A verify token with `-`, `_` or `.` beside letters and digits. Meta is known to change
    /// some characters on the way.
    Mangled,
}

/// How serious a doubt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// It may not work as expected.
    Odd,
    /// It is probably something else: a user who typed it may know better, a file that names its
    /// place may not.
    Doubtful,
    /// It is something else.
    Certain,
}

impl Shape {
    /// What is wrong with a value of this shape, and how serious that is. The text continues
    /// `the verify token`, and quotes nothing of the value.
    fn misfit(self) -> Option<(Weight, String)> {
        Some(match self {
            Self::Plausible => return None,
            Self::WhiteSpace => (Weight::Certain, "has white space inside".into()),
            Self::Instagram => {
                (Weight::Certain, "is an Instagram token (IGAA…), which Facebook's Graph refuses".into())
            }
            Self::AppToken => (Weight::Certain, "is an app access token (APPID|SECRET), not a Page's".into()),
            Self::Foreign(what) => (Weight::Certain, format!("has the shape of {what}, and is not sent")),
            Self::NotLikeAToken => (Weight::Doubtful, "does not begin with EAA, as Meta's tokens do today".into()),
            Self::OddToken => (
                Weight::Doubtful,
                "has characters other than letters and digits, which Meta's tokens are made of".into(),
            ),
            Self::NotLikeASecret => {
                (Weight::Doubtful, "is not 32 hexadecimal digits, as Meta's app secrets are today".into())
            }
            Self::LikeASecret => (Weight::Doubtful, "is 32 hexadecimal digits, as a Meta app secret is".into()),
            Self::NotPlain => (
                Weight::Doubtful,
                "has characters other than letters, digits, '-', '_' and '.'; Meta is known to change some on the way"
                    .into(),
            ),
            Self::Mangled => (
                Weight::Odd,
                "has characters other than letters and digits; Meta is known to change some on the way".into(),
            ),
        })
    }
}

/// The source of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giver {
    /// A user who typed it, and may know better.
    Person,
    /// A file that names where it is, which a stranger may have changed.
    File,
}

/// Whether a value is accepted as a secret. The texts continue `the verify token`, and quote
/// nothing of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is accepted.
    Taken,
    /// It is accepted, with this warning.
    Odd(String),
    /// It is refused, for this reason.
    Refused(Shape, String),
}

impl Secret {
    /// Judges the value as a secret of `kind` from `giver`.
    pub fn judge(&self, kind: SecretKind, giver: Giver) -> Verdict {
        let shape = self.shape(kind);
        match (shape.misfit(), giver) {
            (Some((Weight::Certain, why)), _) | (Some((Weight::Doubtful, why)), Giver::File) => {
                Verdict::Refused(shape, why)
            }
            (Some((Weight::Odd | Weight::Doubtful, why)), Giver::Person) => Verdict::Odd(why),
            // The file's author is not there to read a warning.
            (Some((Weight::Odd, _)), Giver::File) | (None, _) => Verdict::Taken,
        }
    }

    /// What the value looks like as a secret of `kind`. Tokens have no documented length, so
    /// length is not checked.
    pub fn shape(&self, kind: SecretKind) -> Shape {
        let value = self.expose();
        let kind = match kind {
            SecretKind::NextVerifyToken => SecretKind::VerifyToken,
            SecretKind::UserAccessToken => SecretKind::PageAccessToken,
            kind => kind,
        };
        let foreign = credential::of_system(value);
        let others = foreign.filter(|what| !credential::is_of_meta(what));
        match (kind, foreign, others) {
            (SecretKind::PageAccessToken | SecretKind::AppSecret, ..) if value.chars().any(char::is_whitespace) => {
                Shape::WhiteSpace
            }
            (SecretKind::PageAccessToken, ..) if value.starts_with("IGAA") => Shape::Instagram,
            (SecretKind::PageAccessToken, ..) if value.contains('|') => Shape::AppToken,
            (SecretKind::PageAccessToken | SecretKind::AppSecret, _, Some(what))
            | (SecretKind::VerifyToken, Some(what), _) => Shape::Foreign(what),
            (SecretKind::PageAccessToken, ..) if !value.starts_with("EAA") => Shape::NotLikeAToken,
            (SecretKind::PageAccessToken, ..) if !plain(value, "") => Shape::OddToken,
            (SecretKind::AppSecret, ..) if !credential::is_app_secret(value) => Shape::NotLikeASecret,
            (SecretKind::VerifyToken, ..) if credential::is_app_secret(value) => Shape::LikeASecret,
            (SecretKind::VerifyToken, ..) if !plain(value, "-_.") => Shape::NotPlain,
            (SecretKind::VerifyToken, ..) if !plain(value, "") => Shape::Mangled,
            _ => Shape::Plausible,
        }
    }
}

/// Whether a value has only ASCII letters, digits and these.
fn plain(value: &str, others: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_page_tokens() {
        let shape = |value: &str| Secret::new(value).shape(SecretKind::PageAccessToken);
        assert_eq!(shape("EAAB0123"), Shape::Plausible);
        assert_eq!(shape("EAAB 0123"), Shape::WhiteSpace);
        assert_eq!(shape("IGAA0123"), Shape::Instagram);
        assert_eq!(shape("123456|abcdef"), Shape::AppToken);
        assert_eq!(shape("0123456789abcdef0123456789abcdef"), Shape::NotLikeAToken);
        assert_eq!(shape("EAA"), Shape::Plausible, "no least length is known");
        assert_eq!(shape("EAAB/0123"), Shape::OddToken);
        assert_eq!(shape("ghp_0123"), Shape::Foreign("a GitHub token"));
    }

    #[test]
    fn shapes_of_app_secrets_and_verify_tokens() {
        let secret = |value: &str| Secret::new(value).shape(SecretKind::AppSecret);
        assert_eq!(secret("0123456789abcdef0123456789abcdef"), Shape::Plausible);
        assert_eq!(secret("EAAB0123"), Shape::NotLikeASecret);
        let verify = |value: &str| Secret::new(value).shape(SecretKind::VerifyToken);
        assert_eq!(verify("abcABC123"), Shape::Plausible);
        assert_eq!(verify("a-b_c.d"), Shape::Mangled);
        for odd in ["a+b/c=", "a b", "postgres://user:pw@db/x", "p@ssword!", "ü"] {
            assert_eq!(verify(odd), Shape::NotPlain, "{odd}");
        }
        assert_eq!(verify("0123456789abcdef0123456789ABCDEF"), Shape::LikeASecret);
        for foreign in ["EAAB", "IGAAx", "12345|abcdefgh", "ghp_x", "sk-ant-x"] {
            assert!(matches!(verify(foreign), Shape::Foreign(_)), "{foreign}");
        }
        assert_eq!(secret("glpat-0123"), Shape::Foreign("a GitLab token"));
    }

    #[test]
    fn a_refusal_names_the_system_and_nothing_of_the_value() {
        for giver in [Giver::Person, Giver::File] {
            let verdict = Secret::new("ghp_mark").judge(SecretKind::VerifyToken, giver);
            let Verdict::Refused(_, why) = verdict else { panic!("{verdict:?}") };
            assert!(why.contains("GitHub") && !why.contains("mark"), "{why}");
        }
    }

    #[test]
    fn what_is_doubtful_a_person_may_give_and_a_file_may_not() {
        let judge = |value: &str, giver| Secret::new(value).judge(SecretKind::VerifyToken, giver);
        assert!(matches!(judge("p@ssword!", Giver::Person), Verdict::Odd(_)));
        assert!(matches!(judge("p@ssword!", Giver::File), Verdict::Refused(Shape::NotPlain, _)));
        assert!(matches!(judge("a-b", Giver::Person), Verdict::Odd(_)));
        assert_eq!(judge("a-b", Giver::File), Verdict::Taken);
        assert_eq!(judge("abc", Giver::Person), Verdict::Taken);
    }
}
