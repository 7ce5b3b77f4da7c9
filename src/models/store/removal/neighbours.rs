//! Files that stand and fall together: models with their lists of characters, and links with what they lead to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::super::characters::Lists;
use super::super::follow::follow;

/// The files of a directory that depend on each other.
pub(super) struct Neighbours {
    /// The lists of characters of the models.
    pub(super) lists: Lists,
    /// By the name of each file, the links that lead to it.
    links: BTreeMap<String, Vec<String>>,
}

impl Neighbours {
    /// Finds those in the directory `dir`, which has these models.
    pub(super) fn of(dir: &Path, models: &[String]) -> Self {
        Self { lists: Lists::of(models.iter().map(String::as_str)), links: links(dir) }
    }

    /// Returns a file, and the models whose list of characters it is: what holds for a model holds for its list.
    pub(super) fn with_models<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        [name].into_iter().chain(self.lists.models_of(name).iter().map(String::as_str))
    }

    /// Returns the links that lead nowhere once the file called `name` is gone.
    pub(super) fn links_to(&self, name: &str) -> &[String] {
        self.links.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Returns the links in a directory, by the name of each file there to which or over which they lead.
fn links(dir: &Path) -> BTreeMap<String, Vec<String>> {
    let mut links: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let Ok(real) = fs::canonicalize(dir) else { return links };
    for found in fs::read_dir(dir).into_iter().flatten().flatten() {
        let is_link = found.file_type().is_ok_and(|kind| kind.is_symlink());
        let Some(link) = found.file_name().into_string().ok().filter(|_| is_link) else {
            continue;
        };
        let targets = follow(&real.join(&link)).skip(1).filter(|(folder, _)| *folder == real);
        for target in targets.filter_map(|(_, name)| name.into_string().ok()) {
            links.entry(target).or_default().push(link.clone());
        }
    }
    links.values_mut().for_each(|names| names.sort_unstable());
    links
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_depends_on_all_that_it_leads_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        fs::write(path.join("real.bin"), "x").unwrap();
        fs::create_dir(path.join("sub")).unwrap();
        let links = [
            ("real.bin", "one.bin"),
            ("one.bin", "two.bin"),
            ("sub/back", "three.bin"),
            ("../real.bin", "sub/back"),
            ("loop.bin", "loop.bin"),
            ("nowhere", "dangling.bin"),
            ("/dev/null", "out.bin"),
        ];
        for (to, link) in links {
            symlink(to, path.join(link)).unwrap();
        }
        symlink(path.join("real.bin"), path.join("absolute.bin")).unwrap();
        let neighbours = Neighbours::of(path, &[]);
        assert_eq!(neighbours.links_to("real.bin"), ["absolute.bin", "one.bin", "three.bin", "two.bin"]);
        assert_eq!(neighbours.links_to("one.bin"), ["two.bin"]);
        assert!(neighbours.links_to("two.bin").is_empty() && neighbours.links_to("null").is_empty());
    }
}
