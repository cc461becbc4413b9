//! A bounded memory: when it is full, what was not used for the longest time gives way.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// A limited number of values, by their keys.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    kept: HashMap<K, Kept<V>>,
    /// Counts uses up; a value's own count tells when it was last used.
    uses: u64,
    most: usize,
}

#[derive(Debug)]
struct Kept<V> {
    value: V,
    used: u64,
}

impl<K: Eq + Hash + Clone, V> Recent<K, V> {
    pub(super) fn new(most: usize) -> Recent<K, V> {
        Recent { kept: HashMap::new(), uses: 0, most }
    }

    /// A value, which counts as used now.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let kept = self.kept.get_mut(key)?;
        self.uses += 1;
        kept.used = self.uses;
        Some(&kept.value)
    }

    /// Keeps a value that was not kept before.
    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.kept.len() >= self.most {
            // Goes through all of them, but only where a new statement costs a round trip anyway.
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(key, _)| key.clone());
            oldest.map(|key| self.kept.remove(&key));
        }
        self.uses += 1;
        self.kept.insert(key, Kept { value, used: self.uses });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_beyond_the_limit_displaces_what_was_not_used_the_longest() {
        let mut recent = Recent::new(3);
        for key in ["a", "b", "c"] {
            recent.insert(key, key.len());
        }
        assert!(["a", "b", "c"].iter().all(|key| recent.kept.contains_key(key)), "at the limit all are kept");
        assert_eq!(recent.get("a"), Some(&1));
        recent.insert("d", 1);
        assert_eq!(recent.get("b"), None);
        assert!(["a", "c", "d"].iter().all(|key| recent.kept.contains_key(key)));
        assert_eq!(recent.kept.len(), 3);
    }
}
