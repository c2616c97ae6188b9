//! Keeps secrets out of core dumps.

/// Stops this process from leaving core dumps, and other processes of the same user from reading
/// its memory (Linux). Makes two system calls; one that is refused changes nothing. Programs
/// that it starts inherit only the limit on core dumps, which they may raise again.
pub fn keep_out_of_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Core);
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), ..limit });
    }
    // The limit does not stop a core dump that is piped to a program.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
