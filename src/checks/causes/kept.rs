//! Every cause on this machine and where records, secrets, the log and plans are kept.

use super::Cause;
use super::Matter::{Machine, State};
use super::Next::{Doctor, Nothing, ShowState};

causes! {
    HERE
    TEST_CRASHED "test-crashed" Machine Doctor
        "a fault of the program ended the test of this account; the others were tested"
        "report it, with the line about the fault on standard error"
    SECRET_STORE "secret-store" Machine Doctor
        "the store of a secret did not answer, so the account was not tested"
        "see that the store answers: the keyring is unlocked, the key of the encrypted file is there"
    FILE_DAMAGED "file-damaged" Machine Doctor
        "one of msgrctl's own files is damaged or cannot be read"
        "correct the line that is named, or restore the file from a backup"
    STATE_ADDRESS "state-address" State ShowState
        "the address of the shared state is not valid"
        "give it as s3://BUCKET/PREFIX or postgres://USER@HOST/DATABASE in MSGRCTL_STATE, or with msgrctl config set state ADDRESS"
    STATE_CREDENTIALS "state-credentials" State ShowState
        "the credentials for the shared state are missing or not valid"
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; for PostgreSQL set PGPASSWORD, or use ~/.pgpass"
    STATE_UNREACHABLE "state-unreachable" State ShowState
        "the server of the shared state did not answer, or is in trouble"
        "check the network, the address and HTTPS_PROXY, then try again"
    STATE_DENIED "state-denied" State ShowState
        "the server of the shared state does not accept the keys or the password, or their user lacks a right"
        "check them; the rights that are needed: msgrctl doctor --print-policy s3; in PostgreSQL: msgrctl doctor --print-policy postgres"
    STATE_NO_BUCKET "state-no-bucket" State ShowState
        "the bucket of the shared state does not exist"
        "create the bucket, or correct the address"
    STATE_NO_DATABASE "state-no-database" State ShowState
        "the database of the shared state does not exist"
        "make the database, or correct the address"
    STATE_READ_ONLY "state-read-only" State ShowState
        "the database server of the shared state only reads: it is a standby, or was set so"
        "name the primary server in the address"
    STATE_TLS "state-tls" State ShowState
        "no secure connection to the server of the shared state: its certificate is not trusted, or it speaks no TLS"
        "trust the authority of its certificate: --ca-bundle FILE (MSGRCTL_CA_BUNDLE); for PostgreSQL also sslrootcert=FILE in the address"
    STATE_UNCONDITIONAL "state-unconditional" State ShowState
        "the server of the shared state does not support conditional writes, so commands would overwrite each other's changes"
        "use a server with conditional writes, such as Amazon S3, R2, or a current MinIO or SeaweedFS"
    STATE_CONFLICT "state-conflict" State ShowState
        "another command changed the same records in the meantime"
        "run it again: it works on what is there now"
    STATE_LOCKED "state-locked" State ShowState
        "another command holds the lock of the tenant"
        "wait until it is done; if its process is gone, the lock ends after its lease, or: msgrctl state unlock ID"
    STATE_MOVED "state-moved" State ShowState
        "the records were moved to another place, and the setting here names the old one"
        "set 'state' to the new place: msgrctl config set state STATE; where MSGRCTL_STATE is set, change it"
    STATE_DAMAGED "state-damaged" State ShowState
        "a document of the shared state is damaged, or a newer version wrote it"
        "restore an older version of it, or use the newer version here too"
    STATE_WENT_BACK "state-went-back" State ShowState
        "the shared state is older than what was read or written before: the server has lost changes"
        "restore the newest version"
    FILES_EXPOSED "files-exposed" Machine Doctor
        "other users of this machine may read msgrctl's files"
        "remove their access with the command that doctor shows"
    ACCOUNTS_ALIKE "accounts-alike" Machine Doctor
        "two accounts answer to the same name, handle or id: their file was edited or merged by hand"
        "give one of them another name or handle"
    STORE_UNAVAILABLE "store-unavailable" Machine Doctor
        "the secret store is absent, locked, or does not answer"
        "unlock it, or choose another: --store keyring, file, vault or env"
    VAULT_SETTINGS "vault-settings" Machine Doctor
        "a setting of the vault store is missing or not valid"
        "set VAULT_ADDR, or: msgrctl config set vault.address https://HOST:PORT"
    VAULT_UNREACHABLE "vault-unreachable" Machine Doctor
        "Vault does not answer"
        "check its address (msgrctl config get vault.address), the network, and whether the server runs"
    VAULT_SLOW "vault-slow" Machine Doctor
        "Vault does not answer within the time limit, or limits the number of calls"
        "try again; --timeout SECONDS (MSGRCTL_TIMEOUT) waits longer"
    VAULT_TLS "vault-tls" Machine Doctor
        "no secure connection to Vault: its certificate is not trusted, or one side speaks http and the other https"
        "name the certificate of its authority: VAULT_CACERT=FILE, or msgrctl config set vault.ca_bundle FILE"
    VAULT_SEALED "vault-sealed" Machine Doctor
        "Vault is sealed or not initialised: it answers and gives no secret"
        "have its operator unseal it: bao operator unseal (or vault operator unseal); then try again"
    VAULT_TOKEN_MISSING "vault-token-missing" Machine Doctor
        "the token for Vault is missing"
        "log in (bao login or vault login), or set VAULT_TOKEN; programs log in by themselves with vault.auth approle or jwt"
    VAULT_TOKEN_EXPIRED "vault-token-expired" Machine Doctor
        "Vault no longer takes the token: it has expired, was revoked, or is not valid"
        "get a new one: bao login or vault login, or set VAULT_TOKEN; a token that renews itself comes from vault.auth approle or jwt"
    VAULT_LOGIN_REFUSED "vault-login-refused" Machine Doctor
        "Vault refused the login by AppRole or JWT"
        "read what it says: a secret id may be used up or expired, a JWT may have another audience, or the role does not exist"
    VAULT_DENIED "vault-denied" Machine Doctor
        "the policy of the token does not allow this in Vault"
        "give the token what this prints: msgrctl doctor --print-policy vault"
    VAULT_MOUNT_MISSING "vault-mount-missing" Machine Doctor
        "nothing is mounted in Vault where the secrets should be"
        "name the mount of the KV engine: msgrctl config set vault.mount NAME; to make one: bao secrets enable -path=NAME -version=2 kv"
    VAULT_KV_VERSION "vault-kv-version" Machine Doctor
        "the mount in Vault is not a KV engine of version 2: without versions two writers would overwrite each other"
        "name another mount: msgrctl config set vault.mount NAME; or raise its version: bao kv enable-versioning NAME"
    VAULT_NAMESPACE_MISSING "vault-namespace-missing" Machine Doctor
        "Vault has no such namespace"
        "correct VAULT_NAMESPACE, or: msgrctl config set vault.namespace NAME"
    VAULT_CONFLICT "vault-conflict" Machine Doctor
        "other writers changed the entry in Vault at every attempt, so nothing was written"
        "try again"
    VAULT_UNEXPECTED "vault-unexpected" Machine Doctor
        "Vault gave an unexpected answer, or something else answers at its address"
        "read what it says, and check the address: msgrctl config get vault.address"
    SECRET_MISSING "secret-missing" Machine Doctor
        "a secret is not where its account's record says"
        "give the account the secret again"
    SECRETS_LEFT_BEHIND "secrets-left-behind" Machine Doctor
        "the store has secrets that belong to no account of this configuration"
        "remove them where no other configuration uses them"
    LOG_LINE_CHANGED "log-line-changed" Machine Nothing
        "a line of the log is not what it was when the next one was written"
        "compare the log with a copy from elsewhere, and find out who edited it; what it says of that change cannot be relied on"
    LOG_LINE_MISSING "log-line-missing" Machine Nothing
        "lines of the log are missing, or what says where it ends (log.end.json)"
        "restore the log and log.end.json together from a copy; to begin a new log, move the whole log away, never a part of it"
    LOG_LINE_OUT_OF_PLACE "log-line-out-of-place" Machine Nothing
        "a line of the log was moved, copied or added, or the chain began again without log.end.json"
        "compare the log with a copy from elsewhere, and find out who edited it"
    LOG_LINE_UNLINKED "log-line-unlinked" Machine Nothing
        "a line of the log carries no digest of the line before it: a person wrote it, or an older version did, after this one was used"
        "use the same version everywhere; where no older one was used, find out who edited the log"
    PLAN_STALE "plan-stale" Machine Nothing
        "something that the saved plan rests on has changed since it was made: records, a secret, or the state at Meta"
        "make a new plan, and review it: msgrctl plan -f FILE --out PLAN"
    PLAN_EDITED "plan-edited" Machine Nothing
        "the saved plan is not as it was written, or the tenant's key for plans is another one now"
        "make a new plan, and review it: msgrctl plan -f FILE --out PLAN"
    PLAN_EXPIRED "plan-expired" Machine Nothing
        "the saved plan is older than 24 hours"
        "make a new plan, and review it: msgrctl plan -f FILE --out PLAN"
    PLAN_OF_OTHER_TENANT "plan-of-other-tenant" Machine Nothing
        "the saved plan is for another tenant than the one that a flag or variable names"
        "omit --tenant and MSGRCTL_TENANT: the plan knows its tenant"
    PLAN_OF_OTHER_VERSION "plan-of-other-version" Machine Nothing
        "the saved plan was made by another version of this program"
        "apply it with the version that made it, or make a new plan: msgrctl plan -f FILE --out PLAN"
    PLAN_OF_OTHER_GRAPH "plan-of-other-graph" Machine Nothing
        "the saved plan is for another Graph or another version of it, such as a sandbox"
        "give the same --graph-url and --graph-version, or make a new plan: msgrctl plan -f FILE --out PLAN"
    PLAN_OF_OTHER_CONFIGURATION "plan-of-other-configuration" Machine Nothing
        "the saved plan was made for other records: those of another configuration directory or shared state"
        "apply it where it was made, or make a new plan here: msgrctl plan -f FILE --out PLAN"
    CERTIFICATES_MISSING "certificates-missing" Machine Doctor
        "this machine has no certificates to trust, or a proxy variable is not an address"
        "install the system's certificates (ca-certificates), or name some with --ca-bundle FILE"
    CLOCK_WRONG "clock-wrong" Machine Doctor
        "this machine's clock is off by minutes: Meta would refuse signatures"
        "set the clock, for example with: timedatectl set-ntp true"
}
