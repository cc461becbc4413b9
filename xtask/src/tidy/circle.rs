//! Circles between files: modules of one folder that know each other in both directions, directly or through others.
//!
//! A module and the files of its own folder are one family. From outside it counts as one, and inside it parent and
//! children may know each other: the parent divides the work, the children take its types, and all of it is read
//! together. Among themselves the children are checked like any other folder.

use std::collections::{BTreeMap, BTreeSet};

use super::module::{Modules, Name};
use super::source::Source;

/// A circle that is allowed.
pub(crate) struct Exception {
    /// The room.
    pub(crate) room: &'static str,
    /// The modules, by their paths below the crate. Fewer of them may be in the circle, but not none.
    pub(crate) modules: &'static [&'static str],
    /// Why.
    pub(crate) reason: &'static str,
}

/// The edges between the modules of one folder, and for each the file that makes it.
type Edges = BTreeMap<(Name, Name), String>;

/// The circles that no exception allows, and the exceptions that are no longer needed.
pub(crate) fn faults(sources: &[Source], exceptions: &[Exception]) -> Vec<String> {
    let rooms: BTreeSet<&str> = sources.iter().filter_map(Source::room).collect();
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    for room in rooms {
        let own = sources.iter().filter(|source| source.room() == Some(room));
        for (circle, edges) in circles(&Modules::new(room, own)) {
            let allows = |exception: &Exception| {
                exception.room == room && circle.iter().all(|name| exception.modules.contains(&name.as_str()))
            };
            match exceptions.iter().position(allows) {
                Some(at) => drop(used.insert(at)),
                None => faults.push(told(room, &circle, &edges)),
            }
        }
    }
    let unused = exceptions.iter().enumerate().filter(|(at, _)| !used.contains(at));
    faults.extend(unused.map(|(_, exception)| {
        let modules = exception.modules.join(", ");
        format!(
            "{}: {modules} are no circle any more: take them off the list in xtask/src/tidy.rs (\"{}\")",
            exception.room, exception.reason
        )
    }));
    faults
}

fn told(room: &str, circle: &BTreeSet<String>, edges: &[String]) -> String {
    let modules: Vec<&str> = circle.iter().map(String::as_str).collect();
    format!("{room}: a circle between {}: {}", modules.join(", "), edges.join("; "))
}

/// Every circle of a crate: its modules, and the edges between them as text.
fn circles(modules: &Modules<'_>) -> Vec<(BTreeSet<String>, Vec<String>)> {
    let mut folders: BTreeMap<Name, Edges> = BTreeMap::new();
    for (from, files) in modules.iter() {
        for (source, path) in
            files.iter().flat_map(|source| source.paths.iter().map(move |path| (source, path)))
        {
            let Some(to) = modules.target(from, path) else {
                continue;
            };
            if let Some((folder, edge)) = edge(from, &to) {
                folders.entry(folder).or_default().entry(edge).or_insert_with(|| source.shown.clone());
            }
        }
    }
    folders.values().flat_map(folder_circles).collect()
}

/// The edge that a reference makes in the folder where the two paths part; none between parent and child.
fn edge(from: &Name, to: &Name) -> Option<(Name, (Name, Name))> {
    let shared = from.iter().zip(to).take_while(|(one, other)| one == other).count();
    let up_to = |name: &Name| name.get(..=shared).map(<[String]>::to_vec);
    Some((from.get(..shared)?.to_vec(), (up_to(from)?, up_to(to)?)))
}

fn folder_circles(edges: &Edges) -> Vec<(BTreeSet<String>, Vec<String>)> {
    let names: BTreeSet<&Name> = edges.keys().flat_map(|(from, to)| [from, to]).collect();
    let reach: BTreeMap<&Name, BTreeSet<&Name>> =
        names.iter().map(|name| (*name, reachable(name, edges))).collect();
    let knows = |from: &Name, to: &Name| reach.get(from).is_some_and(|reached| reached.contains(to));
    let mut found: BTreeSet<BTreeSet<&Name>> = BTreeSet::new();
    for name in names.iter().filter(|name| knows(name, name)) {
        found
            .insert(names.iter().copied().filter(|other| knows(name, other) && knows(other, name)).collect());
    }
    let shown = |circle: &BTreeSet<&Name>| {
        let inside = edges.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
        let edges =
            inside.map(|((from, to), file)| format!("{} → {} in {file}", from.join("::"), to.join("::")));
        (circle.iter().map(|name| name.join("::")).collect(), edges.collect())
    };
    found.iter().map(shown).collect()
}

/// What a module knows, directly and through others; itself only on a circle.
fn reachable<'e>(from: &Name, edges: &'e Edges) -> BTreeSet<&'e Name> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        for (_, to) in edges.keys().filter(|(one, _)| one == next) {
            if found.insert(to) {
                open.push(to);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::{Exception, faults};

    /// The circles of a crate `desk` of these files, without the edges.
    fn circles(files: &[(&str, &str)], exceptions: &[Exception]) -> Vec<String> {
        let source =
            |(place, text): &(&str, &str)| Source::new(format!("crates/desk/src/{place}"), *text).unwrap();
        let sources: Vec<Source> = files.iter().map(source).collect();
        let faults = faults(&sources, exceptions);
        faults
            .iter()
            .map(|fault| fault.rsplit_once(": ").map_or(fault.as_str(), |(head, _)| head).to_owned())
            .collect()
    }

    #[test]
    fn circles_are_found_however_they_are_written() {
        for (files, want) in [
            // One direction.
            (&[("a.rs", "use crate::b::B;"), ("b.rs", "struct B;")][..], None),
            // In a `use`, inline, in a group.
            (&[("a.rs", "use crate::b::B;"), ("b.rs", "fn f() { crate::a::g() }")], Some("a, b")),
            (&[("a.rs", "use super::{b, c};"), ("b.rs", ""), ("c.rs", "use crate::{a::A};")], Some("a, c")),
            (
                &[("a.rs", "use crate::b;"), ("b.rs", "use crate::c;"), ("c.rs", "use crate::a;")],
                Some("a, b, c"),
            ),
            // Through a re-export of the crate.
            (
                &[("lib.rs", "pub use a::A;"), ("a.rs", "use crate::b;"), ("b.rs", "use crate::A;")],
                Some("a, b"),
            ),
            (&[("lib.rs", "pub use a::A;"), ("a.rs", ""), ("b.rs", "use crate::A;")], None),
            // Within a family: parent and child may, two children may not.
            (&[("a.rs", "use b::B;"), ("a/b.rs", "use super::A;")], None),
            (
                &[("a.rs", ""), ("a/b.rs", "use super::c;"), ("a/c.rs", "use super::b::B;")],
                Some("a::b, a::c"),
            ),
            // From outside a family is one module.
            (
                &[("a.rs", ""), ("a/c.rs", "use crate::b;"), ("b.rs", "use crate::a::d;"), ("a/d.rs", "")],
                Some("a, b"),
            ),
            // What only tests and comments name does not count.
            (
                &[
                    ("a.rs", "use crate::b;"),
                    ("b.rs", "// crate::a\n#[cfg(test)]\nmod tests { use crate::a; }"),
                ],
                None,
            ),
        ] {
            let want: Vec<String> =
                want.iter().map(|modules| format!("desk: a circle between {modules}")).collect();
            assert_eq!(circles(files, &[]), want, "{files:?}");
        }
    }

    #[test]
    fn exceptions_hold_while_they_are_needed() {
        let files = [("a.rs", "use crate::b;"), ("b.rs", "use crate::a;")];
        let exception = |modules| [Exception { room: "desk", modules, reason: "one idea" }];
        assert_eq!(circles(&files, &exception(&["a", "b", "c"])), [""; 0]);
        assert_eq!(circles(&files, &exception(&["a"])).len(), 2, "the circle, and an exception for nothing");
        assert_eq!(circles(&[], &exception(&["a", "b"])).len(), 1, "an exception for nothing");
    }
}
