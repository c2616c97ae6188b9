//! Errors of a shared state, with their causes and ways out.

use super::Error;
use crate::checks::causes;
use crate::http::Fault;
use crate::storage::{RemoteError, StorageError, is_postgres};
use crate::touched;

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::File(error) => error.into(),
            StorageError::Remote(error) => error.into(),
        }
    }
}

const SHOW: &str = "to see where it is and who holds its locks: msgrctl state show";

impl From<RemoteError> for Error {
    fn from(error: RemoteError) -> Self {
        let message = error.to_string();
        let failed = || Self::failed(message.clone());
        match error {
            RemoteError::Address { .. } => Self::usage(message)
                .reason(causes::STATE_ADDRESS.id)
                .hint("give it as s3://BUCKET/PREFIX, with ?endpoint=URL for a server that is not Amazon's, or as postgres://USER@HOST/DATABASE"),
            RemoteError::NotBuilt => Self::usage(message)
                .reason(causes::STATE_ADDRESS.id)
                .hint("use a package of msgrctl, or build it with the feature 'postgres'"),
            RemoteError::NoCredentials { place, why } => Self::credentials(message)
                .reason(causes::STATE_CREDENTIALS.id)
                .cause(why)
                .hint(if is_postgres(&place) {
                    "set PGPASSWORD, or write the password into ~/.pgpass"
                } else {
                    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
                }),
            RemoteError::Setup(error) => error.into(),
            RemoteError::Unreachable { fault: fault @ (Fault::Certificate(_) | Fault::Tls), place } => {
                let bundle = "trust the authority of its certificate: --ca-bundle FILE (MSGRCTL_CA_BUNDLE)";
                let root = if is_postgres(&place) { ", or sslrootcert=FILE in the address" } else { "" };
                Self::remote(message)
                    .reason(causes::STATE_TLS.id)
                    .cause(fault.to_string())
                    .hint(format!("{bundle}{root}"))
            }
            RemoteError::Unreachable { fault, .. } => Self::remote(message)
                .reason(causes::STATE_UNREACHABLE.id)
                .cause(fault.to_string())
                .hint(unless_changed("check the network of this machine and the address")),
            RemoteError::Denied { place, says } => {
                let denied = Self::credentials(message).reason(causes::STATE_DENIED.id).cause(says);
                if is_postgres(&place) {
                    denied
                        .hint("check the user of the address, and its password in PGPASSWORD or ~/.pgpass")
                        .hint("to see the rights that it needs: msgrctl doctor --print-policy postgres")
                } else {
                    denied.hint("to see the rights that it needs: msgrctl doctor --print-policy s3")
                }
            }
            RemoteError::BadKeys { says, .. } => Self::credentials(message)
                .reason(causes::STATE_CREDENTIALS.id)
                .cause(says)
                .hint("check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; keys with a session token expire: get new ones"),
            RemoteError::WrongClock { says, .. } => Self::credentials(message)
                .reason(causes::CLOCK_WRONG.id)
                .cause(says)
                .hint(causes::CLOCK_WRONG.fix()),
            RemoteError::OtherRegion { region, .. } => {
                let region = region.unwrap_or_else(|| "REGION".into());
                Self::usage(message)
                    .reason(causes::STATE_ADDRESS.id)
                    .hint(format!("add ?region={region} to the address of the state, or set AWS_REGION"))
            }
            RemoteError::NoDatabase { .. } => failed().reason(causes::STATE_NO_DATABASE.id).hint(
                "create the database, or correct the address: msgrctl config set state postgres://USER@HOST/DATABASE",
            ),
            RemoteError::ReadOnly { says, .. } => failed()
                .reason(causes::STATE_READ_ONLY.id)
                .cause(says)
                .hint("name the primary server in the address: a standby only reads"),
            RemoteError::NoBucket { .. } => failed()
                .reason(causes::STATE_NO_BUCKET.id)
                .hint("create the bucket, or correct the address: msgrctl config set state s3://BUCKET/PREFIX"),
            RemoteError::Unconditional { .. } => failed()
                .reason(causes::STATE_UNCONDITIONAL.id)
                .cause("it created an object that was there already, so two commands would overwrite each other")
                .hint("use a server with conditional writes (If-None-Match and If-Match): Amazon S3, R2, a current MinIO or SeaweedFS"),
            RemoteError::Unexpected { says, passes: true, .. } => {
                Self::remote(message).reason(causes::STATE_UNREACHABLE.id).cause(says).hint("try again in a minute")
            }
            RemoteError::Unexpected { says, .. } => failed()
                .reason(causes::STATE_UNREACHABLE.id)
                .cause(says)
                .hint("check the address: a proxy or another program may have answered"),
            RemoteError::Damaged { why, .. } => {
                Self::file(message).reason(causes::STATE_DAMAGED.id).cause(why).hint(SHOW)
            }
            RemoteError::WentBack { .. } => Self::file(message)
                .reason(causes::STATE_WENT_BACK.id)
                .cause("the server has lost changes, or an older version of it was restored")
                .hint("restore the newest version; if the older one is meant, remove the directory state-copies in the configuration directory"),
            RemoteError::Contended { .. } => {
                failed().reason(causes::STATE_CONFLICT.id).hint(unless_changed("try again when they are done"))
            }
            RemoteError::Changed { .. } => {
                failed().reason(causes::STATE_CONFLICT.id).hint(unless_changed("run it again with what is there now"))
            }
            RemoteError::LockLost { .. } => failed()
                .reason(causes::STATE_CONFLICT.id)
                .cause("it was not renewed in time, and another command may have it")
                .hint(SHOW),
            RemoteError::Locked { tenant, lock } => failed()
                .reason(causes::STATE_LOCKED.id)
                .cause(format!("it ends at {} unless it is renewed", lock.expires))
                .hint("wait until it is free, then try again")
                .hint(format!("if its holder is gone: msgrctl state unlock {} --tenant {tenant}", lock.id)),
        }
    }
}

fn unless_changed(hint: &str) -> String {
    if touched::anything() { hint.into() } else { format!("nothing was changed; {hint}") }
}
