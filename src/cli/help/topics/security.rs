//! Where secrets are, and who can read them.

use super::Topic;

pub(super) const SECURITY: Topic = Topic {
    name: "security",
    about: "Where secrets are, and who can read them",
    before: "Page and user access tokens, app secrets and verify tokens are shown only by secret reveal and by flags named --reveal. They are never logged. SECURITY.md in the source says what is defended and what is not.",
    list: &[
        (
            "keyring",
            "one entry for each secret, as in 'msgrctl: Acme Support – page access token'. Programs that can use your unlocked keyring can read them",
        ),
        (
            "encrypted file",
            "secrets.enc of each tenant, only for you (0600, an access list on Windows): XChaCha20-Poly1305. Its key is in the keyring, in a key file, or comes from a passphrase by argon2id. File and key together open every secret of the tenant. msgrctl refuses a file that others may read. A lost passphrase cannot be recovered: secret passphrase --begin-again starts an empty file",
        ),
        (
            "vault",
            "HashiCorp Vault or OpenBao, KV version 2: one entry for each account. Who may read its folder can read them; 'doctor --print-policy vault' prints the least policy. The token goes only over https or to this machine, and nothing is kept on disk",
        ),
        ("env store", "variables, read each time and kept nowhere"),
        (
            "references",
            "env:NAME, file:PATH, keyring:SERVICE/USER, vault:PATH#FIELD, command:PROGRAM: read each time, never copied. A command runs without a shell, and its output is never shown",
        ),
        (
            "accounts.toml",
            "says where each secret is and holds none. When a store does not answer, the command fails and names the ways out; msgrctl never falls back to plain text",
        ),
        (
            "flags",
            "none takes a secret, because the shell's history and the process list would show it. Secrets are read from hidden prompts, standard input, files or variables",
        ),
        (
            "Graph",
            "the Page access token travels in a header, only to https://graph.facebook.com or, for sandbox accounts, to this machine. Calls are signed (appsecret_proof) when the app secret is known. Only debug_token needs the token it inspects in its address, over HTTPS; that address is neither logged nor shown",
        ),
        (
            "verify tokens",
            "go only to Meta and to the callback URL, over HTTPS or on this machine. Values shaped like credentials of other systems, and variables such as GITHUB_TOKEN, are refused",
        ),
        (
            "callback URLs",
            "keys in the query (?code=...) are masked on the screen; webhook show --reveal and JSON have them in full",
        ),
        (
            "webhook listen",
            "accepts an event only with a signature made with the account's app secret. It answers 200 once the event is written or passed on, otherwise 503, and Meta sends it again. --forward-to passes on what customers write, only to HTTPS or to this machine",
        ),
        (
            "handover --reveal",
            "shows the token and the verify token. A page written with --html or --open is readable only by you (0600); delete it afterwards",
        ),
        (
            "text from outside",
            "such as a Page's name, is printed on one line without control characters; JSON escapes them",
        ),
        (
            "other programs",
            "editors and commands that print a secret get no MSGRCTL_ variable; msgrctl leaves no core dump",
        ),
        ("telemetry", "there is none"),
    ],
    groups: Vec::new,
    after: "",
};
