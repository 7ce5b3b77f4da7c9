//! Files that are not to be removed, and the errors about them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::keep::KeepList;
use super::super::layout::Layout;
use super::neighbours::Neighbours;
use super::plan::{Decision, Judged, Planned, Why};
use crate::error::{Error, ErrorKind, Remedy, Result};

/// The files that are not to be removed, by name.
pub(super) struct Protected {
    pub(super) in_use: BTreeMap<String, Vec<u32>>,
    pub(super) stored: KeepList,
    pub(super) given: KeepList,
    pub(super) needed: BTreeSet<String>,
}

impl Protected {
    /// Returns why the file called `name` is to be spared, for its own sake or for a neighbour's.
    pub(super) fn reason(&self, name: &str, neighbours: &Neighbours) -> Option<Why> {
        let with_models = |name: &str| neighbours.with_models(name).find_map(|name| self.own_reason(name));
        let by_link = |link: &String| Some(Why::Link(link.clone(), Box::new(with_models(link)?)));
        with_models(name).or_else(|| neighbours.links_to(name).iter().find_map(by_link))
    }

    /// Returns the processes that use the file called `name` or a neighbour; none of them may be known by its id.
    pub(super) fn users(&self, name: &str, neighbours: &Neighbours) -> Option<Vec<u32>> {
        let links = neighbours.links_to(name).iter().map(String::as_str);
        let names = links.chain([name]).flat_map(|name| neighbours.with_models(name));
        let found: Vec<_> = names.filter_map(|name| self.in_use.get(name)).collect();
        let pids: BTreeSet<_> = found.iter().copied().flatten().copied().collect();
        (!found.is_empty()).then(|| pids.into_iter().collect())
    }

    fn own_reason(&self, name: &str) -> Option<Why> {
        if let Some(entry) = self.stored.holder(name) {
            Some(Why::Listed(entry.to_owned()))
        } else if self.given.holds(name) {
            Some(Why::Given)
        } else if self.needed.contains(name) {
            Some(Why::Needed)
        } else {
            None
        }
    }
}

/// Refuses a removal while a process uses one of the files.
pub(super) fn refuse_in_use(files: &[Judged]) -> Result<()> {
    let in_use = |Judged { planned, .. }: &Judged| match &planned.decision {
        Decision::InUse(pids) if !pids.is_empty() => Some(format!("{} by {}", planned.name, processes(pids))),
        _ => None,
    };
    let used: Vec<_> = files.iter().filter_map(in_use).collect();
    if used.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::ModelInUse, format!("nothing was removed: in use are {}", used.join(", "))).with_hint([
        "free the engines of these processes or end them, or spare the files with ".into(),
        Remedy::Option { keyword: "keep=", flag: "--keep NAME" },
    ]))
}

/// Refuses a removal of files of which some are not to be removed.
pub(super) fn refuse_spared(layout: &Layout, files: &[Judged]) -> Result<()> {
    let spared = files.iter().filter_map(|file| Some((&file.planned, file.why.as_ref()?)));
    let spared: Vec<(&Planned, &Why)> = spared.collect();
    if let Some((gone, _)) = spared.iter().find(|(_, why)| **why == Why::Gone) {
        return Err(layout.missing(&gone.name, "is no longer there"));
    }
    let Some((_, first)) = spared.first() else { return Ok(()) };
    let kept: Vec<_> = spared.iter().map(|(file, why)| format!("{} is spared ({})", file.name, why.text())).collect();
    let message = format!("nothing was removed: {}", kept.join(", "));
    Err(Error::new(ErrorKind::ModelKept, message).with_hint(first.hint(layout)))
}

/// Returns these processes in words.
pub(super) fn processes(pids: &[u32]) -> String {
    let list: Vec<_> = pids.iter().map(u32::to_string).collect();
    match pids {
        [_] => format!("process {}", list.concat()),
        _ => format!("processes {}", list.join(", ")),
    }
}
