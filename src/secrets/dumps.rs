//! Keeps secrets out of core dumps.

/// From now on this process leaves no core dump, and other processes of the same user do
/// not read its memory (Linux). Two system calls; where one is refused it stays as it was.
/// Programs that are started are not affected, except for the limit of cores, which they
/// may raise again.
pub fn keep_out_of_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Core);
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), ..limit });
    }
    // A core that is piped to a program is not held back by the limit.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
