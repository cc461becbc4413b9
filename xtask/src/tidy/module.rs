//! The modules of a crate, and which of them a path leads to.

use std::collections::BTreeMap;

use super::path::Path;
use super::source::Source;

/// A module's path below its crate: `["verdict", "bounce"]`; empty for the crate itself.
pub(crate) type Name = Vec<String>;

/// How many re-exports are followed one after the other; more would be a circle.
const RE_EXPORTS_MAX: usize = 8;

/// The modules of one crate that are files of their own.
pub(crate) struct Modules<'s> {
    room: &'s str,
    /// By name; the crate itself may be both `lib.rs` and `main.rs`.
    files: BTreeMap<Name, Vec<&'s Source>>,
}

impl<'s> Modules<'s> {
    /// The modules of all files of a room.
    pub(crate) fn new(room: &'s str, sources: impl IntoIterator<Item = &'s Source>) -> Modules<'s> {
        let mut files: BTreeMap<Name, Vec<&Source>> = BTreeMap::new();
        for source in sources {
            files.entry(name_of(&source.shown)).or_default().push(source);
        }
        Modules { room, files }
    }

    /// Every module with its files.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Name, &Vec<&'s Source>)> {
        self.files.iter()
    }

    /// The module that contains the item named by a path in another module; none if it is not in this crate.
    pub(crate) fn target(&self, from: &Name, path: &Path) -> Option<Name> {
        self.follow(from, &path.segments, RE_EXPORTS_MAX)
    }

    fn follow(&self, from: &Name, segments: &[String], left: usize) -> Option<Name> {
        let (start, rest) = self.start(from, segments)?;
        let mut module = start;
        for segment in rest {
            let below = [module.as_slice(), std::slice::from_ref(segment)].concat();
            if self.files.contains_key(&below) {
                module = below;
                continue;
            }
            // The name may come from elsewhere: from a `pub use`, or a `use` that modules below share.
            let origin = left.checked_sub(1).and_then(|left| self.origin(&module, segment, left));
            return Some(origin.unwrap_or(module));
        }
        Some(module)
    }

    /// Where a path starts, and what is left of it from there.
    fn start<'p>(&self, from: &Name, segments: &'p [String]) -> Option<(Name, &'p [String])> {
        let (first, mut rest) = segments.split_first()?;
        let mut module = from.clone();
        match first.as_str() {
            "crate" => module.clear(),
            room if room == self.room => module.clear(),
            "self" => {}
            "super" => {
                module.pop();
                while let [next, after @ ..] = rest
                    && next == "super"
                {
                    module.pop();
                    rest = after;
                }
            }
            _ => {
                module.push(first.clone());
                self.files.contains_key(&module).then_some(())?;
            }
        }
        Some((module, rest))
    }

    /// The module from which a module takes a name by `use`.
    fn origin(&self, module: &Name, name: &str, left: usize) -> Option<Name> {
        let mut uses =
            self.files.get(module)?.iter().flat_map(|source| &source.paths).filter(|path| path.is_use);
        uses.find(|path| path.name == name).and_then(|path| self.follow(module, &path.segments, left))
    }
}

/// `crates/desk/src/verdict/bounce.rs` is `verdict::bounce`, and `lib.rs` and `main.rs` are the crate.
fn name_of(shown: &str) -> Name {
    let inside = shown.split_once("/src/").map_or(shown, |(_, inside)| inside);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    if matches!(inside, "lib" | "main") {
        return Name::new();
    }
    inside.split('/').map(str::to_owned).collect()
}
