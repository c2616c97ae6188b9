//! Sends what waits for the targets, and writes down what they took.

use std::cell::RefCell;
use std::collections::HashSet;

use futures_util::future::join_all;

use super::send::Refusal;
use super::targets::Target;
use super::{Round, Sender};
use crate::operations::{Error, Workspace};
use crate::state::{Notice, NoticeFile};

/// Sends each target what waits for it in a tenant, and adds to the round what some did not take.
/// A target that did not answer is left alone for the rest of the round.
pub async fn deliver(workspace: &Workspace, tenant: &str, targets: &[Target], memory: NoticeFile, round: &mut Round) {
    let memory = RefCell::new(memory);
    let reached = targets.iter().filter(|target| !round.silent.contains(&target.name));
    let kept = &memory;
    let sent = reached.map(|target| async move { (target, to_one(workspace, tenant, target, kept).await) });
    let sent = join_all(sent).await;
    for (target, refusal) in sent {
        let Some(refusal) = refusal else { continue };
        if refusal.passes {
            round.silent.insert(target.name.clone());
        }
        let waits = memory.borrow().pending.iter().filter(|pending| pending.targets.contains(&target.name)).count();
        round.waiting.push((target.name.clone(), waits, refusal.why));
    }
}

/// Sends one target what waits for it, the oldest first. One notice that it refuses for good does
/// not hold the others up; one that is not answered ends the attempt. Why it did not take all.
async fn to_one(workspace: &Workspace, tenant: &str, target: &Target, memory: &RefCell<NoticeFile>) -> Option<Refusal> {
    let mut refused: HashSet<String> = HashSet::new();
    let mut why = None;
    let next = |refused: &HashSet<String>| -> Option<Notice> {
        let memory = memory.borrow();
        let mut waiting = memory.pending.iter().filter(|pending| pending.targets.contains(&target.name));
        waiting.find(|pending| !refused.contains(&pending.notice.id)).map(|pending| pending.notice.clone())
    };
    let mut notice = next(&refused)?;
    let sender = match Sender::new(workspace, target) {
        Ok(sender) => sender,
        Err(error) => return Some(Refusal { why: error.message().to_owned(), passes: true }),
    };
    loop {
        match sender.send(&notice).await {
            Ok(()) => {
                if let Err(error) = written_down(workspace, tenant, target, &notice, memory) {
                    // Nothing more is sent that could not be noted either.
                    let why = format!("a notice was sent and cannot be written down: {}", error.message());
                    return Some(Refusal { why, passes: true });
                }
            }
            Err(refusal) if refusal.passes => return Some(refusal),
            Err(refusal) => {
                refused.insert(notice.id.clone());
                why.get_or_insert(refusal);
            }
        }
        let Some(following) = next(&refused) else { return why };
        notice = following;
    }
}

fn written_down(
    workspace: &Workspace,
    tenant: &str,
    target: &Target,
    notice: &Notice,
    memory: &RefCell<NoticeFile>,
) -> Result<(), Error> {
    let mut memory = memory.borrow_mut();
    for pending in memory.pending.iter_mut().filter(|pending| pending.notice.id == notice.id) {
        pending.targets.retain(|name| *name != target.name);
    }
    memory.pending.retain(|pending| !pending.targets.is_empty());
    Ok(workspace.records()?.keep_notices(tenant, &memory)?)
}
